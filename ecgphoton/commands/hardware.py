"""Commands about hardware: ``export``, ``verify``, ``simulate``, ``calibrate`` and ``budget``."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _derive as derive, _shared as shared
from ecgphoton.wording import hardware

if TYPE_CHECKING:
    from ecgphoton.calibration.report import CalibrationReport
    from ecgphoton.export.bundle import ExportReport
    from ecgphoton.export.verify import VerificationReport
    from ecgphoton.hwsim.budget import Budget
    from ecgphoton.hwsim.verdict import SimulationReport
    from ecgphoton.run.journey import Outcome

LIMITS = {
    "--max-miss": "`--limit miss VALUE`, or `ecgphoton export RUN --max-miss VALUE` for another "
    "operating point",
    "--max-fpr": "`--limit fpr VALUE`, or `ecgphoton export RUN --max-fpr VALUE` for another "
    "operating point",
    "--min-yield": "`--limit yield VALUE`",
}
RECEIVER = {"--detection": "`--set receiver.kind=NAME`"}
STUDIES = {
    **{f"--{name}": f"`ecgphoton study {name}`" for name in ("blame", "adversary", "trace")},
    "--sweep": "`ecgphoton study sweep --over`",
    "--solve": "`ecgphoton study solve --key`",
    "--certify": "`ecgphoton study certify --epsilon`",
}


@derive.command("run.export", {"formats": "--format"})
def export(report: ExportReport) -> None:
    """Print the order of the singular values, the parts and the folder."""
    shared.say(shared.student(report.run, report.chosen))
    now, before = ("margin, rad", "heaters, P_pi"), ("margin before, rad", "heaters before, P_pi")
    columns = ["block", "order", *now, *before]
    shared.table("order of the singular values on the paths of every block", columns, report.rows())
    shared.say(
        "margin: the splitter error that every MZI of a block can correct; heaters: static power "
        "at the phases of its meshes, without attenuators, whose power is the same in every order; "
        "before: in descending order (0 1 2 3)"
    )
    parts = [
        f"{name.replace('_', ' ').replace('mzis', 'MZIs')} {value:,}"
        for name, value in report.bill_of_materials.items()
        if not isinstance(value, dict | list)
    ]
    foreign = report.unexplained
    shared.say(
        ", ".join(parts),
        f"codes of {report.drivers}: {report.shipped} (golden beats)",
        report.crosstalk,
        f"features.py is left out: the formula of {', '.join(foreign)} is in mesh.json, the "
        "computation in another package"
        if foreign
        else "",
        f"converter ranges from {report.ranges_from}; {report.seconds:.1f} s",
        f"bundle written to {report.folder}: {sum(report.files.values()):,} bytes",
    )


@derive.command("run.verify")
def verify(report: VerificationReport) -> None:
    """Print every claim and what recomputing it gave."""
    shared.say(shared.student(report.folder, report.chosen))
    shared.table("claims of the bundle", ["claim", "outcome", "found"], report.rows())
    coarse = any(one.outcome == "coarse" for one in report.checks)
    shared.say(
        "every claim holds" if report.ok else "NOT VERIFIED",
        "but the DAC codes perform the program coarsely: export with more --dac-bits"
        if coarse else None,
    )  # fmt: skip


@derive.command("run.simulate", {"settings": "--set"}, moved=LIMITS | STUDIES | RECEIVER)
def simulate(result: Outcome[SimulationReport]) -> None:
    """Print the table and the verdict of a simulation."""
    from ecgphoton.hwsim.montecarlo import GROUP

    found = result.numbers
    shared.say(shared.made_from(found))
    columns = ["mean", "median", "p5", "p95", "worst", "perfect"]
    shown = {name: shared.area if name == "auc" else shared.percent for name in found["metrics"]}
    rows = [
        [shared.words(name), *(shown[name](row[column]) for column in columns)]
        for name, row in found["metrics"].items()
    ]
    chips = f"{shared.count(found['chips'], 'chip')}, {hardware(found)}"
    title = f"{chips}, {found['beats']:,} beats each"
    shared.table(title, ["", *columns], rows)
    shared.say(found["perfect"], found["recoded"], found["conditions"])
    over_patients(found["over_patients"])
    interval = shared.ends(*found["yield_interval"], digits=1)
    limits = found["limits"]
    proven = "proven at" if found["proven"] else "not yet decided at"
    shared.say(
        f"yield {shared.percent(found['yield'], 1)} {interval} of chips "
        f"with miss <= {shared.percent(limits['max_miss'], None)} and "
        f"FPR <= {shared.percent(limits['max_fpr'], None)}; "
        f"wanted {shared.percent(limits['min_yield'], None)}: {found['verdict'].upper()} "
        f"({proven} {shared.percent(limits['confidence'], None)} confidence)",
        None
        if found["false_pass"] is None
        else f"judged after every {GROUP} chips: a yield of exactly "
        f"{shared.percent(limits['min_yield'], None)} would count as proven in "
        f"{shared.percent(found['false_pass'], 1)} of the cases",
        f"{found['seconds']:.1f} s; written to {result.folder}",
    )


def over_patients(found: Mapping[str, Any]) -> None:
    """Print what other chips and other patients would change."""
    from ecgphoton.report.chips import interval_table

    if found["intervals"] is not None:
        shared.table("intervals", *interval_table(found))
    click.echo(found["sentence"])


@derive.command("run.calibrate", {"settings": "--set"}, moved=LIMITS)
def calibrate(result: Outcome[CalibrationReport]) -> None:
    """Print the stages, what was found broken, and the cost."""
    from ecgphoton.calibration.report import NEAR

    report = result.report
    shared.say(shared.made_from(result.numbers))
    shares = ("miss_mean", "miss_p95", "fpr_mean", "fpr_p95")
    rows = [
        [
            row["stage"],
            *(shared.percent(row[key]) for key in shares),
            *(shared.percent(row[key], 1) for key in ("yield", "near")),
            f"{row['error_median']:.1e}",
        ]
        for row in report.rows()
    ]
    columns = ["", "miss mean", "p95", "FPR mean", "p95", "yield", "near digital", "matrix error"]
    about = report.settings.get("profile", "a bench, judged by what the drive table predicts")
    shared.table(f"{shared.count(report.final.chips, 'chip')} of {about}", columns, rows)
    shared.say(
        f"near digital: miss and FPR within {100 * NEAR:g} percentage points of the digital "
        "student's; matrix error: median, relative",
        *(report.settings.get(name) for name in ("recoded", "conditions")),
        *(f"  {found}" for found in report.findings),
    )
    over_patients(result.numbers["over_patients"])
    miss, fpr, _ = map(shared.percent, report.final.perfect)
    confidence = shared.percent(report.final.limits.confidence, None)
    proven = f" ({'proven' if report.proven else 'not yet decided'} at {confidence} confidence)"
    why = f", because {report.unknown}" if report.unknown else proven
    measured, cost = report.errors.get("measured"), report.cost
    error = None if measured is None else median(measured.ravel().tolist())
    shared.say(
        f"digital student: miss {miss}, FPR {fpr}; "
        f"verdict after calibration: {report.verdict.upper()}{why}",
        None if error is None else f"matrix error as read afterwards: {error:.1e} (median)",
        f"{cost.settings:,} settings and {cost.readings:,} readings a chip, "
        f"{1000 * cost.seconds():.0f} ms of heater settling and reading on hardware; "
        f"{report.calibration_seconds:.1f} s of calibration here; tables in {result.folder}",
    )


@derive.command("run.budget", {"settings": "--set"})
def budget(result: Outcome[Budget]) -> None:
    """Print the light path, the noise, the ways to drive a chip, and who wins."""
    from ecgphoton.hwsim.budget import LEAKING
    from ecgphoton.hwsim.energy import prefixed

    found = result.report
    shared.say(shared.made_from(result.numbers))
    for name, stages in (
        ("signal", found.link.signal),
        ("local oscillator", found.link.oscillator),
    ):
        rows = [[one.name, f"{one.change_db:+.2f}", f"{one.dbm:+.2f}"] for one in stages]
        shared.table(f"{name}, one path at an input of 1", ["behind", "dB", "dBm"], rows)
    noise = ", ".join(f"{name} {value:.2g}" for name, value in found.link.noise.items())
    stated = f"laser for one block: {result.numbers['laser_mw']:g} mW stated"
    ratio = "no noise" if found.link.snr_db is None else f"SNR {found.link.snr_db:.1f} dB"
    shared.say(
        f"receiver {found.profile.receiver}; noise of a reading, of full scale: {noise}",
        f"{ratio} at full scale; light of extinguished modulators reads up to {found.leak:.2g}, "
        f"the mean of {LEAKING} chips"
        if found.leak
        else f"{ratio} at full scale",
        None if found.requirement is None else f"{stated}; {found.requirement.sentence}",
    )
    names = list(found.plans[0].power)
    rows = [
        [
            plan.name,
            *(prefixed(plan.power[name], "W") for name in names),
            prefixed(plan.seconds, "s") + ("" if plan.in_time else ", too late"),
            prefixed(plan.joules, "J"),
        ]
        for plan in found.plans
    ]
    title = (
        f"mean power over a beat of {result.numbers['period_s']:g} s, {found.macs:,} multiply-adds"
    )
    shared.table(title, ["", *names, "time", "energy"], rows)
    rows = [[one.name, prefixed(one.seconds, "s"), prefixed(one.joules, "J"), one.source]
            for one in found.digital]  # fmt: skip
    shared.table("the same multiply-adds", ["", "time", "energy", "source"], rows)
    unstated = ", ".join(found.unstated)
    shared.say(
        found.sentence,
        *found.assumptions,
        f"the profile does not state {unstated}: not counted" if unstated else "",
        result.numbers["conditions"],
        f"written to {result.folder}",
    )
