"""Mesh level: a fabricated chip, hidden behind the codes one can set and the readings one gets.

`Foundry` draws everything that is fixed in one chip from unit normals numbered by (seed, chip), so
chip 17 keeps its luck when a profile's numbers change. Chips come in batches: every array has a
leading chip axis, and no Python loop runs over chips.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ecgphoton.errors import InputError
from ecgphoton.hwsim.profile import Profile, load_profile
from ecgphoton.hwsim.streams import chip_rng
from ecgphoton.hwsim.wiring import MESH, Wiring
from ecgphoton.mesh.clements import Phases, recompose
from ecgphoton.mesh.heater import phase_of_voltage
from ecgphoton.mesh.mzi import field_transmission
from ecgphoton.program.program import MZIS, MeshProgram
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

Detection = Literal["homodyne", "balanced", "intensity"]


class Luck(NamedTuple):
    """Unit normals of C chips, in the order they are drawn."""

    alpha: Tensor
    """(C, K, meshes, 6) first splitters."""
    beta: Tensor
    """(C, K, meshes, 6) second splitters."""
    loss: Tensor
    """(C, K, meshes, 6)."""
    offset: Tensor
    """(C, K, drivers)."""
    spread: Tensor
    """(C, K, drivers)."""
    curvature: Tensor
    """(C, K, drivers)."""
    drift: Tensor
    """(C, K, drivers)."""
    attenuator: Tensor
    """(C, K, 4)."""
    gain: Tensor
    """(C, K, 4) responsivities."""
    zero: Tensor
    """(C, K, 4) detector offsets."""
    detector: Tensor
    """(C, K, 4) splitters of balanced detectors."""


def luck_shapes(wiring: Wiring) -> tuple[tuple[int, ...], ...]:
    """Shapes of the parts of `Luck` for one chip."""
    blocks = len(wiring.program.blocks)
    mesh, heat = (blocks, wiring.meshes, MZIS), (blocks, wiring.drivers)
    return (*[mesh] * 3, *[heat] * 4, *[(blocks, WIDTH)] * 4)


@dataclass(frozen=True, eq=False)
class Chip:
    """C fabricated chips of one program (C = 1 for one). Arrays are torch, float64 unless `to`."""

    wiring: Wiring
    profile: Profile
    luck: Luck
    detection: Detection = "homodyne"

    def __len__(self) -> int:
        """Return the number of chips."""
        return int(self.luck.alpha.shape[0])

    @property
    def splitters(self) -> tuple[Tensor, Tensor]:
        """Angle errors alpha, beta (C, K, meshes, 6), rad: what calibration has to find out."""
        sigma = self.profile.splitter_sigma
        return sigma * self.luck.alpha, sigma * self.luck.beta

    def actual_phases(self, codes: Tensor) -> Tensor:
        """Phases (C, K, drivers) at DAC codes given as fractions of the largest code.

        ``phase = offset + drift + (I + X) pi (c1 p + c2 p^2)`` with ``p = (V / V_pi)^2`` and
        crosstalk X.
        """
        p, law = self.profile, self.luck
        program = self.wiring.program
        first = 1 + p.heater_spread * law.spread
        curve = torch.stack([first, p.heater_curvature * law.curvature, 0 * first], -1)
        heat: Tensor = phase_of_voltage(codes * program.v_max, program.v_pi, curve)
        if p.heater_crosstalk:
            heat = heat + heat @ torch.as_tensor(self.wiring.crosstalk(p)).T.to(heat)
        return heat + p.phase_offset * law.offset + p.noise.drifted * law.drift

    def field(self, phases: Tensor) -> Tensor:
        """Complex field matrices (C, K, 4, 4) of the optics at actual phases (C, K, drivers).

        The common loss of `Profile.loss_mzi_db` is left out: see `boost`.
        """
        alpha, beta = self.splitters
        loss = field_transmission(self.profile.loss_mzi_sigma_db * self.luck.loss)
        layout = self.wiring.program.layout

        def mesh(index: int, at: int) -> Tensor:
            parts = Phases(
                phases[..., at : at + MZIS],
                phases[..., at + MZIS : at + 2 * MZIS],
                phases[..., at + 2 * MZIS : at + MESH],
            )
            answer: Tensor = recompose(
                layout, parts, alpha[:, :, index], beta[:, :, index], loss[:, :, index]
            )
            return answer

        if self.wiring.meshes == 1:
            return mesh(0, 0)
        attenuation = torch.sin(phases[..., MESH : MESH + WIDTH] / 2)
        error = 1 + self.profile.attenuator_sigma * self.luck.attenuator
        attenuation = (attenuation * error).clamp(-1, 1)
        return mesh(1, MESH + WIDTH) @ (attenuation[..., None] * mesh(0, 0))

    @property
    def boost(self) -> float:
        """Amplifier factor that restores the mean loss of all columns."""
        columns = self.wiring.program.layout.depth * self.wiring.meshes
        return float(1 / field_transmission(self.profile.loss_mzi_db * columns))

    @cached_property
    def responsivity(self) -> Tensor:
        """(C, K, 4) factor of every detector, balanced detectors' splitters included."""
        factor = 1 + self.profile.detector_gain_sigma * self.luck.gain
        if self.detection == "balanced":
            factor = factor * torch.cos(
                2 * self.profile.detector_splitter_sigma * self.luck.detector
            )
        return factor

    @cached_property
    def offsets(self) -> Tensor:
        """(C, K, 4) static offset of every reading."""
        return self.profile.detector_offset_sigma * self.luck.zero

    @cached_property
    def scale(self) -> Tensor:
        """(K, 1) from a reading to units of ``W x``: amplifier scale times `boost`."""
        scales = [[block.scale] for block in self.wiring.program.blocks]
        return self.boost * torch.tensor(scales, dtype=torch.float64)

    def matrices(self, codes: ArrayLike | Tensor) -> Tensor:
        """Effective real matrices (C, K, 4, 4) in units of W at DAC codes (C or 1, K, drivers)."""
        quadrature = self.field(self.actual_phases(_tensor(codes))).real
        # `boost` restores exactly what the common loss took.
        factor = (self.scale / self.boost * self.responsivity)[..., None].to(quadrature)
        return factor * quadrature

    def bias_errors(self) -> Tensor:
        """(C, K, 4) what detector offsets add to the bias, in units of ``W x``."""
        return self.scale * self.offsets

    def respond(
        self,
        codes: ArrayLike | Tensor,
        vectors: ArrayLike | Tensor,
        *,
        generator: torch.Generator | None = None,
        detection: Detection | None = None,
        reference: float = 0.0,
    ) -> Tensor:
        """Detector readings of input fields: all that a laboratory sees of a chip.

        Parameters
        ----------
        codes
            (C or 1, K, drivers), fractions of the largest DAC code.
        vectors
            (..., 4, N) real or complex input fields, broadcast against (C, K).
        generator
            Source of the shot noise (`Profile.noise`); None for silence. Phase jitter is drawn
            once a call.
        detection
            ``homodyne``: real quadrature; ``balanced``: the same through an imperfect splitter;
            ``intensity``: ``|E + reference|^2``, power when `reference` is 0.

        Returns
        -------
        Tensor
            (C, K, 4, N) readings, fraction of full scale (unit field on a lossless path is 1),
            mean loss included.
        """
        noise = self.profile.noise
        phases = self.actual_phases(_tensor(codes))
        if generator is not None and noise.jitter > 0:
            jitter = torch.randn(phases.shape, generator=generator, dtype=phases.dtype)
            phases = phases + noise.jitter * jitter
        x = torch.as_tensor(vectors)
        x = x.to(torch.complex128)
        field = (self.field(phases) / self.boost) @ x
        kind = detection or self.detection
        reading = (field + reference).abs() ** 2 if kind == "intensity" else field.real
        reading = reading * self.responsivity[..., None] + self.offsets[..., None]
        if generator is not None:
            drawn = torch.randn(reading.shape, generator=generator, dtype=reading.dtype)
            spread = torch.sqrt(noise.detector**2 + (noise.rin * reading) ** 2)
            reading = reading + spread * drawn
        return reading

    def to(self, dtype: torch.dtype) -> Chip:
        """Return the same chips in another precision: float32 is twice as fast, exact to 1e-6."""
        return replace(self, luck=Luck(*(part.to(dtype) for part in self.luck)))

    def after(self, hours: float) -> Chip:
        """Return the same chips `hours` after their phases were set."""
        return replace(self, profile=self.profile.with_value("time.hours", hours))


