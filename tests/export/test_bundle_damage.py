"""Any change to a bundle is noticed, and what is damaged is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from ecgphoton.artifacts import to_json, write_manifest
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import load_bundle
from ecgphoton.export.bundle_folder import manifest_problems, sealed
from ecgphoton.export.claims import CHECKS
from ecgphoton.export.verify import verify
from ecgphoton.runs import load


@pytest.mark.slow
def test_any_flipped_byte_is_caught(copy) -> None:
    """One changed bit, anywhere in any file, and the manifest does not fit any more."""
    draw = np.random.default_rng(0)
    for path in sorted(path for path in copy.rglob("*") if path.is_file()):
        data = path.read_bytes()
        places = draw.choice(len(data), min(len(data), 8), replace=False)
        for place in {0, len(data) - 1, *places.tolist()}:
            damaged = bytearray(data)
            damaged[place] ^= 1 << int(draw.integers(8))
            path.write_bytes(damaged)
            try:
                found = manifest_problems(copy)
            except InputError:
                found = ["unreadable manifest"]
            assert found, f"{path.name}, byte {place}"
        path.write_bytes(data)
    assert manifest_problems(copy) == []


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "mesh.json", "student.onnx", "golden.npz", "checkpoint.safetensors"],
)
def test_damage_fails_verification_without_a_crash(copy, name) -> None:
    """A damaged file is a failed check (exit code 1), and a reader refuses the bundle."""
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 0x10
    (copy / name).write_bytes(data)
    report = verify(copy, sax=False)
    assert not report.ok
    with pytest.raises(InputError, match=r"damaged|manifest"):
        load_bundle(copy)


def reseal(folder):
    """Write a manifest that fits whatever is in the folder: an attacker's work."""
    manifest = json.loads((folder / "manifest.json").read_text())
    extra = {key: manifest[key] for key in manifest if key not in ("kind", "files", "digest")}
    write_manifest(folder, kind=manifest["kind"], extra=extra)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(to_json(sealed(manifest)))


def edit(folder, name, old, new):
    """Replace the first match of a pattern in a text file."""
    text = (folder / name).read_bytes()
    changed = re.sub(old.encode(), new.encode(), text, count=1)
    assert changed != text
    (folder / name).write_bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new", "claim"),
    [
        ("mesh.json", r'"phase":(\d)\.(\d\d\d)', r'"phase":\1.999', "mesh"),
        ("mesh.json", r'"threshold":0\.5', '"threshold":0.4', "settings"),
        ("mesh.json", r'"onnx":"(.)', r'"onnx":"0', "hashes"),
        ("dac_codes.csv", r",(\d+),", r",9\1,", "follow"),
        ("checkpoint.safetensors", "abnormal", "abnormel", "settings"),
        ("check.py", "1e-12", "1e+12", "follow"),
        ("features.py", "0\\.03", "0.04", "follow"),
    ],
)
def test_changes_behind_a_new_manifest_are_caught(copy, name, old, new, claim) -> None:
    """Hashes can be forged; phases, codes, links and checker still have to fit each other."""
    edit(copy, name, old, new)
    reseal(copy)
    failed = [check.claim for check in verify(copy, sax=False).checks if check.outcome == "failed"]
    assert any(claim in text for text in failed)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [(r'"threshold":0\.5', '"threshold":0.4', "operating point"),
     (r'"checkpoint":"(.)', '"checkpoint":"0', "hash")],
)  # fmt: skip
def test_a_mesh_file_of_another_student_carries_none(copy, old, new, what) -> None:
    """Behind hashes that fit, a bundle of two students is refused by everything that loads it."""
    edit(copy, "mesh.json", old, new)
    reseal(copy)
    with pytest.raises(InputError, match=rf"{what} of mesh\.json: not as in checkpoint"):
        load(copy)


def test_files_that_were_added_are_named(copy, monkeypatch) -> None:
    """They change no claim, and are said not to be checked."""
    claim = "every file is the one in the manifest"
    monkeypatch.setattr("ecgphoton.export.verify.CHECKS", {claim: CHECKS[claim]})
    (copy / "dac_codes (2).csv").write_text("1")
    (check,) = verify(copy).checks
    assert (check.outcome, check.found[-19:]) == ("ok", ": dac_codes (2).csv")


@pytest.mark.parametrize("claimed", [None, [1], "exact"])
def test_claims_of_another_type_fail_without_a_crash(copy, claimed, monkeypatch) -> None:
    """What the manifest states of the codes may be anything."""
    claim = "DAC codes perform what the manifest states"
    monkeypatch.setattr("ecgphoton.export.verify.CHECKS", {claim: CHECKS[claim]})
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(to_json(sealed(manifest | {"codes": claimed})))
    assert [check.outcome for check in verify(copy).checks] == ["failed"]


@pytest.mark.slow
def test_checker_needs_numpy_only(copy) -> None:
    """check.py agrees in a bare process, and exits 1 naming which codes are wrong."""
    block_torch = "import sys; sys.modules['torch'] = sys.modules['ecgphoton'] = None; "
    run = f"{block_torch}import runpy; runpy.run_path({str(copy / 'check.py')!r})"
    good = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert ", as stated; 32 golden beats agree, every code; 40 beats" in good.stdout
    edit(copy, "mesh.json", r'"multiplier":(\d)', r'"multiplier":1\1')
    edit(copy, "mesh.json", r'"code":(\d)', r'"code":1\1')
    bad = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)
    assert bad.returncode == 1
    assert bad.stdout.startswith("differs: mesh.json from the manifest, matrices of the DAC codes")
    assert "P.detector" in bad.stdout
    code = (copy / "check.py").read_text().split("import numpy as np", 1)[1]
    assert len([line for line in code.splitlines() if line]) <= 100


@pytest.mark.slow
def test_manifest_may_not_leave_the_folder(copy) -> None:
    """A name with .. is refused before anything is read."""
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["../secret"] = {"bytes": 1, "sha256": "0" * 64}
    (copy / "manifest.json").write_text(to_json(sealed(manifest)))
    with pytest.raises(InputError, match="outside the folder"):
        load_bundle(copy)
    assert not verify(copy, sax=False).ok


@pytest.mark.parametrize("content", [None, "[]", "{"])
def test_a_bundle_without_its_manifest_is_not_taken_for_a_run(copy, content) -> None:
    """It is refused: its checkpoint alone would be simulated with other codes."""
    if content is None:
        (copy / "manifest.json").unlink()
    else:
        (copy / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="manifest"):
        load(copy)
