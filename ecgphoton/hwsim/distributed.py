"""More than one process: groups of chips on a process pool or on a Dask cluster.

A worker computes `run_group` with one torch thread, exactly as a thread of this process does, so
the answer is the same bit for bit. A lost Dask worker's groups are sent to another one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.montecarlo import Trial, run_group

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = Generator[NDArray[np.float64], None, None]

GUARD = (
    "no worker process lives long enough to compute anything. Each one imports the program that "
    'starts it: put the call under `if __name__ == "__main__":` in a file (not on standard '
    "input), or use workers=1. If it stands there already, take fewer workers or more memory"
)
RETRIES = 10
"""Workers that may die under one group of chips before the run gives up."""
_TRIAL: list[Trial] = []


def process_groups(trial: Trial, groups: Sequence[int], *, workers: int, dask: str | None) -> Rows:
    """Yield the rates of groups in order, computed by processes or by a Dask cluster.

    Raises
    ------
    InputError
        If the scheduler cannot be reached, or workers die before any result or keep dying.
    """
    if dask is not None:
        return _on_dask(trial, groups, dask)
    return _on_processes(trial, groups, workers)


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


def _start(trial: Trial) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end without a word
    torch.set_num_threads(1)
    _TRIAL[:] = [trial]


def _work(group: int) -> NDArray[np.float64]:
    return run_group(_TRIAL[0], group)


def _on_processes(trial: Trial, groups: Sequence[int], workers: int) -> Rows:
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # a worker, still importing a program without a guard; its parent says so
    main = sys.modules["__main__"]
    if main.__spec__ is None and not Path(getattr(main, "__file__", __file__)).exists():
        raise InputError(GUARD)
    done, deaths = 0, 0
    while done < len(groups):
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, context, initializer=_start, initargs=(trial,))
        try:
            waiting = iter(groups[done:])
            with _unheard():
                queue = [pool.submit(_work, group) for group in islice(waiting, 2 * workers)]
            while queue:
                rows = queue.pop(0).result()
                done += 1
                queue.extend(pool.submit(_work, group) for group in islice(waiting, 1))
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


def _dask_work(trial: Trial, group: int) -> NDArray[np.float64]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return run_group(trial, group)
    finally:
        torch.set_num_threads(threads)


def _on_dask(trial: Trial, groups: Sequence[int], address: str) -> Rows:
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
                for rows in _stream(client, trial, groups[done:]):
                    done += 1
                    yield rows
            except (CancelledError, distributed.KilledWorker) as error:
                losses += 1
                if losses > RETRIES:
                    raise InputError(
                        f"Dask workers were lost {losses} times; look at their memory and logs"
                    ) from error


def _stream(client: Any, trial: Trial, groups: Sequence[int]) -> Rows:  # noqa: ANN401
    shared = client.scatter(trial, broadcast=True, hash=False)
    ahead = 4 * max(1, len(client.scheduler_info()["workers"]))
    waiting = iter(groups)

    def submit(group: int) -> Any:  # noqa: ANN401
        return client.submit(_dask_work, shared, group, pure=False, retries=RETRIES)

    queue = [submit(group) for group in islice(waiting, ahead)]
    try:
        while queue:
            rows = queue.pop(0).result()
            queue.extend(submit(group) for group in islice(waiting, 1))
            yield rows
    finally:
        client.cancel(queue)
