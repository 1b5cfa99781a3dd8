"""The whole journey on the command line, as a newcomer takes it (synthetic beats)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ecgphoton.cli import main
from ecgphoton.commands.simulate import SETTINGS

Call = Callable[..., Result]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one short run and its bundle."""
    folder = tmp_path_factory.mktemp("journey")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        quick = ["--data", "synthetic", "--set", "training.epochs=2", "--out", "runs/r"]
        assert CliRunner().invoke(main, ["train", *quick]).exit_code == 0
        done = CliRunner().invoke(main, ["export", "--mesh", "--out", "bundles/b"])
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def call(house: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call the command line inside that folder."""
    monkeypatch.chdir(house)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


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


@pytest.mark.slow
@pytest.mark.parametrize("subject", ["runs/r", "bundles/b"])
def test_simulate_gives_a_verdict_and_writes_it_down(subject: str, house: Path, call: Call) -> None:
    """Limits of 1 pass (exit 0), limits of 0 fail (exit 1), and every chip is in the CSV."""
    common = ("simulate", subject, "--chips", "4", "--json", "--out", "simulated")
    passed = call(*common, "--max-miss", "1", "--max-fpr", "1")
    assert passed.exit_code == 0, passed.output
    report = json.loads(passed.stdout)
    assert report["verdict"] == "pass"
    assert report["source"] == "synthetic"
    assert "SYNTHETIC" in passed.stderr
    assert len((house / "simulated" / "chips.csv").read_text().splitlines()) == 5
    assert (house / "simulated" / "chips.png").stat().st_size > 1000
    failed = call(*common, "--max-miss", "0", "--max-fpr", "0")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["verdict"] == "fail"


def test_a_profile_makes_mesh_chips(call: Call) -> None:
    """A bundle on a fabrication profile is simulated as meshes."""
    done = call("simulate", "bundles/b", "--profile", "ideal", "--chips", "2", "--json")
    assert done.exit_code in (0, 1), done.output
    assert json.loads(done.stdout)["profile"] == "ideal"


@pytest.mark.slow
@pytest.mark.parametrize(
    "study",
    [
        ("--sweep", "noise=0:0.02:2"),
        ("--blame",),
        ("--adversary",),
        ("--certify", "0.001,0.01"),
        ("--trace", "--chip", "2", "--beat", "5"),
    ],
    ids=lambda study: study[0],
)
def test_every_study_runs_and_prints_json(study: tuple[str, ...], call: Call) -> None:
    """Sweep, blame, adversary, bounds and trace end well, as JSON and as a table."""
    done = call("simulate", "runs/r", "--chips", "2", "--json", *study)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)
    assert call("simulate", "runs/r", "--chips", "2", *study).exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "--noise", "-1"], "at least 0"),
        (["simulate", "--noise", "nan"], "finite"),
        (["simulate", "--chips", "0"], "not in the range"),
        (["simulate", "nowhere"], "there is no run at nowhere"),
        (["simulate", "--profile", "nobody"], "there is no profile 'nobody'"),
        (["simulate", "--sweep", "noise"], "cannot be read"),
        (["simulate", "--sweep", "volume=0:1:2"], "cannot be swept"),
        (["simulate", "--sweep", "noise=0:1:2", "--blame"], "one at a time"),
        (["simulate", "--max-miss", "2"], "must be in"),
        (["simulate", "--trace", "--beat", "99999999"], "evaluation beats are"),
        (["export", "--bits", "1"], "not in the range"),
        (["export", "--format", "pdf", "--out", "x"], "format is pdf"),
        (["export", "--out", "bundles/b"], "bundles/b"),
        (["verify", "runs/r"], "is a run, not a bundle"),
        (["verify", "nowhere"], "there is no run at nowhere"),
        (["score", "nowhere"], "nowhere"),
        (["annotate", "nowhere"], "there is no record nowhere"),
        (["evaluate", "--labels", "aami4", "--data", "synthetic"], "evaluate with --labels"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], said: str, call: Call) -> None:
    """Every mistake: exit 2, what was wrong, and no traceback."""
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_the_command_hands_every_setting_on() -> None:
    """`SETTINGS` are exactly the keyword options of the simulation."""
    import inspect

    from ecgphoton.hwsim.simulate import simulate

    known = set(inspect.signature(simulate).parameters)
    assert set(SETTINGS) <= known
