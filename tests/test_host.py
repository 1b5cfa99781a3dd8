"""Answers do not depend on what surrounds the program: settings, variables, notebooks, scripts."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from made_splits import synthetic_splits
from recordings import FS, ecg
from shared import short

import ecgphoton as ep
from ecgphoton.cli import main
from ecgphoton.host import foreign, single_precision, undisturbed
from ecgphoton.hwsim.distributed import GUARD
from ecgphoton.student.architecture import Architecture

PYPLOT = "import matplotlib.pyplot as plt; print(plt.get_backend())"
DRAW = "from ecgphoton.canvas import new_canvas; new_canvas(1, 1).savefig('drawn.png'); "
SCRIPT = """
import torch
from ecgphoton.decision import OperatingPoint
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

student = SegmentStudent(Architecture(), seed=1).eval()
draw = torch.Generator().manual_seed(0)
inputs = Inputs(torch.rand(12, 360, generator=draw) * 2 - 1)
point = OperatingPoint(0.5, ("validation",))
two = simulate(student, inputs, [True, False] * 6, point, chips=8, noise=0.02, workers=2)
"""
UNGUARDED = """
import sys
from unittest.mock import MagicMock

sys.modules["torch"] = MagicMock()  # nothing is computed, and it takes 2 s to import
from ecgphoton.hwsim.distributed import computed

next(computed(abs, 2, workers=2))
"""


@contextlib.contextmanager
def settings_of_a_host() -> Iterator[None]:
    """Set everything at once that a host program may have set."""
    state, dtype = np.random.get_state(), torch.get_default_dtype()  # noqa: NPY002
    torch.set_default_device("meta")
    torch.set_default_dtype(torch.float64)
    torch.set_float32_matmul_precision("medium")
    torch.use_deterministic_algorithms(True)
    torch.set_printoptions(precision=1)
    np.random.seed(3)  # noqa: NPY002
    try:
        with (
            warnings.catch_warnings(),
            np.errstate(all="raise"),
            np.printoptions(precision=1, threshold=2),
            pd.option_context("display.precision", 1, "mode.string_storage", "python"),
            torch.no_grad(),
            torch.inference_mode(),
        ):
            warnings.simplefilter("error")
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        torch.set_printoptions(profile="default")
        torch.use_deterministic_algorithms(False)
        torch.set_float32_matmul_precision("highest")
        torch.set_default_dtype(dtype)
        torch.set_default_device(None)


def test_settings_of_the_host_change_no_answer_and_stay() -> None:
    """Another default device, inference mode, types, errors and seeds: the same bits as without."""
    beats = synthetic_splits(patients=9, beats=30).test
    signal = ecg()[0]

    def answers() -> list[bytes]:
        student = ep.SegmentStudent(seed=3)
        inputs = ep.inputs_of(beats, student.architecture)
        point = ep.OperatingPoint(0.5, ("validation",))
        chips = ep.simulate(student, inputs, beats.label > 0, point, chips=2, noise=0.05)
        annotator = ep.Annotator(FS, student="inter-patient")
        found = [annotator.push(signal), annotator.finish()]
        shares = [ep.predict(student, beats), chips.miss, *(one.probability for one in found)]
        return [np.ascontiguousarray(share).tobytes() for share in shares]

    expected = answers()
    with settings_of_a_host():
        assert answers() == expected
        assert torch.get_default_device().type == "meta"
        assert torch.is_inference_mode_enabled()


@pytest.mark.slow
@pytest.mark.pictures
def test_a_run_is_the_same_in_any_host(tmp_path: Path) -> None:
    """Training, export and annotation need gradients and tensors in memory, whatever is set."""
    folders = [tmp_path / name for name in ("plain", "disturbed")]
    record = tmp_path / "record.npz"
    np.savez(record, signal=ecg()[0], fs=FS)
    for folder in folders:
        host = settings_of_a_host() if folder.name == "disturbed" else contextlib.nullcontext()
        with short(), host:
            quick = {"settings": ("training.epochs=1",), "data": "synthetic"}
            ep.run.train("reference-8", out=folder / "run", **quick)
            ep.run.export(folder / "run", data="synthetic", out=folder / "bundle")
            if folder.name == "disturbed":
                ep.run.annotate(record, model=folder / "run", out=folder / "answers")
                assert ep.run.verify(folder / "bundle", sax=False, data="synthetic").ok
    for path in ("run/checkpoint.safetensors", "run/roc.png", "bundle/mesh.json"):
        assert (folders[0] / path).read_bytes() == (folders[1] / path).read_bytes(), path


def test_public_functions_travel_to_workers() -> None:
    """A function of the package is pickled by name, as Dask and multiprocessing do."""
    for function in (ep.predict, ep.run.train, ep.study.sweep):
        assert pickle.loads(pickle.dumps(function)) is function


def python(
    *arguments: str, folder: Path, stdin: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder with variables of its own."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=stdin,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["module://nobody.has_this", ""])
def test_pictures_need_no_backend(backend: str, tmp_path: Path) -> None:
    """Whatever ``MPLBACKEND`` says, a picture is drawn, and the variable stays as it was."""
    code = DRAW + "import os; print(os.environ['MPLBACKEND'])"
    done = python("-c", code, folder=tmp_path, MPLBACKEND=backend)
    assert (done.returncode, done.stdout.strip()) == (0, backend), done.stderr
    assert (tmp_path / "drawn.png").stat().st_size > 0


def test_no_module_imports_matplotlib_before_a_picture_is_drawn() -> None:
    """A backend that does not exist ends nothing: `canvas.matplotlib` alone imports it, late."""
    sources = (Path(__file__).parents[1] / "ecgphoton").rglob("*.py")
    early = [
        path.name
        for path in sources
        if any(
            line.startswith(("import matplotlib", "from matplotlib"))
            for line in path.read_text(encoding="utf-8").splitlines()
        )
    ]
    assert early == []


@pytest.mark.slow
def test_pyplot_of_the_user_keeps_its_backend(tmp_path: Path) -> None:
    """A backend that exists is the one of the user's own figures after a picture of ours."""
    done = python("-c", DRAW + PYPLOT, folder=tmp_path, MPLBACKEND="svg")
    assert done.stdout.strip().lower() == "svg", done.stderr


