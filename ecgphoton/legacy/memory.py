"""What the strategies remember from one epoch to the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from ecgphoton.training.balance import Ramp
from ecgphoton.training.parts import Control


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
    def of(cls, control: Control) -> Memory:
        """Return what a control carries."""
        return cls(**control.state)

    def kept_in(self, control: Control) -> Control:
        """Return the control that carries this state."""
        return replace(control, state=asdict(self))


def share_of(ramp: Ramp, epoch: int, control: Control) -> float:
    """Share of rebalancing that acts in an epoch (from 0), with what the guards decided."""
    memory = Memory.of(control)
    return 0.0 if memory.locked else ramp(epoch, memory.ramp_start)
