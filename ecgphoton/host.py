"""What the program around has set does not change an answer, and is as before afterwards."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """Compute on the processor, with products in single precision.

    ``torch.set_float32_matmul_precision("medium")`` and ``torch.autocast`` would shorten numbers to
    16 bits, and answers would depend on them and on the processor. With
    ``torch.set_default_device("cuda")`` new tensors would lie elsewhere than a student's.
    """
    import torch

    products: Any = getattr(torch.backends.mkldnn, "matmul", None)  # from torch 2.9 on
    if products is not None:
        before, products.fp32_precision = products.fp32_precision, "ieee"
    else:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
    elsewhere = torch.get_default_device().type != "cpu"
    place = torch.device("cpu") if elsewhere else contextlib.nullcontext()
    try:
        with torch.autocast("cpu", enabled=False), place:
            yield
    finally:
        if products is not None:
            products.fp32_precision = before
        else:
            torch.set_float32_matmul_precision(before)


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
    if "torch" not in sys.modules:  # nothing is set, and reading a recording needs no torch
        yield
        return
    import torch

    with single_precision(), torch.inference_mode(mode=False), torch.enable_grad():
        yield
