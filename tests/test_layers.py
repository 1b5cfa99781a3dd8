"""The house has floors, and imports go down."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import ecgphoton

PACKAGE = Path(ecgphoton.__file__).parent
ROOT = Path(__file__).parent.parent
FLOORS = (
    ("version",),
    ("errors",),
    ("wording",),
    ("metrics",),
    ("intervals",),
    ("settings",),
    ("arguments",),
    ("registry",),
    ("progress",),
    ("host",),
    ("lazy",),
    ("intake",),
    ("unfinished",),
    ("artifacts",),
    ("alone",),
    ("canvas",),
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
    ("recipes",),
    ("recipe",),
    ("models",),
    ("runs",),
    ("report",),
    ("run",),
    ("study",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
FLOOR = {name: level for level, names in enumerate(FLOORS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))
WRITTEN = sorted(
    path
    for folder in ("ecgphoton", "tests", "benchmarks", "docs/hooks", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if "bundle" not in path.parts
)
ONLY_IN = {"onnx": {"export"}, "onnxruntime": {"export"}, "wfdb": {"ecg"}, "distributed": {"hwsim"}}


def room(path: Path) -> str:
    """Top-level room of a file."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imported(path: Path, *, typing_too: bool = False) -> list[str]:
    """Absolute names of the modules that a file imports (without those for type checkers only)."""
    return imports(ast.parse(path.read_text()), typing_too=typing_too)


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


def test_every_room_has_a_floor() -> None:
    """A new one is added to `FLOORS`."""
    assert {room(path) for path in FILES} - FLOOR.keys() == {"__init__"}


def test_imports_go_down() -> None:
    """No room imports from its own floor or one above, also inside functions and for types."""
    wrong = []
    for path in FILES:
        here = room(path)
        for name in imported(path, typing_too=True) if here in FLOOR else ():
            parts = name.split(".")
            if parts[0] != "ecgphoton" or len(parts) == 1 or parts[1] == here:
                continue
            if parts[1] not in FLOOR:
                wrong.append(f"{path} imports {name} from the face of the package")
            elif FLOOR[parts[1]] >= FLOOR[here]:
                wrong.append(f"{path} imports {name}, not a floor below")
    assert not wrong, "\n".join(wrong)


def test_mesh_knows_neither_decisions_nor_students() -> None:
    """Mesh mathematics serves any matrices: it imports no room of the classifier."""
    for path in PACKAGE.glob("mesh/*.py"):
        for name in imported(path, typing_too=True):
            parts = name.split(".")
            assert parts[:2] not in (["ecgphoton", "decision"], ["ecgphoton", "student"]), path


def module_of(path: Path) -> str:
    """Dotted name of a file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def packages_of(module: str) -> list[str]:
    """Packages that a module is in, which run before it when it is imported."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def circles(graph: dict[str, set[str]]) -> set[str]:
    """Return the nodes that stand in or between circles: the others are peeled off."""
    left = dict(graph)
    while True:
        pointed = set().union(*left.values()) if left else set()
        ends = {node for node, to in left.items() if not to & left.keys() or node not in pointed}
        if not ends:
            return set(left)
        left = {node: to for node, to in left.items() if node not in ends}


def test_no_circle_of_modules() -> None:
    """No module needs itself at run time, through whichever others and functions."""
    modules = {
        module_of(path): path for path in FILES if path.parent != PACKAGE or path.stem != "__init__"
    }
    graph = {}
    for name, path in modules.items():
        named = set(imported(path)) - {name}
        around = {package for found in named for package in packages_of(found)}
        graph[name] = (named | around - {*packages_of(name), name}) & modules.keys()
    assert circles(graph) == set()


def test_circles_are_found() -> None:
    """The search names a circle, also one that a function closes, and nothing else."""
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}
    assert circles(graph) == {"b", "c"}
    lazy = ast.parse("def late():\n    from ecgphoton.mesh import svd\n")
    assert "ecgphoton.mesh.svd" in imports(lazy)


def test_heavy_packages_stay_in_their_rooms() -> None:
    """Packages onnx, onnxruntime, wfdb and distributed are imported in one room each."""
    wrong = [
        f"{path} imports {name}"
        for path in FILES
        for name in imported(path)
        if room(path) not in ONLY_IN.get(name.split(".")[0], {room(path)})
    ]
    assert not wrong, "\n".join(wrong)


def test_processes_are_started_in_one_place() -> None:
    """`hwsim.distributed` alone, whose workers end with their parent."""
    ways = {"multiprocessing", "subprocess", "concurrent.futures.ProcessPoolExecutor"}
    starting = {path.name for path in FILES if ways & {*imported(path)}}
    assert starting == {"distributed.py"}


def test_files_stay_readable() -> None:
    """No file has more than 300 lines, and none is called utils."""
    assert [path for path in WRITTEN if path.stem == "utils"] == []
    lines = {path: len(path.read_text().splitlines()) for path in WRITTEN}
    assert {path: count for path, count in lines.items() if count > 300} == {}


def test_mesh_needs_numpy_only() -> None:
    """Mesh mathematics imports numpy and the package's own floors, nothing else."""
    allowed = {"numpy", "ecgphoton", "jsonschema"}
    import sys

    for path in PACKAGE.glob("mesh/*.py"):
        for name in imported(path):
            top = name.split(".")[0]
            assert top in allowed or top in sys.stdlib_module_names, f"{path} imports {name}"


def test_a_point_is_never_missing() -> None:
    """Students of more than two classes have a `LargestProbability`, not None, as their point.

    Nobody asks whether there is a point, but whether it is `binary`.
    """
    asked = re.compile(r"\bpoint is (?:not )?None|OperatingPoint \| None")
    assert [path for path in FILES if asked.search(path.read_text())] == []
