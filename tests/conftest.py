"""Fixtures for every test: the real data, where there are any, and a cache of our own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ecgphoton.cli import main
from ecgphoton.ecg.physionet import locate, missing
from ecgphoton.ecg.synthetic import write_wfdb


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


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> Path:
    """Folder with one short run of synthetic beats, `runs/r`, and its bundle, `bundles/b`."""
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        quick = ["--data", "synthetic", "--set", "training.epochs=2", "--out", "runs/r"]
        for arguments in (["train", *quick], ["export", "--mesh", "--out", "bundles/b"]):
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def call(house: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call the command line inside that folder."""
    monkeypatch.chdir(house)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))
