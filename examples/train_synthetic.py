"""Train a student on generated beats and draw its progress.

python examples/train_synthetic.py --out train.png
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from _start import options, picture

import ecgphoton as ep
from ecgphoton.report.style import BLUE, VERMILION, percent_axis

given = options(__doc__, epochs=20, seed=0)
with tempfile.TemporaryDirectory() as folder:
    run = ep.run.train(
        settings=[f"training.epochs={given.epochs}", "training.min_epochs=1"],
        recipe="reference-8",
        data="synthetic",
        seed=given.seed,
        out=Path(folder),
    )
    history = [json.loads(line) for line in (run.folder / "history.jsonl").read_text().splitlines()]

with picture(given.out, panels=2, synthetic=True) as (left, right):
    epochs = [record["epoch"] for record in history]
    left.plot(epochs, [record["loss"] for record in history], color=BLUE)
    left.set(xlabel="epoch", title="training loss", ylim=0)
    for name, colour, label in (("miss", VERMILION, "miss rate"), ("fpr", BLUE, "FPR")):
        rates = [record["sets"]["validation"][name] for record in history]
        right.plot(epochs, rates, color=colour, label=label)
    right.set(xlabel="epoch", title="validation", ylim=0)
    right.legend()
    percent_axis(right)
