"""Guards: what is done when training goes to one side, and the event that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ecgphoton.training.checks import one_of, refuse_unless

RescueMode = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class GuardSettings:
    """When guards act; they look at the validation set at its operating point (two classes)."""

    collapse: bool = True
    """Whether a collapse to one side stops rebalancing."""
    collapse_high: float = 0.95
    """A collapse is one error rate above this..."""
    collapse_low: float = 0.05
    """...with the other below this."""
    cooldown: int = 5
    """Epochs without rebalancing after a collapse; then the ramp starts again from zero."""
    lock_after: int = 2
    """Collapses that switch rebalancing off for good; 0 never does."""
    rescue: RescueMode = "auto"
    """Whether a high miss rate strengthens rebalancing; ``auto`` means with preset `full`."""
    rescue_miss: float = 0.15
    """Miss rate above which recall is rescued."""
    rescue_fpr: float = 0.25
    """No rescue above this FPR."""
    rescue_limit: int = 3
    """Largest number of rescues."""
    rescue_step: float = 1.2
    """Factor on abnormal weight and sampler boost, each rescue."""
    listens_to_second_set: bool = False
    """Whether rescues also look at the second monitored set, which then takes part in training."""

    def __post_init__(self) -> None:
        refuse_unless(
            "guards",
            self,
            (
                (
                    self.rescue in get_args(RescueMode),
                    "rescue",
                    one_of(*get_args(RescueMode)),
                ),
                (0.5 <= self.collapse_high <= 1, "collapse_high", "from 0.5 to 1"),
                (0 <= self.collapse_low <= 0.5, "collapse_low", "from 0 to 0.5"),
                (self.cooldown >= 0, "cooldown", "at least 0"),
                (self.lock_after >= 0, "lock_after", "at least 0"),
                (0 <= self.rescue_miss <= 1, "rescue_miss", "from 0 to 1"),
                (0 <= self.rescue_fpr <= 1, "rescue_fpr", "from 0 to 1"),
                (self.rescue_limit >= 0, "rescue_limit", "at least 0"),
                (1 <= self.rescue_step <= 10, "rescue_step", "from 1 to 10"),
            ),
        )
