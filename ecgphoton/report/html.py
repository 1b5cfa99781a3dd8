"""A run or a bundle as one page: everything in the file, nothing fetched, no scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from markupsafe import Markup

from ecgphoton.artifacts import MANIFEST, read_bytes, write_text
from ecgphoton.errors import InputError
from ecgphoton.report import curve_sections, hardware_sections, pieces, run_sections
from ecgphoton.report.beat_section import wrong_beats
from ecgphoton.report.calibration_section import calibration
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import Section, percent, spoken
from ecgphoton.report.style import SYNTHETIC
from ecgphoton.version import __version__

_T = TypeVar("_T")


def provenance(material: Material) -> Section | None:
    """Give hashes of everything, versions, and the recipe."""
    parts = []
    about = material.metadata
    digests = {f"{spoken(name)} beats": digest for name, digest in about.get("data", {}).items()}
    facts: dict[str, object] = {
        "ecgphoton, training": about.get("version"),
        "ecgphoton, this page": __version__,
        **{name: pieces.short_hash(str(digest)) for name, digest in digests.items()},
    }
    environment = material.json("environment.json") or {}
    names = {"seconds": "training, s", "threads": "threads, training"}
    facts |= {
        names.get(name, name): value
        for name, value in sorted(environment.items())
        if name != "ecgphoton"
    }
    parts.append(pieces.facts({name: value for name, value in facts.items() if value is not None}))
    for folder in material.folders:
        if not (folder / MANIFEST).is_file():
            continue
        manifest = Material((folder,)).json(MANIFEST)
        rows = [
            [name, f"{entry['bytes']:,}", pieces.short_hash(str(entry["sha256"]))]
            for name, entry in sorted(manifest.get("files", {}).items())
        ]
        parts.append(
            pieces.fold(f"Files of {folder.name} ({manifest.get('kind')})",
                        pieces.table(["file", "bytes", "SHA-256"], rows))
        )  # fmt: skip
    if (recipe := material.find("recipe.toml")) is not None:
        text = read_bytes(recipe).decode(errors="replace")
        parts.append(pieces.fold("Recipe", Markup("<pre>{}</pre>").format(text)))
    return Section("provenance", "Provenance", pieces.join(parts))


SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
    run_sections.data,
    run_sections.results,
    curve_sections.curves,
    curve_sections.ranking_curves,
    run_sections.confusion,
    run_sections.records,
    wrong_beats,
    hardware_sections.distillation,
    hardware_sections.chips,
    hardware_sections.tolerance,
    hardware_sections.blame,
    hardware_sections.extremes,
    calibration,
    hardware_sections.meshes,
    hardware_sections.bits,
    hardware_sections.power,
    provenance,
)
"""Chapters in order; each is left out where the files it needs are not there."""


def write_report(material: Material, out: Path) -> Path:
    """Write a report as one self-contained HTML page.

    Parameters
    ----------
    material
        From `gather`.
    out
        The page; a folder gets ``report.html``.

    Returns
    -------
    Path of the page.

    Raises
    ------
    InputError
        If a file is damaged, or `out` cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    chapters = [section for make in SECTIONS if (section := _chapter(make, material)) is not None]
    tiles = _chapter(_tiles, material)
    page = Environment(
        loader=PackageLoader("ecgphoton.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("report.html")
    out = out / "report.html" if out.is_dir() else out
    write_text(
        out,
        page.render(
            title=material.folders[0].resolve().name,
            banner=SYNTHETIC if material.synthetic else "",
            tiles=tiles,
            sections=chapters,
            version=__version__,
        ),
    )
    return out


def _chapter(make: Callable[[Material], _T], material: Material) -> _T:
    """Make a chapter; a file that lacks what it must hold is the user's to mend."""
    try:
        return make(material)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        folders = ", ".join(map(str, material.folders))
        raise InputError(
            f"the chapter {make.__name__!r} cannot be made from {folders}: a file lacks or "
            f"garbles {error!r}; write it again"
        ) from error


def _tiles(material: Material) -> list[tuple[str, str, str]]:
    """Name, value and remark of the numbers one looks for first."""
    tiles: list[tuple[str, str, str]] = []
    for name, row in material.sets.items():
        if "_without_" in name:
            continue
        if "miss" in row:
            tiles.append((f"miss, {spoken(name)}", percent(row["miss"]),
                          f"FPR {percent(row['fpr'])}"))  # fmt: skip
        else:
            tiles.append((f"macro-F1, {spoken(name)}", f"{row['macro_f1']:.3f}", ""))
    if isinstance(simulation := material.json("simulation.json"), dict):
        hardware = simulation.get("profile") or f"noise {simulation.get('noise', 0):g}"
        tiles.append((f"yield, {hardware}", percent(simulation["yield"], 1),
                      f"{simulation['verdict']}, {simulation['chips']:,} chips"))  # fmt: skip
    if parameters := material.metrics.get("parameters"):
        remark = f"{material.metrics['gains']} gains" if "gains" in material.metrics else ""
        tiles.append(("weights and biases", f"{parameters:,}", remark))
    return tiles
