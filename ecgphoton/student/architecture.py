"""What a student is made of, as a frozen value (no torch needed to read or write one)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ecgphoton.errors import InputError
from ecgphoton.mesh.layout import WIDTH as WIDTH

SAMPLES = 360  # one beat: 1 s at 360 Hz, R peak in the middle
GAIN_RANGE = (1 / 16, 16.0)  # what a transimpedance amplifier is asked to deliver


class Branch(NamedTuple):
    """One convolution whose 4x4 kernel slides over part of the beat and is pooled to tokens."""

    name: str
    source: Literal["window", "residual"]
    start: int
    """First sample of the segment."""
    stop: int
    """One past the last sample of the segment."""
    tokens: int
    """Number of tokens after average pooling."""
    kernel: int
    """Pooling kernel and stride, samples."""

    @property
    def positions(self) -> int:
        """Number of kernel positions that reach a token."""
        return self.tokens * self.kernel


BRANCHES = (
    Branch("P", "window", 0, 120, 2, 58),
    Branch("QRS", "window", 120, 240, 3, 39),
    Branch("T", "window", 240, 360, 2, 58),
    Branch("global", "window", 0, 360, 1, 357),
)
SHAPE_BLOCKS = ("shape", "detail")
TEMPLATE_BRANCH = Branch("template", "residual", 0, 120, 3, 39)


@dataclass(frozen=True)
class Architecture:
    """Shape of a `SegmentStudent`; the defaults are the reference network.

    Raises
    ------
    InputError
        If a value is outside what the student supports.
    """

    layers: int = 3
    """Photonic 4x4 layers applied to every token, at least 2."""
    classes: int = 2
    """Outputs of the digital head: 2 (normal, abnormal) or more."""
    activation: Literal["tanh", "relu"] = "tanh"
    """`relu` is clipped to [0, 1] after the gain."""
    bounded: bool = True
    """Whether weights and biases pass through tanh into [-scale, scale]."""
    scale: float = 1.0
    """Largest magnitude of a bounded weight or bias."""
    gains: Literal["learnt", "tracked", "unit"] = "learnt"
    """Amplifier gain of each block: learnt, tracked (1 / running maximum), or fixed at 1."""
    dropout: float = 0.0
    """Dropout on the pooled feature vector during training."""
    rhythm: Literal["none", "causal", "full"] = "none"
    """Ninth token from four RR-interval features: none, causal, or with the next interval."""
    shape_tokens: int = 0
    """Further tokens, 0 to 2, from features of the beat's shape against its patient's usual one."""
    template: bool = False
    """Fifth branch on the QRS part of beat minus running patient template."""

    def __post_init__(self) -> None:
        checks = (
            (2 <= self.layers <= 16, "layers", self.layers, "an integer from 2 to 16"),
            (2 <= self.classes <= 16, "classes", self.classes, "an integer from 2 to 16"),
            (
                self.activation in ("tanh", "relu"),
                "activation",
                self.activation,
                "'tanh' or 'relu'",
            ),
            (
                self.gains in ("learnt", "tracked", "unit"),
                "gains",
                self.gains,
                "'learnt', 'tracked' or 'unit'",
            ),
            (0 < self.scale <= 4, "scale", self.scale, "in (0, 4]"),
            (0 <= self.dropout < 1, "dropout", self.dropout, "in [0, 1)"),
            (
                self.rhythm in ("none", "causal", "full"),
                "rhythm",
                self.rhythm,
                "'none', 'causal' or 'full'",
            ),
            (0 <= self.shape_tokens <= 2, "shape_tokens", self.shape_tokens, "0, 1 or 2"),
        )
        for good, name, value, allowed in checks:
            if not good:
                raise InputError(f"student.{name} is {value!r}; it must be {allowed}")

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The sliding 4x4 kernels, in light order."""
        return (*BRANCHES, TEMPLATE_BRANCH) if self.template else BRANCHES

    @property
    def patient_blocks(self) -> tuple[str, ...]:
        """Blocks that each make one token of four features of the patient's recent beats."""
        rhythm = () if self.rhythm == "none" else ("rhythm",)
        return (*rhythm, *SHAPE_BLOCKS[: self.shape_tokens])

    @property
    def blocks(self) -> tuple[str, ...]:
        """Name of every 4x4 matrix: branches, then rhythm and shape, then MLP layers."""
        return (
            *(branch.name for branch in self.branches),
            *self.patient_blocks,
            *(f"mlp{index + 1}" for index in range(self.layers)),
        )

    @property
    def tokens(self) -> int:
        """Tokens that run through the MLP: 8, plus rhythm 1, shape up to 2, template 3."""
        return sum(branch.tokens for branch in self.branches) + len(self.patient_blocks)

    @property
    def parameters(self) -> int:
        """Number of weights and biases (gains are counted apart: one per block)."""
        return len(self.blocks) * WIDTH * (WIDTH + 1) + self.classes * (WIDTH + 1)
