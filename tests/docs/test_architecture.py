"""The page about the architecture is true: its files exist, and a test proves each change."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.split("## To change one thing")[1].split("##")[0].splitlines()
    if line.startswith("|") and "`" in line
]
FILES = sorted(set(re.findall(r"`((?:[a-z]+/)+[a-z_]*(?:\.py)?)(?::\w+(?:\.\w+)?)?`", PAGE)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_test_proves_every_change(row: list[str]) -> None:
    """The file to edit exists, and so does the test that edits there and nowhere else."""
    _, edit, proof = row
    for name in re.findall(r"`((?:ecgphoton|tests)/[\w/.]+)`", edit):
        assert (ROOT / name).exists(), name
    path, name = proof.strip("`").split("::")
    tests = ast.parse((ROOT / path).read_text()).body
    assert name in {test.name for test in tests if isinstance(test, ast.FunctionDef)}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_named_exist(name: str) -> None:
    """A reader finds every file and room of the page."""
    assert (ROOT / name).exists() or (ROOT / "ecgphoton" / name).exists()
