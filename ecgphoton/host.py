"""The program around: what it has set changes no answer, and arrays that it gives are read whole.

What it has set is as before afterwards.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ecgphoton.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOCK = threading.Lock()
_PRODUCTS: list[Any] = []
"""What the host has set for products, once for each thread that computes now."""


def plain(values: Any, name: str) -> NDArray[Any]:  # noqa: ANN401 - what a user passes
    """Return values of another library as an array of numpy.

    Raises
    ------
    InputError
        If some are masked, or they cannot be read, as a tensor that has gradients.
    """
    import numpy as np

    if isinstance(values, np.ma.MaskedArray) and (hidden := int(np.ma.getmaskarray(values).sum())):
        raise InputError(
            f"{name}: {hidden} of {values.size} values are masked, and what is below a mask is not "
            "read; leave them out"
        )
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be read ({error}); give an array of numpy") from error


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """Compute on the processor, with products in single precision.

    ``torch.set_float32_matmul_precision("medium")`` and ``torch.autocast`` would shorten numbers to
    16 bits, and answers would depend on them and on the processor. With
    ``torch.set_default_device("cuda")`` new tensors would lie elsewhere than a student's.
    """
    import torch

    with _LOCK:  # set for all threads: by the first that computes, until the last is done
        _PRODUCTS.append(_PRODUCTS[0] if _PRODUCTS else _set_products(None))
    elsewhere = torch.get_default_device().type != "cpu"
    place = torch.device("cpu") if elsewhere else contextlib.nullcontext()
    try:
        with torch.autocast("cpu", enabled=False), place:
            yield
    finally:
        with _LOCK:
            before = _PRODUCTS.pop()
            if not _PRODUCTS:
                _set_products(before)


def _set_products(precision: Any) -> Any:  # noqa: ANN401 - as torch names it
    """Set the precision of products, full for None; return that before."""
    import torch

    products: Any = getattr(torch.backends.mkldnn, "matmul", None)  # from torch 2.9 on
    if products is not None:
        before, products.fp32_precision = products.fp32_precision, precision or "ieee"
    else:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(precision or "highest")
    return before


@contextlib.contextmanager
def foreign() -> Iterator[None]:
    """Let another package warn, also where the host turns warnings into errors.

    wfdb 4.3 beside pandas 3 warns where it is imported, reads and writes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Compute as in a program that has set nothing: `single_precision`, and gradients if asked for.

    Training and studies compute gradients, which ``torch.inference_mode`` and
    ``torch.set_grad_enabled(False)`` would forbid. Every public function of a `lazy.Lazy` package
    runs in this.
    """
    with contextlib.ExitStack() as own:
        if "numpy" in sys.modules:  # else nothing is set
            import numpy as np

            own.enter_context(np.errstate(all="warn", under="ignore"))
        if "torch" in sys.modules:  # and reading a recording needs no torch
            import torch

            own.enter_context(single_precision())
            own.enter_context(torch.inference_mode(mode=False))
            own.enter_context(torch.enable_grad())
        yield
