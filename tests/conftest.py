"""Fixtures for every test: the real data, where there are any, and a cache of our own.

Property tests repeat themselves and know no deadline, so that a busy machine does not fail them.
``ECGPHOTON_EXAMPLES=1000`` tries that many values instead of 50.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import torch
from click.testing import CliRunner, Result
from filelock import FileLock
from hypothesis import settings

from ecgphoton.cli import main
from ecgphoton.ecg.database import locate, missing
from ecgphoton.ecg.synthetic import write_wfdb
from ecgphoton.hwsim import distributed
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.parts import Examples

EXAMPLES = int(os.environ.get("ECGPHOTON_EXAMPLES", "50"))
settings.register_profile("steady", deadline=None, derandomize=True, max_examples=EXAMPLES)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def together(tmp_path_factory) -> Path:
    """Folder that all processes of this run of pytest share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _own_cache(together):
    """Keep the user's cache out of the tests, and the tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECGPHOTON_CACHE", str(together / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _workers_of_a_server():
    """Fork worker processes from a server that has imported what they need.

    Those of commands and scripts that tests start in a process of their own import it themselves.
    """
    with pytest.MonkeyPatch.context() as patch:
        if "forkserver" in multiprocessing.get_all_start_methods():
            import child  # which says what the server imports

            patch.setattr(distributed, "START", child.SERVER.get_start_method())
        yield


@pytest.fixture(scope="session")
def mitdb() -> Path:
    """Folder of the MIT-BIH Arrhythmia Database; skips the test where it is not."""
    folder = locate()
    if folder is None:
        named = os.environ.get("ECGPHOTON_DATA")
        pytest.skip(missing() if named else "ECGPHOTON_DATA does not name the MIT-BIH database")
    return folder


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
"""A PNG of one grey pixel."""


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Write every PNG as one pixel."""
    from matplotlib.figure import Figure

    drawn = Figure.savefig

    def save(figure, file, **settings):
        if settings.get("format") == "png" and hasattr(file, "write"):
            file.write(PIXEL)
        else:
            drawn(figure, file, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", save)
        yield


@pytest.fixture(scope="module")
def plain_pictures():
    """Write every PNG as one pixel, in modules that promise nothing of what pictures show.

    Drawing the pictures of a run takes longer than training it for a few epochs.
    """
    with plain():
        yield


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


MakeExamples = Callable[..., Examples]


@pytest.fixture
def toy() -> MakeExamples:
    """Make narrow normal and wide abnormal beats of a few patients."""

    def make(
        beats: int = 256,
        *,
        abnormal: float = 0.25,
        overlap: float = 0.0,
        classes: int = 2,
        seed: int = 0,
    ) -> Examples:
        draw = torch.Generator().manual_seed(seed)
        label = (torch.rand(beats, generator=draw) < abnormal).long()
        label[:classes] = torch.arange(classes)
        if classes > 2:
            kinds = torch.randint(1, classes, (beats,), generator=draw)
            label = torch.where((label > 0) & (torch.arange(beats) >= classes), kinds, label)
        blur = overlap * torch.randn(beats, generator=draw)
        width = 8 + 12 * (label + blur).clamp(-0.4, classes)
        time = torch.arange(360) - 180.0
        window = torch.exp(-0.5 * (time / width[:, None]) ** 2)
        window = window + 0.02 * torch.randn(beats, 360, generator=draw)
        window = window - window.mean(1, keepdim=True)
        window = window / window.abs().amax(1, keepdim=True)
        rhythm = torch.rand(beats, 4, generator=draw) * 2 - 1
        residual = window[:, 120:240] - window[:, 120:240].median(0).values
        record = np.array(["100", "101", "203"])[np.arange(beats) % 3]
        return Examples(Inputs(window, rhythm, residual.clamp(-1, 1)), label, record)

    return make


@pytest.fixture
def student() -> Callable[..., SegmentStudent]:
    """Make a small student; the same seed gives the same weights."""

    def make(seed: int = 0, **shape: object) -> SegmentStudent:
        return SegmentStudent(Architecture(layers=2, **shape), seed=seed)

    return make


@pytest.fixture(scope="session")
def house(together: Path, tmp_path_factory) -> Path:
    """Folder with one short run of synthetic beats, `runs/r`, and its bundle, `bundles/b`.

    The first process that needs them makes them; each works in a copy of its own.
    """
    made = together / "house"
    with FileLock(made.with_suffix(".lock")), pytest.MonkeyPatch.context() as patch, plain():
        if not made.exists():
            half = made.with_suffix(".half")
            half.mkdir()
            patch.chdir(half)
            quick = ["--data", "synthetic", "--recipe", "reference-8"]
            train = ["train", *quick, "--set", "training.epochs=2", "--out", "runs/r"]
            for arguments in (train, ["export", "--mesh", "--out", "bundles/b"]):
                done = CliRunner().invoke(main, arguments)
                assert done.exit_code == 0, done.output
            half.rename(made)
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("copy") / "house"))


@pytest.fixture
def call(house: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call the command line inside that folder."""
    monkeypatch.chdir(house)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))
