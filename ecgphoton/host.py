"""The program around: what it has set changes no answer, and arrays that it gives are read whole.

What it has set is as before afterwards.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_array(values: Any, name: str) -> NDArray[Any]:  # noqa: ANN401 - what a user passes
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


def importable() -> bool:
    """Whether another process can find the program that this one runs."""
    main = sys.modules["__main__"]
    known = getattr(main, "__spec__", None) is not None
    return known or Path(getattr(main, "__file__", __file__)).exists()


class _Shared:
    """A setting of the whole process: made for the first thread that needs it, undone by the last.

    Undone by each, it would end while others compute, and what the host had set would be lost.
    """

    def __init__(self, make: Callable[[], AbstractContextManager[None]]) -> None:
        self._make, self._made = make, contextlib.ExitStack()
        self._lock, self._users = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._users:
                self._made.enter_context(self._make())
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._made.close()


@_Shared
@contextlib.contextmanager
def _full_products() -> Iterator[None]:
    import torch

    products: Any = getattr(torch.backends.mkldnn, "matmul", None)  # from torch 2.9 on
    if products is not None:
        before, products.fp32_precision = products.fp32_precision, "ieee"
    else:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        if products is not None:
            products.fp32_precision = before
        else:
            torch.set_float32_matmul_precision(before)


@_Shared
@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """Compute on the processor, with products in single precision.

    ``torch.set_float32_matmul_precision("medium")`` and ``torch.autocast`` would shorten numbers to
    16 bits, and answers would depend on them and on the processor. With
    ``torch.set_default_device("cuda")`` new tensors would lie elsewhere than a student's.
    """
    import torch

    elsewhere = torch.get_default_device().type != "cpu"
    place = torch.device("cpu") if elsewhere else contextlib.nullcontext()
    with _full_products, torch.autocast("cpu", enabled=False), place:
        yield


@contextlib.contextmanager
def foreign() -> Iterator[None]:
    """Let another package warn, also where the host turns warnings into errors.

    wfdb 4.3 beside pandas 3 warns where it is imported, reads and writes.
    """
    with _silence:
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
