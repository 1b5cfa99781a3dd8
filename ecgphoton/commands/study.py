"""``ecgphoton study NAME``: one command a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ecgphoton import wording
from ecgphoton.commands import _derive as derive, _options as opt, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.journey import Outcome

MOST_ROWS = 40
PLAIN = ("hours", "seconds_a_day", "static", "shot", "margin")
"""Columns of numbers that are not shares, besides the first column."""
POINTS = ("lost_sensitivity", "added_fpr", "lost_sensitivity_gradient", "added_fpr_gradient",
          "delta_miss", "delta_fpr")  # fmt: skip
"""Columns of differences between rates, printed in percentage points with their sign."""
SIZES = ("error_rms",)
"""Columns of sizes of differences, printed in percentage points without sign."""
RATES = {"yield": "yield", "miss_median": "miss median", "fpr_median": "FPR median"}


@click.group(cls=opt.Suggesting)
def command() -> None:
    """Study a student on chips: curves, causes and bounds.

    Every study writes numbers, a table and a picture into a new folder below simulations/STUDENT/,
    where `ecgphoton report` finds them.
    """


def _add(
    name: str, columns: Mapping[str, str], sentence: Callable[[Outcome[Any]], str] | None = None
) -> None:
    """Add a study that prints columns of its rows, then a sentence about it.

    The first column is printed as it is, with its unit; other numbers as shares, with the interval
    that the row holds.
    """

    def draw(found: Outcome[Any]) -> None:
        shared.say(shared.made_from(found.numbers))
        first = next(iter(found.rows[0]))
        unit = found.numbers.get("unit")
        heading = f"{first}, {unit}" if unit else first
        shown = {first: heading, **columns} if first not in columns else columns
        rows = [[_cell(row, key, key == first or key in PLAIN) for key in shown]
                for row in found.rows[:MOST_ROWS]]  # fmt: skip
        shared.table(name, list(shown.values()), rows)
        shared.say(
            sentence(found) if sentence else None,
            f"{shared.count(len(found.rows), 'row')} written to {found.folder}",
        )

    command.add_command(derive.command(f"study.{name}", {"settings": "--set"})(draw))


def _cell(row: Mapping[str, Any], key: str, plain: bool) -> str:
    value, low, high = (row.get(name) for name in (key, f"{key}_low", f"{key}_high"))
    if isinstance(value, float):
        if key in POINTS:
            return wording.rise(value, low, high)
        if key in SIZES:
            return f"{100 * value:.2f}"
        text = f"{value:.4g}" if plain else shared.percent(value)
        return text if low is None or high is None else f"{text} {wording.ends(low, high)}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)


def _intervals(_: Outcome[Any]) -> str:
    return (
        "points: percentage points above the perfect chip on the same beats; in brackets: 95 % "
        "intervals over the simulated chips, and over those of the gradient. Where all these chips "
        "agree, the interval has no width, and other chips may still differ"
    )


def _worst(found: Outcome[Any]) -> str:
    worst = found.report
    return (
        f"worst chip with every error within {worst.sigmas:g} standard deviations, at most "
        f"{worst.bound:.3g}: "
        f"miss {shared.percent(worst.miss)}, FPR {shared.percent(worst.fpr)}"
    )


def _replayed(found: Outcome[Any]) -> str:
    one = found.report
    return (
        f"margin of the perfect chip {one.perfect:+.4f}; "
        f"annotated {'abnormal' if one.abnormal else 'normal'}; "
        f"the chip is {'right' if one.right else 'WRONG'}"
        f"{', and flips the perfect decision' if one.flipped else ''}"
    )


def _cheapest(found: Outcome[Any]) -> str:
    best = found.report.cheapest
    if best is None:
        return "no schedule tried keeps the limits"
    way = (
        f"the limits are kept for {best.hours:g} h without calibrating again"
        if best.way == "none"
        else f"cheapest that keeps the limits: every {best.hours:g} h ({best.way})"
    )
    confidence = shared.percent(best.limits.confidence, None)
    return (
        f"{way}; {'proven' if best.proven else 'not yet decided'} at {confidence} confidence "
        f"on {shared.count(best.chips, 'chip')}"
    )


def _moved(found: Outcome[Any]) -> str:
    from ecgphoton.hwsim.sweep import nothing_moves

    numbers = found.numbers
    return nothing_moves(numbers["parameter"]) if numbers["without_effect"] else ""


def _enough(found: Outcome[Any]) -> str:
    return "\n".join(
        f"{part}: {'none of these widths is' if width is None else f'{width} bits are'} enough"
        for part, width in found.numbers["enough"].items()
    )


_add(
    "sweep",
    {
        **RATES,
        "miss_p95": "miss p95",
        "fpr_p95": "FPR p95",
        "verdict": "verdict",
        "proven": "proven",
    },
    _moved,
)
_add("solve", {"yield": "yield"}, lambda found: f"requirement: {found.report.sentence}")
_add("blame", {
    "kind": "kind", "name": "name", "lost_sensitivity": "miss rate, points",
    "added_fpr": "FPR, points", "lost_sensitivity_gradient": "miss rate, by gradient",
    "added_fpr_gradient": "FPR, by gradient",
}, _intervals)  # fmt: skip
_add("adversary", {"used": "mean error, of the tolerance"}, _worst)
_add("certify", {
    "certified": "beats no chip can flip", "worst_miss": "miss at most",
    "worst_fpr": "FPR at most",
})  # fmt: skip
_add("trace", {
    "static": "change by static errors", "shot": "change by shot noise", "margin": "margin after",
}, _replayed)  # fmt: skip
_add("surrogate", {**RATES, "error_rms": "error against exact chips, points"})
_add("drift", {
    "hours": "every, h", "way": "way", "yield_before": "yield before",
    "yield_after": "yield after", "seconds_a_day": "seconds a day", "keeps": "keeps limits",
    "proven": "proven",
}, _cheapest)  # fmt: skip
_add("bits", {
    "part": "part", "bits": "bits", "agreement": "same decision",
    "delta_miss": "miss rate, points", "delta_fpr": "FPR, points",
}, _enough)  # fmt: skip


@derive.command("study.sheet", {"settings": "--set"})
def sheet(found: Outcome[Any]) -> None:
    """Print one row a parameter, uncalibrated beside calibrated."""
    from ecgphoton.calibration.requirements import ALL
    from ecgphoton.report.sheet import columns_of

    shared.say(shared.made_from(found.numbers))
    shared.table("sheet", *columns_of(found.rows))
    idle, limits = ", ".join(found.numbers["idle"]), found.numbers["limits"]
    beats = found.numbers["provenance"]["data"]["beats"]
    shared.say(
        f"{shared.count(found.numbers['chips'], 'chip')} at every size, each parameter alone: "
        f"several at once are covered by the row {ALL!r} only",
        f"a size passes where at least {shared.percent(limits['min_yield'], None)} of the chips "
        f"have miss <= {shared.percent(limits['max_miss'], None)} and FPR <= "
        f"{shared.percent(limits['max_fpr'], None)} on {beats:,} beats; sizes are known to "
        f"{shared.percent(found.numbers['precision'], None)}, yields in brackets at "
        f"{shared.percent(limits['confidence'], None)} confidence",
        found.numbers["conditions"],
        f"without effect alone in this profile: {idle}" if idle else "",
        f"{shared.count(len(found.rows), 'row')} written to {found.folder}",
    )


command.add_command(sheet)
