"""A bundle for a profile with crosstalk: what its codes perform is checked by two programs."""

from __future__ import annotations

import gc
import json
import runpy
import shutil
import sys
import warnings
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


@pytest.fixture(
    scope="module",
    params=[("quadratic", "svd-clements"), ("linear", "real-part"), ("table", "svd-reck")],
    ids=lambda param: param[0],
)
def whole(request, run_folder, tmp_path_factory) -> Path:
    """Return a bundle of every law and mesh whose codes undo crosstalk."""
    law, mesh = request.param
    about = {"drivers": DRIVERS[law], "crosstalk": KNOWN, "profile": "mine", "mesh": mesh}
    out = tmp_path_factory.mktemp(law) / "b"
    export_bundle(run_folder, out, dac_bits=12, formats=("csv",), **about)
    return out


@pytest.fixture
def undoing(whole, tmp_path) -> Path:
    """Return a copy of such a bundle, which may be damaged."""
    return shutil.copytree(whole, tmp_path / "b")


@pytest.fixture
def check(capsys, monkeypatch):
    """Return a call of the checker of a bundle in this process: what it says, and its exit code."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(folder: Path) -> tuple[str, int]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # a script leaves files to its end
            with pytest.raises(SystemExit) as end:
                runpy.run_path(str(folder / "check.py"), run_name="__main__")
            code = int(end.value.code)
            del end  # which holds the script's variables
            gc.collect()
        return capsys.readouterr().out, code

    yield run
    sys.modules.pop("features", None)  # of the bundle


@pytest.mark.slow
def test_what_is_shipped_is_what_is_verified(undoing, check) -> None:
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
    said, code = check(undoing)
    assert (code, said.split("; ")[0][-9:]) == (0, "as stated"), said


def test_another_crosstalk_or_code_is_found(undoing, check) -> None:
    """A changed share, and a manifest that does not state it, fail."""
    mesh = undoing / "mesh.json"
    mesh.write_text(mesh.read_text().replace('"share":0.01', '"share":0.012'))
    said, code = check(undoing)
    assert code == 1, said
    assert ", matrices of the DAC codes off by" in said
    assert not verify(undoing, sax=False).ok


def test_one_changed_code_is_found(undoing, check) -> None:
    """Also of a block whose matrix stays better than the worst one, by the hash of its file."""
    mesh = undoing / "mesh.json"
    before, code, after = mesh.read_text().rpartition('"code":')
    mesh.write_text(f"{before}{code}{int(after[0]) ^ 1}{after[1:]}")
    said, code = check(undoing)
    assert code == 1, said
    assert "mesh.json from the manifest" in said


def test_a_bundle_without_crosstalk_has_none_of_it(bundle) -> None:
    """Its files are those of before: no key, no sentence."""
    assert '"crosstalk"' not in (bundle / "mesh.schema.json").read_text()
    assert "crosstalk" not in json.loads((bundle / "manifest.json").read_text())
