"""Matrix errors before and after calibration, by splitter error and DAC, and by kind of error.

python benchmarks/calibration.py matrices BUNDLE [--chips 20]
python benchmarks/calibration.py recovery BUNDLE [--chips 4]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from ecgphoton.calibration.bench import Bench
from ecgphoton.calibration.calibrate import calibrate
from ecgphoton.calibration.estimate import Fit
from ecgphoton.calibration.heaters import SweepHeaters
from ecgphoton.calibration.phases import Correct, Trim
from ecgphoton.calibration.probing import ReadDark
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.export.bundle import load_bundle
from ecgphoton.hwsim.chip import Chip, Foundry
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.program.program import MeshProgram

NOISES = (0.0, 0.0003, 0.003, 0.03)
ERRORS = {
    "splitter.sigma": 0.02,
    "phase.offset": 0.02,
    "heater.spread": 0.012,
    "heater.crosstalk": 0.005,
    "loss.mzi_sigma_db": 0.05,
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
    matrices = chip.matrices(table.device.dac.voltage_of(table.codes)).numpy()
    return table.error(matrices * table.row_gain[..., None])


def matrices(program: MeshProgram, chips: int, seed: int) -> None:
    """Print shares of matrices right to 1e-3 for splitter errors, DAC widths and benches."""
    foundry = load_profile("foundry-thermo-optic")
    keys = {name: foundry[name] for name in NOISY}
    print("| bench | splitter | bits | uncalibrated | " + " | ".join(WAYS) + " | median error |")
    print("|---|--:|--:|--:|" + "--:|" * (len(WAYS) + 1))
    for bench_name in ("quiet", "noisy"):
        for sigma in (0.02, 0.05):
            for bits in (16, 12, 10, 8):
                profile = Profile({"splitter.sigma": sigma, "dac.bits": bits}, name="splitters")
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
            profile = Profile({"dac.bits": 16, "detector.noise": noise}, name="one")
            for key, value in kinds.items():
                profile = profile.with_value(key, value)
            chip = Foundry(profile).chips(seed, 0, chips, program)
            bench = SimulatedBench(chip, bits=16, seed=seed)
            table = calibrate(bench, program).table
            if not cells:
                start = DriveTable.start(table.program, chips)
                cells.append(f"{np.median(errors(chip, start)):.1e}")
            cells.append(f"{np.median(errors(chip, table)):.1e}")
        name = (
            "all together" if kinds is together else " ".join(f"{k} {v}" for k, v in kinds.items())
        )
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["matrices", "recovery"])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--chips", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    started, program = time.perf_counter(), load_bundle(args.bundle).program
    if args.what == "matrices":
        matrices(program, args.chips or 20, args.seed)
    else:
        recovery(program, args.chips or 4, args.seed)
    print(f"{time.perf_counter() - started:.0f} s, {time.process_time():.0f} s of processor time")


if __name__ == "__main__":
    main()
