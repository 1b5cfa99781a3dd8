"""Activations as values: one nonlinearity in every form that the package needs.

An activation is the function ``y = f(z)`` behind the amplifier of a block. Training, the integer
student, the ONNX graphs, the electronics of a simulated chip and the certified bounds all read the
`Activation` of a student, so adding one is one entry, from any module::

    ACTIVATIONS.add(
        Activation(
            "softsign",
            torch=lambda z: z / (1 + z.abs()),
            numpy=lambda z: z / (1 + np.abs(z)),
            onnx=lambda graph, z, name: graph.add("Softsign", z, name=f"{name}.softsign"),
        )
    )

The forms are methods of tensors and arrays, so that this module needs neither torch nor onnx.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.host import as_array
from ecgphoton.intake import expecting
from ecgphoton.mesh.arrays import AnyArray
from ecgphoton.registry import Registry, elsewhere

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any  # so that the types of fields can be read without torch

Onnx = Callable[[Any, str, str], str]
GRID = np.linspace(-20.0, 20.0, 4001)
"""Inputs at which a new activation is looked at."""


@dataclass(frozen=True)
class Fused:
    """A form that works in place, for the mean over windows: ``f(z) = scale g(factor z) + shift``.

    Parameters
    ----------
    in_place
        ``g``; it overwrites its argument.
    slope
        Derivative of ``g``, from the values of ``g``.
    """

    in_place: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    factor: float = 1.0
    scale: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True)
class Activation:
    """One nonlinearity ``y = f(z)`` with values in [-1, 1], in every form the package needs.

    Raises
    ------
    InputError
        If the values, slopes or moments are not what is declared.
    """

    name: str
    """What recipes, checkpoints and bundles call it."""
    torch: Callable[[Tensor], Tensor]
    """Differentiable form, for any shape."""
    numpy: Callable[[AnyArray], AnyArray]
    """Double precision form, from which tables over detector codes are made."""
    onnx: Onnx | None = None
    """``onnx(graph, value, block)`` adds nodes to an `ecgphoton.export.onnx_builder.Graph` and
    returns the name of the result; None where no graph can be written."""
    slope: tuple[float, float] = (0.0, 1.0)
    """Smallest and largest derivative; monotone if the smallest is not negative."""
    fused: Fused | None = None
    """Fast form for pooled tokens; without one, pooling goes through `torch`."""
    moments: bool = False
    """Whether the noise polynomials of `ecgphoton.hwsim.moments`, which are those of tanh, hold;
    otherwise the noise of every sample is drawn."""

    def __post_init__(self) -> None:
        with np.errstate(all="ignore"), self.usable("numpy form"):
            y = as_array(self.numpy(GRID.copy()), "what it returns")
            if y.dtype.kind not in "fiub":
                raise TypeError(f"it returns {y.dtype}; it must return real numbers")
        if y.shape != GRID.shape or not (np.abs(y) <= 1 + 1e-6).all():
            self._refuse("must return one value in [-1, 1] for every input", y)
        slopes = np.diff(y) / np.diff(GRID)
        with self.usable("declared slope"):
            least, largest = map(float, self.slope)
        if not (slopes.min() >= least - 1e-6 and slopes.max() <= largest + 1e-6):
            self._refuse(f"has other slopes than the declared {least:g} to {largest:g}", slopes)
        if self.moments and not np.allclose(y, np.tanh(GRID)):
            self._refuse("is not tanh, for which alone moments=True holds", y)

    def _refuse(self, why: str, values: AnyArray) -> None:
        span = f"{values.min():.4g} to {values.max():.4g}" if values.size else "nothing"
        raise InputError(f"the activation {self.name!r} {why}; it has {span}")

    def usable(self, part: str) -> AbstractContextManager[None]:
        """Name the activation, and its part that is wrong, in any error of a block."""
        return expecting(f"the activation {self.name!r}", f"usable in its {part}", "correct it")

    @cache  # noqa: B019 - activations live as long as the program
    def check_forms(self) -> None:
        """Refuse PyTorch forms that differ from the NumPy form, or that change their input.

        A derivative is right if its integral is the function, within 0.1 or about half of its
        largest step: that of a stepped form may be smooth.

        Raises
        ------
        InputError
            If one does.
        """
        import torch

        z = torch.from_numpy(GRID.astype(np.float32))
        wanted = torch.from_numpy(np.asarray(self.numpy(GRID.copy()), np.float32))
        off = max(0.1, 0.6 * float((wanted[2:] - wanted[:-2]).abs().max()))

        def check(form: str, found: Tensor, given: Tensor) -> None:
            same = found.shape == z.shape and found.dtype == z.dtype and bool((given == z).all())
            if not (same and torch.allclose(found, wanted, atol=1e-4)):
                raise InputError(
                    f"the {form} form of the activation {self.name!r} differs from its numpy form, "
                    "or changes the shape, the type or the values of its input"
                )

        def check_slope(form: str, slope: Tensor) -> None:
            sums = torch.cumulative_trapezoid(slope, z)
            if not torch.allclose(sums, wanted[1:] - wanted[0], atol=off):
                raise InputError(
                    f"the {form} form of the activation {self.name!r} has another derivative than "
                    "its values have, so it would not train"
                )

        with self.usable("torch form"):
            leaf = z.clone().requires_grad_()
            found = self.torch(given := leaf * 1)
            check("torch", found.detach(), given.detach())
            check_slope("torch", torch.autograd.grad(found.sum() + 0 * leaf.sum(), leaf)[0])
        if (fast := self.fused) is not None:
            with self.usable("fused form"):
                inner = fast.in_place(fast.factor * z)
                check("fused", inner * fast.scale + fast.shift, z)
                check_slope("fused", fast.scale * fast.factor * fast.slope(inner))

    def __call__(self, z: Tensor) -> Tensor:
        """Return ``f(z)``."""
        return self.torch(z)

    def bounds(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds of ``f`` on [low, high]: its ends if monotone, else from the largest slope.

        Not monotone: ``|f(z) - f(c)| <= L |z - c|`` with c the centre and L the largest slope.
        """
        if self.slope[0] >= 0:
            return self(low), self(high)
        middle = self((low + high) / 2)
        reach = max(-self.slope[0], self.slope[1]) * (high - low) / 2
        return middle - reach, middle + reach

    def __reduce__(self) -> Any:  # noqa: ANN401 - as pickle wants it
        """Send a registered activation to another process by its name."""
        if self.name in ACTIVATIONS and ACTIVATIONS[self.name] is self:
            return activation_of, (self.name,)
        return Activation, tuple(vars(self).values())


