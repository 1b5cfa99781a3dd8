"""Every reader meets damaged files, byte by byte and part by part.

``ECGPHOTON_FUZZ=20000 python -m pytest tests/test_fuzz.py`` meets that many in all;
``ECGPHOTON_FUZZ_SEED`` draws others.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from bounds import bounded, meet
from damage import BY_ENDING, mutated
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st

from ecgphoton import artifacts
from ecgphoton.errors import EcgphotonError

TOTAL = int(os.environ.get("ECGPHOTON_FUZZ", "500"))
SEED = int(os.environ.get("ECGPHOTON_FUZZ_SEED", "7"))
BUNDLE = "inter-patient"


# --- the readers, each with the file it reads ---------------------------------------------------


def _recording(folder):
    from ecgphoton.ecg.annotations import read_annotations
    from ecgphoton.ecg.extract import extract
    from ecgphoton.ecg.reading import open_signal, read_recording

    with contextlib.suppress(EcgphotonError):
        extract(read_recording(folder, "s01"), source="mitdb")
    with contextlib.suppress(EcgphotonError):
        for _ in open_signal(folder / "s01").blocks():
            pass
    read_annotations(folder / "s01", "atr")
    extract(read_recording(folder, "s01"), source="mitdb")


def _checkpoint(folder):
    artifacts.load_checkpoint(folder / "checkpoint.safetensors")


def _student(folder):
    from ecgphoton.runs import load_student
    from ecgphoton.student.network import read_student

    with contextlib.suppress(EcgphotonError):
        read_student(folder / "checkpoint.safetensors")
    _ = load_student(folder).recipe


def _resume(folder):
    from ecgphoton.run.train import resume_point

    resume_point(folder / "unfinished")


def _mesh(folder):
    from ecgphoton.program.program_file import read_program

    read_program(folder / "mesh.json")


def _golden(folder):
    from ecgphoton.export.golden import read_golden

    read_golden(folder / "golden.npz", 8)


def _graph(name):
    def read(folder):
        from ecgphoton.export.runtime import runner, stored_metadata

        data = (folder / name).read_bytes()
        stored_metadata(data)
        run = runner(data, "onnxruntime")
        run({part: np.zeros((2, size), np.float32) for part, size in INPUTS.items()})

    return read


def _manifest(folder):
    from ecgphoton.export.bundle_folder import manifest_problems

    manifest_problems(folder)


def _recipe(folder):
    from ecgphoton.recipe import read

    read(str(folder / "recipe.toml"))


def _profile(folder):
    from ecgphoton.hwsim.profile_file import load_profile

    load_profile(folder / "profile.toml")


def _session(folder):
    from ecgphoton.calibration.bench import Session

    Session.load(folder / "session.npz")


def _table(folder):
    from ecgphoton.calibration.table import DriveTable

    global program
    if program is None:
        from ecgphoton.program.program_file import read_program

        program = read_program(folder / "mesh.json")
    DriveTable.load(folder / "table.npz", program)[0].predicted()


def _scores(folder):
    from ecgphoton.report.scores import read_scores

    read_scores(folder / "test_scores.npz")


def _sums(folder):
    from ecgphoton.ecg.database import verify

    verify(folder)


def _cache(folder):
    from ecgphoton.ecg.cache import _load

    _load(folder / "s01.beats", "s01")


program = None  # takes longer to make than a table to read
INPUTS = {"window": 360, "rhythm": 16}
GRAPHS = ("student.onnx", "student_integer.onnx")
READERS = {
    "WFDB header": ("s01.hea", _recording),
    "WFDB signal": ("s01.dat", _recording),
    "WFDB annotation": ("s01.atr", _recording),
    "checkpoint": ("checkpoint.safetensors", _checkpoint),
    "student": ("checkpoint.safetensors", _student),
    "training state": ("unfinished/state.safetensors", _resume),
    "start of a run": ("unfinished/start.json", _resume),
    "mesh program": ("mesh.json", _mesh),
    "golden": ("golden.npz", _golden),
    "float graph": (GRAPHS[0], _graph(GRAPHS[0])),
    "integer graph": (GRAPHS[1], _graph(GRAPHS[1])),
    "manifest": ("manifest.json", _manifest),
    "recipe": ("recipe.toml", _recipe),
    "profile": ("profile.toml", _profile),
    "bench session": ("session.npz", _session),
    "drive table": ("table.npz", _table),
    "scores": ("test_scores.npz", _scores),
    "checksums": ("SHA256SUMS.txt", _sums),
    "beats cache": ("s01.beats", _cache),
}


# --- the promises -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory, wfdb_folder):
    """Folder with one good file for every reader."""
    from ecgphoton import hwsim, models, recipes
    from ecgphoton.calibration.bench import Session
    from ecgphoton.calibration.table import DriveTable
    from ecgphoton.decision import OperatingPoint
    from ecgphoton.ecg.cache import _save
    from ecgphoton.ecg.databases import MITDB
    from ecgphoton.ecg.extract import extract
    from ecgphoton.ecg.reading import read_recording
    from ecgphoton.program.program_file import read_program
    from ecgphoton.recipe import Recipe
    from ecgphoton.training.parts import Control, EpochRecord

    def beside(module):
        return next(iter(module.__path__))

    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(f"{beside(models)}/{BUNDLE}/bundle", folder, dirs_exist_ok=True)
    shutil.copytree(wfdb_folder, folder, dirs_exist_ok=True)
    shutil.copy(f"{beside(recipes)}/{BUNDLE}.toml", folder / "recipe.toml")
    shutil.copy(f"{beside(hwsim)}/profiles/mems.toml", folder / "profile.toml")
    operation = {"codes": np.zeros((1, 1, 1, 36), np.int64), "vectors": np.eye(4)}
    operation |= {"kind": np.array("field"), "readings": np.zeros((1, 1, 1, 4, 4))}
    Session((1, 1, 36), 12, (operation,)).save(folder / "session.npz")
    DriveTable.start(read_program(folder / "mesh.json"), 2).save(folder / "table.npz")
    columns = {"probability": np.zeros((9, 2)), "label": np.zeros(9, int), "sample": np.arange(9)}
    columns |= {"record": np.full(9, "s01"), "symbol": np.full(9, "N")}
    np.savez(folder / "test_scores.npz", **columns)
    (folder / "SHA256SUMS.txt").write_text("".join(f"{'0' * 64} {name}\n" for name in MITDB.files))
    _save(folder / "s01.beats", extract(read_recording(folder, "s01"), source="mitdb"))
    artifacts.write_json(
        folder / "unfinished/start.json", {"seed": 0, "recipe": Recipe().to_dict()}
    )
    record = EpochRecord(1, 0.5, 0.5, 0.01, OperatingPoint(0.5, ("validation",)), {"test": {}})
    told = {"history": [record.to_dict()], "control": Control().to_dict(), "rate": 0.01}
    artifacts.save_checkpoint(
        folder / "unfinished/state.safetensors", {"model.a": np.zeros(3)}, told
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_refused_in_words_or_read(whole, name, tmp_path, monkeypatch) -> None:
    """Only the package's own errors, soon, in little memory; nothing is written anywhere."""
    file, read = READERS[name]
    folder = tmp_path / "damaged"
    shutil.copytree(whole, folder)
    monkeypatch.chdir(tmp_path)
    read(folder)  # undamaged, it can be read
    good, rng = (folder / file).read_bytes(), np.random.default_rng(SEED)
    before = sorted(path for path in tmp_path.rglob("*"))
    damage = BY_ENDING.get(Path(file).suffix)
    share = -(-TOTAL // len(READERS))
    met = refused = 0
    with bounded():
        for index in range(share if damage is None else share // 2):
            (folder / file).write_bytes(mutated(good, rng))
            refused += meet(read, folder, f"bytes {index} of {name}")
            met += 1

        @seed(SEED)
        @settings(max_examples=max(share - met, 1), deadline=None, database=None,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(st.data())
        def parts(data) -> None:
            nonlocal met, refused
            (folder / file).write_bytes(damage(good, data.draw))
            refused += meet(read, folder, f"parts of {name}")
            met += 1

        if damage is not None:
            parts()
    assert met >= share
    assert refused > 0 or name == "beats cache"  # a damaged cache is made anew
    assert sorted(path for path in tmp_path.rglob("*")) == before
