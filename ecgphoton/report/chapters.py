"""The chapters of a report: what each is about, and what their templates ask for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ecgphoton.export.drawing import draw_svg
from ecgphoton.export.formats import bill_of_materials
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
from ecgphoton.report.material import Material
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
    "distillation": ("Distillation", lambda found: found.json("distillation.json")),
    "chips": ("Simulated chips", lambda found: found.json("simulation.json")),
    "tolerance": ("Tolerance", lambda found: found),
    "blame": ("Cost of every source of error", lambda found: found.json("blame.json")),
    "extremes": ("Worst cases", lambda found: found),
    "calibration": ("Calibration, before and after", lambda found: found.json("calibration.json")),
    "meshes": ("Meshes and phases", lambda found: found.program),
    "bits": ("Bits and gains", lambda found: found.program),
    "power": ("Parts, power and energy per beat", lambda found: found.program),
    "provenance": ("Provenance", lambda found: found),
}
"""In order: anchor and template, title, and what it is about; left out where that is empty."""
GRADIENTS = ("lost_sensitivity_gradient", "added_fpr_gradient")


def chapter(name: str, material: Material, found: object) -> Markup:
    """Return a chapter, empty where it has nothing to say."""
    return render(f"chapters/{name}.html", material=material, found=found, **_KNOWN)


def costliest_first(shares: Sequence[Content]) -> dict[str, list[Content]]:
    """Return the shares of every kind of cause, those of the largest gradients first."""
    found: dict[str, list[Content]] = {}
    for share in sorted(shares, key=lambda one: -sum(max(one[key], 0) for key in GRADIENTS)):
        found.setdefault(share["kind"], []).append(share)
    return {kind: found[kind] for kind in dict.fromkeys(share["kind"] for share in shares)}


def most_errors_first(records: Mapping[str, Content]) -> list[tuple[str, Content]]:
    """Return names and counts of records, the one with most errors first."""
    return sorted(records.items(), key=lambda item: -(item[1]["fn"] + item[1]["fp"]))


def profiles_of(material: Material) -> dict[str, Content]:
    """Return the device profiles of the simulation and the calibration, where they have one."""
    found = {kind: material.json(f"{kind}.json") or {} for kind in ("simulation", "calibration")}
    profiles = {kind: one.get("provenance", {}).get("profile") for kind, one in found.items()}
    return {kind: profile for kind, profile in profiles.items() if profile is not None}


def worst_beyond(limits: Content, rows: Rows) -> list[Mapping[str, Any]]:
    """Return the chips beyond the limits, the one with the largest rate first."""
    good = within(limits, column(rows, "fpr"), column(rows, "miss"))
    beyond = [row for row, inside in zip(rows, good, strict=True) if not inside]
    return sorted(beyond, key=lambda row: -max(float(row["miss"]), float(row["fpr"])))


_KNOWN: dict[str, Any] = {
    **{
        one.__name__: one
        for one in (
            bill_of_materials, costliest_first, draw_calibration, draw_chips, draw_confusion,
            draw_curves, draw_precision, draw_roc, draw_svg, draw_sweep, events_of, is_part,
            most_errors_first, profiles_of, worst_beyond, wrong_beats,
        )
    },
    "CHOOSING": CHOOSING,
    "MOST_EVENTS": MOST_EVENTS,
    "version": __version__,
}  # fmt: skip
"""What the templates of chapters may use."""
