"""Answers on narrow terminals that know no letters but ASCII."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")

ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "TERM": "xterm"}


def printed(command: str, width: int) -> str:
    """Return what a command prints on a terminal of so many columns."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ecgphoton.cli", *command.split()],
        stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env={**environment, **ASCII},
    )  # fmt: skip
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 1 << 16):
            pieces.append(piece)
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(pieces).decode("ascii"))


def words(shown: str) -> set[str]:
    """Return the words of a table without its lines."""
    return {word for word in shown.replace("|", " ").split() if word.strip("-+")}


@pytest.mark.slow
@pytest.mark.parametrize(("command", "widths"), [("models", [40]), ("data status", [40, 60])])
def test_nothing_is_cut_on_a_narrow_terminal(command: str, widths: list[int]) -> None:
    """In ASCII, at 40 and 60 columns, every word is there that a wide terminal shows."""
    wide = words(printed(command, 300))
    for width in widths:
        shown = printed(command, width)
        assert wide <= words(shown)
        assert "..." not in shown
