"""What explains an odd sweep of a heater: a bit of its DAC that is stuck, or another law.

The best explanation is the likeliest, its law's prior counted in: a bit stuck at 0 and one stuck
at 1 differ by little else than the law. A heater that follows its codes is fitted from that law as
well, so a fit that ended in the wrong minimum accuses nobody.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.beliefs import PRIOR
from ecgphoton.calibration.fringe import fit
from ecgphoton.mesh.arrays import Floats, Integers

ODD = 1.5
"""Residual, against the usual one, that is reported. Of 70,400 sweeps of healthy heaters, 20 chips
of every shipped profile and state, none left more than 1.25 by fields, of 12,800 by powers 1.30."""
SURE = 20.0
"""Twice the logarithm of how much likelier a stuck bit has to be than a law that fits as well."""
EXPLAINED = 1.3
"""Residual, against the usual one, that a sweep explained by a stuck bit may leave."""
IDEAL = (np.zeros(3),)
BENT = tuple(np.array([0.0, bend, 0.0]) for bend in 0.02 * np.arange(-4, 5))
"""Laws that a fit begins with where the ideal one leads to a doubtful cause. A highest bit stuck at
1 sweeps large powers alone, where laws that are not unlikely differ by turns."""
DOUBTFUL = 3.0
"""Distance of the law beside a stuck bit from the ideal one, in standard deviations of its prior,
from which other laws are begun with."""
MANY = 256
"""Sweeps up to which other laws are begun with; of more, no stuck bit is the cause."""


class Cause(NamedTuple):
    """What explains a sweep."""

    kind: Literal["", "stuck bit", "poor fit"]
    """Empty for a heater that follows its codes."""
    law: Floats
    """(3,) of the explanation."""
    mask: int = 0
    """The stuck bit."""
    level: int = 0
    """What it is stuck at."""

    @property
    def doubtful(self) -> bool:
        """Whether a fit that begins with another law may find a better explanation."""
        unlike = bool(unlikely(self.law) > DOUBTFUL**2)
        return self.kind == "poor fit" or (self.kind == "stuck bit" and unlike)


class _Fits(NamedTuple):
    """Best fits of P sweeps with each of n assumed rows of codes."""

    cost: Floats
    """(P, n) -2 log likelihood, apart from a constant."""
    residual: Floats
    """(P, n)."""
    law: Floats
    """(P, n, 3)."""


class Sweeps(NamedTuple):
    """P sweeps that need an explanation."""

    codes: Integers
    """(P, voltages) as they were set."""
    readings: Tensor
    """(P, voltages, n)."""
    noise: Floats
    """(P,) standard deviation of a reading."""
    usual: Floats
    """(P,) residual that a sweep leaves."""

    def at(self, some: Sequence[int]) -> "Sweeps":
        """Return some of the sweeps."""
        index = list(some)
        return Sweeps(self.codes[index], self.readings[index], self.noise[index], self.usual[index])


def causes(power: Callable[[Integers], Tensor], sweeps: Sweeps, bits: int) -> list[Cause]:
    """Return what explains each sweep.

    Parameters
    ----------
    power
        Heater powers of integer DAC codes.
    bits
        Of the DACs.
    """
    found = _causes(power, sweeps, bits, IDEAL)
    rest = [at for at, cause in enumerate(found) if cause.doubtful]
    if 0 < len(rest) <= MANY:
        again = _causes(power, sweeps.at(rest), bits, BENT)
        for at, cause in zip(rest, again, strict=True):
            found[at] = cause
    return found


def _causes(
    power: Callable[[Integers], Tensor], sweeps: Sweeps, bits: int, starts: Sequence[Floats]
) -> list[Cause]:
    choices = [(1 << bit, level) for bit in range(bits) for level in (0, 1)]
    own, usual, row = sweeps.codes, sweeps.usual, np.arange(len(sweeps.codes))
    codes = np.stack([own | mask if level else own & ~mask for mask, level in choices], 1)
    stuck = _fits(power, codes, sweeps, starts)
    best = stuck.cost.argmin(1)
    cost, residual, law = (part[row, best] for part in stuck)
    whole = _fits(power, own[:, None], sweeps, [*starts, law[:, None]])
    named = residual <= EXPLAINED * usual
    sure = named & (whole.cost[:, 0] > cost + SURE)
    follows = (whole.residual[:, 0] <= ODD * usual) & ~sure
    return [
        Cause("", whole.law[at, 0])
        if follows[at]
        else Cause("stuck bit" if named[at] else "poor fit", law[at], *choices[best[at]])
        for at in row
    ]


def _fits(
    power: Callable[[Integers], Tensor], codes: Integers, sweeps: Sweeps, starts: Sequence[Floats]
) -> _Fits:
    """Fit laws to sweeps at codes (P, n, voltages) from each start, (3,) or (P, 1, 3)."""
    shape, drive = codes.shape[:2], power(codes).flatten(0, 1)
    readings = sweeps.readings[:, None].expand(-1, shape[1], -1, -1).flatten(0, 1)
    noise = torch.as_tensor(sweeps.noise)[:, None].expand(shape).flatten()
    tried = []
    for start in starts:
        begin = torch.as_tensor(start).expand(*shape, 3).flatten(0, 1)
        found = fit(drive, readings, noise, PRIOR["law"], begin)
        law, residual = (part.reshape(*shape, *part.shape[1:]).numpy() for part in found[::2])
        fitting = sweeps.readings[0].numel() * (residual / sweeps.usual[:, None]) ** 2
        tried.append(_Fits(fitting + unlikely(law), residual, law))
    costs, residuals, laws = (np.stack(part) for part in zip(*tried, strict=True))
    first = costs.argmin(0)[None]
    return _Fits(
        costs.min(0),
        np.take_along_axis(residuals, first, 0)[0],
        np.take_along_axis(laws, first[..., None], 0)[0],
    )


def unlikely(law: Floats) -> Floats:
    """(...) squared distance of laws (..., 3) from the ideal one, in units of their prior."""
    return np.asarray((law**2).sum(-1) / PRIOR["law"] ** 2)
