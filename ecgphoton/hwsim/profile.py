"""Device profiles: what a foundry and a laboratory do to a program, each number with its source."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ecgphoton.errors import InputError
from ecgphoton.hwsim.noise import NoiseModel
from ecgphoton.intake import parse_toml, read_text

FOLDER = Path(__file__).with_name("profiles")
LARGEST: dict[str, float] = {
    "splitter.sigma": math.pi / 4,
    "phase.offset": math.pi,
    "heater.spread": 0.5,
    "heater.curvature": 0.5,
    "heater.crosstalk": 0.5,
    "heater.crosstalk_length": 1e4,
    "loss.mzi_db": 20.0,
    "loss.mzi_sigma_db": 5.0,
    "attenuator.sigma": 1.0,
    "dac.bits": 24,
    "detector.noise": 1.0,
    "detector.rin": 1.0,
    "detector.gain_sigma": 1.0,
    "detector.offset_sigma": 1.0,
    "detector.splitter_sigma": math.pi / 4,
    "time.jitter": math.pi,
    "time.drift": math.pi,
    "time.hours": 1e5,
}
"""Every key a profile may have, and its largest value; the smallest is 0."""
FABRICATION = tuple(key for key in LARGEST if not key.startswith(("time.", "dac.", "detector.")))


@dataclass(frozen=True)
class Profile:
    """Standard deviations of a fabrication process and of its electronics; all 0 is perfect.

    Raises
    ------
    InputError
        If a value is outside its range.
    """

    name: str = "ideal"
    description: str = ""
    splitter_sigma: float = 0.0
    """Angle error of every splitter, rad (0.02 is a 52:48 splitter)."""
    phase_offset: float = 0.0
    """Static phase of every heated arm, rad."""
    heater_spread: float = 0.0
    """Relative spread of the phase per heater power."""
    heater_curvature: float = 0.0
    """Spread of the second coefficient: phase = pi (c1 p + c2 p^2), p = (V / V_pi)^2."""
    heater_crosstalk: float = 0.0
    """Share of a heater's phase that arrives at a heater one mode pitch (120 um) away."""
    heater_crosstalk_length: float = 0.0
    """Distance over which crosstalk falls by e beyond that, um."""
    loss_mzi_db: float = 0.0
    """Mean loss of a mesh column, dB; the amplifier restores it, and amplifies its noise."""
    loss_mzi_sigma_db: float = 0.0
    """Spread of the loss of single MZIs, dB."""
    attenuator_sigma: float = 0.0
    """Relative error of an attenuator's field transmission."""
    dac_bits: float = 0.0
    """Bits of the heater DACs; 0 drives exactly, absent uses the program's."""
    detector_noise: float = 0.0
    """Per-shot noise of a reading, fraction of full scale (1: unit field on a lossless path)."""
    detector_rin: float = 0.0
    """Per-shot noise proportional to the reading."""
    detector_gain_sigma: float = 0.0
    """Relative error of a detector's responsivity."""
    detector_offset_sigma: float = 0.0
    """Static offset of a reading, fraction of full scale."""
    detector_splitter_sigma: float = 0.0
    """Angle error of the balanced detector's splitter, rad (readout `balanced`)."""
    time_jitter: float = 0.0
    """Shot-to-shot jitter of every phase, rad."""
    time_drift: float = 0.0
    """Random walk of every phase, rad per square root of an hour."""
    time_hours: float = 0.0
    """Hours since the phases were set."""

    def __post_init__(self) -> None:
        for key, largest in LARGEST.items():
            value = getattr(self, key.replace(".", "_"))
            good = isinstance(value, int | float) and not isinstance(value, bool)
            if not (good and math.isfinite(value) and 0 <= value <= largest):
                raise InputError(
                    f"profile {self.name!r}: {key} is {value!r}; it must be a number from 0 to "
                    f"{largest:.4g}"
                )
        if self.dac_bits != int(self.dac_bits) or self.dac_bits == 1:
            raise InputError(
                f"profile {self.name!r}: dac.bits is {self.dac_bits!r}; it must be 0 (exact) or an "
                "integer from 2 to 24"
            )

    @property
    def noise(self) -> NoiseModel:
        """What changes between shots."""
        return NoiseModel(
            self.detector_noise,
            self.detector_rin,
            self.time_jitter,
            self.time_drift,
            self.time_hours,
        )

    def with_value(self, key: str, value: float) -> Profile:
        """Return a profile with one number changed, for example ``splitter.sigma``.

        Raises
        ------
        InputError
            If the key is unknown or the value outside its range.
        """
        if key not in LARGEST:
            raise InputError(f"a profile has no {key!r}; it has {', '.join(LARGEST)}")
        changed: dict[str, Any] = {key.replace(".", "_"): value}
        return replace(self, **changed)

    def to_dict(self) -> dict[str, Any]:
        """Name, description and every number."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def profiles() -> tuple[str, ...]:
    """Names of the shipped profiles."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def load_profile(source: Profile | str | Path) -> Profile:
    """Return a profile by name, from a TOML file, or unchanged.

    Raises
    ------
    InputError
        If there is no such profile or file, a key is unknown, or a value is outside its range.
    """
    if isinstance(source, Profile):
        return source
    path = FOLDER / f"{source}.toml"
    if str(source) not in profiles():
        path = Path(source)
        if not path.is_file():
            raise InputError(
                f"there is no profile {str(source)!r}; use one of {', '.join(profiles())}, or the "
                "path of a TOML file"
            )
    return _from_dict(parse_toml(read_text(path), f"profile {path}"), path)


def _from_dict(data: dict[str, Any], path: Path) -> Profile:
    values: dict[str, Any] = {"name": path.stem}
    for section, content in data.items():
        if section in ("name", "description"):
            if not isinstance(content, str):
                raise InputError(f"profile {path}: {section} must be a text")
            values[section] = content
            continue
        if not isinstance(content, dict):
            raise InputError(f"profile {path}: {section!r} is not a section of a profile")
        for name, value in content.items():
            key = f"{section}.{name}"
            if key not in LARGEST:
                raise InputError(
                    f"profile {path}: unknown key {key!r}; known keys are {', '.join(LARGEST)}"
                )
            values[key.replace(".", "_")] = value
    return Profile(**values)
