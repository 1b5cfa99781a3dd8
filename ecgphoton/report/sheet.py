"""The requirement sheet as a page for a foundry, and as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ecgphoton.calibration.requirements import number_for
from ecgphoton.report import style
from ecgphoton.report.chips import Rows, draw_bars, is_synthetic
from ecgphoton.report.html import write_page
from ecgphoton.report.pieces import number, part, render
from ecgphoton.wording import ends, percent


def columns_of(rows: Rows) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the cells of the table: one row a parameter, the states side by side."""
    states = list(dict.fromkeys(row["state"] for row in rows))
    columns = ("{}: passes", "fails", "ratio", "yield and interval")
    each = [head.format(state) for state in states for head in columns]
    cells: dict[str, list[str]] = {}
    for row in rows:
        first = [row["parameter"], row["unit"], number(row["stated"])]
        cells.setdefault(row["parameter"], first).extend(_cells(row))
    return ["parameter", "unit", "profile", *each], list(cells.values())


def _cells(row: Mapping[str, Any]) -> list[str]:
    if row["value"] is None:
        return [f"none passes, not even {number(row['failing'])}", "", "", ""]
    share = f"{percent(row['yield'], 0)} {ends(row['low'], row['high'], digits=0)}"
    failing = "none tried" if row["failing"] is None else number(row["failing"])
    return [number(row["value"]), failing, f"{row['ratio']:.2f}", share]


def write_sheet(out: Path, found: Mapping[str, Any], rows: Rows) -> Path:
    """Write the sheet as one HTML page.

    Parameters
    ----------
    out
        The page.
    found
        Content of ``sheet.json``.
    rows
        Its lines.
    """
    about = found["provenance"]
    profile = about["profile"]
    facts = {
        "student": about["student"],
        "profile": f"{profile['name']}: {profile['description']}",
        "beats": f"{about['data']['beats']:,} of {about['data']['source']}",
        "seed": about["seed"],
        "call": about["call"],
        "ecgphoton": about["version"],
        "without effect alone in this profile": ", ".join(found["idle"]),
        "conditions": found["conditions"],
    }
    meanings = {row["parameter"]: number_for(row["parameter"]).meaning for row in rows}
    parts = [part("picture", draw_sheet(found, rows), "Ratio of every requirement to the profile")]
    parts += [
        part("rows", *columns_of([row for row in rows if row["state"] == state]))
        for state in dict.fromkeys(row["state"] for row in rows)
    ]
    sections = {
        "requirements": ("Requirements", Markup("").join(parts)),
        "parameters": ("Parameters", part("facts", meanings)),
        "provenance": ("Provenance", part("facts", facts)),
    }
    name, date = f"Requirements on {profile['name']}", about["date"][:10]
    return write_page(
        out,
        name,
        sections,
        student=about["student"],
        title=f"{name}, {date}",
        date=date,
        summary=render("sheet.html", found=found),
        synthetic=is_synthetic(found),
    )


def draw_sheet(found: Mapping[str, Any], rows: Rows) -> style.Figure:
    """Draw the ratio of every requirement to the profile: left of 1, the profile is too coarse."""
    states = list(dict.fromkeys(row["state"] for row in rows))
    ratios = [
        {"parameter": name}
        | {row["state"]: row["ratio"] for row in rows if row["parameter"] == name}
        for name in dict.fromkeys(row["parameter"] for row in rows)
    ]
    value = "times as large as in the profile (bits: as few)"
    about: dict[str, Any] = {"value": value, "log": True, "start": 1.0, "none": "none passes"}
    bars = {state: state for state in states}
    return draw_bars(found, ratios, name="parameter", bars=bars, **about)
