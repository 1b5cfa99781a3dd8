"""How much noise a shipped student tolerates: miss rate, FPR and yield of simulated chips.

python examples/noise_yield.py --out noise.png
"""

from __future__ import annotations

import numpy as np
from _start import options, picture

import ecgphoton as ep
from ecgphoton.report.style import BLUE, GREEN, VERMILION, percent_axis
from ecgphoton.run.beats import splits_like

given = options(__doc__, chips=40, beats=1241, seed=0)
model = ep.load("inter-patient")
beats = splits_like(model.metadata, "synthetic").test.take(slice(0, given.beats))
inputs = ep.inputs_of(beats, model.student.architecture)
noises = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
reports = [
    ep.simulate(
        model.student, inputs, beats.label, model.point,
        chips=given.chips, seed=given.seed, noise=noise,
    )
    for noise in noises
]  # fmt: skip

with picture(given.out, panels=2, synthetic=True) as (left, right):
    for name, colour, label in (("miss", VERMILION, "miss rate"), ("fpr", BLUE, "FPR")):
        rates = np.array([getattr(report, name) for report in reports])
        low, middle, high = np.quantile(rates, [0.05, 0.5, 0.95], axis=1)
        left.fill_between(noises, low, high, color=colour, alpha=0.2, lw=0)
        left.plot(noises, middle, color=colour, marker="o", ms=3, label=label)
    left.set(
        xscale="log", xlabel="noise, of full scale", title="median, 5 to 95 % of chips", ylim=(0, 1)
    )
    left.legend(loc="upper left")
    low, high = np.array([report.interval for report in reports]).T
    right.fill_between(noises, low, high, color=GREEN, alpha=0.2, lw=0)
    right.plot(noises, [report.observed_yield for report in reports], color=GREEN, marker="o", ms=3)
    right.set(
        xscale="log",
        xlabel="noise, of full scale",
        title="yield, 95 % interval",
        ylim=(-0.02, 1.02),
    )
    for axes in (left, right):
        percent_axis(axes)
        axes.set_xticks([0.01, 0.1], ["0.01", "0.1"])
