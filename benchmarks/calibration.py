"""What calibration wins back: matrix errors by splitter error and DAC, and chips by profile.

    python benchmarks/calibration.py matrices BUNDLE [--chips 20]
    python benchmarks/calibration.py chips BUNDLE [--profile foundry-thermo-optic] [--chips 200]

``matrices`` needs no beats. ``chips`` judges the generalization beats of the student's own protocol
and fits thresholds on its validation beats; ``--out FOLDER`` keeps tables, so that it can resume.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from ecgphoton.calibration.bench import Bench
from ecgphoton.calibration.calibrate import calibrate
from ecgphoton.calibration.estimate import Fit
from ecgphoton.calibration.heaters import SweepHeaters
from ecgphoton.calibration.phases import Correct
from ecgphoton.calibration.readout import ReadDark
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.calibration.trim import Trim
from ecgphoton.export.bundle import load_bundle
from ecgphoton.hwsim.chip import Chip, Foundry
from ecgphoton.hwsim.profile import Profile, load_profile
from ecgphoton.mesh.program import MeshProgram

NOISY = ("detector.noise", "detector.rin", "time.jitter")
WAYS = {
    "default order": (Correct("default", polish=False, place=False),),
    "best order": (Correct(polish=False, place=False),),
    "all steps": (Correct(), Trim()),
}


def errors(chip: Chip, table: DriveTable) -> np.ndarray:
    """(C, K) relative Frobenius error of the matrices chips really perform."""
    codes = torch.as_tensor(table.codes / table.circuit.dac.top)
    return table.error(chip.matrices(codes).numpy() * table.row_gain[..., None])


def matrices(program: MeshProgram, chips: int, seed: int) -> None:
    """Print shares of matrices right to 1e-3 for splitter errors, DAC widths and benches."""
    foundry = load_profile("foundry-thermo-optic")
    keys = {name: getattr(foundry, name.replace(".", "_")) for name in NOISY}
    print("| bench | splitter | bits | uncalibrated | " + " | ".join(WAYS) + " | median error |")
    print("|---|--:|--:|--:|" + "--:|" * (len(WAYS) + 1))
    for bench_name in ("quiet", "noisy"):
        for sigma in (0.02, 0.05):
            for bits in (16, 12, 10, 8):
                profile = Profile("splitters", splitter_sigma=sigma, dac_bits=bits)
                for key, value in keys.items() if bench_name == "noisy" else ():
                    profile = profile.with_value(key, value)
                chip = Foundry(profile).chips(seed, 0, chips, program)
                bench: Bench = SimulatedBench(chip, bits=bits, seed=seed)
                learnt = calibrate(bench, program, (ReadDark(), SweepHeaters(), Fit())).table
                shares = [(errors(chip, learnt) <= 1e-3).mean()]
                for steps in WAYS.values():
                    table = calibrate(bench, program, steps, start=learnt).table
                    shares.append((errors(chip, table) <= 1e-3).mean())
                middle = np.median(errors(chip, table))
                shown = " | ".join(f"{100 * share:.1f} %" for share in shares)
                print(f"| {bench_name} | {sigma} | {bits} | {shown} | {middle:.1e} |", flush=True)


def campaign(bundle: Path, profile: str, chips: int, seed: int, out: Path | None) -> None:
    """Print yields before and after calibration, and the cost."""
    from ecgphoton.calibration.campaign import Labelled, calibrate_chips
    from ecgphoton.pipeline.beats import splits_like
    from ecgphoton.pipeline.subject import open_subject
    from ecgphoton.recipe import from_dict
    from ecgphoton.student.propagate import inputs_of

    subject = open_subject(bundle)
    if subject.point is None:
        raise SystemExit("a binary student is needed")
    splits = splits_like(subject.metadata)
    test, validation = splits.test, splits.validation
    report = calibrate_chips(
        subject.carried,
        inputs_of(test, subject.architecture),
        test.label,
        subject.point,
        profile=profile,
        chips=chips,
        seed=seed,
        validation=Labelled(inputs_of(validation, subject.architecture), validation.label),
        policy=from_dict(subject.metadata["recipe"]).decision,
        folder=out,
    )
    miss, fpr, _ = report.final.perfect
    print(
        f"{chips} chips of {profile}, {len(test):,} beats of {test.source}; perfect chip: ", end=""
    )
    print(f"miss {100 * miss:.2f} %, FPR {100 * fpr:.2f} %")
    print("| stage | yield | within 0.5 pp | miss mean / worst | FPR mean / worst | matrix error |")
    print("|---|--:|--:|--:|--:|--:|")
    for row in report.rows():
        cells = [
            (
                f"{100 * row['yield']:.1f} % [{100 * row['yield_low']:.1f}, "
                f"{100 * row['yield_high']:.1f}]"
            ),
            f"{100 * row['near']:.1f} %",
            f"{100 * row['miss_mean']:.2f} / {100 * row['miss_worst']:.2f} %",
            f"{100 * row['fpr_mean']:.2f} / {100 * row['fpr_worst']:.2f} %",
            f"{row['error_median']:.4f}",
        ]
        print(f"| {row['stage']} | " + " | ".join(cells) + " |")
    cost = report.cost
    print(f"per chip {cost.settings} settings, {cost.readings} readings, {cost.seconds():.4f} s")
    print(f"calibration {report.calibration_seconds:.1f} s, in all {report.seconds:.1f} s")


def main() -> None:
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["matrices", "chips"])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--profile", default="foundry-thermo-optic")
    parser.add_argument("--chips", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None)
    args = parser.parse_args()
    started = time.perf_counter()
    if args.what == "matrices":
        program = load_bundle(args.bundle).program
        matrices(program, args.chips or 20, args.seed)
    else:
        campaign(args.bundle, args.profile, args.chips or 200, args.seed, args.out)
    print(f"{time.perf_counter() - started:.0f} s, {time.process_time():.0f} s of processor time")


if __name__ == "__main__":
    main()
