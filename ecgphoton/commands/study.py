"""``ecgphoton study NAME``: one command a study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from ecgphoton.commands import _options as opt
from ecgphoton.commands import _shared as shared

if TYPE_CHECKING:
    from ecgphoton.run.journey import Outcome

MOST_ROWS = 40
PLAIN = ("hours", "seconds_a_day", "static", "shot", "margin")
"""Columns of numbers that are no shares, besides the first column."""
RATES = {"yield": "yield", "miss_median": "miss median", "fpr_median": "FPR median"}
Sentences = Callable[["Outcome[Any]"], Iterable[str]]


@click.group(cls=opt.Suggesting)
def command() -> None:
    """Ask more of a student on chips: curves, requirements, causes, bounds, single decisions.

    Every study writes numbers, a table and a picture into a folder of its own.
    """


def _study(
    name: str,
    options: dict[str, Any],
    columns: Mapping[str, str],
    sentences: Sentences = lambda _: (),
    *,
    progress: bool = False,
) -> None:
    """Run a study and print columns of its rows, then sentences about it.

    The first column is printed as it is, other numbers as shares.
    """
    from ecgphoton import study

    function, as_json = getattr(study, name), options.pop("as_json")
    with shared.progress() as bars:
        result = function(**options, **({"progress": bars} if progress else {}))

    def draw(found: Outcome[Any]) -> None:
        first = next(iter(found.rows[0]))
        shown = {first: first, **columns} if first not in columns else columns
        rows = [[_cell(row[key], key == first or key in PLAIN) for key in shown]
                for row in found.rows[:MOST_ROWS]]  # fmt: skip
        shared.table(found.folder.name, list(shown.values()), rows)
        for line in (*sentences(found), f"{len(found.rows)} rows written to {found.folder}"):
            click.echo(line)

    shared.show(result, draw, as_json=as_json)


def _cell(value: object, plain: bool) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if plain else shared.percent(value)
    return "–" if value is None else str(value)


@command.command()
@opt.model_argument
@click.option("--over", required=True, metavar="KEY=A:B:N", help="Values: KEY=A:B:N or KEY=A,B.")
@opt.verdict_options
@opt.common_options
def sweep(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Simulate every value of noise or of a profile's key, the same chips at each."""
    columns = {**RATES, "miss_p95": "miss p95", "fpr_p95": "FPR p95", "verdict": "verdict"}
    _study("sweep", options, columns, progress=True)


