"""Killed at any moment, a long command is repeated or resumed, and ends in the same files.

``ECGPHOTON_KILLS=50 python -m pytest tests/run/test_kill.py`` tries fifty moments of each
command; ``ECGPHOTON_KILL_LOG=FILE`` appends a line of JSON for each of them.
"""

from __future__ import annotations

import json
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from child import start
from made_splits import FOUR_RECORDS

KILLS = int(os.environ.get("ECGPHOTON_KILLS", "1"))
LOG = os.environ.get("ECGPHOTON_KILL_LOG")
MODEL = "inter-patient"
RECORDS, SYNTHETIC = ("--data", "{place}/records"), ("--data", "synthetic")
COMMANDS = {
    "train": (
        "train", "--recipe", "reference-8", "--protocol", "{place}/protocol.toml",
        "--set", "training.epochs=3",
        "--set", "noise.weight=0.02", *RECORDS,
    ),
    "export": ("export", MODEL, "--mesh", "--force", *SYNTHETIC),
    "simulate": ("simulate", MODEL, "--noise", "0.02", "--chips", "8", *RECORDS),
    "calibrate": ("calibrate", MODEL, "--chips", "2", *RECORDS),
}  # fmt: skip
THIS_TIME = {"seconds", "calibration_seconds", "chips_calibrated_now", "folder", "call", "date"}
"""Values in JSON files that say where, when, how long and in how many goes it was made."""
NEVER_OVERWRITTEN = ("simulate", "calibrate")
"""Commands that refuse the folder of a finished call."""
TIMED = "environment.json"  # holds such a value, so its hash in a manifest changes too


@dataclass(frozen=True)
class Whole:
    """A command that nobody interrupted."""

    name: str
    place: Path
    """Folder with the recordings it reads."""
    files: dict[str, object]
    seconds: float
    writing: float
    """Seconds from the first file on."""


def started(folder: Path) -> bool:
    """Whether anything of a command is there: its folder, or what is to become it."""
    try:
        made = [path for path in folder.parent.iterdir() if path.name != "said"]
        return bool(made) and (not folder.exists() or any(folder.iterdir()))
    except FileNotFoundError:  # tried whether it can be made, and gone again
        return False


def run(
    name: str,
    folder: Path,
    place: Path,
    *,
    after: float | None = None,
    after_start: float | None = None,
) -> tuple[float, float]:
    """Run a command as its own process, resuming what can be resumed.

    Killed `after` seconds, or `after_start` seconds from its first file on, if it lives so long.
    Returns its seconds, in all and from its first file on.
    """
    resume = name == "train" and (folder / "start.json").exists()
    command = ["train", "--resume"] if resume else [*COMMANDS[name], "--out"]
    said = folder.with_name("said")
    began, first = time.perf_counter(), None
    process = start([*(word.format(place=place) for word in command), str(folder)], said)
    while process.exitcode is None:
        now = time.perf_counter()
        first = now if first is None and started(folder) else first
        late = after is not None and now - began >= after
        if late or (None not in (first, after_start) and now - first >= after_start):
            process.kill()
        time.sleep(0.001)
    if after is None and after_start is None:  # 1: the verdict on made-up beats failed
        assert process.exitcode in (0, 1), said.read_text()
        assert "Traceback" not in said.read_text()
    now = time.perf_counter()
    return now - began, 0.0 if first is None else now - first


def lasting(value: object) -> object:
    """JSON without what is about this time only."""
    if isinstance(value, dict):
        return {k: lasting(v) for k, v in value.items() if k not in THIS_TIME and k != TIMED}
    return value


def content(folder: Path) -> dict[str, object]:
    """Every file of a folder, by name; JSON without times."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.suffix == ".json"
            found[path.relative_to(folder).as_posix()] = (
                lasting(json.loads(path.read_text())) if text else path.read_bytes()
            )
    return found


def stage(folder: Path, whole: Whole) -> str:
    """Whether a command died before, while or after writing."""
    if not started(folder):
        return "before"
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return "after" if names == set(whole.files) else "while"


@pytest.fixture(scope="module", params=COMMANDS)
def whole(request, wfdb_folder, tmp_path_factory) -> Whole:
    """A command, what it leaves when nobody interrupts it, and how long it takes."""
    place = tmp_path_factory.mktemp("place")
    (place / "records").symlink_to(wfdb_folder)
    (place / "protocol.toml").write_text(FOUR_RECORDS)
    folder = tmp_path_factory.mktemp("whole") / "out"
    seconds, writing = run(request.param, folder, place)
    return Whole(request.param, place, content(folder), seconds, writing)


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(KILLS))
def test_kill_and_repeat_is_as_if_nothing_happened(attempt: int, whole: Whole, tmp_path) -> None:
    """``kill -9`` at a random moment, then once more: all files are identical.

    Every second moment is drawn from the time in which files are written, every other of these
    close to its beginning: many files are written in a few milliseconds.
    """
    folder, draw = tmp_path / "out", random.Random(f"{whole.name} {attempt}").random()
    if attempt % 2:
        run(whole.name, folder, whole.place, after=(0.2 + 0.8 * draw) * whole.seconds)
    else:
        run(
            whole.name,
            folder,
            whole.place,
            after_start=draw ** (1 + attempt % 4 * 2) * whole.writing,
        )
    died = stage(folder, whole)
    if died != "after" or whole.name not in NEVER_OVERWRITTEN:
        run(whole.name, folder, whole.place)
    found = content(folder)
    different = [name for name in whole.files if found.get(name) != whole.files[name]]
    if LOG:
        line = {"command": whole.name, "attempt": attempt, "died": died, "same": not different}
        with Path(LOG).open("a") as log:
            log.write(json.dumps(line) + "\n")
    assert set(found) == set(whole.files)
    assert different == []
