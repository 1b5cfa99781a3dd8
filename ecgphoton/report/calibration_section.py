"""The chapter that compares chips before and after calibration."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from ecgphoton.report import pieces
from ecgphoton.report.hardware_sections import read_csv, scatter
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import Section, number, percent, spoken

FILE = "calibration.json"
COLUMNS = {
    "yield": "yield",
    "near": "within half a point of digital",
    "close": "within half a point of digital",
    "miss": "miss, median",
    "miss_mean": "miss, mean",
    "miss_p95": "miss, p95",
    "fpr": "FPR, median",
    "fpr_mean": "FPR, mean",
    "fpr_p95": "FPR, p95",
    "error_median": "matrix error, median",
    "error_p95": "matrix error, p95",
    "matrix_error": "matrix error, rms",
}
"""What is shown of every stage, where it is there."""


def calibration(material: Material) -> Section | None:
    """Compare every stage of a calibration campaign, over all chips and chip by chip."""
    found = material.json(FILE)
    if not isinstance(found, dict):
        return None
    rows: list[dict[str, Any]] = found.get("table") or found["rows"]
    last, first = rows[-1], rows[0]
    said = (
        f"{percent(last['yield'], 1)} of {found['chips']:,} chips are within the limits after "
        f"calibration, {percent(first['yield'], 1)} were before."
    )
    if why := found.get("no_verdict_because"):
        said = f"No verdict, because {why}. By what the table predicts, {said}"
    parts = [
        Markup('<p class="verdict {}"><b>{}</b> {}</p>').format(
            found["verdict"], found["verdict"].upper(), said
        )
    ]
    limits = found.get("limits", {"max_fpr": 0.1, "max_miss": 0.1})
    shown = [key for key in COLUMNS if key in first]
    parts += [
        pieces.grid([scatter(groups, limits, "Every chip, before and after")])
        for groups in _chips(material, [str(row["stage"]) for row in rows])
    ]
    cells = [
        [row["stage"], *(number(row[key], 3) if "error" in key else percent(row[key])
                         for key in shown)]
        for row in rows
    ]  # fmt: skip
    parts.append(pieces.table(["stage", *(COLUMNS[key] for key in shown)], cells))
    recovered = {
        f"{spoken(name)}: loss won back": percent(share, 1)
        for name, share in found.get("recovered", {}).items()
    }
    parts.append(pieces.facts(recovered))
    if cost := found.get("cost_per_chip"):
        parts.append(pieces.fold("Cost of a chip", pieces.any_value(cost)))
    if findings := found.get("findings"):
        parts.append(pieces.fold(f"Findings ({len(findings)})", pieces.any_value(findings)))
    return Section("calibration", "Calibration, before and after", pieces.join(parts))


def _chips(
    material: Material, stages: list[str]
) -> list[list[tuple[str, int, list[tuple[str, float, float]]]]]:
    """Chips of every stage, from the table beside the report that has them; empty without one."""
    names = [stage.replace(" ", "_") for stage in stages]
    for path in material.tables(FILE):
        rows = read_csv(path)
        forms = [
            form
            for form in ("{stage}_{rate}", "{rate}_{stage}")
            if _has(rows, [form.format(stage=name, rate="miss") for name in names])
        ]
        if not forms:
            continue
        colours = (1, 0, 3, 4)
        return [
            [
                (
                    stage,
                    colour,
                    [
                        (
                            row["chip"],
                            float(row[forms[0].format(stage=name, rate="fpr")]),
                            float(row[forms[0].format(stage=name, rate="miss")]),
                        )
                        for row in rows
                    ],
                )
                for stage, name, colour in zip(stages, names, colours, strict=False)
            ]
        ]
    return []


def _has(rows: list[dict[str, str]], columns: list[str]) -> bool:
    return bool(rows) and all(column in rows[0] for column in columns)
