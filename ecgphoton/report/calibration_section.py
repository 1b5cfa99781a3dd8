"""The chapter that compares chips before and after calibration."""

from markupsafe import Markup

from ecgphoton.report import pieces
from ecgphoton.report.chips import Content, draw_calibration
from ecgphoton.report.hardware_sections import over_patients
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import number, percent, words

FILE, TABLE = "calibration.json", "calibrated_chips.csv"
COLUMNS = {
    "yield": "yield",
    "near": "within half a point of digital",
    "miss_mean": "miss rate, mean",
    "miss_p95": "miss rate, p95",
    "fpr_mean": "FPR, mean",
    "fpr_p95": "FPR, p95",
    "error_median": "matrix error, median",
    "error_p95": "matrix error, p95",
}
"""What is shown of every stage."""


def calibration_verdict(found: Content) -> Markup:
    """State whether enough of the calibrated chips are within the limits."""
    first, *_, last = found["table"]
    text = (
        f"Calibration: {percent(last['yield'], 1)} of {found['chips']:,} chips are within the "
        f"limits after calibration, {percent(first['yield'], 1)} were before."
    )
    if why := found.get("no_verdict_because"):
        text = f"Calibration: there is no verdict, because {why}. Predicted: {text}"
    return pieces.verdict(found["verdict"], text)


def calibration(material: Material, found: Content) -> Markup:
    """Compare every stage of a calibration, over all chips and for every chip."""
    parts = [calibration_verdict(found)]
    if rows := material.rows(FILE, TABLE):
        figure = draw_calibration(found, rows)
        parts.append(pieces.picture(figure, "Every chip before and after calibration"))
    cells = [
        [row["stage"], *(number(row[key], 3) if "error" in key else percent(row[key])
                         for key in COLUMNS)]
        for row in found["table"]
    ]  # fmt: skip
    parts += [pieces.table(["stage", *COLUMNS.values()], cells), over_patients(found)]
    recovered = {
        f"{words(name)}: recovered share of the loss": percent(share, 1)
        for name, share in found.get("recovered", {}).items()
    }
    parts.append(pieces.facts(recovered))
    for title, content in (
        ("Cost of a chip", found.get("cost_per_chip")),
        (f"Findings ({len(found.get('findings', ()))})", found.get("findings")),
    ):
        if content:
            parts.append(pieces.fold(title, pieces.any_value(content)))
    return pieces.join(parts)
