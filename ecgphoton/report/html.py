"""The report as one HTML page: material comes in; a file without scripts or references goes out."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from markupsafe import Markup

from ecgphoton.artifacts import write_text
from ecgphoton.ecg.synthetic import BANNER
from ecgphoton.errors import InputError
from ecgphoton.report.chapters import CHAPTERS, chapter
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import render
from ecgphoton.report.scores import is_part
from ecgphoton.version import __version__

START = b"<!doctype html"
VERDICTS = ("simulation", "calibration")


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
    for name, (title, results) in CHAPTERS.items():
        with _making(name, material):
            found = results(material)
            if found and (body := chapter(name, material, found)):
                sections[name] = title, body
    with _making("summary", material):
        judged = {kind: found for kind in VERDICTS
                  if (found := material.json(f"{kind}.json")) is not None}  # fmt: skip
        said = [f"{kind} {found['verdict'].upper()}" for kind, found in judged.items()]
        summary = render("summary.html", material=material, judged=judged, is_part=is_part)
    title = ", ".join(filter(None, (material.name, *said, material.date)))
    return write_page(
        out,
        material.name,
        sections,
        title=title,
        date=material.date,
        summary=summary,
        synthetic=material.synthetic,
    )


def write_page(
    out: Path,
    name: str,
    sections: Mapping[str, tuple[str, Markup]],
    *,
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
    title, date, summary, synthetic
        Title of the window, date of the results, what stands below the heading, and whether the
        beats were synthetic.

    Raises
    ------
    InputError
        If `out` cannot be written or is another file than a page.
    """
    if out.is_file() and out.read_bytes()[: len(START)].lower() != START:
        raise InputError(f"{out} exists and is not a page; choose another --out")
    page = render(
        "report.html",
        name=name,
        date=date,
        title=title,
        summary=summary,
        banner=BANNER if synthetic else "",
        sections=sections,
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
