"""Guards: what is done when training goes to one side, and the event that says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from ecgphoton.errors import one_of, refuse_unless
from ecgphoton.legacy.balance import Ramp
from ecgphoton.training.parts import Control, EpochRecord

RescueMode = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class GuardSettings:
    """When guards act; they look at the validation set at its operating point (two classes)."""

    collapse: bool = True
    """Whether a collapse to all-abnormal stops rebalancing, and one to all-normal starts it."""
    collapse_high: float = 0.95
    """A collapse is one error rate above this..."""
    collapse_low: float = 0.05
    """...with the other below this."""
    cooldown: int = 5
    """Epochs without rebalancing after a collapse; then the ramp starts again from zero."""
    lock_after: int = 2
    """Collapses to all-abnormal that switch rebalancing off for good; 0 never does."""
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


Outcome = tuple[Control, tuple[str, ...]]


def _said(miss: float, fpr: float) -> str:
    return f"miss {100 * miss:.1f} %, FPR {100 * fpr:.1f} %"


def _rates(record: EpochRecord) -> dict[str, tuple[float, float]]:
    """Miss rate and FPR of every monitored set; empty with more than two classes."""
    return {
        name: (values["miss"], values["fpr"])
        for name, values in record.sets.items()
        if "miss" in values
    }


@dataclass(frozen=True)
class CollapseGuard:
    """Acts when every beat is called the same.

    All abnormal: rebalancing and distillation rest for the cool-down, then the ramp starts from
    zero; when it keeps happening they are off for good. All normal in warm-up: the warm-up ends.
    (All normal under full rebalancing is a matter for `RecallRescue`; switching rebalancing off
    would keep the network there.)
    """

    settings: GuardSettings
    ramp: Ramp

    def __call__(self, control: Control, record: EpochRecord) -> Outcome:
        """Return the control of the next epoch and what was done."""
        rates = _rates(record)
        resting = control.ramp_start is not None and record.epoch <= control.ramp_start
        if not rates or control.locked or resting:
            return control, ()
        name, (miss, fpr) = next(iter(rates.items()))
        high, low = self.settings.collapse_high, self.settings.collapse_low
        if fpr > high and miss < low:
            return self._rest(
                control, record.epoch, f"{name} collapsed to all-abnormal ({_said(miss, fpr)})"
            )
        if miss > high and fpr < low and self.ramp(record.epoch - 1, control) == 0:
            event = f"{name} collapsed to all-normal ({_said(miss, fpr)}): warm-up ends"
            return replace(control, ramp_start=record.epoch, distil=False), (event,)
        return control, ()

    def _rest(self, control: Control, epoch: int, said: str) -> Outcome:
        collapses = control.collapses + 1
        locked = 0 < self.settings.lock_after <= collapses
        what = "for good" if locked else f"for {self.settings.cooldown} epochs"
        rested = replace(
            control,
            collapses=collapses,
            locked=locked,
            ramp_start=epoch + self.settings.cooldown,
            weight_scale=1.0,
            boost_scale=1.0,
            distil=False,
        )
        return rested, (f"{said}: rebalancing and distillation off {what}",)


@dataclass(frozen=True)
class RecallRescue:
    """Strengthens class weight and sampler, a few times, while too much is missed."""

    settings: GuardSettings
    ramp: Ramp

    def __call__(self, control: Control, record: EpochRecord) -> Outcome:
        """Return the control of the next epoch and what was done."""
        ready = self.ramp(record.epoch - 1, control) == 1
        if not ready or control.rescues >= self.settings.rescue_limit:
            return control, ()
        listened = list(_rates(record).items())[: 2 if self.settings.listens_to_second_set else 1]
        for name, (miss, fpr) in listened:
            if miss > self.settings.rescue_miss and fpr < self.settings.rescue_fpr:
                stronger = replace(
                    control,
                    rescues=control.rescues + 1,
                    weight_scale=control.weight_scale * self.settings.rescue_step,
                    boost_scale=control.boost_scale * self.settings.rescue_step,
                )
                event = (
                    f"recall rescue {stronger.rescues} of {self.settings.rescue_limit}: {name} "
                    f"{_said(miss, fpr)}; abnormal weight and boost x {self.settings.rescue_step}"
                )
                return stronger, (event,)
        return control, ()


@dataclass(frozen=True)
class TeacherPause:
    """Pauses distillation while the student misses too much."""

    pause: float
    resume: float

    def __call__(self, control: Control, record: EpochRecord) -> Outcome:
        """Return the control of the next epoch and what was done."""
        rates = _rates(record)
        if not rates:
            return control, ()
        name, (miss, _) = next(iter(rates.items()))
        if control.distil and miss > self.pause:
            event = f"distillation pauses: {name} miss {100 * miss:.1f} %"
            return replace(control, distil=False), (event,)
        cooling = control.ramp_start is not None and record.epoch < control.ramp_start
        if not control.distil and miss < self.resume and not cooling and not control.locked:
            event = f"distillation goes on: {name} miss {100 * miss:.1f} %"
            return replace(control, distil=True), (event,)
        return control, ()
