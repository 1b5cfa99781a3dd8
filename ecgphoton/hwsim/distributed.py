"""Numbered pieces of work on threads, on a process pool or on a Dask cluster, in order.

A worker process imports the extensions of this one and computes a piece exactly as a thread of
this process does, so the answer is the same bit for bit. It ends by itself when this process is
gone or wants no more answers. The pieces of a Dask worker that ended are sent to another one.
"""

import contextlib
import multiprocessing
import operator
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ecgphoton.errors import InputError, require
from ecgphoton.host import importable, single_precision
from ecgphoton.registry import extensions, load
from ecgphoton.settings import convert

Work = Callable[[int], Any]
GUARD = (
    "no worker process lives long enough to compute anything. Each one imports the program that "
    'starts it: put the call under `if __name__ == "__main__":` in a file (not on standard '
    "input), or use workers=1. If it stands there already, take fewer workers or more memory"
)
RETRIES = 10
"""Workers that may die under one group of chips before the run gives up."""
START = "spawn"
"""How worker processes start: with the modules they import, and nothing else of this process."""
MOST_WORKERS = 1024
"""Processes that may be asked for; an assumption: each holds a quarter of a gigabyte."""
_JOB: list[Work] = []


@contextlib.contextmanager
def single_threaded() -> Iterator[int]:
    """Make every torch operation use one thread and single precision; yields how many there were.

    Work items fit the caches of one core: several threads inside one operation would mostly wait
    for each other and slow down the other work items.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with single_precision():
            yield threads
    finally:
        torch.set_num_threads(threads)


def check_workers(workers: int) -> int:
    """Return `workers`; InputError if it is no integer from 1 to `MOST_WORKERS`."""
    workers = convert(workers, int, "workers")
    require(1 <= workers <= MOST_WORKERS, "workers", workers, f"from 1 to {MOST_WORKERS}")
    return workers


def usual_workers() -> int:
    """Return one process a core, where no number is asked for and this process may start some."""
    lone = multiprocessing.current_process().daemon or not importable()
    return 1 if lone else os.cpu_count() or 1


def leave_imports() -> None:
    """End a worker that is still importing a program without a guard; its parent says so."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)


def computed(
    work: Work,
    groups: int,
    *,
    threads: int | None = 1,
    workers: int | None = 1,
    dask: str | None = None,
) -> Generator[Any, None, None]:
    """Yield ``work(0)``, ``work(1)`` ... in order, with a few of them under way.

    Parameters
    ----------
    threads
        Threads of this process, where there are no other workers; None for as many as torch uses.
    workers
        Processes, more than 1 instead of threads; None takes one a core, where any can start.
    dask
        Address of a Dask scheduler, whose workers are used instead.

    Raises
    ------
    InputError
        If the number of workers is not allowed, the scheduler cannot be reached, or workers die
        before any result or keep dying.
    """
    processes = usual_workers() if workers is None else check_workers(workers)
    if processes > 1 and dask is not None:
        raise InputError(
            f"workers is {workers}, but the scheduler {dask!r} has workers of its own; leave out "
            "one of them"
        )
    with single_threaded() as available:
        most = min(threads or available, os.cpu_count() or 1)
        if dask is not None:
            opened: Callable[[], Any] = partial(_Dask, Job(work), dask)
        elif processes > 1:
            opened = partial(_Processes, Job(work), min(processes, groups))
        elif most > 1:
            opened = partial(_Threads, work, most)
        else:  # in this thread, where Ctrl-C ends a piece in mid-work
            yield from map(work, range(groups))
            return
        pool = opened()
        queue: list[Any] = []
        done = losses = 0
        try:
            while done < groups:
                more = range(done + len(queue), min(done + pool.ahead, groups))
                try:
                    queue.extend(pool.submit(group) for group in more)
                    rows = queue[0].result()
                except pool.failures as error:
                    losses += 1
                    unguarded = pool.fragile and done == 0
                    if unguarded or losses > RETRIES:
                        raise InputError(GUARD if unguarded else pool.advice(losses)) from (
                            None if unguarded else error
                        )
                    queue.clear()
                    pool.close()
                    pool = opened()
                    continue
                queue.pop(0)
                done += 1
                yield rows
        finally:
            pool.close()


class _Threads:
    """Threads of this process."""

    failures = ()

    def __init__(self, work: Work, threads: int) -> None:
        self.ahead, pool = 2 * threads, ThreadPoolExecutor(threads)
        self.submit = lambda group: pool.submit(work, group)
        self.close = partial(pool.shutdown, cancel_futures=True)


