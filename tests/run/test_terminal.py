"""Terminals that close, stop, fill up or lack letters: one line, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

CLI = [sys.executable, "-m", "ecgphoton.cli"]
SYNTHETIC = ("--data", "synthetic", "--threads", "1")
ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
LONG = {
    "train": ("train", *SYNTHETIC),
    "simulate": ("simulate", "inter-patient", "--chips", "9999", "--workers", "2", *SYNTHETIC),
    "calibrate": ("calibrate", "inter-patient", "--chips", "999", *SYNTHETIC),
}


SEVERAL = """
import os, sys
from ecgphoton.cli import main
words = iter(sys.argv[1:])
for line, out in zip(words, words):
    print("--", file=sys.stderr, flush=True)
    main([*line.split(), *(["--out", out] if out else [])], standalone_mode=False)
"""
"""Commands one after the other, each with its folder, which may be empty."""


def shell(line: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run a line of bash in which ``ep`` is the command line."""
    ep = 'ep() { "$PYTHON" -m ecgphoton.cli "$@"; }; set -o pipefail; '
    env = {**os.environ, "PYTHON": sys.executable, **env}
    return subprocess.run(["bash", "-c", ep + line], capture_output=True, check=False, env=env)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["ep data status | true", "ep data status >&-"])
def test_an_answer_nobody_reads(line: str) -> None:
    """A closed pipe or a closed standard output ends in silence, and not as a failed verdict."""
    done = shell(line)
    assert (done.returncode, done.stderr) in ((0, b""), (141, b"")), done.stderr


@pytest.mark.slow
def test_an_answer_that_does_not_fit() -> None:
    """Where the answer cannot be written, one line says so; the exit code is 2."""
    done = shell("ep data status > /dev/full")
    assert done.returncode == 2
    lines = done.stderr.decode().splitlines()
    assert lines == ["ecgphoton: error: cannot write the answer: No space left on device"]


@pytest.mark.slow
def test_a_terminal_without_letters(wfdb_folder, tmp_path) -> None:
    """Names with spaces, accents and bytes that are no letters work where ASCII is all there is."""
    simulate = f"simulate inter-patient --chips 1 --data {wfdb_folder}"
    folders = {
        f"export inter-patient {' '.join(SYNTHETIC)}": "with space and ünï-µ",
        f"{simulate} --json": b"caf\xe9".decode(errors="surrogateescape"),
    }
    words = [
        word for line, name in folders.items() for word in (line, str(tmp_path / name / "out"))
    ]
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL, *words, "models", ""],
        capture_output=True,
        check=False,
        env={**os.environ, **ASCII},
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr.split(b"--\n")[-1] == b""
    done.stdout.decode("ascii")
    for name in folders.values():
        assert any((tmp_path / name / "out").iterdir())


STOPS = {
    "SIGINT": (signal.SIGINT, 130, "interrupted"),
    "SIGTERM": (signal.SIGTERM, 143, "terminated"),
    "SIGHUP": (signal.SIGHUP, 129, "the terminal was closed"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stop"), [("train", "SIGHUP"), ("simulate", "SIGINT"), ("calibrate", "SIGTERM")]
)
def test_a_command_that_is_stopped_says_one_line(name: str, stop: str, tmp_path) -> None:
    """By Ctrl-C, a scheduler or a terminal that closes: every file is whole or absent."""
    out, (number, code, words) = tmp_path / "out", STOPS[stop]
    before = signal.signal(number, signal.SIG_DFL)  # what nohup has switched off, a child inherits
    process = subprocess.Popen(
        [*CLI, *LONG[name], "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    signal.signal(number, before)
    time.sleep(2.5)
    if stop == "SIGINT":
        os.killpg(process.pid, number)  # as a terminal does: workers hear it too
    else:
        process.send_signal(number)
    said = process.communicate(timeout=60)[1].splitlines()
    assert process.returncode in (code, -number)  # shells report the same for both
    said = [line for line in said if not line.startswith("SYNTHETIC")]
    assert said == [f"ecgphoton: stopped: {words}; no incomplete file was left"]
    assert [p for p in tmp_path.rglob(".*") if p.name.startswith(".")] == []
