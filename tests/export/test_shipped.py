"""What is shipped, the DAC codes, is what is verified and simulated."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ecgphoton.artifacts import to_json
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.bundle_folder import sealed
from ecgphoton.export.claimed_bundle import ClaimedBundle
from ecgphoton.export.claims import CHECKS
from ecgphoton.export.verify import verify
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.run import export


def claim(folder):
    """Outcome and finding of the claim about DAC codes."""
    (found,) = [
        row[1:] for row in verify(folder, sax=False).rows() if "DAC codes perform" in row[0]
    ]
    return found


def test_the_last_digit_of_a_gain_is_no_other_student(bundle) -> None:
    """Processors differ in it, so a bundle of another machine is verified all the same."""
    claimed = ClaimedBundle(bundle, None)
    first, *rest = claimed.program.blocks
    for factor, outcome in ((1 + 2**-23, "ok"), (1 + 1e-5, "failed")):
        blocks = (replace(first, gain=first.gain * factor), *rest)
        other = SimpleNamespace(
            program=replace(claimed.program, blocks=blocks), checkpoint=claimed.checkpoint
        )
        assert CHECKS["codes and settings are those of the checkpoint"](other)[0] == outcome


@pytest.fixture(scope="module")
def coarse(run_folder, tmp_path_factory):
    """A bundle with heaters of 4 bits."""
    out = tmp_path_factory.mktemp("coarse") / "b"
    export_bundle(run_folder, out, dac_bits=4, formats=("csv",))
    return out


@pytest.mark.slow
def test_error_of_the_codes_is_stated(coarse, bundle) -> None:
    """Codes of 4 bits miss the matrices by far more than those of 8, and every place says so."""
    stated = [json.loads((b / "manifest.json").read_text())["codes"] for b in (coarse, bundle)]
    assert stated[0]["matrix_error"] > 0.1 > 4 * stated[1]["matrix_error"]
    program = load_bundle(coarse).program
    gap = np.linalg.norm(program.performed - program.targets, axis=(1, 2))
    error = (gap / np.linalg.norm(program.targets, axis=(1, 2))).max()
    assert stated[0]["matrix_error"] == pytest.approx(error, rel=1e-12)
    outcome, found = claim(coarse)
    assert (outcome, claim(bundle)[0]) == ("coarse", "ok")
    assert f"4 bits: matrices off by at most {100 * error:.3f} %" in found
    assert f"{stated[0]['changed_decisions']} of 32 decisions changed" in found


@pytest.mark.parametrize("key", ["matrix_error", "changed_decisions", "beats"])
def test_another_statement_fails(coarse, tmp_path, key) -> None:
    """A manifest that claims better codes than the bundle holds is not verified."""
    copy = shutil.copytree(coarse, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["codes"][key] = manifest["codes"][key] + 1
    (copy / "manifest.json").write_text(to_json(sealed(manifest)))
    outcome, found = claim(copy)
    assert outcome == "failed"
    assert f"{key} of the manifest is" in found


@pytest.mark.parametrize("given", [False, True])
def test_beats_that_were_not_run_are_said(bundle, given) -> None:
    """Without the student's test beats the claims rest on generated ones, and say so."""
    claimed = ClaimedBundle(bundle, None)
    claimed.beats = claimed.golden[0] if given else None
    said = CHECKS["DAC codes perform what the manifest states"](claimed)[1]
    assert ("no test beats" in said, "of 32 test beats" in said) == (not given, given)


def test_simulation_starts_from_the_codes(coarse) -> None:
    """Without errors, chips of a bundle perform what its codes perform, with a profile or not.

    A profile that states the width of its drivers has the phases coded at that width.
    """
    loaded = load_bundle(coarse)
    program, labels = loaded.program, np.arange(32) % 2
    performed = torch.as_tensor(program.performed, dtype=torch.float32)[None]

    def drawn(**how):
        trial = trial_of(program, loaded.golden, labels, program.operating_point, **how)
        return trial.source.draw(0, 0, 1).stack.matrices

    assert torch.equal(drawn(noise=0.0), performed)
    silent = Profile({"detector.noise": 0.001})
    assert torch.allclose(drawn(profile=silent), performed, atol=1e-6)
    fine = drawn(profile=Profile({"dac.bits": 16}))
    wanted = torch.as_tensor(program.targets, dtype=torch.float32)
    assert (fine - wanted).abs().max() < 0.01 * (performed - wanted).abs().max()


