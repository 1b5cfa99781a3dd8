"""Answers on narrow terminals that know no letters but ASCII."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty")

ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "TERM": "xterm"}


WIDTHS = (300, 60, 40)
EACH = f"""
import fcntl, struct, sys, termios
from ecgphoton.cli import main
for width in {WIDTHS}:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    main(sys.argv[1:], standalone_mode=False)
    print("END")
"""
"""A command on terminals of several widths."""


def printed(command: str) -> list[str]:
    """Return what a command prints on terminals of these widths."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-c", EACH, *command.split()],
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
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", b"".join(pieces).decode("ascii"))
    return text.split("END")[: len(WIDTHS)]


def words(shown: str) -> set[str]:
    """Return the words of a table without its lines."""
    return {word for word in shown.replace("|", " ").split() if word.strip("-+")}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["models", "data status"])
def test_nothing_is_cut_on_a_narrow_terminal(command: str) -> None:
    """In ASCII, at 40 and 60 columns, every word is there that a wide terminal shows."""
    wide, *narrow = printed(command)
    assert len(narrow) == 2
    for shown in narrow:
        assert words(wide) <= words(shown) != set()
        assert "..." not in shown
