"""Findings: what calibration sees broken, with its name and place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something broken, with its name and place."""

    kind: str
    """``dead heater``, ``stuck bit``, ``saturated detector``, ``wrong gain`` or ``poor fit``."""
    chip: int
    """Position in the batch."""
    block: str
    part: str
    """Driver or detector, such as ``V.theta[2]``."""
    detail: str = ""

    def __str__(self) -> str:
        """One line for people."""
        text = f"chip {self.chip}, block {self.block}, {self.part}: {self.kind}"
        return f"{text} ({self.detail})" if self.detail else text
