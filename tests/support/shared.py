"""Fixtures for every test: the real data, where there are any, and a cache of our own."""

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
import torch
from click.testing import CliRunner, Result
from filelock import FileLock

from ecgphoton.cli import main
from ecgphoton.ecg.database import locate, missing
from ecgphoton.ecg.patients import synthesise
from ecgphoton.ecg.synthetic import extracted, write_wfdb
from ecgphoton.hwsim import distributed
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.parts import Examples


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
def _no_waiting_for_disks():
    """Let files reach the disk when they do: no test pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
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


LOOKED_AT = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tell the fixtures of a test whether it is marked as one that looks at pictures."""
    item.config.stash[LOOKED_AT] = item.get_closest_marker("pictures") is not None


@pytest.fixture(scope="session", autouse=True)
def _plain_pictures(pytestconfig):
    """Write PNG as one pixel and SVG empty, but in tests marked `pictures`; few wrong beats in all.

    Drawing the pictures of a run takes longer than training it for a few epochs.
    """
    from matplotlib.figure import Figure

    from ecgphoton.report import plots, wrong_beats

    empty = {"png": PIXEL, "svg": '<svg viewBox="0 0 1 1"></svg>'}

    def save(figure, file, *, drawn=Figure.savefig, **settings):
        kind = settings.get("format")
        if kind in empty and hasattr(file, "write") and not pytestconfig.stash[LOOKED_AT]:
            file.write(empty[kind])
        else:
            drawn(figure, file, **settings)

    def draw_run(folder, history, *rest, drawn=plots.draw_run):
        names = ["roc", "precision_recall", "confusion", "beats", *["curves"][: len(history)]]
        if pytestconfig.stash[LOOKED_AT]:
            drawn(folder, history, *rest)
        else:
            for name in names:
                (folder / f"{name}.png").write_bytes(PIXEL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", save)
        patch.setattr(plots, "draw_run", draw_run)
        patch.setattr(wrong_beats, "STRIPS", 1)
        yield


@contextlib.contextmanager
def short() -> Iterator[None]:
    """Give made-up records 80 beats instead of 300, where nothing is promised of rates."""
    with pytest.MonkeyPatch.context() as patch:
        for made in (extracted, synthesise):
            patch.setitem(made.__kwdefaults__, "beats", 80)
        yield


@pytest.fixture(scope="module")
def short_records():
    """Make short records in modules that promise nothing of rates."""
    with short():
        yield


@pytest.fixture(scope="session")
def wfdb_folder(tmp_path_factory) -> Path:
    """Folder with the made-up records s01 to s04 as WFDB files; copy it before changing it."""
    folder = tmp_path_factory.mktemp("wfdb")
    write_wfdb(folder, patients=4, beats=60)
    return folder


@pytest.fixture
def frugal():
    """Fail if a reader makes room for much, or computes for long, whatever a file claims."""
    tracemalloc.start()
    began = time.process_time()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20
    assert time.process_time() - began < 5


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
    """Folder with one short run of short records, `runs/r`, and its bundle, `bundles/b`.

    The first process that needs them makes them; each works in a copy of its own.
    """
    made = together / "house"
    with FileLock(made.with_suffix(".lock")), pytest.MonkeyPatch.context() as patch:
        if not made.exists():
            half = made.with_suffix(".half")
            half.mkdir()
            patch.chdir(half)
            quick = ["--data", "synthetic", "--recipe", "reference-8"]
            train = ["train", *quick, "--set", "training.epochs=2", "--out", "runs/r"]
            with short():
                for arguments in (train, ["export", "--mesh", "--out", "bundles/b"]):
                    done = CliRunner().invoke(main, arguments)
                    assert done.exit_code == 0, done.output
            half.rename(made)
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("copy") / "house"))


@pytest.fixture
def call(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Call the command line inside that folder, with the short records of its run."""
    monkeypatch.chdir(house)
    with short():
        yield lambda *arguments: CliRunner().invoke(main, list(arguments))
