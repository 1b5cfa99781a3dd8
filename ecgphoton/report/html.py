"""The report as one HTML page: material comes in; a file without scripts or references goes out."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ecgphoton import wording
from ecgphoton.artifacts import write_text
from ecgphoton.ecg.synthetic import BANNER
from ecgphoton.errors import InputError
from ecgphoton.export.drawing import draw_svg
from ecgphoton.export.formats import bill_of_materials
from ecgphoton.hwsim.effects.optics import mesh_loss
from ecgphoton.hwsim.energy import prefixed
from ecgphoton.program.program import MeshProgram
from ecgphoton.report.chips import (
    Content,
    Rows,
    column,
    draw_calibration,
    draw_chips,
    draw_sweep,
    within,
)
from ecgphoton.report.curves import MOST_EVENTS, draw_curves, events_of
from ecgphoton.report.material import Material, student_of
from ecgphoton.report.pieces import render
from ecgphoton.report.plots import draw_confusion, draw_precision, draw_roc
from ecgphoton.report.scores import is_part
from ecgphoton.report.wrong_beats import wrong_beats
from ecgphoton.runs import CHOOSING
from ecgphoton.version import __version__

CHAPTERS: Mapping[str, tuple[str, Callable[[Material], Any]]] = {
    "data": ("Data and protocol", lambda found: found),
    "results": ("Results", lambda found: found.sets),
    "curves": ("Training", lambda found: found.history),
    "decisions": ("ROC, precision and confusion", lambda found: found.scores),
    "records": ("Results by record", lambda found: found.sets),
    "beats": ("Wrongly decided beats", lambda found: found.scores),
    "distillation": ("Distillation", lambda found: found.read("distillation.json")),
    "chips": ("Simulated chips", lambda found: found.read("simulation.json")),
    "tolerance": ("Tolerance", lambda found: found),
    "blame": ("Cost of every source of error", lambda found: found.read("blame.json")),
    "extremes": ("Worst cases", lambda found: found),
    "calibration": ("Calibration, before and after", lambda found: found.read("calibration.json")),
    "meshes": ("Meshes and phases", lambda found: found.program),
    "bits": ("Bits and gains", lambda found: found.program),
    "power": ("Parts, power and energy per beat", lambda found: found.program),
    "provenance": ("Provenance", lambda found: found),
}
"""In order: anchor and template, title, and what it is about; left out where that is empty."""
MARK, MARKED = b'<meta name="generator" content="ecgphoton ', 2048
"""What a page of this package states in its first bytes, and in how many of them."""
STUDENT = re.compile(rb'<meta name="student" content="([^"]*)">')
VERDICTS = ("simulation", "calibration")
GRADIENTS = ("lost_sensitivity_gradient", "added_fpr_gradient")


def chapter(name: str, material: Material, found: object) -> Markup:
    """Return a chapter, empty where it has nothing to say."""
    return render(f"chapters/{name}.html", material=material, found=found, **_KNOWN)


def costliest_first(shares: Sequence[Content]) -> dict[str, list[Content]]:
    """Return the shares of every kind of cause, those of the largest gradients first."""
    ranked = sorted(shares, key=lambda one: -sum(max(one[key], 0) for key in GRADIENTS))
    kinds = dict.fromkeys(share["kind"] for share in shares)
    return {kind: [one for one in ranked if one["kind"] == kind] for kind in kinds}


def rises(share: Content, keys: Iterable[str]) -> list[str]:
    """Return the rises of rates that a source of error costs, with their intervals over chips."""
    return [wording.rise(share[key], share.get(f"{key}_low"), share.get(f"{key}_high"))
            for key in keys]  # fmt: skip


def most_errors_first(records: Mapping[str, Content]) -> list[tuple[str, Content]]:
    """Return names and counts of records, the one with most errors first."""
    return sorted(records.items(), key=lambda item: -(item[1]["fn"] + item[1]["fp"]))


def profiles_of(material: Material) -> dict[str, Content]:
    """Return the device profiles of the simulation and the calibration, where they have one."""
    found = {kind: material.read(f"{kind}.json") or {} for kind in ("simulation", "calibration")}
    profiles = {kind: one.get("provenance", {}).get("profile") for kind, one in found.items()}
    return {kind: profile for kind, profile in profiles.items() if profile is not None}


def block_loss(program: MeshProgram, numbers: Mapping[str, float]) -> float:
    """Return the mean loss of a path through a block, dB, by the numbers of a device profile."""
    return mesh_loss(lambda key: numbers.get(key, 0.0), program.device)


def worst_beyond(limits: Content, rows: Rows) -> list[Mapping[str, Any]]:
    """Return the chips beyond the limits, the one with the largest rate first."""
    good = within(limits, column(rows, "fpr"), column(rows, "miss"))
    beyond = [row for row, inside in zip(rows, good, strict=True) if not inside]
    return sorted(beyond, key=lambda row: -max(float(row["miss"]), float(row["fpr"])))


_KNOWN: dict[str, Any] = {
    **{
        one.__name__: one
        for one in (
            bill_of_materials, block_loss, costliest_first, draw_calibration, draw_chips,
            draw_confusion, draw_curves, draw_precision, draw_roc, draw_svg, draw_sweep, events_of,
            is_part, most_errors_first, prefixed, profiles_of, rises, worst_beyond, wrong_beats,
        )
    },
    "CHOOSING": CHOOSING,
    "MOST_EVENTS": MOST_EVENTS,
    "version": __version__,
}  # fmt: skip
"""What the templates of chapters may use."""


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
        If a file is damaged, or `out` cannot be written or is another file than a page about this
        student.
    """
    out = out / "report.html" if out.is_dir() else out
    student = student_of(material.folders[0]) or "no recorded student"
    _check_own(out, student)
    sections = {}
    for name, (title, results) in CHAPTERS.items():
        with _making(name, material):
            found = results(material)
            if found and (body := chapter(name, material, found)):
                sections[name] = title, body
    with _making("summary", material):
        judged = {kind: found for kind in VERDICTS
                  if (found := material.read(f"{kind}.json")) is not None}  # fmt: skip
        said = [f"{kind} {found['verdict'].upper()}" for kind, found in judged.items()]
        summary = render("summary.html", material=material, judged=judged, is_part=is_part)
    title = ", ".join(filter(None, (material.name, *said, material.date)))
    return write_page(
        out,
        material.name,
        sections,
        student=student,
        title=title,
        date=material.date,
        summary=summary,
        synthetic=material.synthetic,
    )


