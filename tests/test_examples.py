"""Every script of the gallery runs and draws its one picture."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parent.parent
SMALL = {
    "annotate_own_record": ["--beats", "150"],
    "bits": ["--beats", "200", "--fewest", "5", "--most", "6"],
    "calibrate_one_chip": [],
    "mesh_drawing": [],
    "noise_yield": ["--chips", "2", "--beats", "300"],
    "own_profile": ["--chips", "2", "--beats", "100"],
    "sax_crosscheck": ["--chips", "1"],
    "train_synthetic": ["--epochs", "2"],
}
"""Settings with which an example is quick; its own are in its docstring's command."""
SCRIPTS = sorted(path for path in (ROOT / "examples").glob("*.py") if path.stem[0] != "_")


def run(monkeypatch: pytest.MonkeyPatch, script: Path, *arguments: object) -> None:
    """Run a script in this process, as the command line would."""
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, arguments)])
    monkeypatch.syspath_prepend(str(script.parent))
    threads = torch.get_num_threads()
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        torch.set_num_threads(threads)


@pytest.mark.pictures
@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(path, marks=[pytest.mark.sax] * ("sax" in path.stem), id=path.stem)
        for path in SCRIPTS
    ],
)
def test_an_example_draws_its_picture(script, tmp_path, monkeypatch):
    """It ends without an error and leaves one picture that is not empty."""
    from matplotlib.image import imread

    if script.stem == "sax_crosscheck":
        pytest.importorskip("sax")
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "pictures" / "one.png"
    run(monkeypatch, script, "--out", out, *SMALL[script.stem])
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["one.png"]
    seen = imread(out)
    assert min(seen.shape[:2]) > 100
    assert np.ptp(seen[..., :3]) > 0.5


def test_the_gallery_shows_every_example():
    """The page has the command, the picture and the sentence of each, and no picture is heavy."""
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    assert set(SMALL) == {path.stem for path in SCRIPTS}
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 60, script.name
        command = re.search(r"python (examples/\w+\.py) --out", text)
        assert command, script.name
        assert command[1] == f"examples/{script.name}"
        assert f"python {command[1]} --out" in page
        picture = ROOT / "docs" / "figures" / "examples" / f"{script.stem}.png"
        assert f"figures/examples/{script.stem}.png" in page
        assert picture.stat().st_size < 60_000, picture.name
