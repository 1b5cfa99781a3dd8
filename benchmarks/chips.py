"""Chips and patients in one interval, and the bits a student needs, for docs/results.md.

    python -m benchmarks chips inter-patient --chips 1000 --write
    python -m benchmarks chips inter-patient --chips 0 --bits runs/bits --write

The first takes as long as `ecgphoton simulate` with as many chips: half a second of one core each.
The second reads a folder of `ecgphoton study bits`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import ecgphoton as ep
from benchmarks._pages import fill, table
from benchmarks._runs import Values
from ecgphoton.artifacts import read_json
from ecgphoton.hwsim.montecarlo import GROUP
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.metrics import proportion_interval
from ecgphoton.run.beats import evaluation_beats
from ecgphoton.student.propagate import inputs_of

PAGE, DRAWS = Path("docs/results.md"), 2000


@dataclass(frozen=True, eq=False)
class Counts:
    """Wrong calls of every chip on every record."""

    missed: Values
    """(chips, records)."""
    false: Values
    abnormal: Values
    """(records,)."""
    normal: Values
    perfect: tuple[float, float]

    def rates(self, times: Values) -> tuple[Values, Values]:
        """Miss rate and FPR (chips,) with every record counted some times."""
        return (
            self.missed @ times / max(self.abnormal @ times, 1),
            self.false @ times / max(self.normal @ times, 1),
        )


def counted(model: str, noise: float, chips: int, seed: int) -> Counts:
    """Judge chips as `simulate` does, and keep the records apart."""
    trained = ep.load(model)
    beats = evaluation_beats(trained.metadata)
    inputs = inputs_of(beats, trained.carried.architecture)
    trial = trial_of(trained.carried, inputs, beats.label, trained.point, seed=seed, noise=noise)
    names, at = np.unique(beats.record, return_inverse=True)
    truth = beats.label > 0

    def by_record(rows: np.ndarray) -> Values:
        return np.bincount(at[rows], minlength=len(names)).astype(float)

    missed, false = [], []
    for first in range(0, chips, GROUP):
        called = trial.point.decide(trial.score(trial.chips(first), first))
        missed += [by_record(truth & ~row) for row in called]
        false += [by_record(~truth & row) for row in called]
        print(f"{first + GROUP} of {chips} chips", end="\r", flush=True)
    alone = trial.point.decide(trial.perfect())
    perfect = float((~alone[truth]).mean()), float(alone[~truth].mean())
    wrong = np.array(missed[:chips]), np.array(false[:chips])
    return Counts(*wrong, by_record(truth), by_record(~truth), perfect)


def chip_table(model: str, noise: float, found: Counts, limits: Limits) -> str:
    """Rates and yield, with what other chips change, and what other patients change as well."""
    chips, records = found.missed.shape
    rng = np.random.default_rng(20)
    once = np.ones(records)
    drawn = []
    for _ in range(DRAWS):
        picks = rng.multinomial(records, once / records).astype(float)
        own = rng.integers(chips, size=chips)
        miss, fpr = (rate[own] for rate in found.rates(picks))
        drawn.append((miss.mean(), fpr.mean(), limits.good(miss, fpr).mean()))
    both = 100 * np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    miss, fpr = found.rates(once)
    good = limits.good(miss, fpr)
    rows = []
    for at, (name, values, perfect) in enumerate(
        zip(("miss", "FPR"), (miss, fpr), found.perfect, strict=True)
    ):
        middle, high, worst = 100 * np.quantile(values, [0.5, 0.95, 1.0])
        chip = f"{middle:.2f} / {high:.2f} / {worst:.2f}"
        interval = f"[{both[0, at]:.1f}, {both[1, at]:.1f}]"
        rows.append([name, f"{100 * perfect:.2f}", chip, "–", interval])
    low, high = proportion_interval(int(good.sum()), chips)
    rows.append(
        [
            f"yield, within {100 * limits.max_miss:g} / {100 * limits.max_fpr:g} %",
            "–",
            f"{100 * good.mean():.1f}",
            f"[{100 * low:.1f}, {100 * high:.1f}]",
            f"[{both[0, 2]:.1f}, {both[1, 2]:.1f}]",
        ]
    )
    heads = [
        "%",
        "no error",
        "chips: median / p95 / worst",
        "over chips",
        "over patients and chips",
    ]
    said = f"`{model}`, {chips:,} chips, noise {noise:g}:\n\n"
    return said + table(heads, rows)


def bits_table(folder: Path) -> str:
    """What a study of bits found."""
    found = read_json(folder / "bits.json")
    rows = [
        [
            row["part"],
            row["bits"],
            f"{100 * row['agreement']:.2f}",
            f"{100 * row['delta_miss']:+.2f}",
            f"{100 * row['delta_fpr']:+.2f}",
        ]
        for row in found["rows"]
    ]
    return table(["part", "bits", "agreement %", "Δ miss, points", "Δ FPR, points"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="inter-patient")
    parser.add_argument("--chips", type=int, default=200, help="0 for none")
    parser.add_argument("--noise", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bits", type=Path, help="folder of `ecgphoton study bits`")
    parser.add_argument("--write", action="store_true", help=f"fill {PAGE}")
    given = parser.parse_args()
    found = {}
    if given.chips:
        counts = counted(given.model, given.noise, given.chips, given.seed)
        found["chips"] = chip_table(given.model, given.noise, counts, Limits())
    if given.bits:
        found["bits"] = bits_table(given.bits)
    print("\n".join(found.values()))
    if given.write:
        fill(PAGE, found)


if __name__ == "__main__":
    main()
