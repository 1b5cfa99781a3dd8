"""Mesh level: fabricated chips, seen only through the voltages set and the readings returned.

Chips come in batches: every array has a leading chip axis, and no Python loop runs over chips.
The effects of `ecgphoton.hwsim.effects` are applied in this order::

    volts ── heat ── phase ── element ── field ──> fields ── receiver, reading ──> readings

Two stages come before: ``code``, `Chip.driven` returns the voltages that the drivers give, and
``input``, `Chip.sent` the fields that the modulators send.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ecgphoton.hwsim.effects import (
    EFFECTS,
    Effect,
    Elements,
    Heat,
    Modulators,
    Reading,
    Site,
    Stage,
)
from ecgphoton.hwsim.effects.usable import applied, usable
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.receivers import RECEIVERS, Receiver
from ecgphoton.hwsim.streams import chip_rng
from ecgphoton.hwsim.weights import Remainder
from ecgphoton.mesh.arrays import ArrayLike
from ecgphoton.mesh.device import WIDTH, Device
from ecgphoton.program.program import MeshProgram

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Chip:
    """C fabricated chips of one program (C = 1 for one).

    Tensors are float64; with normals and voltages in float32 everything is, exact to 1e-6.
    """

    device: Device
    """Hardware of one block, with the DACs of the profile."""
    scales: Tensor
    """(K, 1) amplifier factor of every block, for a lossless mesh."""
    profile: Profile
    normals: Mapping[str, Tensor]
    """Draws (C, ...) of every effect that has some, by its name: unit normals of most."""
    count: int
    """C, the number of chips."""

    def __len__(self) -> int:
        """Return the number of chips."""
        return self.count

    def __getitem__(self, chips: slice) -> "Chip":
        """Return some of the chips."""
        some = {name: part[chips] for name, part in self.normals.items()}
        return replace(self, normals=some, count=len(range(self.count)[chips]))

    def _through(self, stage: Stage, value: T) -> T:
        """Return what the effects of one stage make of a value.

        What those of other packages return is looked at.
        """
        site = Site(self.profile.__getitem__, self.device)
        for effect in self.profile.active:
            law = effect.law_at(stage)
            if law is not None and (effect.place == "none" or effect.name in self.normals):
                error = self.profile[effect.name] * self.normals.get(effect.name, 1.0)
                if effect.name in EFFECTS.shipped:
                    value = law(value, error, site)
                    continue
                with usable(effect.name, f"law at stage {stage!r}"):
                    value = applied(law, value, error, site)
        return value

    def driven(self, volts: ArrayLike | Tensor) -> Tensor:
        """Voltages (C, K, drivers) that the drivers give for wanted ones."""
        return self._through("code", _tensor(volts))

    @cached_property
    def modulators(self) -> Modulators:
        """What the modulators of the inputs are."""
        return self._through("input", Modulators(torch.zeros(1, 1, WIDTH, 1, dtype=torch.float64)))

    def sent(self, inputs: ArrayLike | Tensor) -> Tensor:
        """Fields (C, K, 4, N) that the modulators send for inputs (..., 4, N), with their leak."""
        wanted = _tensor(inputs)
        return wanted + 1j * self.modulators.quadrature(wanted)

    def phases(self, volts: ArrayLike | Tensor) -> Tensor:
        """Actual phases (C, K, drivers), rad, at voltages (V)."""
        volts = _tensor(volts)
        volts = volts.expand(max(len(volts), self.count), -1, -1)
        ideal: Tensor = self.device.dac.phase_at(volts)
        heat = self._through("heat", Heat(ideal, ideal / math.pi))
        return self._through("phase", heat.phase)

    def elements(self, phases: Tensor) -> Elements:
        """Splitter errors and losses of all MZIs, which calibration has to estimate."""
        zero = phases.new_zeros(1, 1, len(self.device.mzis))
        return self._through("element", Elements(zero, zero, zero + 1))

    def field(self, phases: Tensor) -> Tensor:
        """Complex field matrices (C, K, 4, 4) of the optics at actual phases (C, K, drivers)."""
        field: Tensor = self.device.field(phases, *self.elements(phases))
        return self._through("field", field)

    @cached_property
    def boost(self) -> float:
        """Amplifier factor that restores the mean loss: what all chips of the profile lose."""
        unit = torch.eye(WIDTH, dtype=torch.complex128)[None, None]
        left = replace(self, normals={})._through("field", unit)  # noqa: SLF001 - itself
        return float(unit.norm() / left.norm())

    @cached_property
    def scale(self) -> Tensor:
        """(K, 1) from a reading to units of ``W x``: amplifier factor times `boost`."""
        return self.boost * self.scales

    @cached_property
    def reading(self) -> Reading:
        """What the receivers of the chips are."""
        kind = self.scales.dtype if not self.normals else next(iter(self.normals.values())).dtype
        zero, own = torch.zeros(1, 1, WIDTH, 1, dtype=kind), self.receiver
        start = Reading(1.0, zero, zero + 1, zero, zero, share=own.share, diodes=own.diodes)
        return self._through("reading", start)

    @property
    def receiver(self) -> Receiver:
        """How the chips are read."""
        return RECEIVERS[self.profile.receiver]

    def matrices(self, volts: ArrayLike | Tensor) -> Tensor:
        """Effective real matrices (C, K, 4, 4) in units of W at voltages (C or 1, K, drivers)."""
        linear = self.receiver.linear(self.field(self.phases(volts)), self.reading)
        linear = linear * self.reading.gain
        return self.scale[..., None].to(linear) * linear

    def bias_errors(self) -> Tensor:
        """(C, K, 4) constant part of the readings, in units of ``W x``."""
        reading = self.reading
        constant = self.receiver.constant(reading) * reading.gain
        constant = constant + (0 if reading.zeroed else reading.offset)
        return (self.scale * constant[..., 0]).expand(self.count, -1, -1)

    def remainder(self, volts: ArrayLike | Tensor) -> Remainder | None:
        """Return what the readings have besides their linear part; None for nothing."""
        factors = self.receiver.squares(self.reading) * self.reading.gain
        leak, top = self.modulators
        if not bool(factors.any()) and not bool(leak.any()):
            return None
        field, scale = self.field(self.phases(volts)), self.scale[..., None]
        turned = scale * self.receiver.linear(1j * field, self.reading) * self.reading.gain
        factors = (scale * factors).float().expand(-1, len(field), -1, -1, -1)
        leak = leak.float().expand(len(field), len(self.scales), -1, -1)
        parts = field.real, field.imag, turned
        real, imaginary, turned = (part.float() for part in parts)
        return Remainder(real, imaginary, factors, turned, leak, top)

    def photocurrent(self) -> Tensor:
        """(C, K, 4) constant that laser noise multiplies besides the reading, units of ``W x``."""
        constant = self.receiver.dark(self.reading) * self.reading.gain
        return (self.scale * constant[..., 0]).expand(self.count, -1, -1)

    @property
    def noisy(self) -> bool:
        """Whether two readings of the same setting differ."""
        return any(effect.shot for effect in self.profile.active)

    def shot(self, generator: torch.Generator, settings: int = 1) -> "Chip":
        """Return the chips during one shot: the optics that change from shot to shot are drawn."""
        blocks, count = len(self.scales), max(settings, self.count)
        drawn = {
            effect.name: torch.randn(
                (count, *effect.shape(self.device, blocks)),
                generator=generator,
                dtype=torch.float64,
            )
            for effect in self.profile.active
            if effect.shot and effect.place != "none"
        }
        return replace(self, normals={**self.normals, **drawn})

    def respond(
        self,
        volts: ArrayLike | Tensor,
        vectors: ArrayLike | Tensor,
        *,
        generator: torch.Generator | None = None,
        receiver: Receiver | None = None,
    ) -> Tensor:
        """Return readings of input fields: all that can be measured of a chip.

        Parameters
        ----------
        volts
            (C or 1, K, drivers) voltages at the heaters. One chip may be set to several.
        vectors
            (..., 4, N) real or complex fields at the inputs of the mesh, broadcast against (C, K);
            `sent` gives those of modulators.
        generator
            Source of what changes between shots; None for no noise. The optics are drawn once a
            call, the noise of readings for every one.
        receiver
            Another receiver than the chips' own.

        Returns
        -------
        Tensor
            (C, K, 4, N) readings, fraction of full scale (unit field on a lossless path is 1),
            mean loss included.
        """
        volts = _tensor(volts)
        chip = self if generator is None else self.shot(generator, len(volts))
        field = chip.field(chip.phases(volts)) @ torch.as_tensor(vectors).to(torch.complex128)
        reading, own = chip.reading, receiver or self.receiver
        current = own.read(field, reading)
        left = 0 * reading.gain if receiver else own.constant(reading) - own.dark(reading)
        value = (current + left) * reading.gain
        value = value + (0 if reading.zeroed and not receiver else reading.offset)
        if generator is None:
            return value
        drawn = torch.randn(value.shape, generator=generator, dtype=value.dtype)
        spread = torch.hypot(reading.white, reading.relative * value)
        if own.light is not None and reading.light:
            spread = torch.hypot(spread, (reading.light * own.light(field, reading)).sqrt())
        noise = spread * drawn
        if reading.common:
            laser = torch.randn(
                (len(value), 1, 1, value.shape[-1]), generator=generator, dtype=value.dtype
            )
            noise = noise + reading.common * current * reading.gain * laser
        return value + noise


def _tensor(volts: ArrayLike | Tensor) -> Tensor:
    return volts if isinstance(volts, Tensor) else torch.as_tensor(np.asarray(volts, float))


def fabricated(perfect: Chip, profile: Profile, seed: int, first: int, count: int) -> Chip:
    """Return chips `first` ... of a profile, which would be the perfect one without its errors."""
    site, blocks = Site(profile.__getitem__, perfect.device), len(perfect.scales)

    def normals(effect: Effect) -> Tensor:
        name = effect.stream or effect.name
        rngs = [chip_rng(seed, first + k, name) for k in range(count)]
        return torch.as_tensor(effect.draw(rngs, site, blocks))

    drawn = {
        effect.name: normals(effect)
        for effect in profile.active
        if effect.place != "none" and not effect.shot
    }
    return replace(perfect, profile=profile, normals=drawn, count=count)


@dataclass(frozen=True, eq=False)
class Foundry:
    """Makes all fabricated chips."""

    profile: Profile

    @classmethod
    def of(cls, profile: Profile | str) -> "Foundry":
        """Return the foundry of a profile value, name or file."""
        return cls(load_profile(profile))

    def chip(self, seed: int, number: int, program: MeshProgram) -> Chip:
        """Return chip `number`, a batch of one."""
        return self.chips(seed, number, 1, program)

    def chips(self, seed: int, first: int, count: int, program: MeshProgram) -> Chip:
        """Return chips `first` ... `first + count - 1`."""
        return fabricated(self.perfect(program), self.profile.on(program), seed, first, count)

    def perfect(self, program: MeshProgram) -> Chip:
        """Return the chip without any lasting error, read with this profile's noise."""
        profile = self.profile.on(program)
        shots = [effect for effect in profile.active if effect.shot]
        return Chip(
            self.profile.device_of(program),
            torch.tensor([[block.scale] for block in program.blocks], dtype=torch.float64),
            profile.only(*shots),
            {},
            1,
        )
