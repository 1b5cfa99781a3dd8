"""What calibration wins back: matrix errors by splitter error and DAC, and chips by profile.

    python benchmarks/calibration.py matrices BUNDLE [--chips 20]
    python benchmarks/calibration.py recovery BUNDLE [--chips 4]
    python benchmarks/calibration.py chips BUNDLE [--profile foundry-thermo-optic] [--chips 200]
    python benchmarks/calibration.py drift BUNDLE [--profile foundry-thermo-optic] [--chips 40]

``matrices`` and ``recovery`` need no beats. The others judge the generalization beats of the
student's own protocol and fit thresholds on its validation beats; ``--out FOLDER`` keeps tables, so
that they can resume.
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
from ecgphoton.program.program import MeshProgram

TRAINING_CHIPS, EPOCHS = 32, 10
DRIFT_THINNING = 6  # every how many-th beat drift is judged on
NOISES = (0.0, 0.0003, 0.003, 0.03)
ERRORS = {
    "splitter.sigma": 0.02,
    "phase.offset": 0.02,
    "heater.spread": 0.012,
    "heater.crosstalk": 0.005,
    "loss.mzi_sigma_db": 0.05,
    "attenuator.sigma": 0.01,
    "detector.gain_sigma": 0.01,
}
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


def recovery(program: MeshProgram, chips: int, seed: int) -> None:
    """Print the median error of matrices before and after, for each kind of error and noise."""
    print("| error | uncalibrated | " + " | ".join(f"noise {n:g}" for n in NOISES) + " |")
    print("|---|--:|" + "--:|" * len(NOISES))
    alone = [{key: value} for key, value in ERRORS.items()]
    alone[3] = {"heater.crosstalk": 0.005, "heater.crosstalk_length": 100.0}
    together = {key: value for part in alone for key, value in part.items()}
    for kinds in (*alone, together):
        cells = []
        for noise in NOISES:
            profile = Profile("one", dac_bits=16, detector_noise=noise)
            for key, value in kinds.items():
                profile = profile.with_value(key, value)
            chip = Foundry(profile).chips(seed, 0, chips, program)
            bench = SimulatedBench(chip, bits=16, seed=seed)
            table = calibrate(bench, program).table
            if not cells:
                start = DriveTable.start(table.circuit, chips)
                cells.append(f"{np.median(errors(chip, start)):.1e}")
            cells.append(f"{np.median(errors(chip, table)):.1e}")
        name = (
            "all together" if kinds is together else " ".join(f"{k} {v}" for k, v in kinds.items())
        )
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def campaign(bundle: Path, profile: str, chips: int, seed: int, out: Path | None) -> None:
    """Print yields before and after calibration, and the cost."""
    subject, splits = opened(bundle)
    print_report(
        calibrated(subject, splits, subject.carried, subject.point, profile, chips, seed, out)
    )


def drift(bundle: Path, profile: str, chips: int, seed: int) -> None:
    """Print how long tables hold, and the cheapest schedule that keeps the limits for a day."""
    from ecgphoton.calibration.drift import drift_schedule
    from ecgphoton.student.propagate import inputs_of

    subject, splits = opened(bundle)
    every = splits.test.take(np.arange(0, len(splits.test), DRIFT_THINNING))
    inputs = inputs_of(every, subject.architecture)
    report = drift_schedule(
        subject.carried, inputs, every.label, subject.point, profile=profile, chips=chips, seed=seed
    )
    print(
        f"{chips} chips of {profile}, {len(every):,} beats; yield right after: {report.fresh:.3f}"
    )
    print("| every | way | yield before / after | matrix error before / after | seconds a day |")
    print("|--:|---|--:|--:|--:|")
    for plan in report.plans:
        best = " (cheapest)" if plan is report.cheapest else ""
        print(
            f"| {plan.hours:g} h | {plan.way}{best} | {100 * plan.good_before:.1f} / "
            f"{100 * plan.good_after:.1f} % | {plan.error_before:.4f} / {plan.error_after:.4f} | "
            f"{plan.seconds:.4f} |"
        )


def opened(bundle: Path):
    """Subject and its beats."""
    from ecgphoton.run.beats import splits_like
    from ecgphoton.run.subject import open_subject

    subject = open_subject(bundle)
    if subject.point is None:
        raise SystemExit("a binary student is needed")
    return subject, splits_like(subject.metadata)


def calibrated(subject, splits, program, point, profile, chips, seed, out):
    """Report of chips that carry a program."""
    from ecgphoton.calibration.campaign import Labelled, calibrate_chips
    from ecgphoton.recipe import from_dict
    from ecgphoton.student.propagate import inputs_of

    test, validation = splits.test, splits.validation
    return calibrate_chips(
        program,
        inputs_of(test, subject.architecture),
        test.label,
        point,
        profile=profile,
        chips=chips,
        seed=seed,
        validation=Labelled(inputs_of(validation, subject.architecture), validation.label),
        policy=from_dict(subject.metadata["recipe"]).decision,
        folder=out,
    )


def print_report(report) -> None:
    """Print stages and cost of a campaign."""
    miss, fpr, _ = report.final.perfect
    about = report.settings
    print(
        f"{report.final.chips} chips of {about['profile']}, {about['beats']:,} beats; "
        "perfect chip: "
        f"miss {100 * miss:.2f} %, FPR {100 * fpr:.2f} %"
    )
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
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["matrices", "recovery", "chips", "drift"])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--profile", default="foundry-thermo-optic")
    parser.add_argument("--chips", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None)
    args = parser.parse_args()
    started = time.perf_counter()
    if args.what == "matrices":
        matrices(load_bundle(args.bundle).program, args.chips or 20, args.seed)
    elif args.what == "recovery":
        recovery(load_bundle(args.bundle).program, args.chips or 4, args.seed)
    elif args.what == "drift":
        drift(args.bundle, args.profile, args.chips or 40, args.seed)
    else:
        campaign(args.bundle, args.profile, args.chips or 200, args.seed, args.out)
    print(f"{time.perf_counter() - started:.0f} s, {time.process_time():.0f} s of processor time")


if __name__ == "__main__":
    main()
