"""A run is reproducible, resumable, complete, and says what chose what."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ecgphoton import runs
from ecgphoton.artifacts import check_manifest, sha256
from ecgphoton.cli import main
from ecgphoton.ecg.beats import Splits
from ecgphoton.errors import InputError
from ecgphoton.legacy.teacher import Teacher, TeacherShape, load_teacher, save_teacher
from ecgphoton.recipe import Recipe, override
from ecgphoton.run.beats import reported, splits_of
from ecgphoton.run.evaluate import evaluate, evaluate_sets
from ecgphoton.run.fit import fit_run, resume_point, start_run
from ecgphoton.run.train import train

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_records")]

QUICK = override(
    Recipe(),
    [
        "data.source=synthetic",
        "training.epochs=3",
        "training.batch=256",
        "training.ema=0.9",
        "student.dropout=0.1",
        "noise.weight=0.02",
        "augment.shift=5",
    ],
)


@pytest.fixture(scope="module")
def splits() -> Splits:
    """Synthetic beats of the quick recipe."""
    return splits_of(QUICK)


@pytest.fixture(scope="module")
def finished(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained without interruption."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    start_run(QUICK, splits, folder, 5)
    fit_run(QUICK, splits, folder, seed=5)
    return folder


class PowerCutError(Exception):
    """What ends a run in the middle."""


@pytest.mark.slow
def test_a_run_cut_off_and_resumed_ends_in_the_same_bits(
    finished: Path, splits: Splits, tmp_path: Path
) -> None:
    """Resuming after any epoch repeats the uninterrupted run bit for bit."""
    for epochs in (1, 2):
        folder = tmp_path / str(epochs)
        start_run(QUICK, splits, folder, 5)

        def stop(stage: str, epoch: int, total: int, last: int = epochs) -> None:
            assert stage.startswith("training, score ")
            assert total == 3
            if epoch == last:
                raise PowerCutError

        with pytest.raises(PowerCutError):
            fit_run(QUICK, splits, folder, seed=5, progress=stop)
        assert not (folder / runs.CHECKPOINT).exists()
        recipe, seed, state = resume_point(folder)
        assert (recipe, seed) == (QUICK, 5)
        fit_run(recipe, splits, folder, seed=seed, resume=state)
        for name in (runs.CHECKPOINT, runs.METRICS, runs.HISTORY):
            assert sha256(folder / name) == sha256(finished / name), name


@pytest.mark.slow
def test_another_seed_is_another_student(finished: Path, splits: Splits, tmp_path: Path) -> None:
    """The seed decides the weights."""
    start_run(QUICK, splits, tmp_path / "other", 6)
    fit_run(QUICK, splits, tmp_path / "other", seed=6)
    assert sha256(tmp_path / "other" / runs.CHECKPOINT) != sha256(finished / runs.CHECKPOINT)


def test_a_finished_run_is_complete_and_hashed(finished: Path) -> None:
    """Everything promised is there, the state is gone, and the manifest knows every byte."""
    names = {path.name for path in finished.iterdir()}
    assert {
        "checkpoint.safetensors", "recipe.toml", "history.jsonl", "metrics.json",
        "validation_scores.npz", "generalization_scores.npz", "manifest.json", "environment.json",
        "curves.png", "roc.png", "confusion.png", "beats.png",
    } <= names  # fmt: skip
    assert runs.STATE not in names
    assert check_manifest(finished, kind=runs.KIND) == []
    assert len((finished / "history.jsonl").read_text().splitlines()) == 3


def test_metrics_name_what_took_part_in_selection(finished: Path) -> None:
    """Metrics, checkpoint and operating point all name the sets that chose; test is not one."""
    metrics = json.loads((finished / runs.METRICS).read_text())
    assert metrics["took_part_in_selection"] == ["training", "validation"]
    assert metrics["operating_point"]["fitted_on"] == ["validation"]
    assert metrics["source"] == "synthetic"
    trained = runs.load_student(finished)
    assert trained.metadata["selection"]["sets"] == ["validation"]
    generalization = metrics["sets"]["generalization"]
    low, high = generalization["interval_95"]["miss"]
    assert low <= generalization["miss"] <= high
    counts = [row["tp"] + row["fn"] for row in generalization["records"].values()]
    assert sum(counts) == generalization["tp"] + generalization["fn"]


@pytest.mark.slow
def test_the_originals_blend_is_named(splits: Splits, tmp_path: Path) -> None:
    """With a blend, generalization takes part, and everything says so."""
    recipe = override(QUICK, ["decision.blend=0.35", "training.epochs=1"])
    start_run(recipe, splits, tmp_path / "run", 0)
    report = fit_run(recipe, splits, tmp_path / "run", seed=0)
    assert report.metrics["took_part_in_selection"][1:] == ["validation", "generalization"]
    assert report.metrics["operating_point"]["fitted_on"] == ["validation", "generalization"]


def test_evaluating_a_run_repeats_its_numbers(finished: Path, splits: Splits) -> None:
    """`evaluate` on the run's own sets finds the numbers the run wrote."""
    written = json.loads((finished / runs.METRICS).read_text())["sets"]
    found = evaluate_sets(runs.load(finished), reported(splits), splits.labels)
    again = json.loads(json.dumps(found))
    assert again == written


