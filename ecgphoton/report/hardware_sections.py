"""Chapters about hardware: meshes, bits, many chips, tolerances, blame, calibration, power."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ecgphoton.artifacts import read_bytes
from ecgphoton.errors import InputError
from ecgphoton.report import pieces
from ecgphoton.report.charts import Series, chart, percent as percent_tick
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import Section, number, percent, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ecgphoton.program.program import MeshProgram

MOST_CHIPS = 2000  # drawn one by one
MOST_SHARES = 16


def program_of(material: Material) -> MeshProgram | None:
    """Mesh program of the bundle, None without one."""
    path = material.find("mesh.json")
    if path is None:
        return None
    from ecgphoton.program.program_file import read_program

    return read_program(path)


def bits(material: Material) -> Section | None:
    """Give the widths and gains of every block."""
    program = program_of(material)
    if program is None:
        return None
    rows = [
        [
            block.name, block.role, f"{block.weight_bits} / {block.bias_bits}", block.input_bits,
            block.adc_bits, f"[{block.adc_low:.3g}, {block.adc_high:.3g}]", number(block.gain, 3),
            number(block.scale, 3), " ".join(map(str, block.order)),
        ]
        for block in program.blocks
    ]  # fmt: skip
    columns = ["block", "role", "weight / bias bits", "input bits", "ADC bits", "ADC range",
               "gain", "σ max", "order"]  # fmt: skip
    about = pieces.facts(
        {
            "mesh": program.mesh,
            "heater DAC": f"{program.dac_bits} bits, linear in voltage, up to {program.v_max:g} V",
            "V_π": f"{program.v_pi:g} V",
            "readout": program.readout,
        }
    )
    return Section("bits", "Bits and gains", about + pieces.table(columns, rows))


def meshes(material: Material) -> Section | None:
    """Draw the interferometers of every block with their phases."""
    program = program_of(material)
    if program is None:
        return None
    from ecgphoton.export.drawing import draw_svg

    folds = [
        pieces.fold(
            f"{block.name} ({block.role})",
            Markup('<div class="wide mesh">{}</div>').format(
                Markup(draw_svg(program, block).decode())
            ),
            opened=index == 0,
        )
        for index, block in enumerate(program.blocks)
    ]
    note = pieces.paragraph(
        "Light runs from left to right; θ = 0 crosses, θ = π passes straight. The bluer a box, "
        "the larger its phase or transmission.",
        "note",
    )
    return Section("meshes", "Meshes and phases", note + pieces.join(folds))


def power(material: Material) -> Section | None:
    """Count what has to be built, and the heater energy of one beat."""
    program = program_of(material)
    if program is None:
        return None
    from ecgphoton.export.formats import bill_of_materials

    bill = bill_of_materials(program)
    heaters = bill["heater_power_mw"]
    facts = pieces.facts(
        {
            "MZIs": f"{bill['mzis']:,} ({bill['of_which_attenuators']:,} as attenuators)",
            "phase shifters": f"{bill['phase_shifters']:,}",
            "detectors": f"{bill['homodyne_detectors']:,}",
            "heater power": f"{heaters['total']:,.0f} mW",
            "heater energy per beat": f"{heaters['total']:,.0f} mJ at 60 beats a minute",
            "loss of a block": f"{bill['loss_db']['per_block']:.2f} dB",
        }
    )
    note = pieces.paragraph(
        f"Assumes {heaters['assumed_p_pi']:g} mW for a phase of π, heaters that hold their phase "
        f"all the time, and {bill['loss_db']['assumed_per_mzi']:g} dB for an MZI with both "
        "couplers. This loss is not the one that a simulation or a calibration assumes: that is "
        "`loss.mzi_db` of its device profile. Lasers, converters and electronics are not counted.",
        "note",
    )
    return Section("power", "Parts, power and energy per beat", facts + note)


def chips(material: Material) -> Section | None:
    """Draw every simulated chip and say whether enough of them are good."""
    found = material.json("simulation.json")
    if not isinstance(found, dict):
        return None
    limits = found["limits"]
    low, high = found["yield_interval"]
    hardware = found.get("profile") or f"noise {found.get('noise', 0):g}"
    verdict = Markup('<p class="verdict {}"><b>{}</b> {}</p>').format(
        found["verdict"],
        found["verdict"].upper(),
        f"{percent(found['yield'], 1)} [{100 * low:.1f}, {100 * high:.1f}] of "
        f"{found['chips']:,} chips ({hardware}) have miss ≤ {percent(limits['max_miss'], 0)} and "
        f"FPR ≤ {percent(limits['max_fpr'], 0)}; wanted {percent(limits['min_yield'], 0)}"
        + ("" if found.get("proven") else ", not yet decided at this confidence"),
    )
    keys = ("perfect", "mean", "median", "p5", "p95", "worst")
    rows = [
        [spoken(name), *(number(row[key]) if name == "auc" else percent(row[key]) for key in keys)]
        for name, row in found["metrics"].items()
    ]
    parts = [verdict]
    path = material.beside("simulation.json", "chips.csv")
    if path is not None:
        points = [(row["chip"], float(row["fpr"]), float(row["miss"])) for row in read_csv(path)]
        parts.append(pieces.grid([_good_and_bad(points, limits)]))
    parts.append(pieces.table(["", *keys], rows))
    return Section("chips", "Chip by chip", pieces.join(parts))


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a header.

    Raises
    ------
    InputError
        If it is not one.
    """
    try:
        return list(csv.DictReader(io.StringIO(read_bytes(path).decode())))
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path} is damaged ({error})") from error


Chip = tuple[str, float, float]
"""Number, FPR, miss rate."""


