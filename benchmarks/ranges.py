"""Compute the ranges of a student's training patients again, after a change of what is compared.

    python -m benchmarks ranges runs/final/inter-patient-0 runs/final/inter-patient-4-0

Nothing is trained: the ranges follow from the training beats and the out-of-fold scores that a run
stores. The checkpoint and the manifest of each run are written anew, so that its hash changes;
`python -m benchmarks ship` then makes the shipped student of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ecgphoton import runs
from ecgphoton.artifacts import load_checkpoint, save_checkpoint, write_manifest
from ecgphoton.errors import InputError
from ecgphoton.run.beats import splits_like
from ecgphoton.run.crossed import stored_sets
from ecgphoton.run.scope import scope_of
from ecgphoton.training.crossfit import NAME


def renew(folder: Path) -> str:
    """Write the ranges into the checkpoint of a run; return its new hash."""
    trained = runs.load_student(folder)
    scores, splits = stored_sets(trained)[NAME], splits_like(trained.metadata)
    if not (scores.sample == splits.train.sample).all():
        raise InputError(f"the scores of {folder} are of other beats than its protocol has now")
    features = trained.student.architecture.features
    scope = scope_of(splits, features, scores.probability, trained.point)
    arrays, metadata = load_checkpoint(trained.path)
    save_checkpoint(trained.path, arrays, {**metadata, **scope})
    write_manifest(folder, kind=runs.KIND)
    return trained.digest


def main() -> None:
    """Renew the named runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    for folder in parser.parse_args().runs:
        print(f"{folder}: {renew(folder)[:12]}", flush=True)


if __name__ == "__main__":
    main()
