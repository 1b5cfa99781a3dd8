"""What is shipped, the DAC codes, is what is verified and simulated."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from ecgphoton.artifacts import to_json
from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.bundle_folder import sealed
from ecgphoton.export.verify import verify
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.simulate import trial_of


def claim(folder):
    """Outcome and finding of the claim about DAC codes."""
    (found,) = [
        row[1:] for row in verify(folder, sax=False).rows() if "DAC codes perform" in row[0]
    ]
    return found


@pytest.fixture(scope="module")
def coarse(run_folder, tmp_path_factory):
    """A bundle with heaters of 4 bits."""
    out = tmp_path_factory.mktemp("coarse") / "b"
    export_bundle(run_folder, out, dac_bits=4, formats=("csv",))
    return out


def test_error_of_the_codes_is_stated(coarse, bundle) -> None:
    """Codes of 4 bits miss the matrices by far more than those of 8, and every place says so."""
    stated = [json.loads((b / "manifest.json").read_text())["codes"] for b in (coarse, bundle)]
    assert stated[0]["matrix_error"] > 0.1 > 4 * stated[1]["matrix_error"]
    program = load_bundle(coarse).program
    gap = np.linalg.norm(program.performed - program.targets, axis=(1, 2))
    error = (gap / np.linalg.norm(program.targets, axis=(1, 2))).max()
    assert stated[0]["matrix_error"] == pytest.approx(error, rel=1e-12)
    outcome, found = claim(coarse)
    assert outcome == "ok"
    assert f"4 bits: matrices off by at most {error:.3%}" in found
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
