"""Numbered pieces of work on threads, on a process pool or on a Dask cluster, in order.

A worker process imports the extensions of this one and computes a piece exactly as a thread of
this process does, so the answer is the same bit for bit. The pieces of a lost Dask worker are sent
to another one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Floats
from ecgphoton.registry import extensions, load

Rows = Generator[Floats, None, None]
Work = Callable[[int], Floats]

GUARD = (
    "no worker process lives long enough to compute anything. Each one imports the program that "
    'starts it: put the call under `if __name__ == "__main__":` in a file (not on standard '
    "input), or use workers=1. If it stands there already, take fewer workers or more memory"
)
RETRIES = 10
"""Workers that may die under one group of chips before the run gives up."""
_JOB: list[Work] = []


def in_order(submit: Callable[[int], Any], groups: Iterable[int], ahead: int) -> Rows:
    """Yield the results of futures in order, with at most `ahead` of them under way."""
    waiting = iter(groups)
    queue = [submit(group) for group in islice(waiting, ahead)]
    try:
        while queue:
            rows = queue.pop(0).result()
            queue.extend(submit(group) for group in islice(waiting, 1))
            yield rows
    finally:
        for future in queue:
            future.cancel()


def thread_groups(work: Work, groups: Iterable[int], threads: int) -> Rows:
    """Yield ``work(group)`` in order, computed by threads of this process."""
    with ThreadPoolExecutor(threads) as pool:
        yield from in_order(lambda group: pool.submit(work, group), groups, 2 * threads)


def process_groups(work: Work, groups: Sequence[int], *, workers: int, dask: str | None) -> Rows:
    """Yield ``work(group)`` in order, computed by processes or by a Dask cluster.

    Raises
    ------
    InputError
        If the scheduler cannot be reached, or workers die before any result or keep dying.
    """
    job = partial(_prepared, extensions(), work)
    if dask is not None:
        return _on_dask(job, groups, dask)
    return _on_processes(job, groups, workers)


def _prepared(modules: tuple[str, ...], work: Work, group: int) -> Floats:
    load(modules)
    return work(group)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Let processes that start now not hear Ctrl-C: while they import, each would print a trace."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _start(job: Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a worker without a traceback
    _JOB[:] = [job]


def _work(group: int) -> Floats:
    return _JOB[0](group)


def _on_processes(job: Work, groups: Sequence[int], workers: int) -> Rows:
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # a worker, still importing a program without a guard; its parent says so
    main = sys.modules["__main__"]
    if main.__spec__ is None and not Path(getattr(main, "__file__", __file__)).exists():
        raise InputError(GUARD)
    done, deaths = 0, 0
    while done < len(groups):
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(job,))

        def submit(group: int, pool: ProcessPoolExecutor = pool) -> Any:  # noqa: ANN401
            with _unheard():
                return pool.submit(_work, group)

        try:
            for rows in in_order(submit, groups[done:], 2 * workers):
                done += 1
                yield rows
        except BrokenProcessPool as error:
            if done == 0:
                raise InputError(GUARD) from None
            deaths += 1
            if deaths > RETRIES:
                raise InputError(
                    f"worker processes died {deaths} times; try fewer workers or more memory"
                ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _on_dask(job: Work, groups: Sequence[int], address: str) -> Rows:
    try:
        import distributed
    except ImportError as error:
        raise InputError("--dask needs Dask: pip install 'ecgphoton[dask]'") from error
    try:
        client: Any = distributed.Client(  # type: ignore[no-untyped-call]
            address, timeout="10s", set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {address!r} ({error}); start one with "
            "'dask scheduler', workers with 'dask worker'"
        ) from error
    done, losses = 0, 0
    with client:
        while done < len(groups):
            # With every worker that held the beats lost, they have to be sent again.
            try:
                for rows in _stream(client, job, groups[done:]):
                    done += 1
                    yield rows
            except (CancelledError, distributed.KilledWorker) as error:
                losses += 1
                if losses > RETRIES:
                    raise InputError(
                        f"Dask workers were lost {losses} times; look at their memory and logs"
                    ) from error


def _stream(client: Any, job: Work, groups: Sequence[int]) -> Rows:  # noqa: ANN401
    shared = client.scatter(job, broadcast=True, hash=False)
    ahead = 4 * max(1, len(client.scheduler_info()["workers"]))

    def submit(group: int) -> Any:  # noqa: ANN401
        return client.submit(_call, shared, group, pure=False, retries=RETRIES)

    return in_order(submit, groups, ahead)


def _call(job: Work, group: int) -> Floats:
    return job(group)
