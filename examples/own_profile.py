"""Chips of a process of your own, and which of its errors costs most.

python examples/own_profile.py --out profile.png
"""

from __future__ import annotations

from _start import options, picture

import ecgphoton as ep
from ecgphoton.hwsim.blame import blame
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.report.style import BLUE, VERMILION, percent_axis
from ecgphoton.run.beats import splits_like

given = options(__doc__, chips=40, beats=600, seed=0)
process = Profile(
    {
        "splitter.sigma": 0.1,
        "phase.offset": 0.15,
        "heater.spread": 0.1,
        "heater.crosstalk": 0.01,
        "heater.crosstalk_length": 120.0,
        "heater.crosstalk_spread": 0.3,
        "dac.bits": 6,
        "detector.noise": 0.05,
    },
    name="mine",
)
model = ep.load("inter-patient")
beats = splits_like(model.metadata, "synthetic").test.take(slice(0, given.beats))
inputs = ep.inputs_of(beats, model.student.architecture)
trial = trial_of(model.student, inputs, beats.label, model.point, profile=process, seed=given.seed)
shares = blame(trial, chips=given.chips, by_mzi=False)
shares = [share for share in shares if share.kind == "source"][::-1]

with picture(given.out, height=0.9 + 0.32 * len(shares), synthetic=True) as axes:
    rows = range(len(shares))
    for name, label, colour, place in (
        ("lost_sensitivity", "miss rate", VERMILION, 0.2), ("added_fpr", "FPR", BLUE, -0.2)
    ):  # fmt: skip
        axes.barh(
            [row + place for row in rows],
            [getattr(share, name) for share in shares],
            height=0.36,
            color=colour,
            label=label,
        )
    axes.set_yticks(list(rows), [share.name for share in shares])
    axes.set_title("what each error costs alone, mean of chips")
    axes.set_xlabel("rise of a rate, percentage points")
    axes.legend(loc="lower right")
    percent_axis(axes, "x", "")
