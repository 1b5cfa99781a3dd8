"""Studies behind ``ecgphoton simulate``: sweep, solve, blame, adversary, certify, trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.artifacts import write_json
from ecgphoton.commands import _shared as shared
from ecgphoton.errors import InputError

if TYPE_CHECKING:
    from ecgphoton.hwsim.montecarlo import Trial
    from ecgphoton.run.subject import Subject


@dataclass(frozen=True)
class Asked:
    """What the command line asked for."""

    subject: Subject
    out: Path
    data: str | None
    data_dir: Path | None
    as_json: bool
    settings: dict[str, Any]
    """As `ecgphoton.hwsim.simulate.simulate` takes them."""
    options: dict[str, Any]


Study = Callable[[Asked], None]
BLAME_BEATS, BOUND_BEATS = 4096, 2048
TRIAL = ("seed", "noise", "profile", "readout", "detection")
SHOWN_SHARES = 40


def chosen(options: dict[str, Any]) -> Study | None:
    """Return the one study asked for, None for a plain simulation.

    Raises
    ------
    InputError
        If two are asked for at once.
    """
    asked = [name for name in STUDIES if options[name]]
    if len(asked) > 1:
        raise InputError(f"--{asked[0]} and --{asked[1]} are two studies; ask for one at a time")
    return STUDIES[asked[0]] if asked else None


def _sweep(asked: Asked) -> None:
    from ecgphoton.hwsim.sweep import parse_sweep, run_sweep
    from ecgphoton.report.chips import draw_sweep
    from ecgphoton.run.simulate import bench_of

    sweep = parse_sweep(asked.options["sweep"])
    bench = bench_of(asked.subject, asked.data, asked.data_dir)
    with shared.progress() as bars:
        task = bars.add_task(f"values of {sweep.parameter}", total=len(sweep.values), note="")
        report = run_sweep(
            sweep,
            *bench.arguments,
            progress=lambda done, total: bars.update(task, completed=done, total=total),
            **asked.settings,
        )
    shared.banner(bench.beats.source)
    draw_sweep(asked.out / "sweep.png", report, source=bench.beats.source)
    write_json(asked.out / "sweep.json", {**report.to_dict(), "source": bench.beats.source})
    if asked.as_json:
        shared.emit(report.to_dict())
        return
    rows = [
        [
            f"{row[sweep.parameter]:g}",
            shared.percent(row["yield"], 1),
            *(shared.percent(row[f"{m}_{q}"]) for m in ("miss", "fpr") for q in ("median", "p95")),
            row["verdict"],
        ]
        for row in report.rows()
    ]
    columns = [sweep.parameter, "yield", "miss median", "p95", "FPR median", "p95", "verdict"]
    shared.table(f"{asked.settings['chips']} chips at every value", columns, rows)
    click.echo(f"written to {asked.out}")


def _solve(asked: Asked) -> None:
    from ecgphoton.hwsim.sweep import parameter, solve
    from ecgphoton.run.simulate import bench_of

    name = asked.options["solve"]
    parameter(name)
    bench = bench_of(asked.subject, asked.data, asked.data_dir)
    with shared.progress() as bars:
        task = bars.add_task(f"bisecting {name}", total=None, note="")
        found = solve(
            name,
            *bench.arguments,
            progress=lambda done, total: bars.update(task, completed=done, total=total),
            **asked.settings,
        )
    shared.banner(bench.beats.source)
    write_json(asked.out / "requirement.json", {**found.to_dict(), "source": bench.beats.source})
    if asked.as_json:
        shared.emit(found.to_dict())
        return
    rows = [[f"{value:.5g}", shared.percent(share, 1)] for value, share in found.tried]
    shared.table(f"yield at values of {name}", [name, "yield"], rows)
    click.echo(f"requirement: {found.sentence}")


def _trial(asked: Asked, most: int | None) -> tuple[Trial, str]:
    from ecgphoton.run.simulate import bench_of

    bench = bench_of(asked.subject, asked.data, asked.data_dir, most=most)
    shared.banner(bench.beats.source)
    return bench.trial(**{name: asked.settings[name] for name in TRIAL}), bench.beats.source


def _blame(asked: Asked) -> None:
    from ecgphoton.hwsim.blame import blame

    trial, source = _trial(asked, BLAME_BEATS)
    shares = [share.to_dict() for share in blame(trial, chips=min(asked.settings["chips"], 40))]
    write_json(asked.out / "blame.json", {"shares": shares, "source": source})
    if asked.as_json:
        shared.emit(shares)
        return
    columns = ["kind", "name", "lost sensitivity", "added FPR", "by gradient", "by gradient"]
    keys = ("lost_sensitivity", "added_fpr", "lost_sensitivity_gradient", "added_fpr_gradient")
    rows = [[s["kind"], s["name"], *(shared.percent(s[key]) for key in keys)] for s in shares]
    shared.table("what each source of error costs alone", columns, rows[:SHOWN_SHARES])
    click.echo(f"{len(rows)} shares, all in {asked.out / 'blame.json'}")


def _adversary(asked: Asked) -> None:
    from ecgphoton.hwsim.adversary import worst_chip

    trial, source = _trial(asked, None)
    found = worst_chip(trial)
    write_json(asked.out / "adversary.json", {**found.to_dict(), "source": source})
    if asked.as_json:
        shared.emit(found.to_dict())
        return
    click.echo(
        f"worst chip with every error within {found.bound:.3g}: miss {shared.percent(found.miss)}, "
        f"FPR {shared.percent(found.fpr)}"
    )


def _certify(asked: Asked) -> None:
    from ecgphoton.hwsim.certify import certify

    try:
        epsilons = tuple(float(text) for text in asked.options["certify"].split(","))
    except ValueError:
        raise InputError(
            f"--certify {asked.options['certify']!r} cannot be read; write 0.001,0.002"
        ) from None
    trial, source = _trial(asked, BOUND_BEATS)
    rows = certify(trial, epsilons)
    write_json(asked.out / "certified.json", {"rows": rows, "source": source})
    if asked.as_json:
        shared.emit(rows)
        return
    keys = ("certified", "worst_miss", "worst_fpr")
    shown = [[f"{row['epsilon']:g}", *(shared.percent(row[key]) for key in keys)] for row in rows]
    columns = ["every error within", "beats no chip can flip", "miss at most", "FPR at most"]
    shared.table("certified by interval bounds (no per-shot noise)", columns, shown)


def _trace(asked: Asked) -> None:
    from ecgphoton.hwsim.trace import trace

    trial, source = _trial(asked, None)
    chip, beat = asked.options["chip"], asked.options["beat"]
    if beat >= len(trial.inputs):
        raise InputError(f"--beat {beat}: the evaluation beats are 0 to {len(trial.inputs) - 1}")
    found = trace(trial, chip, beat)
    write_json(asked.out / "trace.json", {**found.to_dict(), "source": source})
    if asked.as_json:
        shared.emit(found.to_dict())
        return
    rows = [[s.block, f"{s.static:+.4f}", f"{s.shot:+.4f}", f"{s.margin:+.4f}"]
            for s in found.stages]  # fmt: skip
    rows.insert(0, ["perfect chip", "", "", f"{found.perfect:+.4f}"])
    title = f"chip {found.chip}, beat {found.beat}: margin of the decision, abnormal is positive"
    shared.table(title, ["after", "wrong matrix", "this shot", "margin"], rows)
    truth = "abnormal" if found.abnormal else "normal"
    click.echo(
        f"annotated {truth}; the chip is {'right' if found.right else 'WRONG'}"
        f"{', and flips the perfect decision' if found.flipped else ''}"
    )


STUDIES: dict[str, Study] = {
    "sweep": _sweep,
    "solve": _solve,
    "blame": _blame,
    "adversary": _adversary,
    "certify": _certify,
    "trace": _trace,
}