@pytest.mark.parametrize("value", ["0.1.0", "1", "true"])
def test_a_version_variable_changes_nothing(value: str) -> None:
    """``ECGPHOTON_VERSION``, a usual name in containers, is not an option of the command line."""
    runner = CliRunner()
    expected = runner.invoke(main, ["recipes"])
    found = runner.invoke(main, ["recipes"], env={"ECGPHOTON_VERSION": value})
    assert (found.exit_code, found.output) == (0, expected.output)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["file", "standard input"])
def test_workers_without_a_main_guard_are_one_error(way: str, tmp_path: Path) -> None:
    """A script that its workers cannot import ends at once, with one error that says why."""
    (tmp_path / "script.py").write_text(UNGUARDED)
    if way == "file":
        done = python("script.py", folder=tmp_path)
    else:
        done = python("-", folder=tmp_path, stdin=UNGUARDED)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("Traceback") == 1, done.stderr
    assert GUARD in done.stderr


@pytest.mark.slow
def test_workers_nobody_asked_for_are_done_without(tmp_path: Path) -> None:
    """Where no number of processes is named, a program that none can find computes in its own."""
    unasked = UNGUARDED.replace(
        "next(computed(abs, 2, workers=2))", "print([*computed(abs, 2, workers=None)])"
    )
    done = python("-", folder=tmp_path, stdin=unasked)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[0, 1]", "")


def test_a_worker_that_still_imports_trains_nothing(tmp_path: Path, monkeypatch) -> None:
    """A script without a guard trains once: its workers, which run it again, make no folder."""
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit):
        ep.run.train(data="synthetic", out=tmp_path / "run")
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_workers_with_a_main_guard_work(tmp_path: Path) -> None:
    """The same script with a guard computes, in new processes the bits that one process gives."""
    head, call = SCRIPT.rsplit("\n", 2)[0], SCRIPT.strip().splitlines()[-1]
    alone = call.replace("two", "one").replace("workers=2", "workers=1")
    same = "print((one.auc == two.auc).all(), len(set(two.auc)) > 1)"
    guarded = "\n    ".join([f'{head}\nif __name__ == "__main__":', call, alone, same])
    (tmp_path / "script.py").write_text(guarded)
    done = python("script.py", folder=tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "True True"), done.stderr


def test_threads_that_compute_at_once_leave_what_the_host_has_set() -> None:
    """Whichever ends last, products stay full as long as one computes, and are then as before."""

    def products() -> str:
        known = getattr(torch.backends.mkldnn, "matmul", None)  # from torch 2.9 on
        return known.fp32_precision if known else torch.get_float32_matmul_precision()

    first, second = single_precision(), single_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        before = products()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert products() in {"ieee", "highest"} - {before}
        second.__exit__(None, None, None)
        assert products() == before
    finally:
        torch.set_float32_matmul_precision("highest")


def test_threads_that_read_at_once_leave_the_warnings_of_the_host() -> None:
    """Whichever ends last, nothing warns as long as one reads, and filters are then as before."""
    before, first, second = list(warnings.filters), foreign(), foreign()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert warnings.filters[0][0] == "ignore"
    second.__exit__(None, None, None)
    assert list(warnings.filters) == before


def test_asking_a_student_does_not_disturb_its_training() -> None:
    """From several threads at once, a student in training answers as it does alone."""
    beats = synthetic_splits(patients=9, beats=30).test
    student = ep.SegmentStudent(Architecture(dropout=0.5), seed=3).eval()
    wanted = ep.predict(student, beats)
    student.train()
    state = torch.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: ep.predict(student, beats), range(12)))
    assert all(np.array_equal(one, wanted) for one in found)
    assert student.training
    assert torch.equal(torch.get_rng_state(), state)


def test_errors_of_numpy_that_the_host_raises_end_nothing() -> None:
    """A number too small for its type is zero in a public function, whatever the host has set."""
    with np.errstate(all="raise"):
        with undisturbed():
            assert np.exp(np.float32(-1000)) == 0
        assert np.geterr()["under"] == "raise"
