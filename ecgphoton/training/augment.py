"""Augmentation: what electrodes and people do to a beat, drawn anew for every batch."""

from __future__ import annotations

from dataclasses import dataclass

from ecgphoton.training.checks import refuse_unless


@dataclass(frozen=True)
class Augmentation:
    """How much every training beat is changed; 0 everywhere changes nothing.

    Magnitudes are relative to a normalised beat in [-1, 1]; beats are normalised again afterwards.
    """

    shift: int = 0
    """Largest shift to either side, samples (1 sample = 2.8 ms)."""
    amplitude: float = 0.0
    """Standard deviation of the logarithm of a gain that varies slowly along the beat."""
    wander: float = 0.0
    """Largest amplitude of a sinusoidal baseline drift of 0.15 to 0.8 Hz."""
    noise: float = 0.0
    """Standard deviation of white noise."""

    def __post_init__(self) -> None:
        refuse_unless(
            "augment",
            self,
            (
                (0 <= self.shift <= 60, "shift", "from 0 to 60 samples"),
                (0 <= self.amplitude <= 1, "amplitude", "from 0 to 1"),
                (0 <= self.wander <= 1, "wander", "from 0 to 1"),
                (0 <= self.noise <= 1, "noise", "from 0 to 1"),
            ),
        )
