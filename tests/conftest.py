"""Fixtures for every test: the real data, where there are any, and a cache of our own.

Property tests repeat themselves and know no deadline, so that a busy machine does not fail them.
``ECGPHOTON_EXAMPLES=1000`` tries that many values instead of 50.
"""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch

from ecgphoton.ecg.physionet import locate, missing
from ecgphoton.ecg.synthetic import write_wfdb

EXAMPLES = int(os.environ.get("ECGPHOTON_EXAMPLES", "50"))
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=EXAMPLES)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep the user's cache out of the tests, and the tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECGPHOTON_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def mitdb() -> Path:
    """Folder of the MIT-BIH Arrhythmia Database; skips the test where it is not."""
    folder = locate()
    if folder is None:
        named = os.environ.get("ECGPHOTON_DATA")
        pytest.skip(missing() if named else "ECGPHOTON_DATA does not name the MIT-BIH database")
    return folder


@pytest.fixture(scope="session")
def wfdb_folder(tmp_path_factory) -> Path:
    """Folder with the made-up records s01 to s04 as WFDB files; copy it before changing it."""
    folder = tmp_path_factory.mktemp("wfdb")
    write_wfdb(folder, patients=4, beats=60)
    return folder


@pytest.fixture
def frugal():
    """Fail if a reader makes room for much, or takes long, whatever a file claims."""
    tracemalloc.start()
    began = time.perf_counter()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20
    assert time.perf_counter() - began < 5
