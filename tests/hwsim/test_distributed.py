"""Chips are the same on any worker, and lost workers are replaced."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from ecgphoton.errors import InputError
from ecgphoton.hwsim import distributed
from ecgphoton.hwsim.distributed import usual_workers
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.simulate import trial_of

CHIPS = 24
ENDLESS = """
import signal
import sys
import time
from pathlib import Path
from unittest.mock import MagicMock

sys.modules["torch"] = MagicMock()  # nothing is computed, and it takes 2 s to import
from ecgphoton.hwsim.distributed import computed

# What runs in the background of a shell hears no Ctrl-C unless it says so.
signal.signal(signal.SIGINT, signal.default_int_handler)

def work(group):
    Path(f"begun-{group}").touch()
    time.sleep(100)

if __name__ == "__main__":
    next(computed(work, 2, workers=WORKERS))
"""


@pytest.fixture(scope="module")
def trial(student, inputs, label, point):
    """Twenty-four noisy chips."""
    return trial_of(student, inputs, label, point, seed=1, noise=0.03)


@pytest.fixture(scope="module")
def alone(trial):
    """The answer of this process."""
    return np.concatenate([*run(trial, CHIPS)])


@pytest.mark.slow
def test_processes_are_bit_identical(trial, alone):
    """Two worker processes give the bits one process gives."""
    assert np.array_equal(np.concatenate([*run(trial, CHIPS, workers=2)]), alone)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "how"), [(2, signal.SIGKILL), (2, signal.SIGINT), (1, signal.SIGINT)]
)
def test_no_process_outlives_its_parent(workers, how, tmp_path):
    """A parent that is killed, or alone hears Ctrl-C, takes its workers with it in mid-work."""
    (tmp_path / "endless.py").write_text(ENDLESS.replace("WORKERS", str(workers)))
    command = [sys.executable, "endless.py"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as parent:
        while len([*tmp_path.glob("begun-*")]) < workers and parent.poll() is None:
            time.sleep(0.05)
        parent.send_signal(how)
        said = parent.communicate(timeout=60)[1]  # every worker holds the same standard error
    assert parent.returncode == -how, said


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_ctrl_c_while_workers_start_is_heard():
    """It waits until they are started, and is not lost."""
    pool, done = object.__new__(distributed._Processes), []

    def submit(*work):
        os.kill(os.getpid(), signal.SIGINT)
        done.append(work)

    pool.pool = SimpleNamespace(submit=submit)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs of a shell ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            pool.submit(0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(done) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_workers_that_still_start_are_ended(monkeypatch):
    """Left to themselves they would look for what is gone, and each print a traceback."""
    monkeypatch.setattr(distributed, "START", "spawn")
    pool = distributed._Processes(distributed.Job(abs), 2)
    pool.submit(0)
    started = [*pool.pool._processes.values()]
    pool.close()
    while None in (codes := [process.exitcode for process in started]):
        time.sleep(0.01)
    assert {*codes} == {-signal.SIGTERM}


@pytest.fixture
def forked_workers():
    """Fork Dask's workers, too, from the server that has imported everything."""
    pytest.importorskip("distributed")
    from dask import config

    if distributed.START == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()
    with config.set({"distributed.worker.multiprocessing-method": distributed.START}):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("forked_workers")
@pytest.mark.filterwarnings("ignore")
def test_dask_survives_a_killed_worker(trial, alone):
    """A Dask worker killed in mid-run costs nothing but time: the bits are the same."""
    dask = pytest.importorskip("distributed")
    with dask.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        groups = run(trial, CHIPS, dask=cluster.scheduler_address)
        first = next(groups)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        time.sleep(0.2)
        table = np.concatenate([first, *groups])
    assert np.array_equal(table, alone)


@pytest.mark.parametrize("address", ["not-an-address", "foo://here:1", "tcp://no.host:1"])
def test_no_scheduler_is_one_clear_line(trial, monkeypatch, address):
    """What is no address is named, with what to do, before Dask makes a client for it.

    The end of such a client is a traceback of Dask, 20 seconds later.
    """
    monkeypatch.setattr(pytest.importorskip("distributed"), "Client", None)
    with pytest.raises(InputError, match="no Dask scheduler"):
        next(run(trial, 4, dask=address))


def test_a_worker_of_a_pool_starts_none(trial, monkeypatch):
    """Which a daemonic process may not: several are refused, and one is usual."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    assert usual_workers() == 1
    with pytest.raises(InputError, match="workers is 2, but this process is a worker"):
        next(run(trial, CHIPS, workers=2))
