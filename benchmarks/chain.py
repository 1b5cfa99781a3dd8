"""The picture of README: a beat, the mesh of a trained matrix, and the verdict over chips.

    ecgphoton simulate inter-patient --noise 0.02 --chips 1000 --out runs/verdict
    python -m benchmarks chain runs/verdict --out docs/figures/chain.png

The beat is generated; mesh and chips are those of the simulated student.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

import ecgphoton as ep
from ecgphoton.artifacts import read_json
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.export.drawing import Box, Line, shapes
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.report.style import BLUE, CYCLE, INK, LINE, SOFT, VERMILION, look, new_figure, save

SIZE = (9.2, 2.9)
"""Inches."""


def beat(axes: Any, student: Any) -> None:
    """A beat of 360 samples, with the segments that branches read."""
    made = synthesise(patient(2, seed=3), beats=12)
    at = int(made.samples[3])
    window = made.digital[at - 180 : at + 180, 0].astype(float)
    window = (window - window.mean()) / np.abs(window - window.mean()).max()
    axes.plot(window, color=INK, lw=1.3)
    architecture = student.architecture
    read = [branch for branch in architecture.branches if branch.source == "window"]
    for place, (branch, colour) in enumerate(zip(read, CYCLE, strict=False)):
        level = -0.75 - 0.2 * place
        axes.plot([branch.start, branch.stop], [level, level], color=colour, lw=4)
    tokens = len(architecture.patient)
    axes.set(xticks=[], yticks=[], ylim=(-1.55, 1.1))
    axes.set_title("a heartbeat  →")
    axes.set_xlabel(f"{len(read)} parts; {tokens} comparisons\nwith the patient's other beats")


def mesh(axes: Any, student: Any) -> None:
    """One of the trained matrices as it lies on a chip."""
    program = program_of(student)
    width, height, found = shapes(program, program.blocks[-1])
    for shape in found:
        if isinstance(shape, Line):
            axes.plot(*zip(*shape.points, strict=True), color=LINE, lw=0.9, zorder=1)
        elif isinstance(shape, Box):
            corner = (shape.x, shape.y)
            axes.add_patch(
                Rectangle(
                    corner,
                    shape.width,
                    shape.height,
                    facecolor=shape.colour,
                    edgecolor=SOFT,
                    lw=0.5,
                    zorder=2,
                )
            )
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    architecture = student.architecture
    axes.set_title("matrices computed by light  →")
    axes.set_xlabel(
        f"{len(architecture.blocks)} of them, 4×4, {architecture.parameters} parameters;\n"
        "each two meshes of interferometers"
    )


def verdict(axes: Any, found: dict[str, Any], rows: list[dict[str, str]]) -> None:
    """Every chip, within its limits or not."""
    fpr, miss = (100 * np.array([float(row[name]) for row in rows]) for name in ("fpr", "miss"))
    good = np.array([row["good"] == "True" for row in rows])
    for chosen, colour in ((good, BLUE), (~good, VERMILION)):
        axes.scatter(fpr[chosen], miss[chosen], s=5, color=colour, alpha=0.4, lw=0)
    perfect = [100 * found["metrics"][name]["perfect"] for name in ("fpr", "miss")]
    axes.plot(*perfect, "*", color=INK, ms=9)
    limits = [100 * found["limits"][name] for name in ("max_fpr", "max_miss")]
    axes.add_patch(Rectangle((0, 0), *limits, fill=False, edgecolor=SOFT, lw=1, ls="--"))
    axes.set(xlim=(0, 1.25 * max(*limits, *fpr)), ylim=(0, 1.25 * max(*limits, *miss)))
    axes.set(xlabel="FPR, % of normal beats", ylabel="missed, % of abnormal beats")
    low, high = (100 * x for x in found["yield_interval"])
    axes.set_title(
        f"{found['chips']:,} chips: {100 * found['yield']:.0f} % pass [{low:.1f}, {high:.0f}]"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simulation", type=Path)
    parser.add_argument("--model", default="inter-patient")
    parser.add_argument("--out", type=Path, default=Path("docs/figures/chain.png"))
    given = parser.parse_args()
    found = read_json(given.simulation / "simulation.json")
    with (given.simulation / "chips.csv").open() as file:
        rows = list(csv.DictReader(file))
    student = ep.load(given.model).student
    synthetic = "synthetic" in str(found["source"])
    with look():
        figure = new_figure(SIZE[1], width=SIZE[0], synthetic=synthetic)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.35, 1.25))
        for axes in (left, middle):
            axes.grid(visible=False)
            for spine in axes.spines.values():
                spine.set_visible(False)
        beat(left, student)
        mesh(middle, student)
        verdict(right, found, rows)
        save(figure, given.out)


if __name__ == "__main__":
    main()
