"""Codes of converters and programmed values: symmetric about zero, rounded half to even."""

from typing import Any, TypeVar

Values = TypeVar("Values", bound=Any)
"""Arrays or tensors."""

TABLE_BITS = 16  # width of the digital activation's output; its full scale is 32767


def largest_code(bits: int) -> int:
    """Largest magnitude of a symmetric signed code of `bits` bits: 2^(bits-1) - 1."""
    return (1 << (bits - 1)) - 1


def nearest_codes(values: Values, bits: int, low: float = -1.0, high: float = 1.0) -> Values:
    """Return ``clip(round((x - middle) n / half range), -n, n)``, n = `largest_code`, as floats.

    The one rule by which weights, biases, samples, tokens and tables become codes; arrays and
    tensors keep their type. Two more roundings exist, both in `ecgphoton.export.integers`: that of
    an accumulator to a detector code, and that of a sum of activations to an input code.
    """
    top = largest_code(bits)
    middle, scale = (low + high) / 2, 2 * top / (high - low)
    return ((values - middle) * scale).round().clip(-top, top)  # type: ignore[no-any-return]
