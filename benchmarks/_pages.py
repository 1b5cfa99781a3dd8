"""Numbers of a page stand between two comments, and are replaced there by a command."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ecgphoton.artifacts import write_text

START, END = "<!-- numbers: {} -->", "<!-- end of numbers -->"
BLOCK = re.compile(r"<!-- numbers: ([\w -]+) -->\n(.*?)<!-- end of numbers -->", re.DOTALL)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown table; numbers are text already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def fill(page: Path, found: Mapping[str, str]) -> list[str]:
    """Replace the blocks of a page whose names are given; returns the names it has."""
    text = page.read_text(encoding="utf-8")
    names = [match[1] for match in BLOCK.finditer(text)]

    def replaced(match: re.Match[str]) -> str:
        body = found.get(match[1])
        if body is None:
            return match[0]
        return f"{START.format(match[1])}\n\n{body.strip()}\n\n{END}"

    text = BLOCK.sub(replaced, text)
    write_text(page, text)
    return names