def _good_and_bad(points: list[Chip], limits: Mapping[str, Any]) -> Markup:
    fpr, miss = limits["max_fpr"], limits["max_miss"]
    good = [point for point in points if point[1] <= fpr and point[2] <= miss]
    bad = [point for point in points if not (point[1] <= fpr and point[2] <= miss)]
    groups = [(f"good: {len(good)}", 0, good), (f"beyond: {len(bad)}", 1, bad)]
    return scatter(groups, limits, f"{len(points):,} chips")


def scatter(
    groups: list[tuple[str, int, list[Chip]]], limits: Mapping[str, Any], caption: str
) -> Markup:
    """Draw groups of chips (label, colour, chips) over the region within the limits."""
    fpr, miss = limits["max_fpr"], limits["max_miss"]
    inside = [(0.0, 0.0), (fpr, 0.0), (fpr, miss), (0.0, miss)]
    series = [Series("area", inside, 2, "within the limits")]
    most = max(fpr, miss)
    for label, colour, chosen in groups:
        shown = chosen[:MOST_CHIPS]
        said = [f"chip {chip}: miss {percent(m)}, FPR {percent(f)}" for chip, f, m in shown]
        series.append(Series("points", [(f, m) for _, f, m in shown], colour, label, said))
        most = max([most, *(value for _, *both in shown for value in both)])
    ends = (0.0, min(1.1 * most, 1.0))
    svg = chart(series, x_label="FPR", y_label="miss rate", x_limits=ends, y_limits=ends,
                x_format=percent_tick, y_format=percent_tick)  # fmt: skip
    return pieces.figure(svg, caption)


def tolerance(material: Material) -> Section | None:
    """Draw yield and error rates over the swept parameter, with their bands."""
    found = material.json("sweep.json")
    if not isinstance(found, dict):
        return None
    name, rows = str(found["parameter"]), found["rows"]

    def line(key: str) -> list[tuple[float, float]]:
        return [(float(r[name]), float(r[key])) for r in rows if r[key] is not None]

    yields = [
        Series("band", [*line("yield_low"), *line("yield_high")], 2),
        Series("line", line("yield"), 2, "yield, 95 % interval"),
    ]
    axes: dict[str, Any] = {"x_label": spoken(name), "y_format": percent_tick}
    figures = [
        pieces.figure(chart(yields, y_label="chips within limits", y_limits=(0, 1), **axes),
                      "Yield")
    ]  # fmt: skip
    both = []
    for key, label, colour in (("miss", "miss rate", 1), ("fpr", "FPR", 0)):
        both.append(Series("band", [*line(f"{key}_p5"), *line(f"{key}_p95")], colour))
        both.append(
            Series("line", line(f"{key}_median"), colour, f"{label}: median, 5 to 95 % of chips")
        )
    figures.append(pieces.figure(chart(both, y_label="rate", **axes), "Error rates"))
    body = pieces.grid(figures)
    if isinstance(solved := material.json("requirement.json"), dict):
        value = solved.get("value")
        body += pieces.paragraph(
            f"No value of {solved['parameter']} passes."
            if value is None
            else f"Requirement: {solved['parameter']} ≤ {value:.4g}."
        )
    return Section("tolerance", f"How much {spoken(name)} it bears", body)


def blame(material: Material) -> Section | None:
    """Tell which source of error costs what."""
    found = material.json("blame.json")
    if not isinstance(found, dict) or not found.get("shares"):
        return None
    parts = []
    for kind in dict.fromkeys(share["kind"] for share in found["shares"]):
        rows = sorted(
            (share for share in found["shares"] if share["kind"] == kind),
            key=lambda share: (
                -max(share["lost_sensitivity_gradient"], 0) - max(share["added_fpr_gradient"], 0)
            ),
        )
        shown = [
            [
                share["name"], percent(share["lost_sensitivity"]), percent(share["added_fpr"]),
                percent(share["lost_sensitivity_gradient"]), percent(share["added_fpr_gradient"]),
            ]
            for share in rows[:MOST_SHARES]
        ]  # fmt: skip
        columns = [kind, "lost sensitivity", "added FPR", "lost, by gradient", "FPR, by gradient"]
        more = f" (the {MOST_SHARES} largest of {len(rows)})" if len(rows) > MOST_SHARES else ""
        table = pieces.table(columns, shown)
        parts.append(pieces.fold(f"By {kind}{more}", table, opened=kind == "source"))
    return Section("blame", "What costs what", pieces.join(parts))


def extremes(material: Material) -> Section | None:
    """Give the worst chip within tolerance, and what no chip can flip."""
    parts = []
    if isinstance(found := material.json("adversary.json"), dict):
        parts.append(
            pieces.paragraph(
                f"Worst chip with every error within {found['bound']:.3g}: miss "
                f"{percent(found['miss'])}, FPR {percent(found['fpr'])}."
            )
        )
    if isinstance(found := material.json("certified.json"), dict):
        rows = [
            [f"{row['epsilon']:g}", percent(row["certified"]), percent(row["worst_miss"]),
             percent(row["worst_fpr"])]
            for row in found["rows"]
        ]  # fmt: skip
        columns = ["every error within", "beats no chip can flip", "miss at most", "FPR at most"]
        parts.append(pieces.table(columns, rows))
    return Section("extremes", "Worst cases", pieces.join(parts)) if parts else None


def distillation(material: Material) -> Section | None:
    """Say what a teacher was worth, or why it was refused."""
    found = material.json("distillation.json")
    if not isinstance(found, dict):
        return None
    said = pieces.paragraph(found.get("verdict", ""))
    return Section("distillation", "Distillation", said + pieces.any_value(found.get("models", [])))
