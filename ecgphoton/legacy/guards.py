"""Guards: corrections when training collapses to one class, and the events that record them."""

from dataclasses import asdict, dataclass, replace
from typing import Literal

from ecgphoton.settings import Settings, setting
from ecgphoton.training.balance import Ramp
from ecgphoton.training.parts import Control, EpochRecord

Mode = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class GuardSettings(Settings, section="guards"):
    """When guards act, by the rates on the validation set at its operating point (two classes).

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    collapse: Mode = setting(
        "auto",
        "Whether a collapse to all-abnormal stops rebalancing, and one to all-normal starts it; "
        "`auto`: together with any other setting of the sections strategies, guards, loss and "
        "distill.",
    )
    collapse_high: float = setting(
        0.95, "In a collapse one error rate is above this.", low=0.5, high=1
    )
    collapse_low: float = setting(0.05, "In a collapse the other is below this.", low=0, high=0.5)
    cooldown: int = setting(
        5,
        "Epochs without rebalancing after a collapse; then the ramp starts again from zero.",
        low=0,
    )
    lock_after: int = setting(
        2,
        "Collapses to all-abnormal that switch rebalancing off for good; 0 never does.",
        low=0,
    )
    rescue: Mode = setting(
        "auto",
        "Whether a high miss rate strengthens rebalancing; `auto`: with the preset `full`.",
    )
    rescue_miss: float = setting(0.15, "Miss rate above which recall is rescued.", low=0, high=1)
    rescue_fpr: float = setting(0.25, "No rescue above this FPR.", low=0, high=1)
    rescue_limit: int = setting(3, "Largest number of rescues.", low=0)
    rescue_step: float = setting(
        1.2, "Factor on abnormal weight and sampler boost, each rescue.", low=1, high=10
    )
    listens_to_second_set: bool = setting(
        False,
        "Whether rescues also look at the second monitored set, which then takes part in training.",
    )


def _percent(miss: float, fpr: float) -> str:
    return f"miss {100 * miss:.1f} %, FPR {100 * fpr:.1f} %"


def _rates(record: EpochRecord) -> dict[str, tuple[float, float]]:
    """Miss rate and FPR of every monitored set that has both; none with more than two classes."""
    return {
        name: (values["miss"], values["fpr"])
        for name, values in record.sets.items()
        if None not in (values.get("miss"), values.get("fpr"))
    }


@dataclass(frozen=True)
class CollapseGuard:
    """Acts when nearly every beat is called the same class.

    After a collapse to all-abnormal, rebalancing and distillation are suspended for the cool-down
    and the ramp starts from zero; after `GuardSettings.lock_after` collapses they are off for good.
    After a collapse to all-normal in warm-up, the warm-up ends. A collapse to all-normal under full
    rebalancing is left to `RecallRescue`: without rebalancing the network would stay there.
    """

    settings: GuardSettings
    ramp: Ramp

    def __call__(self, control: Control, record: EpochRecord) -> tuple[Control, tuple[str, ...]]:
        """Return the control of the next epoch and what was done."""
        rates, memory = _rates(record), Memory.of(control)
        resting = memory.ramp_start is not None and record.epoch <= memory.ramp_start
        if not rates or memory.locked or resting:
            return control, ()
        name, (miss, fpr) = next(iter(rates.items()))
        high, low = self.settings.collapse_high, self.settings.collapse_low
        if fpr > high and miss < low:
            rested = self._rested(memory, record.epoch)
            how_long = "for good" if rested.locked else f"for {self.settings.cooldown} epochs"
            event = (
                f"{name} collapsed to all-abnormal ({_percent(miss, fpr)}): rebalancing and "
                f"distillation off {how_long}"
            )
            return rested.kept_in(control), (event,)
        if miss > high and fpr < low and share_of(self.ramp, record.epoch - 1, control) == 0:
            event = f"{name} collapsed to all-normal ({_percent(miss, fpr)}): warm-up ends"
            return replace(memory, ramp_start=record.epoch, distil=False).kept_in(control), (event,)
        return control, ()

    def _rested(self, memory: "Memory", epoch: int) -> "Memory":
        """Return the state after a collapse: factors raised by rescues are reset."""
        collapses = memory.collapses + 1
        return replace(
            memory,
            collapses=collapses,
            locked=0 < self.settings.lock_after <= collapses,
            ramp_start=epoch + self.settings.cooldown,
            weight_scale=1.0,
            boost_scale=1.0,
            distil=False,
        )


@dataclass(frozen=True)
class RecallRescue:
    """Strengthens class weight and sampler a few times while the miss rate is high."""

    settings: GuardSettings
    ramp: Ramp

    def __call__(self, control: Control, record: EpochRecord) -> tuple[Control, tuple[str, ...]]:
        """Return the control of the next epoch and what was done."""
        memory = Memory.of(control)
        ready = share_of(self.ramp, record.epoch - 1, control) == 1
        if not ready or memory.rescues >= self.settings.rescue_limit:
            return control, ()
        sets = list(_rates(record).items())[: 2 if self.settings.listens_to_second_set else 1]
        for name, (miss, fpr) in sets:
            if miss > self.settings.rescue_miss and fpr < self.settings.rescue_fpr:
                stronger = replace(
                    memory,
                    rescues=memory.rescues + 1,
                    weight_scale=memory.weight_scale * self.settings.rescue_step,
                    boost_scale=memory.boost_scale * self.settings.rescue_step,
                )
                event = (
                    f"recall rescue {stronger.rescues} of {self.settings.rescue_limit}: {name} "
                    f"{_percent(miss, fpr)}; abnormal weight and boost x "
                    f"{self.settings.rescue_step}"
                )
                return stronger.kept_in(control), (event,)
        return control, ()


@dataclass(frozen=True)
class TeacherPause:
    """Suspends distillation while the student's miss rate is high."""

    pause: float
    resume: float

    def __call__(self, control: Control, record: EpochRecord) -> tuple[Control, tuple[str, ...]]:
        """Return the control of the next epoch and what was done."""
        rates, memory = _rates(record), Memory.of(control)
        if not rates:
            return control, ()
        name, (miss, _) = next(iter(rates.items()))
        if memory.distil and miss > self.pause:
            event = f"distillation pauses: {name} miss {100 * miss:.1f} %"
            return replace(memory, distil=False).kept_in(control), (event,)
        cooling = memory.ramp_start is not None and record.epoch < memory.ramp_start
        if not memory.distil and miss < self.resume and not cooling and not memory.locked:
            event = f"distillation goes on: {name} miss {100 * miss:.1f} %"
            return replace(memory, distil=True).kept_in(control), (event,)
        return control, ()


@dataclass(frozen=True)
class Memory:
    """State of guards, rescues and teacher; the loop carries it in `Control.state`."""

    weight_scale: float = 1.0
    """Extra factor on the abnormal class weight, raised by rescues."""
    boost_scale: float = 1.0
    """Extra factor on the sampler's abnormal boost, raised by rescues."""
    ramp_start: int | None = None
    """Epoch (from 0) at which the ramp of rebalancing starts; None is the end of warm-up."""
    collapses: int = 0
    """Collapses to all-abnormal so far."""
    locked: bool = False
    """Whether a guard has switched rebalancing off for good."""
    distil: bool = True
    """Whether the distillation terms act."""
    rescues: int = 0
    """Recall rescues so far."""

    @classmethod
    def of(cls, control: Control) -> "Memory":
        """Return what a control carries."""
        return cls(**control.state)

    def kept_in(self, control: Control) -> Control:
        """Return the control that carries this state."""
        return replace(control, state=asdict(self))


def share_of(ramp: Ramp, epoch: int, control: Control) -> float:
    """Share of rebalancing that acts in an epoch (from 0), with what the guards decided."""
    memory = Memory.of(control)
    return 0.0 if memory.locked else ramp(epoch, memory.ramp_start)
