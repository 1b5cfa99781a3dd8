"""Samples and R peaks that a program passes come in; arrays go out, or an error that names them."""

from decimal import Decimal
from numbers import Real
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecgphoton.errors import InputError, shown
from ecgphoton.host import as_array

NUMBERS = Real, Decimal, NoneType
"""Types of a sample; None, as NaN, is missing."""


def checked_signal(samples: Any) -> NDArray[np.float32]:  # noqa: ANN401 - what a user passes
    """Return one row of samples, those that are masked as missing."""
    masked = isinstance(samples, np.ma.MaskedArray)
    given = as_array(samples.data if masked else samples, "samples")
    kinds = {type(one) for one in given.flat} if given.dtype.kind == "O" else {given.dtype.type}
    wrong = [
        kind.__name__ for kind in kinds if not issubclass(kind, NUMBERS) or issubclass(kind, bool)
    ]
    if wrong:
        file = "; `ep.read` reads files" * isinstance(samples, str | Path)
        raise InputError(
            f"samples of type {wrong[0]} are no numbers; give real numbers, in mV{file}"
        )
    if given.ndim != 1:
        raise InputError(
            f"samples of shape {given.shape}; give those of one lead, an array of shape (n,)"
        )
    try:
        with np.errstate(over="ignore"):  # beyond single precision is infinite, and so missing
            signal = np.asarray(given, np.float32)
    except OverflowError as error:
        raise InputError(f"samples hold a number that no array can ({error}); give mV") from error
    missing = ~np.isfinite(signal) | np.ma.getmaskarray(samples if masked else signal)
    return np.where(missing, np.float32(np.nan), signal)


def checked_peaks(peaks: ArrayLike) -> NDArray[np.int64]:
    """Return R samples in order."""
    given = as_array(peaks, "peaks")
    whole = given.ndim == 1 and given.dtype.kind in "iuf" and np.isfinite(given).all()
    whole = whole or given.shape == (0,)
    if not whole or (given != np.rint(given)).any() or (given[1:] <= given[:-1]).any():
        raise InputError(
            f"peaks is {shown(peaks)}; it must be one row of whole sample numbers in order of "
            "time, each once"
        )
    if len(given) and (given[0] < 0 or given[-1] > 2**31 - 1):
        raise InputError(f"peaks from {given[0]} to {given[-1]}; they must be from 0 to 2^31 - 1")
    return given.astype(np.int64)
