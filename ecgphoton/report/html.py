"""The report as one HTML page: material comes in; a file without scripts or references goes out."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ecgphoton.artifacts import MANIFEST, read_bytes, read_manifest, write_text
from ecgphoton.ecg.synthetic import BANNER
from ecgphoton.errors import InputError
from ecgphoton.metrics import stated
from ecgphoton.report import hardware_sections, pieces, run_sections
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import percent, words
from ecgphoton.report.scores import is_part
from ecgphoton.report.wrong_beats import wrong_beats
from ecgphoton.runs import ENVIRONMENT, HISTORY, RECIPE, kind_of
from ecgphoton.version import __version__

_code = Markup("<code>{}</code>").format


def provenance(material: Material, _: Material) -> Markup:
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
    }
    taken = pieces.paragraph(f"Made from {', '.join(map(_short, material.folders))}.")
    parts = [pieces.facts(facts), taken]
    if material.left_out:
        rows = [[_short(one.folder), one.why] for one in material.left_out]
        table = pieces.table(["folder", "reason"], rows)
        parts.append(pieces.fold(f"Folders left out ({len(rows)})", table))
    if (recipe := material.find(RECIPE)) is not None:
        text = read_bytes(recipe).decode(errors="replace")
        parts.append(pieces.fold("Recipe", Markup("<pre>{}</pre>").format(text)))
    hashes = [
        [f"{words(name)} beats", "–", _code(digest)]
        for name, digest in about.get("data", {}).items()
    ]
    for folder in material.folders:
        if (folder / MANIFEST).is_file():
            files = read_manifest(folder, kind=kind_of(folder) or "ecgphoton")["files"]
            hashes += [
                [f"{folder.name}/{name}", f"{entry['bytes']:,}", _code(entry["sha256"])]
                for name, entry in sorted(files.items())
            ]
    if hashes:
        table = pieces.table(["what", "bytes", "SHA-256"], hashes)
        parts.append(pieces.fold(f"Hashes ({len(hashes)})", table, kind="screen"))
    return pieces.join(parts)


def _short(folder: Path) -> str:
    """Return the last parts of a path, without the name of the user's home."""
    return "/".join(folder.resolve().parts[-3:])


@dataclass(frozen=True)
class Chapter:
    """One chapter of a report, which appears where its results are there and it is not empty."""

    name: str
    """Anchor in the page."""
    title: str
    results: Callable[[Material], Any]
    """What it is about; the chapter is left out where this is None or empty."""
    make: Callable[[Material, Any], Markup]


