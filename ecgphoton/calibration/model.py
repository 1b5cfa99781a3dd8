"""The model of a chip that its readings are compared with, and its derivatives.

Nothing here knows how a simulated chip is made: it is the textbook circuit of `Circuit` with the
errors of `Beliefs`. Torch, float64; everything runs over rows: one row is one block of one chip.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ecgphoton.calibration.crosstalk import patterns
from ecgphoton.mesh.clements import Phases, recompose
from ecgphoton.program.program import MZIS
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from ecgphoton.calibration.beliefs import Beliefs
    from ecgphoton.calibration.circuit import Circuit


class Rows(NamedTuple):
    """`Beliefs` of R blocks (chips times blocks) as tensors, one row a block."""

    alpha: Tensor
    """(R, MZIs) of all meshes in light order."""
    beta: Tensor
    offset: Tensor
    """(R, drivers)."""
    law: Tensor
    """(R, 3 drivers)."""
    coupling: Tensor
    """(R, terms)."""
    loss: Tensor
    """(R, MZIs)."""
    attenuator: Tensor
    """(R, 4)."""
    gain: Tensor
    """(R, 4)."""

    @classmethod
    def of(cls, beliefs: Beliefs) -> Rows:
        """Flatten chips and blocks to rows."""
        arrays = beliefs.arrays()
        count = beliefs.offset.shape[0] * beliefs.offset.shape[1]
        return cls(*(torch.as_tensor(arrays[name]).reshape(count, -1) for name in cls._fields))

    def at(self, rows: slice | Tensor) -> Rows:
        """Return some of the rows."""
        return Rows(*(part[rows] for part in self))


class Model:
    """Complex field matrices of blocks, as functions of beliefs and heater voltages."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.patterns = torch.as_tensor(patterns(circuit))

    def power(self, codes: Tensor) -> Tensor:
        """``p = (V / V_pi)^2`` of DAC codes."""
        dac = self.circuit.dac
        p: Tensor = (dac.voltage_of(codes.to(torch.float64)) / dac.v_pi) ** 2
        return p

    def heat(self, rows: Rows, power: Tensor) -> Tensor:
        """Phase (R, S, drivers) every heater gives itself at powers (R or 1, S, drivers)."""
        law = rows.law.reshape(len(rows.law), 1, -1, 3)
        bend = law[..., 1] + power * law[..., 2]
        heat: Tensor = math.pi * power * (1 + law[..., 0] + power * bend)
        return heat

    def coupled(self, rows: Rows) -> Tensor:
        """K (R, drivers, drivers), ones on the diagonal."""
        unit = torch.eye(self.circuit.drivers, dtype=torch.float64)
        k: Tensor = torch.tensordot(rows.coupling, self.patterns, 1) + unit
        return k

    def phases(self, rows: Rows, heat: Tensor) -> Tensor:
        """Actual phases (R, S, drivers) of heat (R, S, drivers)."""
        if bool(rows.coupling.any()):
            heat = heat @ self.coupled(rows).transpose(1, 2)
        return heat + rows.offset[:, None]

    def matrices(self, rows: Rows, phases: Tensor) -> Tensor:
        """Complex field matrices (R, S, 4, 4), detectors' gains included, of actual phases."""
        circuit = self.circuit

        def mesh(index: int) -> Tensor:
            at, k = circuit.start(index), slice(index * MZIS, (index + 1) * MZIS)
            parts = Phases(
                phases[..., at : at + MZIS],
                phases[..., at + MZIS : at + 2 * MZIS],
                phases[..., at + 2 * MZIS : at + 2 * MZIS + WIDTH],
            )
            errors = (rows.alpha[:, None, k], rows.beta[:, None, k], rows.loss[:, None, k].exp())
            field: Tensor = recompose(circuit.layout, parts, *errors)
            return field

        total = mesh(circuit.meshes - 1)
        if circuit.two:
            passed = torch.sin(phases[..., circuit.attenuators] / 2)
            # No attenuator passes more than all the light.
            passed = (passed * (1 + rows.attenuator[:, None])).clamp(-1, 1)
            total = total @ (passed[..., None] * mesh(0))
        return total * (1 + rows.gain)[:, None, :, None]

    def slopes(self, rows: Rows, phases: Tensor) -> dict[str, Tensor]:
        """Return derivatives of `matrices`, each (n, R, S, 4, 4) complex.

        Keys: ``phase`` (n = drivers, actual phases), ``alpha``, ``beta``, ``loss`` (n = MZIs),
        ``attenuator`` and ``gain`` (n = 4). Light is followed once forwards and once backwards:
        an element between fields ``Q`` (from the inputs) and ``P`` (to the outputs) adds outer
        products of columns of ``P`` and rows of ``Q``.
        """
        circuit, shape = self.circuit, phases.shape[:-1]
        flat = phases.reshape(-1, circuit.drivers)
        many = shape[1]

        def spread(part: Tensor) -> Tensor:
            return part.repeat_interleave(many, 0)

        turn = torch.polar(torch.ones_like(flat), flat)
        angles = [spread(part) + math.pi / 4 for part in (rows.alpha, rows.beta)]
        cosines, sines = [part.cos() for part in angles], [1j * part.sin() for part in angles]
        kept = spread(rows.loss).exp()
        half = flat[:, circuit.attenuators] / 2  # (., 0) where there are none
        dimmed = half.sin() * (1 + spread(rows.attenuator[:, : half.shape[1]]))
        passed = dimmed.clamp(-1, 1)
        moves = (dimmed == passed).to(passed.dtype)
        unit = torch.eye(WIDTH, dtype=torch.complex128).expand(len(flat), -1, -1)
        q = [unit[:, m] for m in range(WIDTH)]
        history: list[tuple[list[Tensor], str, int, int]] = []

        def note(kind: str, m: int, index: int) -> None:
            history.append((list(q), kind, m, index))

        for mesh in range(circuit.meshes):
            at = circuit.start(mesh)
            for k, (_, m) in enumerate(circuit.layout.mzis):
                n = mesh * MZIS + k
                for part, driver in enumerate((at + MZIS + k, at + k)):
                    q[m] = turn[:, driver, None] * q[m]
                    note("phase", m, driver)
                    cos, sin = cosines[part][:, n, None], sines[part][:, n, None]
                    q[m], q[m + 1] = cos * q[m] + sin * q[m + 1], sin * q[m] + cos * q[m + 1]
                    note("alpha" if part == 0 else "beta", m, n)
                q[m], q[m + 1] = kept[:, n, None] * q[m], kept[:, n, None] * q[m + 1]
                note("loss", m, n)
            for m in range(WIDTH):
                driver = at + 2 * MZIS + m
                q[m] = turn[:, driver, None] * q[m]
                note("phase", m, driver)
            if mesh == 0 and circuit.two:
                note("attenuator", 0, 0)
                q = [passed[:, m, None] * q[m] for m in range(WIDTH)]
        gains = spread(1 + rows.gain)
        count = MZIS * circuit.meshes
        sizes = {"phase": circuit.drivers, "alpha": count, "beta": count, "loss": count}
        sizes |= {"attenuator": WIDTH, "gain": WIDTH}
        answer = {
            name: torch.zeros((n, len(flat), WIDTH, WIDTH), dtype=torch.complex128)
            for name, n in sizes.items()
        }
        p = [unit[:, m] * gains for m in range(WIDTH)]  # p[m]: column m of P
        for m in range(WIDTH):
            answer["gain"][m, :, m] = q[m]

        def outer(column: Tensor, row: Tensor) -> Tensor:
            return column[:, :, None] * row[:, None]

        for before, kind, m, index in reversed(history):
            if kind == "phase":
                answer[kind][index] += outer(1j * p[m], before[m])
                p[m] = turn[:, index, None] * p[m]
            elif kind in ("alpha", "beta"):
                both = outer(1j * p[m], before[m + 1]) + outer(1j * p[m + 1], before[m])
                answer[kind][index] = both
                part = 0 if kind == "alpha" else 1
                cos, sin = cosines[part][:, index, None], sines[part][:, index, None]
                p[m], p[m + 1] = cos * p[m] + sin * p[m + 1], sin * p[m] + cos * p[m + 1]
            elif kind == "loss":
                answer[kind][index] = outer(p[m], before[m]) + outer(p[m + 1], before[m + 1])
                p[m], p[m + 1] = (kept[:, index, None] * p[j] for j in (m, m + 1))
            else:
                bend = moves * half.cos() / 2 * (1 + spread(rows.attenuator))
                for j in range(WIDTH):
                    path = outer(p[j], before[j])
                    answer["attenuator"][j] = (moves * half.sin())[:, j, None, None] * path
                    driver = circuit.attenuators.start + j
                    answer["phase"][driver] = bend[:, j, None, None] * path
                p = [passed[:, j, None] * p[j] for j in range(WIDTH)]
        return {name: part.reshape(-1, *shape, WIDTH, WIDTH) for name, part in answer.items()}


def tensor(array: np.ndarray) -> Tensor:
    """Float64 tensor."""
    return torch.as_tensor(np.asarray(array, float))
