"""Error budgets: which source, block and MZI loses how much sensitivity.

Every entry is found twice. *One at a time*: Monte Carlo with that error alone. *Gradient*: the
error's exact effect on the matrices, then first derivatives of every beat's margin and normal tail
areas. Where both agree the budget can be trusted; where they differ, the error is too large to be
added up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ecgphoton.hwsim.chip import Foundry, Luck
from ecgphoton.hwsim.meshchips import MeshChips
from ecgphoton.hwsim.montecarlo import Trial, run, single_threaded
from ecgphoton.hwsim.profile import FABRICATION, LARGEST
from ecgphoton.hwsim.sensitivity import Sensitivity, sensitivity
from ecgphoton.hwsim.weights import Chips, ChipSource, WeightChips
from ecgphoton.program.program import MZIS
from ecgphoton.student.propagate import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

DRAWS = 64
"""Chips whose matrices are drawn for the gradient column; no beat is propagated for them."""


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

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


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
        here, ideal = chips.stack, perfect.stack
        matrices = torch.where(self.weights[..., :4] > 0, here.matrices, ideal.matrices)
        biases = torch.where(self.weights[..., 4] > 0, here.biases, ideal.biases)
        return self._quiet(chips._replace(stack=Stack(matrices, biases, here.gains)))

    def _quiet(self, chips: Chips) -> Chips:
        blocks = self.weights.amax((1, 2))[None, :, None] if self.detector else 0.0
        return chips._replace(additive=chips.additive * blocks)


@dataclass(frozen=True, eq=False)
class OneMzi:
    """Mesh chips with the errors of one MZI alone (its splitters, loss and two heaters)."""

    source: MeshChips
    block: int
    mesh: int
    mzi: int

    def nominal(self) -> Chips:
        """Return the perfect chip."""
        return self.source.nominal()

    def draw(self, seed: int, first: int, count: int) -> Chips:
        """Return chips whose only bad part is this MZI."""
        source = self.source
        chip = source.foundry.chips(seed, first, count, source.wiring)
        heater = self.mesh * (source.wiring.drivers - 2 * MZIS - 4) + self.mzi
        masks = []
        for name, part in zip(Luck._fields, chip.luck, strict=True):
            mask = torch.zeros_like(part[:1])
            if name in ("alpha", "beta", "loss"):
                mask[:, self.block, self.mesh, self.mzi] = 1
            elif name in ("offset", "spread", "curvature", "drift"):
                mask[:, self.block, [heater, heater + MZIS]] = 1
            masks.append(part * mask)
        profile = replace(chip.profile, heater_crosstalk=0.0)
        alone = replace(chip, luck=Luck(*masks), profile=profile)
        exact = torch.as_tensor(source.wiring.codes(0))[None]
        stack = source.nominal().stack
        matrices = alone.matrices(exact).float()
        biases = stack.biases.expand(count, -1, -1)
        return Chips(Stack(matrices, biases, stack.gains), source.additive * 0, source.square)


def blame(
    trial: Trial, *, chips: int = 40, by_mzi: bool = True, simulate_mzis: int = 0
) -> list[Share]:
    """Error budget by source, by block and (mesh level) by MZI, worst first within each kind.

    Parameters
    ----------
    trial
        What `simulate` would run; a few thousand beats are enough.
    chips
        Chips of each Monte Carlo.
    by_mzi
        Whether to go down to single MZIs.
    simulate_mzis
        How many of the worst MZIs are simulated as well (the others have the gradient alone).
    """
    with single_threaded() as threads:
        found = _budget(trial, threads, chips, by_mzi, simulate_mzis)
    order = {"source": 0, "block": 1, "mzi": 2}
    return sorted(found, key=lambda share: (order[share.kind], -_cost(share)))


def _budget(
    trial: Trial, threads: int, chips: int, by_mzi: bool, simulate_mzis: int
) -> list[Share]:
    slopes = sensitivity(trial, threads=threads)

    def share_of(kind: str, name: str, source: ChipSource, count: int) -> Share:
        return _share(trial, slopes, kind, name, source, count, threads)

    shares = [share_of(*case, chips) for case in _cases(trial)]
    mesh = trial.source
    if by_mzi and isinstance(mesh, MeshChips):
        cases = {
            f"{block.name}.{'U' if index == mesh.wiring.meshes - 1 else 'V'}.mzi{mzi}": OneMzi(
                mesh, k, index, mzi
            )
            for k, block in enumerate(mesh.wiring.program.blocks)
            for index in range(mesh.wiring.meshes)
            for mzi in range(MZIS)
        }
        found = [share_of("mzi", name, one, 0) for name, one in cases.items()]
        found.sort(key=_cost, reverse=True)
        for index in range(min(simulate_mzis, len(found))):
            name = found[index].name
            found[index] = share_of("mzi", name, cases[name], chips)
        shares += found
    return shares


def _cost(share: Share) -> float:
    return share.lost_sensitivity_gradient + share.added_fpr_gradient


def _share(
    trial: Trial,
    slopes: Sensitivity,
    kind: str,
    name: str,
    source: ChipSource,
    chips: int,
    threads: int,
) -> Share:
    here = replace(trial, source=source, rin=trial.rin if name == "detector.rin" else 0.0)
    miss, fpr = None, None
    if chips:
        table, _ = run(here, chips, threads=threads)
        perfect = slopes.rates(0.0, 0.0)
        miss, fpr = (float(table[:, index].mean() - perfect[index]) for index in (0, 1))
    shift, variance = slopes.of_errors(matrix_errors(source, trial.seed))
    noisy = source.nominal().additive
    if bool(noisy.any()) or here.rin:
        from ecgphoton.hwsim.sensitivity import analog, shot_moments

        more_shift, more = shot_moments(analog(here), slopes.margin, 16)
        shift, variance = shift + more_shift, variance + more
    lost = slopes.lost(shift, variance)
    return Share(kind, name, miss, fpr, lost[0], lost[1])


def matrix_errors(source: ChipSource, seed: int, draws: int = DRAWS) -> NDArray[np.float64]:
    """(draws, K, 4, 5) errors of weights and biases of chips, without propagating a beat."""
    ideal = source.nominal().stack
    stack = source.draw(seed, 0, draws).stack
    matrices, biases = stack.matrices - ideal.matrices, stack.biases - ideal.biases
    return np.asarray(torch.cat([matrices, biases[..., None]], -1).double())


def _cases(trial: Trial) -> Iterator[tuple[str, str, ChipSource]]:
    source = trial.source
    blocks = trial.carrier.architecture.blocks
    every = torch.ones(len(blocks), 4, 5)
    weights, biases = every.clone(), every.clone()
    weights[..., 4], biases[..., :4] = 0, 0
    if isinstance(source, MeshChips):
        yield from _profile_cases(source)
    elif isinstance(source, WeightChips):
        yield "source", "static weights", Only(source, weights, detector=False)
        yield "source", "static biases", Only(source, biases, detector=False)
        quiet = replace(source, sigma=0.0)
        yield "source", "detector noise", quiet
    for index, name in enumerate(blocks):
        mask = torch.zeros_like(every)
        mask[index] = 1
        yield "block", name, Only(source, mask, detector=True)


def _profile_cases(source: MeshChips) -> Iterator[tuple[str, str, ChipSource]]:
    profile = source.foundry.profile
    exact = torch.as_tensor(source.wiring.codes(0))[None]
    rounded = source.codes
    keep_loss = profile.loss_mzi_db  # a mean loss alone is no error: it raises other noise
    for key in LARGEST:
        if key in ("heater.crosstalk_length", "loss.mzi_db", "time.hours"):
            continue
        if not getattr(profile, key.replace(".", "_")):
            continue
        alone = profile
        for other in LARGEST:
            helper = other in ("heater.crosstalk_length", "time.hours", "dac.bits")
            if other != key and not helper:
                alone = alone.with_value(other, 0.0)
        if key not in FABRICATION:
            alone = alone.with_value("loss.mzi_db", keep_loss)
        codes = rounded if key == "dac.bits" else exact
        foundry = Foundry(alone, source.foundry.detection)
        yield "source", key, replace(source, foundry=foundry, codes=codes, sigma=0.0)