def _tensor(codes: ArrayLike | Tensor) -> Tensor:
    return codes if isinstance(codes, Tensor) else torch.as_tensor(np.asarray(codes, float))


@dataclass(frozen=True, eq=False)
class Foundry:
    """Makes chips: the only thing that does."""

    profile: Profile
    detection: Detection = "homodyne"

    def __post_init__(self) -> None:
        if self.detection not in ("homodyne", "balanced", "intensity"):
            raise InputError(
                f"readout {self.detection!r} is unknown; use 'homodyne', 'balanced' or 'intensity'"
            )

    @classmethod
    def of(cls, profile: Profile | str, detection: Detection = "homodyne") -> Foundry:
        """Return the foundry of a profile value, name or file."""
        return cls(load_profile(profile), detection)

    def chip(self, seed: int, number: int, program: MeshProgram) -> Chip:
        """Return chip `number`, a batch of one."""
        return self.chips(seed, number, 1, program)

    def chips(self, seed: int, first: int, count: int, program: MeshProgram | Wiring) -> Chip:
        """Return chips `first` ... `first + count - 1`."""
        wiring = program if isinstance(program, Wiring) else Wiring(program)
        shapes = luck_shapes(wiring)
        sizes = [math.prod(shape) for shape in shapes]
        rows = [chip_rng(seed, first + k).standard_normal(sum(sizes)) for k in range(count)]
        drawn = torch.as_tensor(np.stack(rows))
        return Chip(wiring, self.profile, Luck(*_parts(drawn, sizes, shapes)), self.detection)

    def perfect(self, program: MeshProgram | Wiring) -> Chip:
        """Return the chip without any error, driven and read by this profile's electronics."""
        wiring = program if isinstance(program, Wiring) else Wiring(program)
        shapes = luck_shapes(wiring)
        none = Luck(*(torch.zeros((1, *shape), dtype=torch.float64) for shape in shapes))
        return Chip(wiring, replace(self.profile, heater_crosstalk=0.0), none, self.detection)


def _parts(
    drawn: Tensor, sizes: list[int], shapes: tuple[tuple[int, ...], ...]
) -> Iterator[Tensor]:
    for part, shape in zip(torch.split(drawn, sizes, 1), shapes, strict=True):
        yield part.reshape(len(drawn), *shape)