TANH = Activation(
    "tanh",
    # 2 sigmoid(2 z) - 1 is several times faster than torch.tanh
    torch=lambda z: (2 * z).sigmoid().mul(2).sub(1),
    numpy=np.tanh,
    onnx=lambda graph, value, block: graph.add("Tanh", value, name=f"{block}.tanh"),
    fused=Fused(
        lambda z: z.sigmoid_(), lambda y: y.addcmul(y, y, value=-1), factor=2, scale=2, shift=-1
    ),
    moments=True,
)


def _clip(graph: Any, value: str, block: str) -> str:  # noqa: ANN401 - the builder is above here
    bounds = graph.constant("zero", np.float32(0)), graph.constant("one", np.float32(1))
    return str(graph.add("Clip", value, *bounds, name=f"{block}.clip"))


RELU = Activation(
    "relu",
    torch=lambda z: z.clamp(0, 1),
    numpy=lambda z: np.clip(z, 0.0, 1.0),
    onnx=_clip,
    fused=Fused(lambda z: z.clamp_(0, 1), lambda y: ((y > 0) & (y < 1)).to(y.dtype)),
)

ACTIVATIONS = Registry("activation", TANH, RELU)
"""Every activation by name; ``relu`` is clipped to [0, 1]."""


def activation_of(name: str) -> Activation:
    """Return the activation of a student.

    Raises
    ------
    InputError
        If there is none of that name; the message lists them.
    """
    if name not in ACTIVATIONS:
        names = ", ".join(map(repr, ACTIVATIONS))
        raise InputError(f"student.activation is {name!r}; it must be one of {names}{elsewhere()}")
    return ACTIVATIONS[name]
