"""Files of the project itself agree with each other, and cleaning loses nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MADE = ("site", "build", "dist", ".mypy_cache", "tests/__pycache__")
KEPT = ("runs/r", "bundles/b", "demo", "simulations/s", "calibrations/c", "annotated")


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_cleaning_keeps_what_a_user_made(tmp_path: Path) -> None:
    """``make clean`` removes what can be built again, and no result."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in (*MADE, *KEPT, "ecgphoton", "benchmarks", "docs", "examples"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "file").write_text("x")
    subprocess.run(["make", "-s", "clean"], cwd=tmp_path, check=True)
    assert [name for name in MADE if (tmp_path / name).exists()] == []
    assert [name for name in KEPT if not (tmp_path / name / "file").exists()] == []


def test_locked_versions_are_allowed_ones() -> None:
    """Every dependency but torch is locked, to a version that ``pyproject.toml`` allows."""
    lines = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    locked: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith("#"):
            name, version = re.match(r"([\w.-]+)==([^\s;]+)", line).groups()
            locked.setdefault(name.lower(), []).append(version)
    extras = PROJECT["project"]["optional-dependencies"].values()
    for text in (*PROJECT["project"]["dependencies"], *(one for extra in extras for one in extra)):
        wanted = Requirement(text)
        if wanted.name == "torch":
            continue
        assert wanted.name in locked, f"{wanted.name} is not locked; make lock"
        assert all(wanted.specifier.contains(version) for version in locked[wanted.name]), text


def test_every_python_that_is_named_is_tested() -> None:
    """Classifiers and the workflow name the same versions of Python, from the lowest on."""
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    matrix = re.search(r"(?m)^ +python: (\[.*\])$", workflow)[1]
    assert re.findall(r"\d\.\d+", matrix) == named
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"


def test_versions_begin_with_what_is_not_released() -> None:
    """The changelog has a section for what comes, then a dated one for every release."""
    heads = re.findall(r"(?m)^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert heads[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", head) for head in heads[1:])
    assert heads[1:]
