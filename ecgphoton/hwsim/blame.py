"""Error budgets: the sensitivity lost by each source of error, block and MZI.

Every entry is found twice. *One at a time*: Monte Carlo with that error alone. *Gradient*: the
error's exact effect on the matrices, then first derivatives of every beat's margin and normal tail
areas. Where both agree, the entries of the budget add up; where they differ, the errors are too
large for the linear approximation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.effects import EFFECTS, Effect
from ecgphoton.hwsim.effects.drivers import CROSSTALK
from ecgphoton.hwsim.meshchips import MeshChips
from ecgphoton.hwsim.montecarlo import Trial, rates, run
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.sensitivity import analog, sensitivity, shot_moments
from ecgphoton.hwsim.weights import Chips, ChipSource, WeightChips
from ecgphoton.intervals import GROUPS, Interval, jackknifed, mean_interval
from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.progress import Steps, silent
from ecgphoton.student.propagate import Stack

DRAWS = 64
"""Chips whose matrices are drawn for the gradient column; no beat is propagated for them."""
HEATED = ("driver", "arms")
"""Places of errors that belong to one heater of an MZI."""
PARTS = (*HEATED, "mzi", "splitter")
"""Places of errors that belong to one MZI."""
RISES = ("lost_sensitivity", "added_fpr", "lost_sensitivity_gradient", "added_fpr_gradient")
"""What a `Share` gives for each error."""


@dataclass(frozen=True)
class Share:
    """What one source of error costs on average over chips."""

    kind: str
    """``source``, ``block`` or ``mzi``."""
    name: str
    lost_sensitivity: float | None
    """Rise of the miss rate with this error alone, Monte Carlo; None where not simulated."""
    added_fpr: float | None
    lost_sensitivity_gradient: float
    added_fpr_gradient: float
    intervals: Mapping[str, Interval | None]
    """95 % interval over chips of each of the four by name, None where there is none: of the
    differences of simulated chips from the perfect one, on the same beats and with the same
    electronics, and of the gradient over the `DRAWS` chips that its matrices are from."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, the ends of the intervals as ``..._low`` and ``..._high``."""
        row = asdict(self)
        for name, pair in row.pop("intervals").items():
            row[f"{name}_low"], row[f"{name}_high"] = pair or (None, None)
        return row


@dataclass(frozen=True, eq=False)
class Only:
    """A source whose errors are kept in some blocks and parts, and removed elsewhere."""

    source: ChipSource
    weights: Tensor
    """(K, 4, 5) mask of weights and biases."""
    detector: bool

    def nominal(self) -> Chips:
        """Return the perfect chip."""
        return self._quiet(self.source.nominal())

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips with the masked errors alone."""
        chips, perfect = self.source.draw(seed, first, count), self.source.nominal()
        return self._quiet(chips.where(self.weights > 0, perfect))

    def _quiet(self, chips: Chips) -> Chips:
        if not self.detector:
            return chips.quiet()
        return chips.heard(self.weights.amax((1, 2)))._replace(relative=0.0)


@dataclass(frozen=True, eq=False)
class OneMzi:
    """Mesh chips with the errors of one MZI alone: its splitters, its loss and its heaters."""

    source: MeshChips
    block: int
    mzi: int
    """Among all MZIs of a block, attenuators included."""

    def nominal(self) -> Chips:
        """Return the perfect chip without noise."""
        return self.source.nominal().quiet()

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips in which only this MZI has errors."""
        source, k = self.source, self.block
        chip = source.foundry.chips(seed, first, count, source.program)
        heaters = list(chip.device.mzis[self.mzi].drivers)
        kept, normals = _of_mzis(chip.profile), {}
        for effect in kept:
            at = (slice(None), k, heaters if effect.place in HEATED else self.mzi)
            part = chip.normals[effect.name]
            normals[effect.name] = torch.zeros_like(part)
            normals[effect.name][at] = part[at]
        alone = replace(chip, profile=chip.profile.only(*kept), normals=normals)
        nominal, matrices = self.nominal(), alone.matrices(source.wanted).float()
        ideal = nominal.stack
        stack = Stack(matrices, ideal.biases.expand(count, -1, -1), ideal.gains)
        return nominal._replace(stack=stack, remainder=alone.remainder(source.wanted))


