"""A folder of recordings comes in; a table of the abnormal beats of each goes out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgphoton.artifacts import csv_text, write_text
from ecgphoton.ecg.formats import find_file, other_files, record_names
from ecgphoton.errors import InputError
from ecgphoton.models import NAMES_CLASSES
from ecgphoton.run.annotate import AnnotationReport, annotate
from ecgphoton.run.annotation_files import ANNOTATOR, plain_name
from ecgphoton.run.claim import outside_bundles
from ecgphoton.run.scope import KEY
from ecgphoton.runs import TrainedStudent, load

BURDENS = "burdens"
"""Name of the table, as CSV and as JSON."""
SHARES = ("S", "V", "abnormal", "undecided")


@dataclass(frozen=True)
class BurdenReport:
    """Counts of the beats of every recording of a folder."""

    rows: tuple[dict[str, Any], ...]
    """For each recording: its length, beats, and for S, V, abnormal and undecided ones their
    count, share of the beats and number an hour; None for kinds that the student does not name,
    and where every beat is undecided. Then whether it lies outside what the student knows, and how
    far; None if not checked."""
    failed: dict[str, str]
    """Recordings that could not be annotated, and why."""
    files: tuple[Path, ...]
    student: Mapping[str, str]
    """Name, path and SHA-256 of the student, and why it was chosen."""
    others: Mapping[str, str] = field(default_factory=dict)
    """Files of the folder that are no recordings, and its folders, each with the reason."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "student": dict(self.student),
            "recordings": list(self.rows),
            "failed": self.failed,
            "no_recordings": dict(self.others),
            "files": [str(path) for path in self.files],
        }


def annotate_folder(
    folder: Path,
    *,
    model: Path | str | TrainedStudent | None = None,
    out: Path | str = Path(),
    **options: Any,  # noqa: ANN401
) -> BurdenReport:
    """Annotate every recording of a folder, and tabulate their burdens.

    Writes what `annotate` writes for each recording, and ``burdens.<annotator>.csv`` and ``.json``.

    Parameters
    ----------
    folder
        Where recordings are.
    model, out, options
        As for `annotate`.

    Raises
    ------
    InputError
        If the folder holds no recording, two would get one annotation file, none of them can be
        annotated, or the tables are there and are not to be replaced.
    """
    trained, out = load(model, shipped=NAMES_CLASSES), outside_bundles(out)
    rows: list[dict[str, Any]] = []
    files: list[Path] = []
    failed: dict[str, str] = {}
    names = record_names(folder)
    others = other_files(folder, names)
    ending = options.get("annotator", ANNOTATOR)
    # A dot in their names, so that no reader takes them for a recording.
    table, document = (out / f"{BURDENS}.{ending}.{kind}" for kind in ("csv", "json"))
    taken = [path for path in (table, document) if path.exists()]
    if taken and not options.get("force"):
        raise InputError(
            f"{taken[0]} is there and would be overwritten; choose another --out, or add --force"
        )
    plain = [BURDENS, *map(plain_name, names)]
    alike = [name for name in names if plain.count(plain_name(name)) > 1]
    if alike:
        raise InputError(
            f"the answers about {' and '.join(map(repr, alike))} would overwrite others of their "
            "name; rename the recordings, in letters, digits, '-' and '_'"
        )
    for name in names:
        try:
            report = annotate(find_file(folder / name), out=out, model=trained, **options)
        except InputError as error:
            failed[name] = str(error)
            continue
        rows.append(_row(report, not trained.point.binary))
        files += report.files
    if not rows:
        name, why = next(iter(failed.items()))
        raise InputError(f"none of {len(failed)} recordings could be annotated; {name}: {why}")
    found = BurdenReport(tuple(rows), failed, (*files, table, document), trained.about, others)
    write_text(table, csv_text([{key: _cell(value) for key, value in row.items()} for row in rows]))
    write_text(document, json.dumps(found.to_dict(), indent=1) + "\n")
    return found


def _row(report: AnnotationReport, names_kinds: bool) -> dict[str, Any]:
    summary = report.summary
    hours, beats = summary["seconds"] / 3600, summary["beats"]
    undecided = summary["symbols"].get("?", 0)
    counts: dict[str, int | None] = {
        "S": summary["symbols"].get("S", 0) if names_kinds else None,
        "V": summary["symbols"].get("V", 0) if names_kinds else None,
        "abnormal": summary["not_normal"],
    }
    if undecided == beats:  # none of which is known to be normal
        counts = dict.fromkeys(counts)
    counts["undecided"] = undecided
    row: dict[str, Any] = {"record": summary["record"], "hours": hours, "beats": beats}
    for kind, count in counts.items():
        row |= {
            kind: count,
            f"{kind} share": None if count is None else count / beats,
            f"{kind} per hour": None if count is None or not hours else count / hours,
        }
    scope = summary[KEY]
    outside = scope["outside"] if scope["checked"] or scope["outside"] else None
    return {**row, "outside": outside, "outside score": scope["score"]}


def _cell(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
