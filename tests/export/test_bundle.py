"""A bundle is whole, small and reproducible, and loads as its student."""

from __future__ import annotations

import json
import os
import shutil
import time

import numpy as np
import pytest

from ecgphoton.artifacts import load_checkpoint, save_checkpoint, to_json
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.bundle_folder import STALE, manifest_problems, write_folder
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.export.verify import verify

LIMIT = 325_000  # bytes of a bundle without pictures


def files_of(folder):
    """All files of a bundle, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_every_claim_holds(bundle) -> None:
    """A fresh bundle passes every check, and none but SAX is skipped."""
    report = verify(bundle, sax=False)
    assert report.ok, report.rows()
    skipped = [check.claim for check in report.checks if check.outcome == "skipped"]
    assert len(skipped) == 1
    assert "SAX" in skipped[0]
    assert json.loads(to_json(report.to_dict()))["ok"] is True


def test_bundle_is_small(run_folder, tmp_path) -> None:
    """The full student's bundle has every default form in 325 kB, pictures not counted."""
    report = export_bundle(run_folder, tmp_path / "b")
    folder = files_of(tmp_path / "b")
    assert sum(len(data) for name, data in folder.items() if "drawings" not in name) <= LIMIT
    assert report.files.keys() == folder.keys() - {"manifest.json"}
    assert {"mesh.sax.json", "mesh.gdsfactory.yml", "dac_codes.csv"} <= folder.keys()
    assert json.loads(to_json(report.to_dict()))["mesh"] == "svd-clements"
    assert [row[0] for row in report.rows()] == [gauge.name for gauge in report.gauges]


def test_same_run_same_bytes(run_folder, tmp_path, monkeypatch) -> None:
    """Exported from another folder to another folder, every file has the same bytes."""
    elsewhere = shutil.copytree(run_folder, tmp_path / "elsewhere")
    export_bundle(run_folder, tmp_path / "one", formats=("csv", "svg", "raw"))
    monkeypatch.chdir(elsewhere)
    export_bundle("checkpoint.safetensors", tmp_path / "two", formats=("csv", "svg", "raw"))
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("mesh", ["svd-reck", "real-part"])
def test_other_meshes_hold_too(run_folder, tmp_path, mesh) -> None:
    """Reck and real-part bundles pass the same checks, at other widths as well."""
    export_bundle(run_folder, tmp_path / "b", mesh=mesh, bits=5, dac_bits=12, formats=("bom",))
    report = verify(tmp_path / "b", sax=False)
    assert report.ok, report.rows()


@pytest.mark.slow
def test_ranges_come_from_where_they_should(run_folder, tmp_path) -> None:
    """Ranges in the checkpoint come first, then the beats given, then made-up beats."""
    beats = synthetic_inputs(load_bundle_architecture(run_folder), beats=10)
    options = {"formats": (), "force": True}
    assert "synthetic" in export_bundle(run_folder, tmp_path / "b", **options).ranges_from
    given = export_bundle(run_folder, tmp_path / "b", calibration=beats, **options)
    assert given.ranges_from == "beats that were given (method mse)"
    arrays, metadata = load_checkpoint(run_folder / "checkpoint.safetensors")
    count = len(arrays["log_gain"])
    arrays |= {"range_lo": np.full(count, -2.5), "range_hi": np.full(count, 2.0)}
    save_checkpoint(tmp_path / "tuned.safetensors", arrays, metadata)
    tuned = export_bundle(tmp_path / "tuned.safetensors", tmp_path / "b", **options)
    assert tuned.ranges_from == "checkpoint"
    block = load_bundle(tmp_path / "b").program.blocks[0]
    assert (block.adc_low, block.adc_high) == (-2.5, 2.0)


def load_bundle_architecture(run_folder):
    """Architecture of the run's student."""
    from ecgphoton.student.network import read_student

    return read_student(run_folder / "checkpoint.safetensors")[0].architecture


