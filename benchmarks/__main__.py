"""Run the quick benchmarks one after the other: ``python -m benchmarks`` or ``make bench``.

Each prints its own ratios, taken in one run, and the charts of docs/benchmarks.md are drawn anew.
Those of accuracy (results, card, levers, chips), presets, distillation and four classes train or
read for minutes to hours and are run by name: ``python -m benchmarks results runs/final/*``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

SHIPPED = Path("ecgphoton/models/inter-patient/bundle")
FIGURES = Path("docs/figures")
QUICK = (
    ("peers", "--draw", str(FIGURES)),
    ("growth", "--draw", str(FIGURES)),
    ("annotation",),
    ("hwsim",),
    ("distillation_cost",),
    ("calibration", "matrices", str(SHIPPED), "--chips", "2"),
)


def main() -> int:
    """Run all, or the one that is named; return how many failed."""
    if len(sys.argv) > 1:
        name, *arguments = sys.argv[1:]
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        return subprocess.run(command, check=False).returncode
    failed = 0
    for name, *arguments in QUICK:
        print(f"== {name}", flush=True)
        started = time.perf_counter()
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        failed += subprocess.run(command, check=False).returncode != 0
        print(f"{time.perf_counter() - started:.0f} s\n", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
