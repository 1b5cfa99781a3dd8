"""A long recording annotated on the command line: wall time, processor time and peak memory.

    python -m benchmarks.annotation [--hours 1 6 24] [--backend torch] [--record RECORD]

Every length is a process of its own, R peaks are detected. The record is made up (one patient's
minutes over and over, two leads, 360 Hz, format 212), or repeats a record that is given.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ecgphoton.ecg.patients import BASELINE, GAIN, LEADS, patient, synthesise

RATE = 360


def long_record(folder: Path, hours: float, record: Path | None = None) -> Path:
    """Write a record of that length, and return its path."""
    import wfdb

    if record is None:
        digital = synthesise(patient(1), beats=2000).digital.astype(np.int64)
        names, gain, baseline = list(LEADS), [GAIN] * 2, [BASELINE] * 2
    else:
        found = wfdb.rdrecord(str(record), physical=False)
        digital, names = found.d_signal, found.sig_name
        gain, baseline = found.adc_gain, found.baseline
    wanted = round(hours * 3600 * RATE)
    name = f"hours{hours:g}".replace(".", "-")
    wfdb.wrsamp(
        name, fs=RATE, units=["mV"] * len(names), sig_name=names, adc_gain=gain, baseline=baseline,
        d_signal=np.tile(digital, (-(-wanted // len(digital)), 1))[:wanted],
        fmt=["212"] * len(names), write_dir=str(folder),
    )  # fmt: skip
    return folder / name


def annotated(record: Path, *arguments: str) -> tuple[float, float, int, dict]:
    """Wall seconds, processor seconds, peak memory in MiB and summary of ``ecgphoton annotate``."""
    out = record.with_name("out")
    words = ["annotate", str(record), "--out", str(out), "--json", *arguments]
    began = time.perf_counter()
    child = os.fork()
    if child == 0:  # a process of its own, so that the peak is its own
        with (record.parent / "summary.json").open("wb") as out_file:
            os.dup2(out_file.fileno(), 1)
            os.execv(sys.executable, [sys.executable, "-m", "ecgphoton.cli", *words])
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"annotate failed with status {status}")
    summary = json.loads((record.parent / "summary.json").read_text(encoding="utf-8"))
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is bytes there, else kilobytes
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss * unit // 2**20, summary


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 6.0, 24.0])
    parser.add_argument("--backend", default="torch", choices=("torch", "onnx", "integer", "chip"))
    parser.add_argument("--record", type=Path, default=None, help="WFDB record to repeat")
    parser.add_argument("--bundle", default="inter-patient")
    given = parser.parse_args()
    print("| hours | samples | beats | wall | processor | peak memory |\n|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as name:
        for hours in given.hours:
            record = long_record(Path(name), hours, given.record)
            options = ("--backend", given.backend, "--bundle", given.bundle)
            wall, spent, peak, summary = annotated(record, *options)
            print(
                f"| {hours:g} | {round(hours * 3600 * RATE):,} | {summary['beats']:,} "
                f"| {wall:.1f} s | {spent:.1f} s | {peak} MiB |",
                flush=True,
            )
    print(f"\nbackend {given.backend}")


if __name__ == "__main__":
    main()