@command.command()
@opt.model_argument
@click.option("--key", required=True, help="noise, or a key of a profile: splitter.sigma.")
@opt.verdict_options
@opt.common_options
def solve(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Find the largest value of noise or of a profile's key that still passes."""

    def sentences(found: Outcome[Any]) -> Iterable[str]:
        yield f"requirement: {found.report.sentence}"

    _study("solve", options, {"yield": "yield"}, sentences, progress=True)


@command.command()
@opt.model_argument
@opt.chip_options
@click.option("--chips", type=click.IntRange(1), default=40, show_default=True)
@opt.common_options
def blame(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Divide what is lost among sources of error, blocks and MZIs."""
    columns = {
        "kind": "kind", "name": "name", "lost_sensitivity": "lost sensitivity",
        "added_fpr": "added FPR", "lost_sensitivity_gradient": "lost, by gradient",
        "added_fpr_gradient": "added, by gradient",
    }  # fmt: skip
    _study("blame", options, columns, progress=True)


@command.command()
@opt.model_argument
@opt.noise_option
@opt.seed_option
@opt.readout_option
@click.option("--sigmas", type=float, default=3.0, show_default=True, help="Tolerance.")
@click.option("--weight", type=float, default=0.5, show_default=True, help="Of miss against FPR.")
@opt.common_options
def adversary(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Find the worst chip with every error within a tolerance."""

    def sentences(found: Outcome[Any]) -> Iterable[str]:
        worst = found.report
        yield (
            f"worst chip with every error within {worst.bound:.3g}: "
            f"miss {shared.percent(worst.miss)}, FPR {shared.percent(worst.fpr)}"
        )

    _study("adversary", options, {"used": "mean error, of the tolerance"}, sentences)


@command.command()
@opt.model_argument
@click.option(
    "--epsilon", multiple=True, type=float, default=(0.001, 0.002, 0.005, 0.01), show_default=True,
    help="Largest error of every weight and bias; may be given several times.",
)  # fmt: skip
@opt.readout_option
@opt.common_options
def certify(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Count the beats that no chip with every error within epsilon can flip."""
    columns = {
        "certified": "beats no chip can flip", "worst_miss": "miss at most",
        "worst_fpr": "FPR at most",
    }  # fmt: skip
    _study("certify", options, columns)


@command.command()
@opt.model_argument
@click.option("--chip", type=click.IntRange(0), default=0, show_default=True)
@click.option("--beat", type=click.IntRange(0), default=0, show_default=True)
@opt.chip_options
@opt.common_options
def trace(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Replay one decision of one chip: what every block did to its margin (abnormal: above 0)."""

    def sentences(found: Outcome[Any]) -> Iterable[str]:
        one = found.report
        yield (
            f"margin of the perfect chip {one.perfect:+.4f}; "
            f"annotated {'abnormal' if one.abnormal else 'normal'}; "
            f"the chip is {'right' if one.right else 'WRONG'}"
            f"{', and flips the perfect decision' if one.flipped else ''}"
        )

    columns = {"static": "by its wrong matrix", "shot": "by this shot", "margin": "margin after"}
    _study("trace", options, columns, sentences)


@command.command()
@opt.model_argument
@click.option("--over", default="noise=0.005:0.04:8", show_default=True, metavar="noise=A:B:N")
@click.option("--chips", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--order", type=click.IntRange(1, 2), default=2, show_default=True)
@opt.seed_option
@opt.limit_option
@opt.common_options
def surrogate(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Estimate yield over noise by a Taylor expansion, with its error against exact chips."""
    _study("surrogate", options, {**RATES, "error_rms": "error, exact chips"}, progress=True)


@command.command()
@opt.model_argument
@click.option("--profile", default="foundry-thermo-optic", show_default=True)
@click.option("--chips", type=click.IntRange(1), default=40, show_default=True)
@opt.seed_option
@click.option(
    "--hours", multiple=True, type=float, default=(1.0, 2.0, 4.0, 8.0, 12.0), show_default=True,
    help="Interval between two calibrations to try; may be given several times.",
)  # fmt: skip
@opt.limit_option
@opt.common_options
def drift(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Find how often calibrated chips must be calibrated again to keep the limits for a day."""

    def sentences(found: Outcome[Any]) -> Iterable[str]:
        best = found.report.cheapest
        if best is None:
            yield "no schedule tried keeps the limits"
        else:
            yield f"cheapest that keeps the limits: every {best.hours:g} h ({best.way})"

    columns = {
        "hours": "every, h", "way": "way", "yield_before": "yield before",
        "yield_after": "yield after", "seconds_a_day": "seconds a day", "keeps": "keeps",
    }  # fmt: skip
    _study("drift", options, columns, sentences, progress=True)


@command.command()
@opt.model_argument
@click.option("--fewest", type=click.IntRange(2, 16), default=4, show_default=True)
@click.option("--most", type=click.IntRange(2, 16), default=10, show_default=True)
@opt.common_options
def bits(**options: Any) -> None:  # noqa: ANN401 - as the function takes them
    """Measure miss rate and FPR against the width of weights, converters and heater DACs."""

    def sentences(found: Outcome[Any]) -> Iterable[str]:
        for part, width in found.numbers["enough"].items():
            yield f"{part}: {'more' if width is None else width} bits are enough"

    columns = {
        "part": "part", "bits": "bits", "agreement": "decided alike",
        "delta_miss": "change of miss", "delta_fpr": "change of FPR",
    }  # fmt: skip
    _study("bits", options, columns, sentences)