TABLE = HeaterDac.of_table([[0, 0], [2, 0.9], [5, 3.3], [9, 7.0]])


def test_what_cannot_be_recomputed_is_said(copy) -> None:
    """Where converter ranges and drivers come from is stated alone, and `verify` says so."""
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(to_json(sealed(manifest | {"profile": "a\nb"})))
    _, said = CHECKS["mesh file fits its schema, itself and its hashes"](ClaimedBundle(copy, None))
    _, _, unchecked = said.partition("not checked: ")
    assert "'profile': 'a\\nb'" in unchecked
    assert "'ranges_from'" in unchecked
    assert "codes" not in unchecked


@pytest.mark.slow
@pytest.mark.parametrize("drivers", [load_profile("lithium-niobate").driver, TABLE], ids=str)
def test_codes_of_other_laws_are_shipped_and_verified(run_folder, tmp_path, drivers) -> None:
    """Codes, voltages, mesh file and manifest are of the drivers asked for, and `verify` agrees."""
    out = tmp_path / "b"
    export_bundle(
        run_folder, out, dac_bits=11, drivers=drivers, profile="mine", formats=("csv", "bom")
    )
    program = load_bundle(out).program
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["profile"], manifest["drivers"]) == ("mine", program.dac.words)
    assert program.dac.law == drivers.law
    rows = list(csv.DictReader((out / "dac_codes.csv").read_text().splitlines()))
    volts = np.array([float(row["voltage_v"]) for row in rows])
    assert (volts.min() < 0) == (drivers.v_min < 0)
    phases = drivers.phase_at(volts) - program.phases.ravel()
    step = np.diff(drivers.phase_at(np.linspace(drivers.v_min, drivers.v_max, 2**11))).max()
    assert np.abs(np.angle(np.exp(1j * phases))).max() < 0.51 * step
    report = verify(out, sax=False)
    assert report.ok, report.rows()
    del manifest["drivers"]
    (out / "manifest.json").write_text(to_json(sealed(manifest)))
    assert any("drivers of the manifest is not" in row[2] for row in verify(out, sax=False).rows())


def test_chips_of_other_drivers_say_that_the_codes_are_not_used(coarse) -> None:
    """Where a profile states another law or width, the report of a simulation has a sentence."""
    loaded = load_bundle(coarse)
    program, labels = loaded.program, np.arange(32) % 2
    subject = (program, loaded.golden, labels, program.operating_point)

    def said(profile):
        return simulate(*subject, profile=profile, chips=4).settings["recoded"]

    assert said(Profile({"splitter.sigma": 0.01})) is None
    assert said(None) is None
    assert "for 4-bit quadratic drivers" in said("lithium-niobate")
    assert "by codes of 12-bit linear drivers with V_pi 4 V, -4.4 to 4.4 V" in said(
        "lithium-niobate"
    )
    assert "exactly, without codes" in said("ideal")


@pytest.mark.parametrize(
    ("profile", "bits", "message"),
    [
        (Profile({"splitter.sigma": 0.1}), None, r"neither \[driver\] nor dac\.bits"),
        ("ideal", None, r"drives exactly .*--dac-bits"),
        ("lithium-niobate", 10, "dac_bits is 10, but the profile 'lithium-niobate' states 12"),
        ("mems:as-fabricated", None, "as fabricated, and codes are for trimmed"),
    ],
)
def test_a_profile_that_an_export_cannot_use_is_refused(profile, bits, message) -> None:
    """Before anything is read or written."""
    with pytest.raises(InputError, match=message):
        export("inter-patient", profile=profile, dac_bits=bits)
