"""The errors of this package: invalid input, among it wrong calls, and failed verification."""

import re

LONGEST, LONGEST_LINE = 200, 1000
"""Characters of a value in a message, and of the message."""


class EcgphotonError(Exception):
    """Base class of the errors that this package raises."""

    def __str__(self) -> str:
        """Return the message, or its beginning and end where something in it is long."""
        text, half = super().__str__(), LONGEST_LINE // 2
        return text if len(text) <= LONGEST_LINE else f"{text[:half]} ... {text[-half:]}"


class InputError(EcgphotonError, ValueError):
    """A value, file or option the user gave cannot be used; the command line exits with 2.

    The message says what was wrong, the value, what is allowed and what to do.
    """


class ArgumentError(InputError, TypeError):
    """A function is called with an argument that it does not take, or without one that it needs."""


class VerificationError(EcgphotonError):
    """An artefact is not what it claims to be; the command line exits with 1."""


def require(good: object, name: str, value: object, allowed: str) -> None:
    """Raise an `InputError` that says what must be, if it is not so."""
    if not good:
        raise InputError(f"{name} is {shown(value)}; it must be {allowed}")


def shown(value: object) -> str:
    """Return a value as Python writes it: on one line, and in part where that is long."""
    try:
        text = re.sub(r"\s*\n\s*", " ", repr(value))
    except ValueError:  # of an integer with more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-20:]}"