CHAPTERS = (
    Chapter("data", "Data and protocol", lambda found: found, run_sections.data),
    Chapter("results", "Results", lambda found: found.sets, run_sections.results),
    Chapter("curves", "Training", lambda found: found.find(HISTORY), run_sections.training),
    Chapter("decisions", "ROC, precision and confusion", lambda found: found.scores,
            run_sections.decisions),
    Chapter("records", "Results by record", lambda found: found.sets, run_sections.records),
    Chapter("beats", "Wrongly decided beats", lambda found: found.scores, wrong_beats),
    Chapter("distillation", "Distillation", lambda found: found.json("distillation.json"),
            hardware_sections.distillation),
    Chapter("chips", "Simulated chips", lambda found: found.json("simulation.json"),
            hardware_sections.chips),
    Chapter("tolerance", "Tolerance", lambda found: found, hardware_sections.tolerance),
    Chapter("blame", "Cost of every source of error", lambda found: found.json("blame.json"),
            hardware_sections.blame),
    Chapter("extremes", "Worst cases", lambda found: found, hardware_sections.extremes),
    Chapter("calibration", "Calibration, before and after",
            lambda found: found.json("calibration.json"), hardware_sections.calibration),
    Chapter("meshes", "Meshes and phases", lambda found: found.program, hardware_sections.meshes),
    Chapter("bits", "Bits and gains", lambda found: found.program, hardware_sections.bits),
    Chapter("power", "Parts, power and energy per beat", lambda found: found.program,
            hardware_sections.power),
    Chapter("provenance", "Provenance", lambda found: found, provenance),
)  # fmt: skip
"""Chapters in order."""
NOTHING = pieces.verdict("none", "There is no simulation or calibration of this student.")
START = b"<!doctype html"
VERDICTS = {
    "simulation": hardware_sections.simulation_verdict,
    "calibration": hardware_sections.calibration_verdict,
}


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
        If a file is damaged, or `out` cannot be written or is another file than a page.
    """
    out = out / "report.html" if out.is_dir() else out
    sections = {}
    for chapter in CHAPTERS:
        with _making(chapter.name, material):
            results = chapter.results(material)
            if results and (body := chapter.make(material, results)):
                sections[chapter.name] = (chapter.title, body)
    with _making("summary", material):
        tiles = _tiles(material)
        verdicts = {
            f"{kind} {found['verdict'].upper()}": make(found)
            for kind, make in VERDICTS.items()
            if (found := material.json(f"{kind}.json")) is not None
        }
    title = ", ".join(filter(None, (material.name, *verdicts, material.date)))
    return write_page(
        out,
        material.name,
        sections,
        title=title,
        date=material.date,
        verdicts=verdicts.values() or [NOTHING],
        tiles=tiles,
        synthetic=material.synthetic,
    )


def write_page(
    out: Path,
    name: str,
    sections: Mapping[str, tuple[str, Markup]],
    *,
    title: str,
    date: str,
    verdicts: Iterable[Markup],
    tiles: Sequence[tuple[str, str, str]] = (),
    synthetic: bool = False,
) -> Path:
    """Write one self-contained HTML page in the style of the report.

    Parameters
    ----------
    out
        The page.
    name
        Its heading.
    sections
        Anchor to title and content.
    title, date, verdicts, tiles, synthetic
        Title of the window, date of the results, what stands below the heading, and whether the
        beats were synthetic.

    Raises
    ------
    InputError
        If `out` cannot be written or is another file than a page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    if out.is_file() and out.read_bytes()[: len(START)].lower() != START:
        raise InputError(f"{out} exists and is not a page; choose another --out")
    page = Environment(
        loader=PackageLoader("ecgphoton.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("report.html")
    parts = [{"name": key, "title": head, "body": body} for key, (head, body) in sections.items()]
    write_text(
        out,
        page.render(
            name=name,
            date=date,
            title=title,
            verdicts=verdicts,
            banner=BANNER if synthetic else "",
            tiles=tiles,
            sections=parts,
            version=__version__,
        ),
    )
    return out


@contextlib.contextmanager
def _making(name: str, material: Material) -> Iterator[None]:
    """Name the chapter and the folders where a file of the wrong content prevents it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"the chapter {name!r} cannot be made: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        folders = ", ".join(map(str, material.folders))
        raise InputError(
            f"the chapter {name!r} cannot be made from {folders}: a file lacks or has wrong "
            f"content ({error!r}); write it again"
        ) from error


def _tiles(material: Material) -> list[tuple[str, str, str]]:
    """Return name, value and remark of the most important numbers."""
    tiles: list[tuple[str, str, str]] = []
    for name, row in material.sets.items():
        if is_part(name):
            continue
        if "miss" in row:
            tiles.append((f"miss, {words(name)}", percent(stated(row, "miss")),
                          f"FPR {percent(stated(row, 'fpr'))}"))  # fmt: skip
        else:
            tiles.append((f"macro-F1, {words(name)}", f"{row['macro_f1']:.3f}", ""))
    if parameters := material.metrics.get("parameters"):
        remark = f"{material.metrics['gains']} gains" if "gains" in material.metrics else ""
        tiles.append(("weights and biases", f"{parameters:,}", remark))
    return tiles