@pytest.mark.parametrize("out", [Path("a", "b", "run"), None])
def test_a_run_that_cannot_begin_leaves_nothing(
    out: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A teacher that is not there, and one that would never teach, are refused without a folder."""
    monkeypatch.chdir(tmp_path)
    once = {"data": "synthetic", "out": out}
    with pytest.raises(InputError, match=r"nobody\.safetensors"):
        train("reference-8", teacher=str(tmp_path / "nobody.safetensors"), **once)
    with pytest.raises(InputError, match="teacher would never take part"):
        train("reference-8", teacher="auto", settings=["distill.warm_up=99"], **once)
    assert list(tmp_path.iterdir()) == []


def test_a_given_teacher_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was checked before beats are read is what teaches."""
    path, read = tmp_path / "teacher.safetensors", list[Path]()
    save_teacher(path, Teacher(TeacherShape(width=2)), {})

    def read_once(file: Path) -> Teacher:
        read.append(file)
        return load_teacher(file)

    def stop(*_: object, teacher: Teacher, **__: object) -> None:
        raise InputError(f"a teacher of width {teacher.shape.width}")

    monkeypatch.setattr("ecgphoton.run.distillation.load_teacher", read_once)
    monkeypatch.setattr("ecgphoton.run.distillation.distil", stop)
    with pytest.raises(InputError, match="a teacher of width 2"):
        train("reference-8", teacher=str(path), data="synthetic", out=tmp_path / "run")
    assert read == [path]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"strength": 3.0}, r"strategies\.strength is 3, but no strategy is on"),
        ({"classes": 4, "settings": ["student.classes=2"]}, r"student\.classes is 2, but labels"),
    ],
)
def test_what_would_change_nothing_is_refused(asked: dict, said: str, tmp_path: Path) -> None:
    """A strength without a strategy, and classes that the labels overrule."""
    with pytest.raises(InputError, match=said):
        train("reference-8", data="synthetic", out=tmp_path / "run", **asked)
    assert not (tmp_path / "run").exists()


def test_other_labels_than_those_of_training_are_said(finished: Path, tmp_path: Path) -> None:
    """Also those that a protocol file states; two that differ are refused."""
    file = tmp_path / "own.toml"
    file.write_text('train = ["s1"]\nvalidation = ["s2"]\ntest = ["s3"]\nlabels = "aami"\n')
    with pytest.raises(InputError, match="labels is 'ec57', but the protocol is for labels 'aami'"):
        evaluate(finished, protocol=str(file), labels="ec57", data="synthetic")
    found = evaluate(finished, protocol=str(file), data="synthetic").metrics["notes"]
    assert found[0] == "labels of these sets: aami, not literal as in training"


def test_stored_scores_belong_to_the_beats(finished: Path, splits: Splits) -> None:
    """The stored probabilities and labels are those of the beats, in order."""
    with np.load(finished / "generalization_scores.npz") as scores:
        np.testing.assert_array_equal(scores["label"], splits.test.label)
        np.testing.assert_array_equal(scores["sample"], splits.test.sample)
        np.testing.assert_allclose(scores["probability"].sum(1), 1, atol=1e-6)


def test_a_run_folder_is_never_overwritten(finished: Path, splits: Splits) -> None:
    """A second run may not be started in the folder of a first."""
    with pytest.raises(InputError, match="is not empty"):
        start_run(QUICK, splits, finished, 5)


def test_a_test_set_with_a_leaking_subject_is_also_reported_without_it() -> None:
    """As DS2, which holds record 202 of subject 201, who trains: both numbers are shown."""
    splits = splits_of(override(QUICK, ["data.protocol=inter-patient"]))
    assert list(reported(splits)) == ["DS2"]
    first, *others = splits.protocol.test
    same = replace(splits.protocol, same_subject={first: splits.protocol.train[0]})
    sets = reported(replace(splits, protocol=same))
    assert list(sets) == ["DS2", f"DS2_without_{first}"]
    assert set(sets[f"DS2_without_{first}"].record.tolist()) == set(others)


def test_without_data_train_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No database: exit 2, the command that fetches it, and nothing left behind."""
    monkeypatch.delenv("ECGPHOTON_DATA", raising=False)
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["train"])
    assert result.exit_code == 2
    assert "ecgphoton data fetch" in result.output
    assert "--data synthetic" in result.output
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_the_command_line_trains_and_evaluates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``train --json`` prints one JSON document, and ``evaluate`` finds the newest run."""
    monkeypatch.chdir(tmp_path)
    arguments = ["train", "--data", "synthetic", "--set", "training.epochs=1", "--workers", "1"]
    trained = CliRunner().invoke(main, [*arguments, "--json"])
    assert trained.exit_code == 0, trained.output
    printed = json.loads(trained.stdout)
    assert "SYNTHETIC" in trained.stderr
    evaluated = CliRunner().invoke(main, ["evaluate", "--data", "synthetic", "--json"])
    assert evaluated.exit_code == 0, evaluated.output
    assert json.loads(evaluated.stdout)["sets"] == printed["sets"]
    table = CliRunner().invoke(main, ["evaluate", "--data", "synthetic"])
    assert "DS2" in table.stdout


@pytest.mark.slow
def test_four_classes_have_no_threshold(tmp_path: Path) -> None:
    """Four classes are chosen by macro-F1 and reported per class."""
    recipe = override(QUICK, ["data.labels=aami4", "training.selection=macro-f1"])
    splits = splits_of(recipe)
    start_run(recipe, splits, tmp_path / "run", 0)
    report = fit_run(recipe, splits, tmp_path / "run", seed=0)
    assert report.metrics["operating_point"] is None
    assert list(report.metrics["sets"]["generalization"]["classes"]) == ["N", "S", "V", "O"]
