"""Architecture of a student, as a frozen value (read and written without torch)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from ecgphoton.ecg.patient_features import FEATURES, delay_of
from ecgphoton.errors import InputError
from ecgphoton.mesh.layout import WIDTH as WIDTH
from ecgphoton.settings import Settings, build, convert, setting
from ecgphoton.student.activations import Activation, activation_of

SAMPLES = 360  # one beat: 1 s at 360 Hz, R peak in the middle
SOURCES = {"window": SAMPLES, "residual": 120}  # samples a branch can read, by source
GAIN_RANGE = (1 / 16, 16.0)  # gains a transimpedance amplifier can deliver


@dataclass(frozen=True)
class Branch(Settings, section="branch"):
    """One 4x4 kernel that slides over part of a beat; its positions are averaged to tokens.

    ::

        samples   start                                          stop
                    |----|----|----|----|----|----|----|----|----|
        kernel      [4x4]> one sample further at every position
        positions   |<--- kernel --->|<--- kernel --->|           tokens x kernel of them
        tokens              0                 1                   mean over each window
    """

    name: str = setting("global", "Name of its block; letters and digits.")
    source: Literal["window", "residual"] = setting(
        "window", "The beat (360 samples), or QRS minus the patient's running template (120)."
    )
    start: int = setting(0, "First sample of the segment.", low=0)
    stop: int = setting(SAMPLES, "One past the last sample of the segment.", high=SAMPLES)
    tokens: int = setting(1, "Number of tokens after average pooling.", low=1)
    kernel: int = setting(357, "Pooling kernel and stride, samples.", low=1)

    def __post_init__(self) -> None:
        """Check the values, and that the segment is long enough for its tokens.

        Raises
        ------
        InputError
            If a value is out of range, or the segment is too short.
        """
        super().__post_init__()
        needed, end = self.start + self.positions + WIDTH - 1, min(self.stop, SOURCES[self.source])
        if needed > end or self.stop > end:
            raise InputError(
                f"branch {self.name} reads {self.source} samples {self.start} to {self.stop}; "
                f"{self.tokens} tokens of {self.kernel} positions need samples up to {needed}, and "
                f"the {self.source} has {SOURCES[self.source]}"
            )

    @property
    def positions(self) -> int:
        """Number of kernel positions that reach a token."""
        return self.tokens * self.kernel


RHYTHM = ("pre/recent", "pre/long-run", "pre/previous", "deviation")


@dataclass(frozen=True)
class Token(Settings, section="token"):
    """One token from four features of the patient's beats, through one 4x4 block."""

    name: str = setting("rhythm", "Name of its block; letters and digits.")
    features: tuple[str, ...] = setting((), "Names of its four patient features, in order.")

    def __post_init__(self) -> None:
        """Check the values.

        Raises
        ------
        InputError
            If a feature does not exist.
        """
        super().__post_init__()
        for name in self.features:
            FEATURES[name]  # refuses a name that does not exist


BRANCHES = (
    Branch("P", "window", 0, 120, 2, 58),
    Branch("QRS", "window", 120, 240, 3, 39),
    Branch("T", "window", 240, 360, 2, 58),
    Branch("global", "window", 0, 360, 1, 357),
    Branch("template", "residual", 0, 120, 3, 39),
)
TOKENS = (
    Token("rhythm", RHYTHM),
    Token("shape", ("QRS deviation", "amplitude/usual", "width/usual", "interval")),
    Token("detail", ("QRS largest deviation", "T deviation/usual", "P deviation", "unlikeness")),
)


