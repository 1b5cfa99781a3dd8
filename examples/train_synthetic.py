"""Train a student on made-up beats and watch it learn.

python examples/train_synthetic.py --out train.png
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from _start import options, picture

from ecgphoton.recipe import read
from ecgphoton.report.style import BLUE, VERMILION, percent_axis
from ecgphoton.run.beats import splits_of
from ecgphoton.run.train import train
from ecgphoton.settings import build

given = options(__doc__, epochs=20, seed=0)
recipe = build(
    type(start := read("default")),
    {
        "data": {"source": "synthetic"},
        "training": {"epochs": given.epochs, "min_epochs": 1},
    },
    start,
)
history = []
with tempfile.TemporaryDirectory() as folder:
    train(
        recipe,
        splits_of(recipe),
        Path(folder),
        seed=given.seed,
        progress=lambda epoch, _: history.append(epoch),
    )

with picture(given.out, panels=2, synthetic=True) as (left, right):
    epochs = [record.epoch for record in history]
    left.plot(epochs, [record.loss for record in history], color=BLUE)
    left.set(xlabel="epoch", title="training loss", ylim=0)
    for name, colour in (("miss", VERMILION), ("fpr", BLUE)):
        rates = [record.sets["validation"][name] for record in history]
        right.plot(epochs, rates, color=colour, label=name)
    right.set(xlabel="epoch", title="validation", ylim=0)
    right.legend()
    percent_axis(right)
