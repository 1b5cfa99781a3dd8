"""Single precision in products, whatever the program around has allowed torch to do."""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch


@contextlib.contextmanager
def single_precision() -> Iterator[None]:
    """Compute products in single precision; settings of the host are as before afterwards.

    ``torch.set_float32_matmul_precision("medium")`` and ``torch.autocast`` would shorten numbers to
    16 bits, and answers would depend on them and on the processor.
    """
    products: Any = getattr(torch.backends.mkldnn, "matmul", None)  # from torch 2.9 on
    if products is not None:
        before, products.fp32_precision = products.fp32_precision, "ieee"
    else:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast("cpu", enabled=False):
            yield
    finally:
        if products is not None:
            products.fp32_precision = before
        else:
            torch.set_float32_matmul_precision(before)
