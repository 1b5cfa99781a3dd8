"""The two kinds of failure a user can meet, and the check of settings."""

from __future__ import annotations

from collections.abc import Iterable


class EcgphotonError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(EcgphotonError, ValueError):
    """A value, file or option the user gave cannot be used; the command line exits with 2.

    The message says what was wrong, the value, what is allowed and what to do.
    """


class VerificationError(EcgphotonError):
    """An artefact is not what it claims to be; the command line exits with 1."""


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
