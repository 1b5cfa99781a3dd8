"""How many bits are enough? Decisions, miss rate and FPR of a run against every code's width.

    python -m benchmarks.bits_table RUN [--threads 1]

The run is rounded as it is, with no further training. Everything not swept has 8 bits. Reported on
the test set of the run's protocol; ranges come from its training beats.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from benchmarks._beats import examples, table
from ecgphoton.ecg.beats import load_splits
from ecgphoton.export.bits import bits_table, enough
from ecgphoton.runs import load_student


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--weights", type=int, nargs="*", default=range(2, 9))
    parser.add_argument("--converters", type=int, nargs="*", default=range(4, 13))
    parser.add_argument("--heaters", type=int, nargs="*", default=range(4, 13))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trained = load_student(options.run)
    about = trained.metadata
    splits = load_splits(about["protocol"], about["labels"], lead=about.get("lead", "MLII"))
    training, test = (
        examples(beats, trained.student.architecture) for beats in (splits.train, splits.test)
    )
    began = time.perf_counter()
    rows = bits_table(
        trained.student,
        test.inputs,
        test.label.numpy(),
        trained.point,
        training.inputs,
        weight_bits=options.weights,
        converter_bits=options.converters,
        dac_bits=options.heaters,
    )
    print(f"{options.run}: {len(test):,} {splits.protocol.test_name} beats, {splits.test.source}\n")
    columns = ("part", "bits", "agreement", "delta_miss", "delta_fpr")
    table(columns, [row.to_dict() for row in rows])
    for part in ("weights", "converters", "heaters"):
        width = enough(rows, part)
        print(f"\n{part}: miss and FPR stay within 0.5 points from {width} bits on")
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
