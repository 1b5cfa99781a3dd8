"""Chips are the same on any worker, and lost workers are replaced."""

import os
import signal
import time

import numpy as np
import pytest

from ecgphoton.errors import InputError
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.simulate import trial_of

CHIPS = 24


@pytest.fixture(scope="module")
def trial(student, inputs, label, point):
    """Twenty-four noisy chips."""
    return trial_of(student, inputs, label, point, seed=1, noise=0.03)


@pytest.fixture(scope="module")
def alone(trial):
    """The answer of this process."""
    return np.concatenate([*run(trial, CHIPS)])


def test_processes_are_bit_identical(trial, alone):
    """Two worker processes give the bits one process gives."""
    assert np.array_equal(np.concatenate([*run(trial, CHIPS, workers=2)]), alone)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dask_survives_a_killed_worker(trial, alone):
    """A Dask worker killed in mid-run costs nothing but time: the bits are the same."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
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


def test_no_scheduler_is_one_clear_line(trial):
    """An address where nobody answers is named, with what to do."""
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="no Dask scheduler"):
        next(run(trial, 4, dask="not-an-address"))
