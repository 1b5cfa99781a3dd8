"""The whole journey on the command line, as a newcomer takes it (synthetic beats)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

pytestmark = pytest.mark.slow

Call = Callable[..., Result]


def test_export_writes_everything_and_verify_agrees(house: Path, call: Call) -> None:
    """``export --mesh`` without a run takes the newest, and ``verify`` recomputes every claim."""
    names = {path.name for path in (house / "bundles" / "b").iterdir()}
    expected = {"mesh.json", "student.onnx", "student_integer.onnx", "check.py", "manifest.json"}
    assert expected <= names
    verified = call("verify", "bundles/b", "--no-sax", "--json")
    assert verified.exit_code == 0, verified.output
    assert all(check["outcome"] != "failed" for check in json.loads(verified.stdout)["checks"])


def test_verify_notices_a_flipped_byte(house: Path, call: Call, tmp_path: Path) -> None:
    """One byte changed anywhere: exit 1, and the file is named."""
    import shutil

    copy = tmp_path / "b"
    shutil.copytree(house / "bundles" / "b", copy)
    content = bytearray((copy / "mesh.json").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "mesh.json").write_bytes(bytes(content))
    verified = call("verify", str(copy), "--no-sax", "--no-beats")
    assert verified.exit_code == 1
    assert "mesh.json" in verified.output


@pytest.mark.pictures
@pytest.mark.slow
@pytest.mark.parametrize("model", ["runs/r", "bundles/b"])
def test_simulate_gives_a_verdict_and_writes_it_down(model: str, house: Path, call: Call) -> None:
    """Limits of 1 pass (exit 0), limits of 0 fail (exit 1), and every chip is in the CSV."""
    common = ("simulate", model, "--chips", "4", "--json")
    passed = call(*common, "--limit", "miss", "1", "--limit", "fpr", "1")
    assert passed.exit_code == 0, passed.output
    report = json.loads(passed.stdout)
    assert report["verdict"] == "pass"
    assert report["source"] == "synthetic"
    assert "SYNTHETIC" in passed.stderr
    folder = house / report["folder"]
    assert len((folder / "chips.csv").read_text().splitlines()) == 5
    assert (folder / "chips.png").stat().st_size > 1000
    failed = call(*common, "--limit", "miss", "0", "--limit", "fpr", "0")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["verdict"] == "fail"
    assert json.loads(failed.stdout)["folder"] != report["folder"]


def test_a_profile_makes_mesh_chips(call: Call) -> None:
    """A bundle on a fabrication profile is simulated as meshes; its values are written down."""
    done = call("simulate", "bundles/b", "--profile", "ideal", "--chips", "2", "--json")
    assert done.exit_code in (0, 1), done.output
    report = json.loads(done.stdout)
    assert report["profile"] == report["provenance"]["profile"]["name"] == "ideal"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "--noise", "-1"], "from 0 to 1"),
        (["simulate", "--noise", "nan"], "from 0 to 1"),
        (["simulate", "--chips", "0"], "chips is 0; it must be from 1 to"),
        (["simulate", "nowhere"], "there is no run or bundle at nowhere"),
        (["simulate", "--profile", "nobody"], "there is no profile 'nobody'"),
        (["study", "sweep", "--over", "noise"], "cannot be read"),
        (["study", "sweep", "--over", "volume=0:1:2"], "cannot be swept"),
        (["study", "solve", "--key", "volume"], "cannot be swept or solved"),
        (["study", "solve", "--key", "noise", "--calibrated", "once"], "nothing that calibrated"),
        (["study", "trace", "--beat", "99999999"], "--beat is 99999999; it must be from 0 to"),
        (["study", "trace", "--chip", "-1"], "--chip is -1; it must be from 0 to"),
        (["study", "surrogate", "--over", "dac.bits=4:8:2"], "is not about noise"),
        (["study", "bits", "--fewest", "9", "--most", "4"], "widths from 9 to 4 bits"),
        (["simulate", "--limit", "miss", "2"], "from 0 to 1"),
        (["simulate", "--limit", "mis", "0.2"], "did you mean miss?"),
        (["export", "--bits", "1"], "must be from 2 to 16"),
        (["export", "--format", "pdf", "--out", "x"], "format is 'pdf'"),
        (["export", "--out", "bundles/b"], "bundles/b"),
        (["verify", "runs/r"], "is a run, not a bundle"),
        (["verify", "nowhere"], "there is no run or bundle at nowhere"),
        (["score", "nowhere"], "nowhere"),
        (["annotate", "nowhere"], "nowhere"),
        (["evaluate", "--labels", "aami4", "--data", "synthetic"], "evaluate with --labels"),
        (["report", "runs/r", "--also", "nowhere"], "nowhere is not a folder"),
        (["simulat"], "did you mean simulate?"),
        (["study", "swep"], "did you mean sweep?"),
        (["simulate", "inter-pateint"], "did you mean inter-patient?"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], said: str, call: Call) -> None:
    """Every mistake: exit 2, what was wrong, and no traceback."""
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output
