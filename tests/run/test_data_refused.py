"""Data that were named are used or refused, never replaced by others."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main

COMMANDS = {
    "simulate": ("simulate", "inter-patient", "--noise", "0.02", "--chips", "2"),
    "calibrate": ("calibrate", "inter-patient", "--chips", "1"),
    "evaluate": ("evaluate", "inter-patient"),
    "study": ("study", "certify", "inter-patient"),
    "export": ("export", "inter-patient"),
    "verify": ("verify", "inter-patient", "--no-sax"),
    "train": ("train",),
    "demo": ("demo",),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_is_not_there_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing ``--data-dir`` gives exit code 2 and its name, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [*COMMANDS[name], "--data-dir", "/no/such/folder"])
    assert done.exit_code == 2, done.output
    assert "/no/such/folder" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["simulate", "evaluate", "train"])
def test_a_variable_that_names_no_folder_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong ``$ECGPHOTON_DATA`` gives exit code 2 and its value."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECGPHOTON_DATA", "/no/such/folder")
    done = CliRunner().invoke(main, list(COMMANDS[name]))
    assert done.exit_code == 2, done.output
    assert "/no/such/folder" in done.output
