"""How many bits weights, converters and heaters need.

python examples/bits.py --out bits.png
"""

from __future__ import annotations

from _start import options, picture

import ecgphoton as ep
from ecgphoton.export.bits import bits_table, enough
from ecgphoton.report.style import BLUE, VERMILION
from ecgphoton.run.beats import splits_like

given = options(__doc__, beats=1241, fewest=3, most=10)
model = ep.load("inter-patient")
splits = splits_like(model.metadata, "synthetic")
beats = splits.test.take(slice(0, given.beats))
architecture = model.student.architecture
widths = range(given.fewest, given.most + 1)
rows = bits_table(
    model.student,
    ep.inputs_of(beats, architecture),
    beats.label,
    model.point,
    ep.inputs_of(splits.train, architecture),
    weight_bits=widths,
    converter_bits=widths,
    dac_bits=widths,
)

with picture(given.out, panels=3, height=2.8, synthetic=True) as panels:
    for axes, part in zip(panels, ("weights", "converters", "heaters"), strict=True):
        mine = [row for row in rows if row.part == part]
        for name, colour, label in (
            ("delta_miss", VERMILION, "miss rate"), ("delta_fpr", BLUE, "FPR")
        ):  # fmt: skip
            points = [100 * getattr(row, name) for row in mine]
            axes.plot(
                [row.bits for row in mine], points, color=colour, marker="o", ms=3, label=label
            )
        least = enough(rows, part) or f"over {given.most}"
        axes.set(xlabel="bits", title=f"{part}: {least} bits")
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(-100, 100)
        axes.set_yticks(
            [-100, -10, -1, 0, 1, 10, 100], ["-100", "-10", "-1", "0", "1", "10", "100"]
        )
    panels[0].set_ylabel("points above the float student")
    panels[0].legend()
