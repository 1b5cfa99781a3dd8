"""Refusing settings out of range, in one sentence each."""

from __future__ import annotations

from collections.abc import Iterable

from ecgphoton.errors import InputError


def refuse_unless(section: str, settings: object, checks: Iterable[tuple[bool, str, str]]) -> None:
    """Raise for the first setting that is not allowed.

    Parameters
    ----------
    section
        Recipe section, for the message.
    settings
        The value whose attributes are checked.
    checks
        ``(is it allowed, name of the setting, what is allowed)``.

    Raises
    ------
    InputError
        Names the recipe key, its value and what is allowed.
    """
    for good, name, allowed in checks:
        if not good:
            raise InputError(
                f"{section}.{name} is {getattr(settings, name)!r}; it must be {allowed}"
            )


def one_of(*names: str) -> str:
    """Return ``'a', 'b' or 'c'``."""
    quoted = [repr(name) for name in names]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
