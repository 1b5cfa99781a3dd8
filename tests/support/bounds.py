"""Reading within bounds of time and memory."""

from __future__ import annotations

import contextlib
import signal
import warnings
from pathlib import Path

from ecgphoton.errors import EcgphotonError

SECONDS = 5  # longest any input may take
MEBIBYTES = 400  # most that the process may grow while it reads


class HangError(BaseException):
    """An input took too long; no reader may swallow this."""


@contextlib.contextmanager
def bounded():
    """Let no input take long, nor the process grow much."""

    def stop(*_):
        raise HangError(f"a reader took more than {SECONDS} s")

    def size(key):
        text = Path("/proc/self/status").read_text()
        return int(text.partition(key)[2].split()[0]) / 1024

    reset, before = Path("/proc/self/clear_refs"), None
    if reset.exists():
        reset.write_text("5")  # forget the largest size so far
        before = size("VmRSS:")
    previous = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, previous)
    if before is not None:
        assert size("VmHWM:") - before < MEBIBYTES


def meet(read, folder: Path, what: str) -> bool:
    """Read a folder that may be damaged; return whether it was refused in words."""
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(folder)
    except EcgphotonError as error:
        return bool(str(error))
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}"[:2000]) from error
    finally:
        signal.alarm(0)
    return False
