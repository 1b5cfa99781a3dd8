"""What a receiver leaves of the square of a field, as a function of the inputs."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Squares(NamedTuple):
    """Part of second order in the inputs x of the readings of C chips, in units of ``W x``.

    It is ``a (R x)^2 + b (S x)^2 + c (R x)(S x)`` with the field ``(R + i S) x`` at the detectors.
    """

    real: Tensor
    """(C, K, 4, 4) R."""
    imaginary: Tensor
    """(C, K, 4, 4) S."""
    factors: Tensor
    """(3, C, K, 4, 1) a, b and c."""

    def of(self, block: int, x: Tensor, chip: int | None = None) -> Tensor:
        """(C, 4, N) of one block for inputs (C or 1, 4, N); of one chip (4, N) for (4, N)."""
        one = slice(None) if chip is None else chip if len(self.real) > 1 else 0
        first, second = (part[one, block].to(x) @ x for part in self[:2])
        a, b, c = self.factors[:, one, block].to(x)
        mixed = c * first * second if bool(self.factors[2].any()) else 0.0
        value: Tensor = first.square_().mul_(a).addcmul_(second.square_(), b)
        return value + mixed

    def scaled(self, gain: Tensor) -> Squares:
        """Return the squares of readings that are multiplied by gains (C, K, 4)."""
        return self._replace(factors=self.factors * gain[..., None].to(self.factors))

    def zeroed(self, blocks: Tensor) -> Squares:
        """Return the squares without those of the blocks (K,) that are true."""
        return self._replace(factors=self.factors * ~blocks[:, None, None])

    def where(self, blocks: Tensor, other: Squares) -> Squares:
        """Return these squares in the blocks (K,) that are true, those of `other` elsewhere."""
        mask = blocks[:, None, None]
        pairs = zip(self, other, strict=True)
        return Squares(*(torch.where(mask, one, another) for one, another in pairs))
