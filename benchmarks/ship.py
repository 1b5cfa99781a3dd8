"""Make the students that come with the package from finished runs: bundle, checkpoint and card.

    make models                                           # trains seed 0 of each recipe first
    python -m benchmarks ship runs/final/inter-patient-0

A run goes into ``ecgphoton/models/RECIPE``. Its bundle must verify. The card is made by
``python -m benchmarks card``; ``--no-card`` writes a short one without reading recordings.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from benchmarks.card import card, short_card
from ecgphoton import models, run
from ecgphoton.artifacts import write_text
from ecgphoton.runs import CHECKPOINT, load_student


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--no-card", action="store_true")
    given = parser.parse_args()
    for folder in given.runs:
        trained = load_student(folder)
        place = Path(models.__file__).parent / trained.recipe.name
        report = run.export(folder, out=place / "bundle", force=True)
        found = run.verify(place / "bundle")
        if not found.ok:
            print(f"{place}: a claim does not hold", file=sys.stderr)
            return 1
        shutil.copy(trained.path, place / CHECKPOINT)
        write_text(place / "card.md", (short_card if given.no_card else card)(folder))
        print(f"{place}: {report.ranges_from}, seed {trained.metadata['seed']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
