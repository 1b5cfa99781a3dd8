"""Run the quick benchmarks one after the other: ``python -m benchmarks`` or ``make bench``.

Each prints its own ratios, taken in one run, and the charts of docs/benchmarks.md are drawn anew.
Those of accuracy (results, card, levers, chips), presets, distillation and four classes train or
read for minutes to hours and are run by name: ``python -m benchmarks results runs/final/*``.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
import time
from pathlib import Path

from ecgphoton.errors import InputError, require

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
    """Run all and return how many failed, or the one that is named; 2 if it refuses its input."""
    if len(sys.argv) > 1:
        del sys.argv[0]
        names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
        try:
            require(sys.argv[0] in names, "name", sys.argv[0], f"one of {', '.join(names)}")
            runpy.run_module(f"benchmarks.{sys.argv[0]}", run_name="__main__", alter_sys=True)
        except InputError as error:
            print(f"benchmarks: error: {error}", file=sys.stderr)
            return 2
        return 0
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
