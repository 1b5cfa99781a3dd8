"""Download several files over HTTP at the same time, with progress, until one fails."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ecgphoton.ecg.download import Downloaded, Patience, download, sha256_is
from ecgphoton.errors import InputError


@dataclass(frozen=True)
class Progress:
    """State of a running fetch."""

    files: int
    """Files that are right by now."""
    of_files: int
    received: int
    """Bytes so far that were received, copied, or already right."""
    file: str


class Meter:
    """Counts for the caller, one thread at a time."""

    def __init__(self, progress: Callable[[Progress], object] | None) -> None:
        self._progress, self._lock = progress, threading.Lock()
        self._files = self._of_files = self._received = 0

    def expect(self, files: int) -> None:
        """Set the number of files."""
        self._of_files = files

    def add(self, file: str, *, received: int = 0, files: int = 0) -> None:
        """Count what has arrived of a file."""
        with self._lock:
            self._received += received
            self._files += files
            if self._progress is not None:
                self._progress(Progress(self._files, self._of_files, self._received, file))


class Web:
    """Downloads into one folder, until stopped."""

    def __init__(self, base: str, folder: Path, patience: Patience | None, meter: Meter) -> None:
        self._base, self._folder, self._meter = base, folder, meter
        self._patience = patience or Patience()
        self._stop = threading.Event()

    def get(self, name: str, accept: Callable[[bytes], str | None]) -> Downloaded:
        """Download one file."""

        def on_bytes(count: int) -> None:
            self._meter.add(name, received=count)
            self._check()

        def pause(seconds: float) -> None:
            self._stop.wait(seconds)
            self._check()

        return download(
            self._base + name,
            self._folder / name,
            accept,
            patience=self._patience,
            on_bytes=on_bytes,
            pause=pause,
        )

    def get_all(self, sums: dict[str, str], names: list[str], jobs: int) -> list[Downloaded]:
        """Download files that must have these checksums, `jobs` at a time."""

        def one(name: str) -> Downloaded:
            self._check()
            got = self.get(name, sha256_is(sums[name]))
            self._meter.add(name, files=1)
            return got

        with ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                return list(pool.map(one, names))
            except BaseException:  # also Ctrl-C: every thread stops at its next piece
                self._stop.set()
                raise

    def _check(self) -> None:
        if self._stop.is_set():
            raise InputError("stopped, because another download failed")
