"""Reference of the Python packages, for mkdocstrings to fill."""

from __future__ import annotations

from pathlib import Path

PACKAGES = (
    "ecg",
    "student",
    "training",
    "mesh",
    "export",
    "hwsim",
    "calibration",
    "report",
    "pipeline",
)
SINGLE = ("artifacts", "decision", "evaluation", "metrics", "recipe", "runs", "models", "errors")
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

    public = sorted(name for name in dir(ecgphoton) if name in ecgphoton._HOME)
    text = "".join(
        f"::: ecgphoton.{ecgphoton._HOME[name]}.{name}\n    options:\n      heading_level: 2\n"
        "      show_root_full_path: false\n\n"
        for name in public
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


def _page(title: str, modules: list[str]) -> str:
    """Return a page about modules, without what the page of the public interface has."""
    import ecgphoton

    text = [f"# {title}\n\n"]
    for module in modules:
        public = [n for n, home in ecgphoton._HOME.items() if f"ecgphoton.{home}" == module]
        filters = ["!^_", *(f"!^{name}$" for name in public)]
        text.append(
            f"::: {module}\n    options:\n      heading_level: 2\n"
            f"      show_root_full_path: true\n      filters: {filters}\n\n"
        )
    return "".join(text)
