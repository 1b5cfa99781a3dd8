"""The student with its parameters: what training changes and a checkpoint holds.

The forward pass itself is in `ecgphoton.student.propagate`.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ecgphoton.arguments import check_seed, strict
from ecgphoton.artifacts import load_checkpoint
from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.beats import BeatSet
from ecgphoton.ecg.features import FEATURES_VERSION, SAME_FEATURES
from ecgphoton.errors import InputError, require
from ecgphoton.host import single_precision, undisturbed
from ecgphoton.intake import expecting
from ecgphoton.settings import convert
from ecgphoton.student.architecture import GAIN_RANGE, SAMPLES, WIDTH, Architecture, Branch
from ecgphoton.student.propagate import (
    Block,
    Detector,
    Head,
    IdealDetector,
    Inputs,
    Stack,
    Tapped,
    inputs_of,
    read_out,
    walk,
)

BRANCH_GAIN, LAYER_GAIN = 2.0, 1.5  # initial values of learnt gains
# The mean over tokens gives each token a small weight, so the head must be large: at one common
# learning rate it grows ten times as fast as the bounded matrices.
HEAD_SCALE, HEAD_START = 10.0, 0.2
RANGES = ("range_lo", "range_hi")
"""Converter ranges: what a checkpoint may hold besides the student, both or none."""
M = TypeVar("M", bound=nn.Module)


class SegmentStudent(nn.Module):
    """Photonic heartbeat classifier with every weight and bias in [-scale, scale].

    ``student(window, rhythm, residual)`` returns ``(logits, h_pool)``; the answer for a beat
    depends on that beat alone, never on its neighbours in the batch.

    Parameters
    ----------
    architecture
        Shape of the network.
    seed
        Seed of the initial weights.
    """

    @strict
    @undisturbed()
    def __init__(self, architecture: Architecture | None = None, *, seed: int = 0) -> None:
        super().__init__()
        self.architecture = architecture or Architecture()
        self.architecture.response.check_forms()
        blocks = len(self.architecture.blocks)
        branches = blocks - self.architecture.layers
        draw = torch.Generator().manual_seed(check_seed(seed))

        def uniform(*shape: int, bound: float) -> Tensor:
            return (torch.rand(shape, generator=draw, dtype=torch.float32) * 2 - 1) * bound

        self.raw_weight = nn.Parameter(uniform(blocks, WIDTH, WIDTH, bound=0.8))
        self.raw_bias = nn.Parameter(uniform(blocks, WIDTH, bound=0.3))
        learnt = [BRANCH_GAIN] * branches + [LAYER_GAIN] * self.architecture.layers
        start = learnt if self.architecture.gains == "learnt" else [1.0] * blocks
        self.log_gain = nn.Parameter(
            torch.tensor([math.log(gain) for gain in start], dtype=torch.float32),
            requires_grad=self.architecture.gains == "learnt",
        )
        classes = self.architecture.classes
        self.raw_head_weight = nn.Parameter(uniform(classes, WIDTH, bound=HEAD_START))
        self.raw_head_bias = nn.Parameter(torch.zeros(classes, dtype=torch.float32))
        self.dropout = nn.Dropout(self.architecture.dropout)

    def __repr__(self) -> str:
        """Return size and blocks in one line."""
        arch = self.architecture
        return (
            f"SegmentStudent({arch.parameters} parameters, {arch.tokens} tokens, "
            f"{arch.activation}, blocks {' '.join(arch.blocks)})"
        )

    def stack(self) -> Stack:
        """Return the bounded matrices, biases and gains as a stack of one chip."""
        weight: Tensor = self.raw_weight
        bias: Tensor = self.raw_bias
        if self.architecture.bounded:
            scale = self.architecture.scale
            weight, bias = scale * torch.tanh(weight), scale * torch.tanh(bias)
        low, high = (math.log(bound) for bound in GAIN_RANGE)
        return Stack(weight[None], bias[None], self.log_gain.clamp(low, high).exp()[None])

    def head(self) -> Head:
        """Return the digital head."""
        return Head(HEAD_SCALE * self.raw_head_weight, HEAD_SCALE * self.raw_head_bias)

    def run(
        self,
        inputs: Inputs,
        *,
        stack: Stack | None = None,
        detector: Detector | None = None,
        dropout: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Propagate beats through this student, or through chips that carry it.

        Parameters
        ----------
        dropout
            Whether a student in training drops features; one that is asked for answers does not.

        Returns
        -------
        logits, h_pool
            (C, B, classes) and (C, B, 4).
        """
        stack = self.stack() if stack is None else stack
        detector = detector or IdealDetector(self.architecture.response)
        with single_precision():
            h_pool = walk(stack, inputs, self.architecture, detector).mean(2)
            kept = self.dropout(h_pool) if dropout else h_pool
            return read_out(self.head(), kept), h_pool

    def forward(
        self, window: Tensor, rhythm: Tensor | None = None, residual: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Classify beats: (B, 360) or (B, 1, 360) -> logits (B, classes), h_pool (B, 4)."""
        if window.dim() == 3 and window.shape[1] == 1:
            window = window[:, 0]
        if window.dim() != 2 or window.shape[1] != SAMPLES:
            raise InputError(
                f"a student reads beats of shape (n, {SAMPLES}), got {tuple(window.shape)}"
            )
        logits, h_pool = self.run(Inputs(window, rhythm, residual))
        return logits[0], h_pool[0]

    @torch.no_grad()
    def track_gains(self, inputs: Inputs, *, momentum: float = 0.05) -> None:
        """Move tracked gains toward 1 / (largest detector value of each block on these beats)."""
        if self.architecture.gains != "tracked":
            return
        peaks: list[Tensor] = []

        def largest(block: Block, x: Tensor, branch: Branch | None) -> None:
            peaks.append(block.detected(x, branch).abs().amax())

        self.run(inputs, detector=Tapped(IdealDetector(self.architecture.response), largest))
        target = -torch.stack(peaks).clamp_min(1e-3).log()
        self.log_gain.lerp_(target.to(self.log_gain), momentum)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the state as numpy arrays, for a checkpoint."""
        return {name: value.detach().numpy().copy() for name, value in self.state_dict().items()}


def refuse_other_features(architecture: Architecture, metadata: Mapping[str, Any]) -> None:
    """Refuse a student that was trained on other features than this version computes.

    Raises
    ------
    InputError
        If it reads patient or template features of a version that were computed differently.
    """
    learnt = metadata.get("features_version", FEATURES_VERSION)
    if (architecture.patient or architecture.template) and learnt not in SAME_FEATURES:
        raise InputError(
            f"this student was trained on version {learnt} of the patient features, this "
            f"ecgphoton computes version {FEATURES_VERSION}; train it again, or use the ecgphoton "
            "it was trained with"
        )


def filled(model: M, arrays: Mapping[str, np.ndarray], what: str) -> M:
    """Load stored arrays, of a checkpoint that messages call `what`, into a model of their shape.

    Raises
    ------
    InputError
        If an array is missing, has another shape, is no array of the model, or holds integers
        where weights are expected.
    """
    state = model.state_dict()
    for name, expected in state.items():
        if name not in arrays or tuple(arrays[name].shape) != tuple(expected.shape):
            found = tuple(arrays[name].shape) if name in arrays else "nothing"
            raise InputError(
                f"{what} array {name!r} has {found}, the architecture needs {tuple(expected.shape)}"
            )
        if expected.is_floating_point() and arrays[name].dtype.kind != "f":
            raise InputError(
                f"{what} array {name!r} holds {arrays[name].dtype} values, which are no weights; "
                "store floating-point numbers"
            )
    if further := sorted(set(arrays) - set(state)):
        raise InputError(
            f"{what} array {further[0]!r} is none of the architecture, which would leave it "
            "out; correct the architecture, or remove the array"
        )
    model.load_state_dict({name: torch.as_tensor(arrays[name]) for name in state})
    return model.eval()


def read_student(path: Path) -> tuple[SegmentStudent, dict[str, np.ndarray], dict[str, Any]]:
    """Read student, arrays and metadata of a checkpoint file.

    Raises
    ------
    InputError
        If the checkpoint is missing, damaged or lacks the metadata of a student; if classes,
        operating point and arrays are not those of one architecture.
    """
    arrays, metadata = load_checkpoint(path)
    with expecting(path, "the checkpoint of a student", "train or export it again"):
        architecture = Architecture.from_dict(metadata["architecture"])
        classes = convert(metadata["classes"], tuple[str, ...], "classes")
        point = OperatingPoint.from_dict(metadata["operating_point"])
    count = architecture.classes
    if not len(classes) == len(set(classes)) == count:
        raise InputError(
            f"{path} names the classes {', '.join(classes)}; its architecture has {count}, each "
            "with a name of its own"
        )
    if point.binary != (count == 2):
        raise InputError(
            f"{path} has {count} classes and {'an' if point.binary else 'no'} operating point; "
            "two classes have one, more than two have none"
        )
    with expecting(path, "the checkpoint of a student", "train or export it again"):
        refuse_other_features(architecture, metadata)
        whole = set(RANGES) <= set(arrays)
        own = {name: arrays[name] for name in arrays if not (whole and name in RANGES)}
        student = filled(SegmentStudent(architecture), own, "checkpoint")
    return student, arrays, metadata


@torch.no_grad()
def predict(student: SegmentStudent, beats: BeatSet | Inputs, *, block: int = 1024) -> np.ndarray:
    """Class probabilities of every beat.

    Parameters
    ----------
    beats
        n beats, or the inputs that `inputs_of` makes of them.
    block
        Beats computed at a time.

    Returns
    -------
    ndarray of shape (n, classes), float32
        Softmax of the logits; column 1 of a binary student is the probability of abnormal.

    Raises
    ------
    InputError
        As `inputs_of`; if `block` is no whole number of beats.
    """
    inputs, block = inputs_of(beats, student.architecture), convert(block, int, "block")
    require(block >= 1, "block", block, "at least 1")
    stack = student.stack()
    none = torch.empty((0, student.architecture.classes), dtype=torch.float32)
    pieces = (inputs.rows(slice(at, at + block)) for at in range(0, len(inputs), block))
    logits = (student.run(piece, stack=stack, dropout=False)[0][0] for piece in pieces)
    return torch.cat([none, *(torch.softmax(one, -1) for one in logits)]).numpy()
