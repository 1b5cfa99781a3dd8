"""One decision replayed: chip K, beat N, and the change of the margin at every stage."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ecgphoton.hwsim.montecarlo import GROUP, Trial, margin
from ecgphoton.hwsim.sensitivity import threshold_margin
from ecgphoton.hwsim.streams import BEATS, CHIPS
from ecgphoton.settings import Setting
from ecgphoton.student.architecture import WIDTH


@dataclass(frozen=True)
class Stage:
    """Effect of one block of a chip on the margin of one beat."""

    block: str
    static: float
    """Change of the margin by the static errors of this block's matrix and bias."""
    shot: float
    """Further change by the noise of this shot in this block."""
    margin: float
    """Margin with the chip up to and including this block, perfect afterwards."""


@dataclass(frozen=True)
class Trace:
    """One decision of one chip. A positive margin is called abnormal."""

    chip: int
    beat: int
    abnormal: bool
    """The label."""
    perfect: float
    """Margin on the perfect chip without noise."""
    stages: tuple[Stage, ...]

    @property
    def margin(self) -> float:
        """Margin on the chip, exactly the one of the simulation."""
        return self.stages[-1].margin

    @property
    def flipped(self) -> bool:
        """Whether the chip decides otherwise than the perfect one."""
        return (self.margin >= 0) != (self.perfect >= 0)

    @property
    def right(self) -> bool:
        """Whether the chip decides as the label says."""
        return (self.margin >= 0) == self.abnormal

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "chip": self.chip,
            "beat": self.beat,
            "abnormal": self.abnormal,
            "perfect_margin": self.perfect,
            "margin": self.margin,
            "flipped": self.flipped,
            "right": self.right,
            "stages": [vars(stage) for stage in self.stages],
        }


def check_place(chip: int, beat: int, beats: int | None = None) -> None:
    """Refuse a chip that there is not, and a beat of so many; without them, one below 0."""
    Setting(0, "", low=0, high=CHIPS - 1).read(chip, int, "chip")
    Setting(0, "", low=0, high=None if beats is None else beats - 1).read(beat, int, "beat")


def trace(trial: Trial, chip: int, beat: int) -> Trace:
    """Replay one decision, replacing the perfect blocks by the chip's, one after the other.

    The changes of all stages add up to the whole change of the margin: that of a block is taken
    with the errors of all blocks before it, and without errors in those after it.

    Raises
    ------
    InputError
        If there is no such beat or chip.
    """
    check_place(chip, beat, len(trial.inputs))
    first = chip // GROUP * GROUP
    drawn, ideal = trial.source.draw(trial.seed, first, GROUP), trial.source.nominal()
    blocks = trial.carrier.architecture.blocks
    order = torch.arange(len(blocks))
    number = beat // BEATS  # of the block of beats, whose noise the beat has in a simulation
    part = trial.inputs.rows(slice(number * BEATS, (number + 1) * BEATS))

    def replay(static: int, shots: int) -> float:
        """Margin with errors of the first `static` blocks and noise in the first `shots`."""
        wrong = (order < static)[:, None, None].expand(-1, WIDTH, WIDTH + 1)
        chips = drawn.where(wrong, ideal).heard(order < shots)
        scores = trial.score(chips, first, margin, inputs=part, block=number)
        own = float(np.float64(scores[chip - first, beat - number * BEATS]))
        return own - threshold_margin(trial.point)

    before = perfect = replay(0, 0)
    stages = []
    for index, name in enumerate(blocks):
        wrong, noisy = replay(index + 1, index), replay(index + 1, index + 1)
        stages.append(Stage(name, wrong - before, noisy - wrong, noisy))
        before = noisy
    return Trace(chip, beat, bool(trial.label[beat]), perfect, tuple(stages))
