"""Download over HTTP: resume, retry, check, and give a file its name only then; several at a time.

Several files go on until one of them fails.
"""

import hashlib
import http.client
import os
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ecgphoton.artifacts import unwritten
from ecgphoton.errors import InputError
from ecgphoton.intake import LARGEST_FILE
from ecgphoton.progress import Progress
from ecgphoton.version import __version__

PART = ".part"
CHUNK = 1 << 16
LONGEST_WAIT = 60.0  # s
_PASSING = frozenset({408, 416, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """Number of attempts, and the times between them."""

    attempts: int = 5
    """Failures in a row, without a byte gained, before giving up."""
    backoff: float = 1.0
    """Seconds before the second attempt; doubled each time, at most a minute."""
    timeout: float = 30.0
    """Seconds without data after which a connection is closed."""


USUAL = Patience()


Counts = Counter[str]
"""Of one download: bytes ``received`` over the network, bytes ``resumed``, which an earlier attempt
left and which were not requested again, and ``retries``."""


class _Unusable(Exception):
    """A failure that may be temporary: the reason, and the delay that the server asks for, s."""


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def check_sum(content: bytes, wanted: str) -> None:
    """Refuse content with another SHA-256 (hexadecimal)."""
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise InputError(f"SHA-256 is {found}, not {wanted}")


def _finish(part: Path, path: Path, check: Callable[[bytes], object]) -> str:
    """Give the part its name if its content is right; otherwise return what is wrong."""
    try:
        check(part.read_bytes())
    except InputError as error:
        return str(error)
    with part.open("rb") as whole:
        os.fsync(whole.fileno())
    part.replace(path)
    return ""


class Meter:
    """Reports the megabytes that are there, one thread at a time."""

    def __init__(self, progress: Progress, megabytes: int) -> None:
        self._progress, self._megabytes, self._lock = progress, megabytes, threading.Lock()
        self._bytes = 0

    def add(self, size: int) -> None:
        """Count bytes that were received, copied, or already right."""
        with self._lock:
            self._bytes += size
            self._progress("megabytes", self._bytes // 10**6, self._megabytes)


class Web:
    """Downloads into one folder, until stopped."""

    def __init__(self, base: str, folder: Path, patience: Patience, meter: Meter) -> None:
        self._base, self._folder, self._meter, self._patience = base, folder, meter, patience
        self._stop = threading.Event()

    def get(self, name: str, check: Callable[[bytes], object]) -> Counts:
        """Download one file; content that `check` refuses never gets its name.

        The bytes gather in ``<name>.part``. After a lost connection, in this run or a later one,
        the rest is asked for with an HTTP Range; a server that sends the whole file is accepted
        too.

        Parameters
        ----------
        check
            Raises InputError where the complete content is wrong.

        Raises
        ------
        InputError
            If the file does not exist there, all attempts failed, or another download did.
        """
        path = self._folder / name
        part = path.with_name(path.name + PART)
        got, failures = Counts(), 0
        if part.exists() and not _finish(part, path, check):
            return got
        while True:
            before, wait = _size(part), 0.0
            try:
                self._attempt(name, part, got)
                why = _finish(part, path, check)
                if not why:
                    return got
                part.unlink()
            except _Unusable as error:
                why, wait = error.args
            except (OSError, http.client.HTTPException) as error:
                if isinstance(error, OSError) and error.filename is not None:
                    raise unwritten(part, error) from error
                why = str(getattr(error, "reason", error)) or type(error).__name__
            failures = 0 if _size(part) > before else failures + 1
            if failures >= self._patience.attempts:
                raise InputError(
                    f"gave up on {self._base}{name} after {failures} attempts without progress: "
                    f"{why}; run it again later, what has arrived is kept"
                )
            got["retries"] += 1
            usual = self._patience.backoff * 2 ** max(failures - 1, 0)
            self._stop.wait(min(LONGEST_WAIT, max(wait, usual)))
            self._check()

    def _attempt(self, name: str, part: Path, got: Counts) -> None:
        """Ask for the rest of the file once."""
        url, start = self._base + name, _size(part)
        headers = {"User-Agent": f"ecgphoton/{__version__}", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        request = urllib.request.Request(url, headers=headers)
        try:
            response = urllib.request.urlopen(request, timeout=self._patience.timeout)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # nothing is left after the stored part: it is too long
                part.unlink(missing_ok=True)
            if error.code in _PASSING:
                stated = error.headers.get("Retry-After", "")
                raise _Unusable(
                    f"the server answers {error.code} {error.reason}",
                    float(stated) if stated.isdigit() else 0.0,
                ) from None
            raise InputError(
                f"{url}: the server answers {error.code} {error.reason}; check the address"
            ) from None
        with response:
            resumed: bool = response.status == 206
            sent = response.headers.get("Content-Range", "")
            if resumed and not sent.startswith(f"bytes {start}-"):
                part.unlink(missing_ok=True)
                raise _Unusable("the server sent another range than asked for", 0.0)
            length, received = response.headers.get("Content-Length", ""), 0
            with part.open("ab" if resumed else "wb") as out:
                size = out.tell()
                while chunk := response.read(CHUNK):
                    received += len(chunk)
                    if size + received > LARGEST_FILE:
                        raise InputError(
                            f"{url} has more than {LARGEST_FILE} bytes; wrong address?"
                        )
                    try:
                        out.write(chunk)
                        out.flush()
                    except OSError as error:
                        raise unwritten(part, error) from error
                    got["received"] += len(chunk)
                    self._meter.add(len(chunk))
                    self._check()
            if length.isdigit() and received < int(length):
                raise _Unusable(f"the connection ended after {received} of {length} bytes", 0.0)

    def get_all(self, sums: dict[str, str], names: list[str], jobs: int) -> Counts:
        """Download files that must have these checksums, `jobs` at a time; return their counts."""

        def one(name: str) -> Counts:
            self._check()
            got = self.get(name, lambda content: check_sum(content, sums[name]))
            size = (self._folder / name).stat().st_size
            got["resumed"] = max(0, size - got["received"])
            self._meter.add(got["resumed"])
            return got

        with ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                return sum(pool.map(one, names), Counts())
            except BaseException:  # also Ctrl-C: every thread stops at its next piece
                self._stop.set()
                raise

    def _check(self) -> None:
        if self._stop.is_set():
            raise InputError("stopped, because another download failed")
