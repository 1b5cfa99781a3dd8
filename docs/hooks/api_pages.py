"""Reference of the Python packages, for mkdocstrings to fill."""

from __future__ import annotations

from pathlib import Path

PACKAGES = (
    "ecg",
    "student",
    "training",
    "mesh",
    "program",
    "legacy",
    "export",
    "hwsim",
    "calibration",
    "report",
    "run",
    "study",
)
SINGLE = ("artifacts", "decision", "metrics", "intervals", "recipe", "runs", "models", "errors")
ABOUT = """# Python

```python
import ecgphoton as ep
```

These names are the public interface; each is imported on first use.
The other pages of this chapter document all modules, for those who build on them.

"""


def pages() -> dict[str, str]:
    """Return the text of every page by its path."""
    import ecgphoton

    text = "".join(
        f"::: {_address(name)}\n    options:\n      heading_level: 2\n"
        "      show_root_full_path: false\n\n"
        for name in sorted(ecgphoton.HOMES)
    )
    found = {"reference/api/index.md": ABOUT + text}
    root = Path(ecgphoton.__file__).parent
    for package in PACKAGES:
        modules = sorted(path.stem for path in (root / package).glob("*.py"))
        names = [f"ecgphoton.{package}.{module}" for module in modules if module != "__init__"]
        found[f"reference/api/{package}.md"] = _page(f"ecgphoton.{package}", names)
    found["reference/api/modules.md"] = _page(
        "Single modules", [f"ecgphoton.{name}" for name in SINGLE]
    )
    return found


def _address(name: str) -> str:
    """Full name of a public name: of a function or class, or of a package of functions."""
    import ecgphoton

    home = ecgphoton.HOMES[name]
    return home if home == f"ecgphoton.{name}" else f"{home}.{name}"


def _page(title: str, modules: list[str]) -> str:
    """Return a page about modules, without what the page of the public interface has."""
    import ecgphoton

    text = [f"# {title}\n\n"]
    for module in modules:
        public = [n for n, home in ecgphoton.HOMES.items() if home == module]
        filters = ["!^_", *(f"!^{name}$" for name in public)]
        text.append(
            f"::: {module}\n    options:\n      heading_level: 2\n"
            f"      show_root_full_path: true\n      filters: {filters}\n\n"
        )
    return "".join(text)
