"""Every reader meets damaged files; `ECGPHOTON_FUZZ=20000` sets how many in all."""

from __future__ import annotations

import os
import shutil
import signal
import warnings

import numpy as np
import pytest

from ecgphoton import artifacts
from ecgphoton.errors import EcgphotonError
from ecgphoton.runs import load_student

TOTAL = int(os.environ.get("ECGPHOTON_FUZZ", "1300"))
SECONDS = 5  # longest any input may take
BUNDLE = "reference-rhythm"


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with one to four faults: flips, cuts, repeats, numbers made absurd."""
    body = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, max(1, len(body))))
        kind = int(rng.integers(0, 6))
        if kind == 0 and body:
            body[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1 and body:
            body[at] = int(rng.integers(0, 256))
        elif kind == 2:
            del body[at:]
        elif kind == 3:
            del body[at : at + int(rng.integers(1, 64))]
        elif kind == 4:
            body[at:at] = body[at : at + int(rng.integers(1, 64))]
        else:
            absurd = (b"-1", b"NaN", b"1e999", b"99999999999999999999", b"[[[[", b"..", b"\x00")
            body[at : at + 2] = absurd[int(rng.integers(0, len(absurd)))]
    return bytes(body)


def _record(suffix):
    """Read s01 with a damaged file of one kind."""

    def read(folder):
        from ecgphoton.ecg.reading import read_recording

        read_recording(folder, "s01")

    return f"s01.{suffix}", read


def _checkpoint(folder):
    artifacts.load_checkpoint(folder / "checkpoint.safetensors")


def _student(folder):
    load_student(folder)


def _mesh(folder):
    from ecgphoton.mesh.program_file import load_program

    load_program(folder / "mesh.json")


def _golden(folder):
    from ecgphoton.export.golden import read_golden

    read_golden(folder / "golden.npz", 8)


def _graph(folder):
    from ecgphoton.export.runtime import runner, stored_metadata

    data = (folder / "student.onnx").read_bytes()
    stored_metadata(data)
    runner(data, "onnxruntime")


def _manifest(folder):
    from ecgphoton.export.bundle import KIND

    artifacts.check_manifest(folder, kind=KIND)


def _recipe(folder):
    from ecgphoton.recipe import read

    read(str(folder / "recipe.toml"))


def _profile(folder):
    from ecgphoton.hwsim.profile import load_profile

    load_profile(folder / "profile.toml")


def _session(folder):
    from ecgphoton.calibration.bench import Session

    Session.load(folder / "session.npz")


READERS = {
    "WFDB header": _record("hea"),
    "WFDB signal": _record("dat"),
    "WFDB annotation": _record("atr"),
    "checkpoint": ("checkpoint.safetensors", _checkpoint),
    "student": ("checkpoint.safetensors", _student),
    "mesh program": ("mesh.json", _mesh),
    "golden": ("golden.npz", _golden),
    "ONNX graph": ("student.onnx", _graph),
    "manifest": ("manifest.json", _manifest),
    "recipe": ("recipe.toml", _recipe),
    "profile": ("profile.toml", _profile),
    "bench session": ("session.npz", _session),
}


@pytest.fixture(autouse=True)
def _no_hang():
    """Fail, rather than wait, when an input takes too long."""

    def stop(*_):
        pytest.fail(f"a reader took more than {SECONDS} s")

    previous = signal.signal(signal.SIGALRM, stop)
    yield
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, wfdb_folder):
    """Folder with one good file for every reader."""
    from ecgphoton import hwsim, models, recipes
    from ecgphoton.calibration.bench import Session

    def beside(module):
        return next(iter(module.__path__))

    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(f"{beside(models)}/{BUNDLE}/bundle", folder, dirs_exist_ok=True)
    shutil.copytree(wfdb_folder, folder, dirs_exist_ok=True)
    shutil.copy(f"{beside(recipes)}/{BUNDLE}.toml", folder / "recipe.toml")
    shutil.copy(f"{beside(hwsim)}/profiles/mems.toml", folder / "profile.toml")
    operation = {
        "codes": np.zeros((1, 1, 1, 36), np.int64),
        "vectors": np.eye(4),
        "kind": np.array("field"),
        "readings": np.zeros((1, 1, 1, 4, 4)),
    }
    Session((1, 1, 36), 12, (operation,)).save(folder / "session.npz")
    return folder


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_refused_in_words_or_read(whole, name, tmp_path) -> None:
    """Damaged bytes raise only the package's own errors, soon, and write nothing."""
    file, read = READERS[name]
    folder = tmp_path / "damaged"
    shutil.copytree(whole, folder)
    read(folder)  # undamaged, it can be read
    good, rng = (folder / file).read_bytes(), np.random.default_rng(7)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    count = -(-TOTAL // len(READERS))
    refused = 0
    for index in range(count):
        (folder / file).write_bytes(mutated(good, rng))
        signal.alarm(SECONDS)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(folder)
        except EcgphotonError as error:
            refused += bool(str(error))
        except Exception as error:
            pytest.fail(f"input {index} of {name}: {type(error).__name__}: {error}")
        finally:
            signal.alarm(0)
    assert refused > 0
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
