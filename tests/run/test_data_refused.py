"""Data that were named are used or refused, never replaced by others."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton import run
from ecgphoton.cli import main
from ecgphoton.ecg.beats import load_splits
from ecgphoton.errors import InputError

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


def test_a_folder_beside_synthetic_beats_is_refused() -> None:
    """Generated beats read no folder, so one that is named is not silently left aside."""
    done = CliRunner().invoke(main, ["train", "--data", "synthetic", "--data-dir", "/no/such"])
    assert done.exit_code == 2
    assert "synthetic beats are generated, and the folder /no/such is not read" in done.output


@pytest.mark.slow
@pytest.mark.usefixtures("short_records")
def test_generated_beats_are_not_called_training_beats(tmp_path: Path) -> None:
    """Converter ranges of a student of recordings may come from generated beats, which is said."""
    made = run.export("inter-patient", data="synthetic", out=tmp_path / "bundle")
    assert made.ranges_from.startswith("synthetic beats")


def test_a_partial_database_says_how_much_is_there(tmp_path: Path) -> None:
    """A protocol that needs more records than there are names the share and what is missing."""
    (tmp_path / "mitdb").mkdir()
    for name in ("100", "101"):
        for kind in ("hea", "dat", "atr"):
            (tmp_path / "mitdb" / f"{name}.{kind}").touch()
    with pytest.raises(InputError, match=r"2 of the 48 records of mitdb; 45 of the 47 asked for"):
        load_splits("reference", data_dir=tmp_path / "mitdb")


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


def test_a_demo_does_not_choose_another_folder(tmp_path: Path) -> None:
    """A folder that was named and is not empty is refused, and nothing is written beside it."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").touch()
    done = CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "mine")])
    assert done.exit_code == 2
    assert "is not empty" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
