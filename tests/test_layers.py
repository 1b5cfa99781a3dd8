"""The house has floors, and imports go down."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ecgphoton

PACKAGE = Path(ecgphoton.__file__).parent
FLOORS = (
    ("version",),
    ("errors",),
    ("metrics",),
    ("settings",),
    ("registry",),
    ("progress",),
    ("lazy",),
    ("intake",),
    ("artifacts",),
    ("decision",),
    ("mesh",),
    ("ecg",),
    ("student",),
    ("program",),
    ("training",),
    ("legacy",),
    ("export",),
    ("hwsim",),
    ("calibration",),
    ("recipe", "recipes"),
    ("models",),
    ("runs",),
    ("report",),
    ("run",),
    ("study",),
    ("commands",),
    ("cli",),
)
FLOOR = {name: level for level, names in enumerate(FLOORS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))
ONLY_IN = {"onnx": {"export"}, "onnxruntime": {"export"}, "wfdb": {"ecg"}, "distributed": {"hwsim"}}


def room(path: Path) -> str:
    """Top-level room of a file."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST, *, typing_too: bool = False) -> list[str]:
    """Absolute names of imported modules (without those for type checkers only)."""
    found: list[str] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) and not typing_too:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            found += imports(node, typing_too=typing_too)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_down(path: Path) -> None:
    """No room imports from a floor above its own."""
    here = room(path)
    if here == "__init__":
        return
    assert here in FLOOR, f"{here} has no floor; add it to FLOORS"
    for name in imports(ast.parse(path.read_text()), typing_too=True):
        parts = name.split(".")
        if parts[0] == "ecgphoton" and len(parts) > 1 and parts[1] in FLOOR:
            assert FLOOR[parts[1]] <= FLOOR[here], f"{path} imports {name}, a floor above"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    """Packages onnx, onnxruntime, wfdb and distributed are imported in one room each."""
    for name in imports(ast.parse(path.read_text())):
        rooms = ONLY_IN.get(name.split(".")[0])
        assert rooms is None or room(path) in rooms, f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_files_stay_readable(path: Path) -> None:
    """No file has more than 300 lines, and none is called utils."""
    assert path.stem != "utils"
    assert len(path.read_text().splitlines()) <= 300


def test_mesh_needs_numpy_only() -> None:
    """Mesh mathematics imports numpy and the package's own floors, nothing else."""
    allowed = {"numpy", "ecgphoton", "jsonschema"}
    import sys

    for path in PACKAGE.glob("mesh/*.py"):
        for name in imports(ast.parse(path.read_text())):
            top = name.split(".")[0]
            assert top in allowed or top in sys.stdlib_module_names, f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_point_is_never_missing(path: Path) -> None:
    """Students of more than two classes have a `LargestProbability`, not None, as their point."""
    asked = re.findall(r"\bpoint is (?:not )?None|OperatingPoint \| None", path.read_text())
    assert asked == [], f"{path} asks whether there is a point; ask whether it is `binary`"
