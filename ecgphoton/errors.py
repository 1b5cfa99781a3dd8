"""The errors of this package: invalid input, among it wrong calls, and failed verification."""


class EcgphotonError(Exception):
    """Base class of the errors that this package raises."""


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
        raise InputError(f"{name} is {value!r}; it must be {allowed}")
