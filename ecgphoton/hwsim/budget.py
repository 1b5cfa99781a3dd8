"""The budget of a chip: light, noise, power, time and energy of a program under a profile."""

import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import torch

from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.conditions import conditions
from ecgphoton.hwsim.effects.environment import WAVELENGTH
from ecgphoton.hwsim.effects.modulator import EXTINCTION
from ecgphoton.hwsim.effects.supply import LASER, LINK, SUPPLY
from ecgphoton.hwsim.energy import (
    MACS,
    PERIOD,
    Digital,
    Plan,
    Work,
    microcontroller,
    plans,
    prefixed,
    shifter_powers,
    trimming_power,
    work_of,
)
from ecgphoton.hwsim.link import Link, link_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.hwsim.requirement import Requirement
from ecgphoton.mesh.heater import TURN
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.program.program import MeshProgram
from ecgphoton.wording import percent

LEAKING = 20
"""Chips whose leak through modulators is averaged."""
EFFICIENCY = "power.wall_plug"
"""Key that at 0 leaves the power of the laser out."""
LEFT_OUT = (
    "phase shifters of modulators and local oscillators, what drivers lose above the voltage of a "
    "shifter, the energy of switching phases, and the digital side (beat detection, features, "
    "head, memory)"
)
"""What no power of the budget includes."""
FREE = ("link.coupler_db", "link.splitter_db", "link.output_db", "power.control", "power.response")
"""Keys that may well be 0."""


