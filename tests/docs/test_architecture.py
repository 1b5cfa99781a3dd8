"""The page about the architecture is true: its files exist, and a test proves each change."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import FrameType

import pytest
import torch
from click.testing import CliRunner
from shared import short

from ecgphoton.cli import main
from ecgphoton.hwsim import moments

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


def frames(stack: FrameType | None) -> list[str]:
    """Names of the functions of the package on a stack, the innermost first."""
    names = []
    while stack is not None:
        if "/ecgphoton/" in stack.f_code.co_filename:
            names.append(stack.f_code.co_name)
        stack = stack.f_back
    return names


@pytest.mark.slow
def test_the_way_to_the_first_product(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The functions between a command and its first matrix product are those of the page."""
    seen: list[str] = []

    class Watched:
        """Torch, whose products note who asks for them."""

        def __getattr__(self, name: str) -> object:
            if name == "addmm" and not seen:
                seen.extend(frames(sys._getframe(1))[::-1])
            return getattr(torch, name)

    monkeypatch.setattr(moments, "torch", Watched())
    asked = ["simulate", "reference-8", "--data", "synthetic", "--chips", "1"]
    with short():
        CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "out")])
    way = re.search(r"its first matrix product: (.*?)\.\n", PAGE)
    assert way is not None
    listed = [re.split(r"[.:]", name)[-1] for name in re.findall(r"`([\w./:]+)`", way[1])]
    assert seen[seen.index("simulate") :] == listed  # without the wrapper of public functions