@dataclass(frozen=True)
class Architecture(Settings, section="student"):
    """Shape of a `SegmentStudent`; the defaults are the reference network.

    `branches` and `patient` are written into checkpoints and bundles; `template` chooses among the
    branches.

    Raises
    ------
    InputError
        If a value is outside what the student supports.
    """

    layers: int = setting(
        3, "Photonic 4x4 layers applied to every token, at least 2.", low=2, high=16
    )
    classes: int = setting(
        2, "Outputs of the digital head: 2 (normal, abnormal) or more.", low=2, high=16
    )
    activation: str = setting(
        "tanh", "Nonlinearity behind every amplifier; `relu` is clipped to [0, 1]."
    )
    bounded: bool = setting(
        True, "Whether weights and biases pass through tanh into [-scale, scale]."
    )
    scale: float = setting(1.0, "Largest magnitude of a bounded weight or bias.", above=0, high=4)
    gains: Literal["learnt", "tracked", "unit"] = setting(
        "learnt",
        "Amplifier gain of each block: learnt, tracked (1 / running maximum), or fixed at 1.",
    )
    dropout: float = setting(
        0.0, "Dropout on the pooled feature vector during training.", low=0, below=1
    )
    template: bool = setting(
        False, "Branches on the QRS part of the beat minus the running patient template."
    )
    branches: tuple[Branch, ...] = setting(
        BRANCHES, "Sliding kernels in light order; those on the residual need `template`."
    )
    patient: tuple[Token, ...] = setting(
        (), "Tokens from features of the beat against its patient's other beats."
    )

    def __post_init__(self) -> None:
        """Check every value, and that the blocks have different names.

        Raises
        ------
        InputError
            If a value is out of range, a name is used twice, or a branch would not be used.
        """
        super().__post_init__()
        activation_of(self.activation)
        names = self.blocks
        wrong = [n for n in names if not (n.isalnum() and n.isascii()) or names.count(n) > 1]
        if wrong or not self.sliding:
            raise InputError(
                f"the student's blocks are {names}; it needs at least one branch, and names of "
                "letters and digits, each used once"
            )
        short = [token for token in self.patient if len(token.features) != WIDTH]
        if short:
            name, given = short[0].name, len(short[0].features)
            raise InputError(
                f"token {name!r} of student.patient has {given} features; it must name {WIDTH} of "
                f"{', '.join(FEATURES)}"
            )
        unused = [branch for branch in self.branches if branch not in (*self.sliding, *BRANCHES)]
        if unused:
            raise InputError(
                f"student.branches holds {unused[0].name!r} on the residual, which only a student "
                "with student.template = true reads"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        tokens = [{"name": token.name, "features": list(token.features)} for token in self.patient]
        return asdict(self) | {"branches": [asdict(x) for x in self.branches], "patient": tokens}

    @classmethod
    def from_dict(cls, data: object) -> "Architecture":
        """Inverse of `to_dict`; an older file is read as `renewed` says.

        Raises
        ------
        InputError
            If a key is unknown or a value is not allowed.
        """
        architecture: Architecture = build(cls, renewed(data), path="student.")
        return architecture

    @cached_property
    def response(self) -> Activation:
        """The activation as a value."""
        return activation_of(self.activation)

    @cached_property
    def sliding(self) -> tuple[Branch, ...]:
        """The branches in use, in light order."""
        return tuple(b for b in self.branches if self.template or b.source != "residual")

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the patient features that the tokens read, in order."""
        return tuple(name for token in self.patient for name in token.features)

    @property
    def delay(self) -> int:
        """Beats that must follow one before it can be classified, 0 or 1."""
        return delay_of(self.features)

    @cached_property
    def reads(self) -> dict[str, int]:
        """Values of a beat that the student reads, by name of the input."""
        widths = {"window": SAMPLES, "rhythm": len(self.features)}
        widths |= {branch.source: SOURCES[branch.source] for branch in self.sliding}
        return {name: width for name, width in widths.items() if width}

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """Name of every 4x4 matrix: branches, then patient tokens, then MLP layers."""
        return (
            *(branch.name for branch in self.sliding),
            *(token.name for token in self.patient),
            *(f"mlp{index + 1}" for index in range(self.layers)),
        )

    @cached_property
    def tokens(self) -> int:
        """Tokens that run through the MLP: 8 of the reference network, and those of the patient."""
        return sum(branch.tokens for branch in self.sliding) + len(self.patient)

    @property
    def parameters(self) -> int:
        """Number of weights and biases (gains are counted apart: one per block)."""
        return len(self.blocks) * WIDTH * (WIDTH + 1) + self.classes * (WIDTH + 1)


@dataclass(frozen=True)
class _OldToken(Settings, section="token"):
    """A token of version 0.1: four columns of a source, from `start` on."""

    name: str = setting("rhythm", "Name of its block.")
    source: Literal["rhythm", "shape"] = setting("rhythm", "Of four features, or of eight.")
    start: int = setting(0, "First of its four features.", low=0, high=4)


OLD_TOKENS = (_OldToken(), _OldToken("shape", "shape", 0), _OldToken("detail", "shape", 4))


def renewed(data: object) -> object:
    """Return the settings of a student of version 0.1 with tokens that name their features.

    There ``rhythm`` (none, causal, full) and ``shape_tokens`` (how many) chose among the tokens of
    ``patient``, whose four features were columns of a source. Anything else is returned as it is.

    Raises
    ------
    InputError
        If a value was not allowed then, or old and present keys are mixed.
    """
    if not isinstance(data, Mapping) or not {"rhythm", "shape_tokens"} & set(data):
        return data
    kind = Literal["none", "causal", "full"]
    rhythm = convert(data.get("rhythm", "none"), kind, "student.rhythm")
    wanted = convert(data.get("shape_tokens", 0), int, "student.shape_tokens")
    path = "student.patient"
    tokens = convert(data.get("patient", OLD_TOKENS), tuple[_OldToken, ...], path)
    shapes = [token for token in tokens if token.source == "shape"][: max(wanted, 0)]
    if len(shapes) != wanted:
        raise InputError(f"student.shape_tokens is {wanted}, but {path} holds {len(shapes)}")
    columns = {
        "rhythm": (*RHYTHM[:2], "post/pre" if rhythm == "full" else "pre/previous", RHYTHM[3]),
        "shape": TOKENS[1].features + TOKENS[2].features,
    }
    first = [token for token in tokens if token.source == "rhythm" and rhythm != "none"]
    patient = [
        {"name": t.name, "features": list(columns[t.source][t.start : t.start + WIDTH])}
        for t in (*first, *shapes)
    ]
    kept = {key: data[key] for key in data if key not in ("rhythm", "shape_tokens")}
    return {**kept, "patient": patient}
