"""The ways of light through a block: which components lie on them, and what they lose.

A loss that differs from path to path would change the matrix. So wherever a column of MZIs leaves
a waveguide alone, that waveguide has a *dummy*, a passive piece that loses as much as an MZI, and
the unheated arm of an MZI is as long as the heated one. All paths of a block then lose the same,
and an amplifier can restore it. A block of this package needs no waveguide crossings.
"""

from typing import NamedTuple

from ecgphoton.mesh.arrays import Array
from ecgphoton.mesh.device import WIDTH, Device


def field_transmission(loss_db: Array) -> Array:
    """Field amplitude left after a loss in dB: ``10^(-dB/20)``; 0 dB is 1."""
    return 10.0 ** (-loss_db / 20.0)


class Losses(NamedTuple):
    """Loss of one component, dB; what is not given loses nothing."""

    mzi: float = 0.0
    """An MZI with both splitters and its arms, and every dummy."""
    shifter: float = 0.0
    """A phase shifter on its own, as at the outputs of mesh U."""


def path_loss(device: Device, losses: Losses) -> float:
    """Loss of every path through a block, dB, apart from what its attenuator is set to.

    Light meets an MZI or a dummy in every column, and one phase shifter behind them.
    """
    return device.columns * losses.mzi + losses.shifter


def dummies(device: Device) -> tuple[tuple[int, int], ...]:
    """(column, mode) of every dummy of a block."""
    taken = {(mzi.column, mzi.mode) for mzi in device.mzis}
    taken |= {(mzi.column, mzi.mode + 1) for mzi in device.mzis if len(mzi.drivers) > 1}
    places = ((column, mode) for column in range(device.columns) for mode in range(WIDTH))
    return tuple(place for place in places if place not in taken)
