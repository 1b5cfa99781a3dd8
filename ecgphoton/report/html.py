"""The report as one HTML page: material comes in; a file without scripts or references goes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from markupsafe import Markup

from ecgphoton.artifacts import MANIFEST, read_bytes, write_text
from ecgphoton.errors import InputError
from ecgphoton.report import hardware_sections, pieces, run_sections
from ecgphoton.report.beat_section import wrong_beats
from ecgphoton.report.calibration_section import calibration, calibration_verdict
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import Section, percent, spoken
from ecgphoton.report.style import SYNTHETIC
from ecgphoton.runs import ENVIRONMENT, RECIPE
from ecgphoton.version import __version__

_T = TypeVar("_T")


def provenance(material: Material) -> Section | None:
    """List versions, folders, the recipe and the hashes of all files."""
    about = material.metadata
    environment = material.json(ENVIRONMENT) or {}
    names = {"seconds": "training, s", "threads": "threads, training"}
    versions = {
        names.get(name, name): value
        for name, value in sorted(environment.items())
        if name not in ("ecgphoton", "date")
    }
    facts = {
        "trained": str(environment.get("date", ""))[:10],
        "ecgphoton, training": about.get("version"),
        "ecgphoton, this page": __version__,
        **versions,
        "made from": ", ".join(map(_short, material.folders)),
    }
    parts = [pieces.facts(facts)]
    if material.left_out:
        rows = [[_short(one.folder), one.why] for one in material.left_out]
        table = pieces.table(["folder", "reason"], rows)
        parts.append(pieces.fold(f"Folders left out ({len(rows)})", table))
    if (recipe := material.find(RECIPE)) is not None:
        text = read_bytes(recipe).decode(errors="replace")
        parts.append(pieces.fold("Recipe", Markup("<pre>{}</pre>").format(text)))
    hashes = [
        [f"{spoken(name)} beats", "–", _code(digest)]
        for name, digest in about.get("data", {}).items()
    ]
    for folder in material.folders:
        if (folder / MANIFEST).is_file():
            files = Material((folder,)).json(MANIFEST).get("files", {})
            hashes += [
                [f"{folder.name}/{name}", f"{entry['bytes']:,}", _code(entry["sha256"])]
                for name, entry in sorted(files.items())
            ]
    if hashes:
        table = pieces.table(["what", "bytes", "SHA-256"], hashes)
        parts.append(pieces.fold(f"Hashes ({len(hashes)})", table, kind="screen"))
    return Section("provenance", "Provenance", pieces.join(parts))


def _code(digest: object) -> Markup:
    return Markup("<code>{}</code>").format(digest)


def _short(folder: Path) -> str:
    """Return the last parts of a path, without the name of the user's home."""
    return "/".join(folder.resolve().parts[-3:])


SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
    run_sections.data,
    run_sections.results,
    run_sections.training,
    run_sections.decisions,
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
"""Chapters in order; a chapter is left out where its files are missing."""


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
    verdicts = [
        verdict
        for make in (hardware_sections.simulation_verdict, calibration_verdict)
        if (verdict := _chapter(make, material)) is not None
    ]
    words = [
        f"{kind} {str(found['verdict']).upper()}"
        for kind in ("simulation", "calibration")
        if (found := material.json(f"{kind}.json")) is not None
    ]
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
            name=material.name,
            date=material.date,
            title=", ".join(filter(None, (material.name, *words, material.date))),
            verdicts=verdicts,
            banner=SYNTHETIC if material.synthetic else "",
            tiles=_chapter(_tiles, material),
            sections=chapters,
            version=__version__,
        ),
    )
    return out


def _chapter(make: Callable[[Material], _T], material: Material) -> _T:
    """Make a chapter; name the folders where a file of the wrong content prevents it."""
    try:
        return make(material)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        folders = ", ".join(map(str, material.folders))
        raise InputError(
            f"the chapter {make.__name__!r} cannot be made from {folders}: a file lacks or "
            f"has wrong content ({error!r}); write it again"
        ) from error


def _tiles(material: Material) -> list[tuple[str, str, str]]:
    """Return name, value and remark of the most important numbers."""
    tiles: list[tuple[str, str, str]] = []
    for name, row in material.sets.items():
        if "_without_" in name:
            continue
        if "miss" in row:
            tiles.append((f"miss, {spoken(name)}", percent(row["miss"]),
                          f"FPR {percent(row['fpr'])}"))  # fmt: skip
        else:
            tiles.append((f"macro-F1, {spoken(name)}", f"{row['macro_f1']:.3f}", ""))
    if parameters := material.metrics.get("parameters"):
        remark = f"{material.metrics['gains']} gains" if "gains" in material.metrics else ""
        tiles.append(("weights and biases", f"{parameters:,}", remark))
    return tiles