def blame(
    trial: Trial,
    *,
    chips: int = 40,
    by_mzi: bool = True,
    progress: Steps = silent,
) -> list[Share]:
    """Error budget by source, by block and (mesh level) by MZI, worst first within each kind.

    Parameters
    ----------
    trial
        What `simulate` would run; a few thousand beats are enough.
    chips
        Chips of each Monte Carlo.
    by_mzi
        Whether to go down to single MZIs, of which the gradient is given alone.
    progress
        Called with (shares found, shares in all).
    """
    cases = [*_cases(trial), *(_mzis(trial.source) if by_mzi else ())]
    shares: list[Share] = []
    with single_threaded() as threads:
        slopes = sensitivity(trial, threads=threads)
        perfect = rates(trial.perfect()[None], trial.label, trial.point)[0, :2]

        def share_of(kind: str, name: str, source: ChipSource) -> Share:
            here = replace(trial, source=source)
            miss, fpr = None, None
            over: list[Interval | None] = [None, None]
            if kind != "mzi":
                table = np.concatenate([*run(here, chips, threads=threads)])
                rises = (table[:, :2] - perfect).T
                miss, fpr = (float(rise.mean()) for rise in rises)
                over = [mean_interval(rise) for rise in rises]
            shift, variance = shot_moments(analog(here), slopes.margin)
            moves = slopes.moves(matrix_errors(source, trial.seed)).reshape(-1, GROUPS, len(shift))
            sums = np.stack([moves.sum(0), (moves**2).sum(0)], 1)  # of each group: (16, 2, B)

            def rise(part: Floats) -> Floats:
                mean, square = part.sum(0) / (len(part) * DRAWS / GROUPS)
                spread = np.maximum(square - mean**2, 0.0)
                return np.array(slopes.lost(mean + shift, spread + variance))

            (lost, added), around = jackknifed(rise, sums)
            intervals = dict(zip(RISES, [*over, *around], strict=True))
            return Share(kind, name, miss, fpr, float(lost), float(added), intervals)

        for case in cases:
            shares.append(share_of(*case))
            progress(len(shares), len(cases))
    return sorted(shares, key=_rank)


def _of_mzis(profile: Profile) -> list[Effect]:
    """Return the lasting errors of a profile that belong to one MZI."""
    return [effect for effect in profile.active if effect.place in PARTS and not effect.shot]


def _mzis(source: ChipSource) -> Iterator[tuple[str, str, ChipSource]]:
    """Yield the source of every MZI alone; none where no error is that of an MZI."""
    if isinstance(source, MeshChips) and _of_mzis(source.foundry.profile):
        device = source.program.device
        for k, block in enumerate(source.program.blocks):
            for index, mzi in enumerate(device.mzis):
                yield "mzi", f"{block.name}.{mzi.name}", OneMzi(source, k, index)


def _rank(share: Share) -> tuple[int, float]:
    """Return the place in the budget: sources, blocks, MZIs, and the most costly first."""
    cost = share.lost_sensitivity_gradient + share.added_fpr_gradient
    return ("source", "block", "mzi").index(share.kind), -cost


def matrix_errors(source: ChipSource, seed: int, draws: int = DRAWS) -> Floats:
    """(draws, K, 4, 5) errors of weights and biases of chips, without propagating a beat.

    What modulators leak counts as an error of the bias: that of inputs at 0.
    """
    chips = source.draw(seed, 0, draws)
    errors = chips.stack.minus(source.nominal().stack)
    if chips.remainder is not None:
        dark = torch.zeros(1, WIDTH, 1, dtype=torch.float32)
        for block in range(errors.shape[1]):
            errors[:, block, :, WIDTH] += chips.remainder.of(block, dark)[..., 0]
    return np.asarray(errors.double())


def _cases(trial: Trial) -> Iterator[tuple[str, str, ChipSource]]:
    source = trial.source
    blocks = trial.carrier.architecture.blocks
    every = torch.ones(len(blocks), 4, 5, dtype=torch.float32)
    weights, biases = every.clone(), every.clone()
    weights[..., 4], biases[..., :4] = 0, 0
    if isinstance(source, MeshChips):
        yield from _profile_cases(source)
    elif isinstance(source, WeightChips):
        yield "source", "static weights", Only(source, weights, detector=False)
        yield "source", "static biases", Only(source, biases, detector=False)
        yield "source", "detector noise", replace(source, sigma=0.0)
    for index, name in enumerate(blocks):
        mask = torch.zeros_like(every)
        mask[index] = 1
        yield "block", name, Only(source, mask, detector=True)


def _profile_cases(source: MeshChips) -> Iterator[tuple[str, str, ChipSource]]:
    undone = (CROSSTALK,) if source.program.crosstalk.share else ()  # an error of chips without any
    for effect in EFFECTS.values():
        if effect.error and (effect in source.foundry.profile.active or effect.name in undone):
            yield "source", effect.name, source.only(effect)
    if source.sigma:
        yield "source", "noise", replace(source.only(), sigma=source.sigma)
