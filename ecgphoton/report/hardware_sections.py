"""The chapters about hardware: chips before and after calibration, tolerances, mesh program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from ecgphoton.report import pieces
from ecgphoton.report.chips import (
    Content,
    column,
    draw_calibration,
    draw_chips,
    draw_sweep,
    interval_table,
    within,
)
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import number, percent, words

if TYPE_CHECKING:
    from ecgphoton.program.program import MeshProgram

MOST_SHARES = 16
MOST_BEYOND = 10
"""Chips beyond the limits that are listed."""
STAGE = {
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


def bits(_: Material, program: MeshProgram) -> Markup:
    """List the word lengths and gains of every block."""
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
    dac = program.dac
    about = pieces.facts(
        {
            "mesh": program.mesh,
            "heater DAC": f"{dac.bits} bits, linear in voltage, up to {dac.v_max:g} V",
            "V_π": f"{dac.v_pi:g} V",
            "readout": program.readout,
        }
    )
    return about + pieces.table(columns, rows)


def meshes(_: Material, program: MeshProgram) -> Markup:
    """Draw the interferometers of every block with their phases."""
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
        "Light propagates from left to right. θ = 0 is the cross state, θ = π the bar state. The "
        "darker blue a box, the larger its phase or transmission.",
        "note",
    )
    return note + pieces.join(folds)


def power(material: Material, program: MeshProgram) -> Markup:
    """Count the parts, and give heater energy per beat and optical loss with their assumptions."""
    from ecgphoton.export.formats import bill_of_materials

    bill = bill_of_materials(program)
    heaters, path = bill["heater_power_p_pi"]["total"], bill["path"]
    profiles = {
        kind: profile
        for kind in ("simulation", "calibration")
        if (found := material.json(f"{kind}.json"))
        and (profile := found.get("provenance", {}).get("profile")) is not None
    }
    facts = pieces.facts(
        {
            "MZIs": f"{bill['mzis']:,} ({bill['of_which_attenuators']:,} as attenuators)",
            "phase shifters": number(bill["phase_shifters"]),
            "detectors": number(bill["homodyne_detectors"]),
            "heater power": f"{heaters:,.0f} times that of a phase of π",
            "MZIs on a path through a block": number(path["mzis"]),
            **{
                f"heater power, {kind} ({profile['name']})":
                f"{heaters * profile['numbers']['power.p_pi']:,.0f} mW"
                for kind, profile in profiles.items()
                if "power.p_pi" in profile["numbers"]
            },
            **{
                f"loss of a block, {kind} ({profile['name']})":
                f"{path['mzis'] * profile['numbers'].get('loss.mzi_db', 0):.2f} dB"
                for kind, profile in profiles.items()
            },
        }
    )  # fmt: skip
    note = pieces.paragraph(
        "Heaters are always on, and a phase of π takes power.p_pi of the device profile. The loss "
        "of a block is its loss.mzi_db for every MZI on a path. Lasers, converters and "
        "electronics are not counted; `ecgphoton budget` does that.",
        "note",
    )
    return facts + note


def simulation_verdict(found: Content) -> Markup:
    """State whether enough of the simulated chips are within the limits."""
    hardware = found.get("profile") or f"noise {found.get('noise', 0):g}"
    share = _with_interval(found["yield"], found["yield_interval"])
    return pieces.verdict(
        found["verdict"],
        f"Simulation: {share} of {found['chips']:,} chips ({hardware}) have {_required(found)}",
    )


def _with_interval(share: float, interval: Sequence[float]) -> str:
    low, high = interval
    return f"{percent(share, 1)} [{100 * low:.1f}, {100 * high:.1f}]"


def _required(found: Content) -> str:
    """Return the limits of a verdict in words, and whether enough chips were judged for it."""
    limits = found["limits"]
    return (
        f"a miss rate ≤ {percent(limits['max_miss'], 0)} and an FPR ≤ "
        f"{percent(limits['max_fpr'], 0)}; {percent(limits['min_yield'], 0)} are required"
        + ("." if found.get("proven") else ". More chips are needed for the stated confidence.")
    )


def over_patients(found: Content) -> Markup:
    """State what other patients would change, where a simulation or calibration knows it."""
    about = found.get("over_patients")
    if about is None:
        return Markup()
    parts = [pieces.paragraph(about["sentence"])]
    if about["intervals"] is not None:
        parts.append(pieces.table(*interval_table(about)))
    return pieces.join(parts)


def chips(material: Material, found: Content) -> Markup:
    """Draw every simulated chip, and list the distribution of its rates."""
    rows, parts = material.rows("simulation.json", "chips.csv"), [simulation_verdict(found)]
    if rows:
        parts.append(pieces.picture(draw_chips(found, rows), "Miss rate and FPR of every chip"))
    keys = ("perfect", "mean", "median", "p5", "p95", "worst")
    table = [
        [
            words(name),
            *(number(row[key]) if name == "auc" else percent(row[key]) for key in keys),
        ]
        for name, row in found["metrics"].items()
    ]
    parts += [pieces.table(["", *keys], table), over_patients(found)]
    good = within(found["limits"], column(rows, "fpr"), column(rows, "miss"))
    beyond = [row for row, inside in zip(rows, good, strict=True) if not inside]
    beyond.sort(key=lambda row: -max(float(row["miss"]), float(row["fpr"])))
    worst = [[row["chip"], percent(float(row["miss"])), percent(float(row["fpr"]))]
             for row in beyond[:MOST_BEYOND]]  # fmt: skip
    if worst:
        title = f"The worst {len(worst)} of {len(beyond)} chips beyond the limits"
        parts.append(pieces.fold(title, pieces.table(["chip", "miss rate", "FPR"], worst)))
    return pieces.join(parts)


def tolerance(material: Material, _: Material) -> Markup:
    """Draw yield and error rates over the swept parameter, and give the requirement."""
    found, solved = material.json("sweep.json"), material.json("requirement.json")
    parts = []
    if found is not None:
        figure = draw_sweep(found, material.rows("sweep.json", "sweep.csv"))
        parts.append(pieces.picture(figure, f"Rates and yield over {found['parameter']}"))
    if solved is not None:
        parts.append(pieces.paragraph(f"Requirement: {solved['sentence']}."))
    return pieces.join(parts)


def blame(_: Material, found: Content) -> Markup:
    """List how much every source of error costs."""
    keys = ("lost_sensitivity", "added_fpr", "lost_sensitivity_gradient", "added_fpr_gradient")
    parts = []
    for kind in dict.fromkeys(share["kind"] for share in found["shares"]):
        rows = sorted(
            (share for share in found["shares"] if share["kind"] == kind),
            key=lambda share: -sum(max(share[key], 0) for key in keys[2:]),
        )
        shown = [[share["name"], *(percent(share[key]) for key in keys)]
                 for share in rows[:MOST_SHARES]]  # fmt: skip
        columns = [kind, "lost sensitivity", "added FPR", "lost, by gradient", "FPR, by gradient"]
        more = f" (the {MOST_SHARES} largest of {len(rows)})" if len(rows) > MOST_SHARES else ""
        table = pieces.table(columns, shown)
        parts.append(pieces.fold(f"By {kind}{more}", table, opened=kind == "source"))
    return pieces.join(parts)


def extremes(material: Material, _: Material) -> Markup:
    """Give the worst chip within tolerance, and bounds that hold for every chip."""
    parts = []
    if (found := material.json("adversary.json")) is not None:
        text = (
            f"Worst chip with every error within {found['bound']:.3g}: miss rate "
            f"{percent(found['miss'])}, FPR {percent(found['fpr'])}."
        )
        parts.append(pieces.paragraph(text))
    if (found := material.json("certified.json")) is not None:
        keys = ("certified", "worst_miss", "worst_fpr")
        rows = [[f"{row['epsilon']:g}", *(percent(row[key]) for key in keys)]
                for row in found["rows"]]  # fmt: skip
        columns = ["every error within", "beats decided the same by all chips", "miss rate at most",
                   "FPR at most"]  # fmt: skip
        parts.append(pieces.table(columns, rows))
    return pieces.join(parts)


def distillation(_: Material, found: Content) -> Markup:
    """Give the verdict on a teacher, and the rates of every model."""
    return pieces.paragraph(found.get("verdict", "")) + pieces.any_value(found.get("models", []))


def calibration_verdict(found: Content) -> Markup:
    """State whether enough of the calibrated chips are within the limits."""
    stages = [found["stages"][row["stage"]] for row in found["table"]]  # which keeps their order
    first, *_, last = (_with_interval(one["yield"], one["yield_interval"]) for one in stages)
    text = f"{last} of {found['chips']:,} chips have, after calibration, {_required(found)}"
    why = found.get("no_verdict_because")
    start = f"there is no verdict, because {why}. Predicted: " if why else ""
    return pieces.verdict(found["verdict"], f"Calibration: {start}{text} Before it were {first}.")


def calibration(material: Material, found: Content) -> Markup:
    """Compare every stage of a calibration, over all chips and for every chip."""
    parts = [calibration_verdict(found)]
    if rows := material.rows("calibration.json", "calibrated_chips.csv"):
        figure = draw_calibration(found, rows)
        parts.append(pieces.picture(figure, "Every chip before and after calibration"))
    cells = [
        [row["stage"], *(number(row[key], 3) if "error" in key else percent(row[key])
                         for key in STAGE)]
        for row in found["table"]
    ]  # fmt: skip
    parts += [pieces.table(["stage", *STAGE.values()], cells), over_patients(found)]
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