@contextlib.contextmanager
def _unhurried() -> Iterator[None]:
    """Let Ctrl-C wait: here to the end, in processes that start now until they are in `_start`.

    During imports, each of them would print a traceback. They inherit the mask of this thread; here
    another thread may be the one that hears.
    """
    heard, can = list[int](), hasattr(signal, "pthread_sigmask")  # not on Windows
    main = threading.current_thread() is threading.main_thread()  # others may set no handlers
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1)) if main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if can else set()
    try:
        yield
    finally:
        if can:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, before)
        if heard:
            signal.raise_signal(signal.SIGINT)


class _Processes:
    """Processes of this machine."""

    failures, fragile = BrokenProcessPool, True
    advice = "worker processes died {} times; try fewer workers or more memory".format

    def __init__(self, job: Work, workers: int) -> None:
        leave_imports()
        if multiprocessing.current_process().daemon:
            raise InputError(
                f"workers is {workers}, but this process is a worker of a multiprocessing.Pool "
                "itself, which may start none; use workers=1, or a ProcessPoolExecutor"
            )
        if not importable():
            raise InputError(GUARD)
        # Not among the arguments of the start: a worker that dies before it reads them would leave
        # this process waiting for the other end of a full pipe.
        context, packed = multiprocessing.get_context(START), pickle.dumps(job)
        self.ahead, self.jobs = 2 * workers, context.Queue()
        for _ in range(workers):
            self.jobs.put(packed)
        # The workers hold the other end of this line, which says nothing until it is closed: by
        # this process, or by the system when this process was killed.
        end, self.line = context.Pipe(duplex=False)
        self.pool = ProcessPoolExecutor(workers, context, _start, (self.jobs, end))

    def submit(self, group: int) -> Any:  # noqa: ANN401
        with _unhurried():
            return self.pool.submit(_work, group)

    def close(self) -> None:
        started = [*(self.pool._processes or {}).values()]  # noqa: SLF001 - public from 3.14 on
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.jobs.cancel_join_thread()
        self.line.close()
        for process in started:  # one that still imports would print a traceback without its parent
            process.terminate()


class _Dask:
    """Workers of a Dask cluster."""

    fragile = False
    advice = "Dask workers were lost {} times; look at their memory and logs".format

    def __init__(self, job: Work, address: str) -> None:
        try:
            import distributed
            from distributed.comm.addressing import resolve_address
        except ImportError as error:
            raise InputError("--dask needs Dask: pip install 'ecgphoton[dask]'") from error
        try:
            # Of a client with an address that is none, Dask prints a traceback 20 seconds later.
            resolve_address(address)
            self.client: Any = distributed.Client(  # type: ignore[no-untyped-call]
                address, timeout="10s", set_as_default=False
            )
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {address!r} ({error}); start one with "
                "'dask scheduler', workers with 'dask worker'"
            ) from error
        self.failures, self.close = (CancelledError, distributed.KilledWorker), self.client.close
        self.shared = self.client.scatter(job, broadcast=True, hash=False)  # type: ignore[no-untyped-call]
        self.ahead = 4 * max(1, len(self.client.scheduler_info()["workers"]))

    def submit(self, group: int) -> Any:  # noqa: ANN401
        return self.client.submit(operator.call, self.shared, group, pure=False, retries=RETRIES)


@dataclass(frozen=True)
class Job:
    """Work that imports the extensions of the process it comes from before it is unpacked."""

    work: Work

    def __call__(self, group: int) -> Any:  # noqa: ANN401
        """Return ``work(group)``."""
        return self.work(group)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pack the work apart, since unpacking it may already ask for the extensions."""
        return _unpacked, (extensions(), pickle.dumps(self.work))


def _unpacked(modules: tuple[str, ...], packed: bytes) -> Job:
    load(modules)
    return Job(pickle.loads(packed))


def _start(jobs: Any, line: Any) -> None:  # noqa: ANN401 - a queue and a pipe of the parent
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    torch.set_num_threads(1)
    for number in (signal.SIGINT, signal.SIGTERM):  # they end a worker without a traceback
        signal.signal(number, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        _JOB[:] = [pickle.loads(jobs.get())]
    except InputError as error:  # of an extension: what every piece of work answers
        _JOB[:] = [partial(_fail, error)]


def _fail(error: InputError, _group: int) -> None:
    raise error


def _end_with(line: Any) -> None:  # noqa: ANN401
    """Wait until the parent closes its end of a pipe, then end this process in mid-work."""
    with contextlib.suppress(EOFError, OSError):
        line.recv_bytes()
    os._exit(1)


def _work(group: int) -> Any:  # noqa: ANN401
    return _JOB[0](group)
