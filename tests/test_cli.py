"""The command line answers fast, and answers people."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from ecgphoton.cli import main


def test_help_imports_nothing_heavy() -> None:
    """``ecgphoton --help`` loads neither torch, onnx, matplotlib, scipy nor wfdb."""
    code = (
        "import sys; from ecgphoton.cli import main; main(['--help'], standalone_mode=False);"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'matplotlib', 'scipy', 'wfdb', 'numpy'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "simulate" in done.stdout


@pytest.mark.parametrize("name", main.commands)
def test_every_command_has_help(name: str) -> None:
    """Every listed command exists and explains itself."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--recipe", "nowhere"], "there is no recipe"),
        (["train", "--set", "training.epochz=3"], "did you mean training.epochs"),
        (["train", "--set", "training.epochs=many"], "must be a value of type int"),
        (["train", "--set", "training.epochs"], "section.key=value"),
        (["train", "--set", "student.layers=1"], "from 2 to 16"),
        (["train", "--protocol", "nobody", "--data", "synthetic"], "nobody"),
        (["evaluate", "nowhere"], "there is no run or bundle at nowhere"),
        (["train", "--seed", "-1"], "seed is -1"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """A user's mistake gives one clear line, exit code 2 and no traceback."""
    monkeypatch.chdir(tmp_path)  # type: ignore[arg-type]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
