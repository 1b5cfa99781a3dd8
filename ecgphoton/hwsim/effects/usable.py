"""What functions of an effect return, looked at before anything is computed with it."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor

from ecgphoton.intake import expecting


def usable(name: str, part: str) -> AbstractContextManager[None]:
    """Name an effect, and its part that is wrong, in any error of a block."""
    return expecting(f"the effect {name!r}", f"usable in its {part}", "correct it")


def applied(law: Callable[..., Any], value: Any, *others: object) -> Any:  # noqa: ANN401 - of stages
    """Return ``law(value, *others)``.

    Raises
    ------
    ValueError
        If the law changes the value that it is given.
    TypeError, ValueError
        As `check_like`.
    """
    before = _changes(value)
    changed = law(value, *others)
    if _changes(value) != before:
        raise ValueError("it changes the value that it is given; it must return another one")
    check_like(value, changed)
    return changed


def check_like(value: Any, changed: Any) -> None:  # noqa: ANN401
    """Refuse a changed value of another form; chips and blocks of a tensor alone may become more.

    Raises
    ------
    TypeError
        If it is of another class or shape, or complex where the value was real or reverse.
    ValueError
        If it is not finite.
    """
    if changed is value:
        return
    alike = type(changed) is type(value)
    if isinstance(value, Tensor):
        alike = alike and changed.is_complex() == value.is_complex()
        alike = alike and changed.shape[2:] == value.shape[2:]
        alike = alike and all(
            old in (1, new) for old, new in zip(value.shape, changed.shape, strict=True)
        )
    elif not isinstance(value, tuple):
        alike = isinstance(changed, Tensor | float | int)
    if not alike:
        raise TypeError(f"it returns {_form(changed)} for {_form(value)}")
    if isinstance(value, tuple):
        kinds = type(value).__annotations__.values()
        for one, other, kind in zip(value, changed, kinds, strict=True):
            plain = isinstance(other, float | int) and kind is not Tensor
            check_like(0.0 if plain else one, other)  # a field that may be either may become one
    elif not (changed.isfinite().all() if isinstance(changed, Tensor) else math.isfinite(changed)):
        raise ValueError("it returns NaN or infinity")


def _changes(value: Any) -> list[int]:  # noqa: ANN401
    """Count how often the tensors of a value were changed in place."""
    parts = value if isinstance(value, tuple) else (value,)
    return [x._version for x in parts if isinstance(x, Tensor) and not x.is_inference()]  # noqa: SLF001


def _form(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Tensor):
        return f"{value.dtype} of shape {tuple(value.shape)}"
    return type(value).__name__