def _check_own(out: Path, student: str) -> None:
    """Refuse to replace another file than an earlier page about a student.

    Pages of 0.1 name their student among the hashes of files only.
    """
    if not out.is_file():
        return
    page, own = out.read_bytes(), student.encode()
    stated = STUDENT.search(page, 0, MARKED)
    if MARK not in page[:MARKED] or (stated[1] != own if stated else own not in page):
        what = "about this student" if MARK in page[:MARKED] else "of ecgphoton"
        raise InputError(f"{out} exists and is not a page {what}; choose another --out")


def write_page(
    out: Path,
    name: str,
    sections: Mapping[str, tuple[str, Markup]],
    *,
    student: str,
    title: str,
    date: str,
    summary: Markup,
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
    student
        SHA-256 of the checkpoint of the student that it is about.
    title, date, summary, synthetic
        Title of the window, date of the results, what stands below the heading, and whether the
        beats were synthetic.

    Raises
    ------
    InputError
        If `out` cannot be written.
    """
    page = render(
        "report.html",
        name=name,
        date=date,
        title=title,
        summary=summary,
        banner=BANNER if synthetic else "",
        sections=sections,
        student=student,
        version=__version__,
    )
    write_text(out, f"{page}\n")
    return out


@contextlib.contextmanager
def _making(name: str, material: Material) -> Iterator[None]:
    """Name the chapter and the folders where a file of the wrong content prevents it."""
    from jinja2 import TemplateError

    wrong = KeyError, TypeError, ValueError, AttributeError, IndexError, TemplateError
    try:
        yield
    except InputError as error:
        raise InputError(f"the chapter {name!r} cannot be made: {error}") from error
    except wrong as error:
        folders = ", ".join(map(str, material.folders))
        raise InputError(
            f"the chapter {name!r} cannot be made from {folders}: a file lacks or has wrong "
            f"content ({error!r}); write it again"
        ) from error
