"""What readings have besides their part linear in the inputs: squares of fields, leaked light."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ecgphoton.hwsim.effects import Modulators


class Remainder(NamedTuple):
    """Part of the readings of C chips that is not linear in the inputs x, in units of ``W x``.

    With the field ``(R + i S)(x + i q)`` at the detectors, where q is what the modulators leak, it
    is ``N q + a u^2 + b v^2 + c u v`` for ``u = R x - S q`` and ``v = S x + R q``.
    """

    real: Tensor
    """(C, K, 4, 4) R."""
    imaginary: Tensor
    """(C, K, 4, 4) S."""
    factors: Tensor
    """(3, C, K, 4, 1) a, b and c."""
    turned: Tensor
    """(C, K, 4, 4) N, the linear reading of fields in quadrature to the inputs."""
    leak: Tensor
    """(C, K, 4, 1) of `Modulators`."""
    top: float
    """Of `Modulators`."""

    def of(self, block: int, x: Tensor, chip: int | None = None) -> Tensor:
        """(C, 4, N) of one block for inputs (C or 1, 4, N); of one chip (4, N) for (4, N)."""
        one = slice(None) if chip is None else chip if len(self.real) > 1 else 0
        real, imaginary = (part[one, block].to(x) for part in self[:2])
        first, second, value = real @ x, imaginary @ x, torch.zeros((), dtype=x.dtype)
        if bool(self.leak.any()):
            q = Modulators(self.leak[one, block], self.top).quadrature(x)
            first, second = first - imaginary @ q, second + real @ q
            value = self.turned[one, block].to(x) @ q
        if not bool(self.factors.any()):
            return value
        a, b, c = self.factors[:, one, block].to(x)
        mixed = c * first * second if bool(self.factors[2].any()) else 0.0
        squares: Tensor = first.square_().mul_(a).addcmul_(second.square_(), b)
        return value + squares + mixed

    def scaled(self, gain: Tensor) -> Remainder:
        """Return what is left of readings that are multiplied by gains (C, K, 4)."""
        gain = gain[..., None].to(self.factors)
        return self._replace(factors=self.factors * gain, turned=self.turned * gain)

    def zeroed(self, blocks: Tensor) -> Remainder:
        """Return the remainder without that of the blocks (K,) that are true."""
        kept = ~blocks[:, None, None]
        return self._replace(factors=self.factors * kept, leak=self.leak * kept)

    def where(self, blocks: Tensor, other: Remainder) -> Remainder:
        """Return this remainder in the blocks (K,) that are true, that of `other` elsewhere."""

        def mixed(name: str) -> Tensor:
            return torch.where(blocks[:, None, None], getattr(self, name), getattr(other, name))

        parts = {name: mixed(name) for name in ("real", "imaginary", "factors", "turned", "leak")}
        return Remainder(**parts, top=max(self.top, other.top))  # 1 where nothing leaks
