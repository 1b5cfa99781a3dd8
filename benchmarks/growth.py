"""How time grows with chips, beats and the order of a mesh, beside other packages where possible.

python -m benchmarks.growth [--rounds 3] [--draw FOLDER]
"""

from __future__ import annotations

import argparse
import math
import warnings
from pathlib import Path

import numpy as np
import torch

from benchmarks._timing import OURS, Timed, Work, in_turn, machine, peer, readable
from benchmarks.hwsim import PEERS, noisy_trial, ours
from benchmarks.peers import decomposers, repeated
from ecgphoton.hwsim.montecarlo import run

Curve = dict[str, list[tuple[int, float]]]
"""(size, median seconds) by name."""
CHIPS, BEATS, ORDERS = (25, 50, 100, 200, 400), (512, 1024, 2048, 4096, 8192), (4, 8, 16, 32, 64)
FEW_CHIPS, FEW_BEATS = 50, 1024
PATIENCE = 3.0
"""Seconds of one call after which a peer is not timed at larger sizes."""


def chips_work(chips: int, beats: int) -> Work:
    """Return a Monte Carlo of the shipped student, static and per-shot noise."""
    _, trial = noisy_trial("inter-patient", beats)
    return lambda: list(run(trial, chips))


def with_chips(rounds: int) -> Curve:
    """Time whole students on 1,024 beats, and one 4x4 layer on 1,000 vectors as peers do it."""
    found: Curve = {}
    for chips in CHIPS:
        runs = {
            f"{OURS}: whole student": chips_work(chips, FEW_BEATS),
            f"{OURS}: one layer": ours(chips),
        }
        collect(found, chips, in_turn("chips", runs, rounds=rounds))
    for name, (_, chip) in PEERS.items():
        ready = peer(name, chip)
        label = f"{name}: one layer"
        if isinstance(ready, str):
            print(f"{label}: {ready}")
            continue
        for chips in CHIPS[:3]:
            collect(found, chips, in_turn("chips", {label: repeated(ready, chips)}, rounds=1))
            if found.get(label, [(0, math.inf)])[-1][1] > PATIENCE:
                break
    return found


def with_beats(rounds: int) -> Curve:
    """Time 50 chips with more and more beats."""
    found: Curve = {}
    for beats in BEATS:
        runs = {f"{OURS}: {FEW_CHIPS} chips": chips_work(FEW_CHIPS, beats)}
        collect(found, beats, in_turn("beats", runs, rounds=rounds))
    return found


def with_order(rounds: int) -> Curve:
    """Time decompositions of larger and larger unitary matrices."""
    found: Curve = {}
    tired: set[str] = set()
    for order in ORDERS:
        works = {who: work for who, work in decomposers(order).items() if who not in tired}
        for who, work in works.items():
            if isinstance(work, str) and order == ORDERS[0]:
                print(f"{who}: {work}")
        for row in in_turn("order", works, rounds=rounds):
            collect(found, order, [row])
            if row.why_not or row.median > PATIENCE / 10:
                tired.add(row.who)
    return found


def collect(found: Curve, size: int, rows: list[Timed]) -> None:
    """Add medians to curves."""
    for row in rows:
        if not row.why_not:
            found.setdefault(row.who, []).append((size, row.median))


def exponent(points: list[tuple[int, float]]) -> float:
    """Slope of log time against log size over the larger half, at least two points."""
    sizes, times = np.array(points[-max(2, (len(points) + 1) // 2) :]).T
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def main() -> None:
    """Print all curves and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draw", type=Path, default=None, help="folder for growth.png")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # peers print messages and warnings
    torch.set_num_threads(1)
    print(machine())
    curves = {}
    for name, measure in (("chips", with_chips), ("beats", with_beats), ("order", with_order)):
        print(f"\n### Growth with {name}\n")
        curves[name] = measure(given.rounds)
        print(f"\n| {name} | times | exponent |\n|---|---|--:|")
        for who, points in curves[name].items():
            times = ", ".join(f"{size}: {readable(seconds)}" for size, seconds in points)
            slope = f"{exponent(points):.2f}" if len(points) > 1 else ""
            print(f"| {who} | {times} | {slope} |", flush=True)
    if given.draw is not None:
        from benchmarks.charts import draw_growth

        draw_growth(given.draw / "growth.png", curves)


if __name__ == "__main__":
    main()
