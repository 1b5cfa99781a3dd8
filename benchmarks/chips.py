"""Chips and patients in one interval, and the bits a student needs, for docs/results.md.

    python -m benchmarks chips inter-patient --chips 1000 --write
    python -m benchmarks chips inter-patient --chips 0 --bits runs/bits --write

The first takes as long as `ecgphoton simulate` with as many chips: half a second of one core each.
The second reads a folder of `ecgphoton study bits`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import ecgphoton as ep
from benchmarks._pages import fill, table
from ecgphoton.artifacts import read_json
from ecgphoton.errors import InputError
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.run.beats import evaluation_beats
from ecgphoton.student.inputs import inputs_of

PAGE = Path("docs/results.md")
NAMES = {"miss": "miss", "fpr": "FPR"}


def chip_table(model: str, noise: float, chips: int, seed: int) -> str:
    """Rates and yield, with what other chips change, and what other patients change as well."""
    trained = ep.load(model)
    beats = evaluation_beats(trained.metadata).beats
    inputs = inputs_of(beats, trained.carried.architecture)
    found = simulate(
        trained.carried,
        inputs,
        beats.label,
        trained.point,
        chips=chips,
        seed=seed,
        noise=noise,
        records=beats.record,
        progress=lambda done, all_: print(f"{done} of {all_} chips", end="\r", file=sys.stderr),
    )
    about, limits = found.over_patients, found.limits
    if about is None or about["intervals"] is None:
        raise InputError(f"the beats of {model} are of one record; several are needed")
    rows = []
    for name, row in about["intervals"].items():
        over = {key: "[{:.1f}, {:.1f}]".format(*(100 * end for end in row[key]))
                for key in ("chips", "both")}  # fmt: skip
        if name == "yield":
            within = f"yield, within {100 * limits.max_miss:g} / {100 * limits.max_fpr:g} %"
            rows.append([within, "–", f"{100 * row['value']:.1f}", *over.values()])
            continue
        metric = found.summary()[name]
        spread = " / ".join(f"{100 * (metric[key] or 0):.2f}" for key in ("median", "p95", "worst"))
        perfect = f"{100 * (metric['perfect'] or 0):.2f}"
        rows.append([NAMES[name], perfect, spread, "–", over["both"]])
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
        found["chips"] = chip_table(given.model, given.noise, given.chips, given.seed)
    if given.bits:
        found["bits"] = bits_table(given.bits)
    print("\n".join(found.values()))
    if given.write:
        fill(PAGE, found)


if __name__ == "__main__":
    main()