@dataclass(frozen=True, eq=False)
class Budget:
    """Light, noise, power, time and energy of a program under a profile."""

    program: MeshProgram
    profile: Profile
    others: tuple[Digital, ...] = ()
    """Further processors, besides `microcontroller`."""
    requirement: Requirement | None = None
    """Least laser power at which the verdict passes."""
    seed: int = 0
    digital_pooling: bool = False
    """Whether every sample is converted, instead of every token."""

    @cached_property
    def link(self) -> Link:
        """The light path of one block."""
        kind = RECEIVERS[self.profile.receiver]
        chip = replace(Foundry(self.profile).perfect(self.program), profile=self.profile)

        def seen(size: float) -> list[float]:
            field, own = torch.full_like(chip.reading.gain, size) + 0j, chip.reading
            current = kind.read(field, own)
            read = current - kind.dark(own) + kind.constant(own)
            light = kind.light(field, own) if kind.light else 0 * current
            return [float(part.abs().max()) for part in (light, current, read)]

        return link_of(
            self.profile.__getitem__,
            self.program.device,
            share=kind.share,
            diodes=kind.diodes,
            seen=seen,
        )

    @cached_property
    def work(self) -> tuple[Work, ...]:
        """What every block does for one beat."""
        return work_of(self.program.architecture, digital=self.digital_pooling)

    @property
    def macs(self) -> int:
        """Multiply-adds of one beat."""
        return MACS * sum(one.symbols for one in self.work)

    @cached_property
    def driven(self) -> MeshProgram:
        """The program for the drivers of the profile."""
        return self.profile.driving(self.program)

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """Ways to build and drive the chip."""
        return plans(self.driven, self.profile.__getitem__, self.work)

    @property
    def digital(self) -> tuple[Digital, ...]:
        """Processors that do the same multiply-adds."""
        return (microcontroller(self.macs), *self.others)

    @property
    def unstated(self) -> tuple[str, ...]:
        """Keys that the profile leaves out, so that what they stand for is not counted."""
        keys = [key for key in (*LINK, EXTINCTION, *SUPPLY) if key not in FREE]
        stated = {key for key, value in self.profile.numbers.items() if value or key != EFFICIENCY}
        return tuple(key for key in keys if key not in stated)

    @cached_property
    def leak(self) -> float:
        """Largest reading that the leak of modulators adds, fraction of full scale.

        The mean over chips of the largest reading of all detectors, with all inputs at 0.
        """
        if not self.profile[EXTINCTION]:
            return 0.0
        chips = Foundry(self.profile).chips(self.seed, 0, LEAKING, self.program)
        volts = chips.driven(self.driven.device.dac.volts_for(self.driven.shifts)[None])
        dark = torch.zeros(WIDTH, 1, dtype=torch.float64)
        added = chips.respond(volts, chips.sent(dark)) - chips.respond(volts, dark)
        return float(added.abs().amax((1, 2, 3)).mean())

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What the powers and times are of, and what they leave out, in words."""
        number, blocks = self.profile.__getitem__, len(self.work)
        drivers = self.program.device.drivers
        hardware = (
            f"one block each: {blocks} blocks, each with {drivers} phase shifters, {WIDTH} "
            f"modulators, {WIDTH} receivers and a laser of {number(LASER):g} mW of its own, at "
            f"{WAVELENGTH:g} um; one block reused: one such block"
        )
        found = [hardware]
        if number("power.p_pi"):
            ours = self.driven, number("power.p_pi")
            heat, trimming = float(shifter_powers(*ours).sum()), trimming_power(*ours)
            found.append(
                f"phase shifters at the phases of the program: {prefixed(heat, 'W')} for "
                "one block each; where they also undo the static phases of fabrication, "
                f"{prefixed(trimming, 'W')} on average"
            )
        if response := number("power.response"):
            left = math.exp(-number("power.settling") / response)
            found.append(
                f"settling of {number('power.settling'):g} us at a response of {response:g} us "
                f"leaves {percent(left)} of a change of phase, {prefixed(TURN * left, 'rad')} of "
                "a turn, which no verdict includes"
            )
        control = "" if number("power.control") else "temperature control, "
        found.append(f"not counted: {control}{LEFT_OUT}")
        return tuple(found)

    @property
    def sentence(self) -> str:
        """The comparison with digital processors, in words."""
        usable = [plan for plan in self.plans if plan.in_time]
        if not usable:
            first = min(self.plans, key=lambda plan: plan.seconds)
            return (
                f"No way decides a beat before the next one, {PERIOD:g} s later: the fastest "
                f"({first.name}) takes {prefixed(first.seconds, 's')}."
            )
        best = min(usable, key=lambda plan: plan.joules)
        parts = []
        for other in self.digital:
            ratio = best.joules / other.joules
            verdict = "more" if ratio > 1 else "less"
            parts.append(
                f"Photonics takes {verdict} energy than {other.name}: {prefixed(best.joules, 'J')} "
                f"a beat ({best.name}, the cheapest way) against {prefixed(other.joules, 'J')}, a "
                f"ratio of {ratio:.3g}."
            )
        return " ".join(parts)

    def rows(self) -> list[dict[str, Any]]:
        """Every number with what it belongs to and its unit, for a CSV."""
        link, heat = self.link, shifter_powers(self.driven, self.profile["power.p_pi"])
        found: list[tuple[str, str, float | None, str]] = [
            *(("signal", stage.name, stage.dbm, "dBm") for stage in link.signal),
            *(("oscillator", stage.name, stage.dbm, "dBm") for stage in link.oscillator),
            *(("noise", name, value, "of full scale") for name, value in link.noise.items()),
            ("noise", "leak of modulators, up to", self.leak, "of full scale"),
            ("noise", "SNR at full scale", link.snr_db, "dB"),
            ("laser", "stated", self.profile[LASER], "mW"),
        ]
        if self.requirement is not None:
            found.append(("laser", "least that passes", self.requirement.value, "mW"))
        for one, watts in zip(self.work, heat.tolist(), strict=True):
            found += [
                ("symbols a beat", one.name, one.symbols, ""),
                ("phase shifters", one.name, watts, "W"),
            ]
        ways: tuple[Plan | Digital, ...] = (*self.plans, *self.digital)
        for way in ways:
            power = way.power if isinstance(way, Plan) else {}
            found += [
                *((way.name, name, watts, "W") for name, watts in power.items()),
                (way.name, "time of a beat", way.seconds, "s"),
                (way.name, "energy of a beat", way.joules, "J"),
            ]
        return [dict(zip(("part", "name", "value", "unit"), row, strict=True)) for row in found]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        link = self.link
        paths = {"signal": link.signal, "oscillator": link.oscillator}
        return {
            "receiver": self.profile.receiver,
            "light": {
                path: [{"stage": s.name, "change_db": s.change_db, "dbm": s.dbm} for s in stages]
                for path, stages in paths.items()
            },
            "mesh_loss_db": link.mesh_db,
            "full_scale_a": link.full_scale,
            "noise": {**link.noise, "leak_at_most": self.leak},
            "snr_db": link.snr_db,
            "laser_mw": self.profile[LASER],
            "laser_requirement": None if self.requirement is None else self.requirement.to_dict(),
            "macs": self.macs,
            "period_s": PERIOD,
            "work": [asdict(one) for one in self.work],
            "shifters_w": shifter_powers(self.driven, self.profile["power.p_pi"]).tolist(),
            "plans": [
                {
                    **asdict(one),
                    **{name: getattr(one, name) for name in ("name", "joules", "in_time")},
                }
                for one in self.plans
            ],
            "digital": [asdict(one) for one in self.digital],
            "not_stated": list(self.unstated),
            "assumptions": list(self.assumptions),
            "conditions": conditions(self.profile, read=(*LINK, *SUPPLY)),
            "sentence": self.sentence,
        }
