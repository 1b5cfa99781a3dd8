"""A bundle for a profile with crosstalk: what its codes perform is checked by two programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.verify import verify
from ecgphoton.mesh.crosstalk import Crosstalk
from ecgphoton.mesh.heater import HeaterDac

KNOWN = Crosstalk(0.01, 150.0)
DRIVERS = {
    "quadratic": HeaterDac(10.0, 20.0),
    "linear": HeaterDac(4.0, 4.4, 8, "linear", -4.4),
    "table": HeaterDac.of_table([[0, 0], [1, 0.3], [3, 2.2], [4, 3.8], [6, 7.2]]),
}


@pytest.fixture(params=[("quadratic", "svd-clements"), ("linear", "real-part"),
                        ("table", "svd-reck")], ids=lambda param: param[0])  # fmt: skip
def undoing(request, run_folder, tmp_path) -> Path:
    """Return a bundle of every law and mesh whose codes undo crosstalk."""
    law, mesh = request.param
    about = {"drivers": DRIVERS[law], "crosstalk": KNOWN, "profile": "mine", "mesh": mesh}
    export_bundle(run_folder, tmp_path / "b", dac_bits=12, formats=("csv",), **about)
    return tmp_path / "b"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the checker of the bundle in a process of its own."""
    run = [sys.executable, folder / "check.py"]
    return subprocess.run(run, capture_output=True, text=True, check=False)


def test_what_is_shipped_is_what_is_verified(undoing) -> None:
    """Both `verify` and check.py recompute the matrices of the codes."""
    program = load_bundle(undoing).program
    manifest = json.loads((undoing / "manifest.json").read_text())
    assert program.crosstalk == KNOWN
    assert manifest["crosstalk"] == program.undone
    size = np.linalg.norm(program.targets, axis=(1, 2))
    error = (np.linalg.norm(program.performed - program.targets, axis=(1, 2)) / size).max()
    assert manifest["codes"]["matrix_error"] == pytest.approx(error)
    uncoupled = program.matrices(program.dac.phase_of(program.codes))
    assert (np.linalg.norm(uncoupled - program.targets, axis=(1, 2)) / size).max() > 2 * error
    assert verify(undoing, sax=False).ok
    done = check(undoing)
    assert (done.returncode, done.stdout.split("; ")[0][-9:]) == (0, "as stated"), done


def test_another_crosstalk_or_code_is_found(undoing) -> None:
    """A changed share, and a manifest that does not state it, fail."""
    mesh = undoing / "mesh.json"
    mesh.write_text(mesh.read_text().replace('"share":0.01', '"share":0.012'))
    done = check(undoing)
    assert done.returncode == 1, done
    assert ", matrices of the DAC codes off by" in done.stdout, done
    assert not verify(undoing, sax=False).ok


def test_one_changed_code_is_found(undoing) -> None:
    """Also of a block whose matrix stays better than the worst one, by the hash of its file."""
    mesh = undoing / "mesh.json"
    before, code, after = mesh.read_text().rpartition('"code":')
    mesh.write_text(f"{before}{code}{int(after[0]) ^ 1}{after[1:]}")
    done = check(undoing)
    assert done.returncode == 1, done
    assert "mesh.json from the manifest" in done.stdout


def test_a_bundle_without_crosstalk_has_none_of_it(bundle) -> None:
    """Its files are those of before: no key, no sentence."""
    assert '"crosstalk"' not in (bundle / "mesh.schema.json").read_text()
    assert "crosstalk" not in json.loads((bundle / "manifest.json").read_text())