@pytest.mark.slow
def test_refusals(run_folder, bundle, tmp_path) -> None:
    """Folders that exist, are no bundle, or hold something else are left alone, with a reason."""
    with pytest.raises(InputError, match="exists"):
        export_bundle(run_folder, bundle)
    other = tmp_path / "papers"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="exists"):
        export_bundle(run_folder, other, force=True)
    assert (other / "thesis.txt").exists()
    with pytest.raises(InputError, match="format is 'pdf'"):
        export_bundle(run_folder, tmp_path / "b", formats=("pdf",))
    with pytest.raises(InputError, match="bits is 1"):
        export_bundle(run_folder, tmp_path / "b", bits=1)
    for reader in (verify, load_bundle):
        with pytest.raises(InputError, match="not a bundle"):
            reader(tmp_path)
    assert not (tmp_path / "b").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["papers"]


@pytest.mark.slow
def test_force_replaces_a_bundle_whole(run_folder, tmp_path) -> None:
    """Nothing of the old bundle is left, and nothing else appears beside it."""
    export_bundle(run_folder, tmp_path / "b", formats=("csv",))
    export_bundle(run_folder, tmp_path / "b", formats=("bom",), force=True)
    assert not (tmp_path / "b" / "dac_codes.csv").exists()
    assert manifest_problems(tmp_path / "b") == []
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_loaded_bundle_is_the_student(bundle) -> None:
    """What is read back has the program, the integers, the float student and the golden beats."""
    loaded = load_bundle(bundle)
    probability = loaded.quantized.predict(loaded.golden)
    assert probability.shape == (32, 2)
    logits = loaded.student(loaded.golden.window, loaded.golden.rhythm, loaded.golden.residual)[0]
    assert np.abs(logits.detach().numpy() - loaded.quantized.logits(loaded.golden)[0]).max() < 0.2
    assert loaded.program.hashes.keys() == {"checkpoint", "onnx", "onnx_integer"}
    assert loaded.metadata["labels"] == "literal"


@pytest.mark.slow
@pytest.mark.pictures
def test_png_has_pictures(run_folder, tmp_path) -> None:
    """Pictures come as PNG when asked for, one per block."""
    report = export_bundle(run_folder, tmp_path / "b", formats=("png",))
    pictures = [name for name in report.files if name.endswith(".png")]
    assert len(pictures) == len(report.gauges)
    assert (tmp_path / "b" / pictures[0]).read_bytes().startswith(b"\x89PNG")


def test_sax_is_said_to_be_missing(bundle, monkeypatch) -> None:
    """Without SAX the check is skipped and says how to get it; the rest stands."""
    from ecgphoton.export import circuits, claims

    monkeypatch.setattr(circuits.importlib.util, "find_spec", lambda name: None)
    assert claims.circuits(claims.ClaimedBundle(bundle, None)) == (
        "skipped",
        circuits.sax_missing(),
    )
    assert "pip install" in circuits.sax_missing()


def test_what_a_killed_export_left_is_cleared(bundle, tmp_path) -> None:
    """Old unfinished folders go, an old bundle caught in between comes back, fresh ones stay."""
    out, long_ago = tmp_path / "b", time.time() - 2 * STALE
    half, running, old = (tmp_path / f".b.{name}" for name in ("aaaaaaaa", "bbbbbbbb", "cccccccc"))
    half.mkdir()
    running.mkdir()
    shutil.copytree(bundle, old)
    for folder in (half, old):
        os.utime(folder, (long_ago, long_ago))
    with pytest.raises(InputError, match="exists"):
        write_folder(out, {}, {}, force=False)
    assert manifest_problems(out) == []
    assert (half.exists(), running.exists(), old.exists()) == (False, True, False)


@pytest.mark.slow
def test_a_bundle_of_another_version_names_the_command_that_renews_it(copy) -> None:
    """A bundle of 0.1 is refused, also by `verify`, with `ecgphoton export`; it can be replaced."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["kind"] = "ecgphoton-bundle/1"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    for reader in (verify, load_bundle):
        with pytest.raises(
            InputError, match=r"'ecgphoton-bundle/1', .* `ecgphoton export RUN --mesh`"
        ):
            reader(copy)
    export_bundle(copy, copy, force=True, formats=())
    assert verify(copy, sax=False).ok
