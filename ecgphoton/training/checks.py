"""What is compared with a student's training patients: values and their limits in words."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from ecgphoton.wording import percent

POOR_LIMIT = 0.05
"""Largest share of beats in poor signal; an assumption, as training beats are not judged."""
Number = Callable[[float], float]
Kind = Literal["answers", "recording"]


@dataclass(frozen=True)
class Check:
    """One value of a recording that has limits."""

    name: str
    words: str
    """What it is, in a sentence."""
    hint: str
    """What may be the reason where it is beyond its limit."""
    side: Literal["low", "high", "both"] = "high"
    """Where it has a limit."""
    scale: Number = float
    """Maps the value to the scale on which ranges are widened."""
    back: Number = float
    """Inverse of `scale`."""
    least: float = 0.05
    """Smallest width of a range on that scale."""
    text: Callable[[float], str] = "{:.2f}".format
    """Writes the value with its unit."""
    of: Kind = "recording"
    """Whether it is of the student's answers or of the recording."""


ANGLE: tuple[Number, Number] = (
    lambda share: float(np.arcsin(np.sqrt(min(max(share, 0.0), 1.0)))),
    lambda angle: float(np.sin(min(max(angle, 0.0), np.pi / 2)) ** 2),
)
"""The scale of shares and its inverse."""
LOGARITHM: tuple[Number, Number] = (
    lambda value: float(np.log(max(value, 1e-9))),
    lambda value: float(np.exp(value)),
)
"""The scale of sizes and its inverse."""


def _shares(name: str, words: str, hint: str) -> Check:
    written = partial(percent, digits=1)
    return Check(name, words, hint, "high", *ANGLE, text=written, of="answers")


CHECKS = (
    _shares("abnormal", "beats called abnormal", "the rhythm is abnormal, or false alarms"),
    _shares(
        "abnormal in rhythm",
        "beats called abnormal of those that do not come early",
        "false alarms are likely",
    ),
    _shares("doubtful", "beats near the threshold", "the student is not sure"),
    Check(
        "amplitude", "amplitude of a beat", "check unit, gain and electrodes",
        "both", *LOGARITHM, text="{:.2f} mV".format,
    ),
    Check(
        "shape", "cosine between the usual beat and that of training patients",
        "another lead, an inverted one, or a rare shape", "low",
    ),
    Check("spikes", "narrowest deflection of a beat", "pacing spikes or noise", least=0.02),
    Check("noise", "noise outside the QRS", "noise", "high", *LOGARITHM, text=percent),
    Check(
        "baseline", "wander of the baseline", "loose electrodes or movement",
        scale=lambda value: float(np.sqrt(value)), back=lambda value: max(value, 0.0) ** 2,
    ),
    Check(
        "rate", "heart rate", "a rate that training did not hold", "both", *LOGARITHM,
        text="{:.1f} a minute".format,
    ),
    Check(
        "fast rate", "heart rate that a tenth of the beats exceeds", "a lasting fast rhythm",
        "high", *LOGARITHM, text="{:.1f} a minute".format,
    ),
    Check(
        "features", "distance of the patient features from their averages",
        "a rhythm or shapes that training did not hold", "high", *LOGARITHM,
    ),
)  # fmt: skip
"""Values with limits from training patients; those a student cannot have, ``features``, are last.

All but ``shape`` and ``features`` are computed in `ecg.traits`."""
POOR = Check(
    "poor signal", "beats in poor signal", "check the electrodes", text=partial(percent, digits=1)
)


@dataclass(frozen=True)
class Finding:
    """One value of a recording and its limits."""

    check: str
    value: float
    low: float | None
    high: float | None
    position: float
    """0 in the middle of the training patients, 1 at the limit, above 1 beyond it."""
    sentence: str

    @property
    def beyond(self) -> bool:
        """Whether it is beyond its limit."""
        return self.position > 1

    @classmethod
    def of(
        cls, check: Check, value: float, low: float | None, high: float | None, position: float
    ) -> "Finding":
        """Return a finding with its sentence."""
        limits = " to ".join(check.text(limit) for limit in (low, high) if limit is not None)
        sentence = f"{check.words} {check.text(value)} (limit {limits})"
        if position > 1:
            sentence += f": {check.hint}"
        return cls(check.name, value, low, high, position, sentence)


def poor_signal(share: float) -> Finding:
    """Return the finding about the share of beats in poor signal."""
    return Finding.of(POOR, share, None, POOR_LIMIT, share / POOR_LIMIT)
