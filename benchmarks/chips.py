"""Tables of docs/results.md on noisy chips and on bits, from the folders of finished commands.

    ecgphoton simulate inter-patient --noise 0.02 --chips 1000 --out runs/verdict
    ecgphoton study bits inter-patient --fewest 2 --most 12 --out runs/bits
    python -m benchmarks chips --verdict runs/verdict --bits runs/bits --write

A thousand chips take 12 minutes of one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks._pages import fill, table
from ecgphoton.artifacts import read_json
from ecgphoton.errors import InputError

PAGE = Path("docs/results.md")
NAMES = {"miss": "miss", "fpr": "FPR"}


def chip_table(folder: Path) -> str:
    """Rates and yield, with what other chips change, and what other patients change as well."""
    found = read_json(folder / "simulation.json")
    about, limits = found["over_patients"], found["limits"]
    if about is None or about["intervals"] is None:
        raise InputError(f"the beats of {folder} are of one record; several are needed")
    rows = []
    for name in (*NAMES, "yield"):
        row = about["intervals"][name]
        over = {key: "[{:.1f}, {:.1f}]".format(*(100 * end for end in row[key]))
                for key in ("chips", "both")}  # fmt: skip
        if name == "yield":
            within = f"yield, within {100 * limits['max_miss']:g} / {100 * limits['max_fpr']:g} %"
            rows.append([within, "–", f"{100 * row['value']:.1f}", *over.values()])
            continue
        metric = found["metrics"][name]
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
    model = Path(found["provenance"]["model"])
    named = model.parent.name if model.name == "bundle" else model.name
    said = f"`{named}`, {found['chips']:,} chips, noise {found['noise']:g}:\n\n"
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
    parser.add_argument("--verdict", type=Path, help="folder of `ecgphoton simulate`")
    parser.add_argument("--bits", type=Path, help="folder of `ecgphoton study bits`")
    parser.add_argument("--write", action="store_true", help=f"fill {PAGE}")
    given = parser.parse_args()
    found = {}
    if given.verdict:
        found["chips"] = chip_table(given.verdict)
    if given.bits:
        found["bits"] = bits_table(given.bits)
    if not found:
        parser.error("give --verdict or --bits")
    print("\n".join(found.values()))
    if given.write:
        fill(PAGE, found)


if __name__ == "__main__":
    main()
