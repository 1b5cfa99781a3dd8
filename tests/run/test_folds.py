"""A run whose protocol has folds chooses from patients it has not seen, and can be cut off."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from made_splits import synthetic_splits

from ecgphoton import runs
from ecgphoton.artifacts import check_manifest, sha256
from ecgphoton.cli import main
from ecgphoton.ecg.beats import Splits
from ecgphoton.ecg.protocols import PROTOCOLS
from ecgphoton.ecg.synthetic import extracted
from ecgphoton.ecg.views import with_views
from ecgphoton.errors import InputError
from ecgphoton.metrics import confusion, patients_alike
from ecgphoton.recipe import Recipe, override
from ecgphoton.report.html import chapter
from ecgphoton.report.material import gather
from ecgphoton.run.annotate import annotate
from ecgphoton.run.beats import taught
from ecgphoton.run.bundle import export
from ecgphoton.run.evaluate import evaluate
from ecgphoton.run.fit import fit_run, resume_point, start_run
from ecgphoton.run.train import train
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.fit import fit
from ecgphoton.training.state import FitState

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("short_records")]

QUICK = override(
    Recipe(student=Architecture(patient=TOKENS[:1])),
    [
        "data.source=synthetic",
        "data.protocol=inter-patient",
        "data.labels=aami-svf",
        "training.epochs=3",
        "training.min_epochs=1",
        "training.patience=1",
        "training.batch=64",
        "training.ema=0.9",
        "noise.weight=0.02",
        "augment.fibrillation=0.3",
        "balance.patient_weight=true",
        "decision.f1_weight=0",
    ],
)
SAME = (runs.CHECKPOINT, runs.METRICS, runs.HISTORY, "out_of_fold_scores.npz")


@pytest.fixture(scope="module")
def splits() -> Splits:
    """Beats of few patients in two folds, and those that train in a second lead."""
    protocol = replace(PROTOCOLS["inter-patient"], folds=2)
    splits = synthetic_splits(protocol=protocol, labels="aami-svf", patients=9, beats=150)
    return with_views(splits, [extracted(splits.protocol.train, beats=150, view=1)])


@pytest.fixture(scope="module")
def finished(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one worker, trained without interruption."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    start_run(QUICK, splits, folder, 5)
    fit_run(QUICK, splits, folder, seed=5, workers=1)
    return folder


def numbers_of(folder: Path) -> dict[str, object]:
    """Return the out-of-fold numbers that a run wrote."""
    found: dict[str, object] = json.loads((folder / runs.METRICS).read_text())["out_of_fold"]
    return found


def test_the_run_is_the_same_for_any_number_of_workers(
    finished: Path, splits: Splits, tmp_path: Path
) -> None:
    """Two processes give the bytes of one."""
    start_run(QUICK, splits, tmp_path / "two", 5)
    fit_run(QUICK, splits, tmp_path / "two", seed=5, workers=2)
    for name in SAME:
        assert sha256(tmp_path / "two" / name) == sha256(finished / name), name


class PowerCutError(Exception):
    """What ends a run in the middle."""


@pytest.mark.parametrize(("stage", "at"), [("folds", 1), ("training", 1)])
def test_a_run_cut_off_is_resumed_with_the_folds_it_has(
    stage: str, at: int, finished: Path, splits: Splits, tmp_path: Path
) -> None:
    """Between two folds, and in the last training; finished folds are not fitted again."""
    folder = tmp_path / "run"
    start_run(QUICK, splits, folder, 5)

    def cut(name: str, done: int, _total: int) -> None:
        if name.startswith(stage) and done == at:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        fit_run(QUICK, splits, folder, seed=5, workers=1, progress=cut)
    first = folder / runs.FOLDS / "1" / "outputs.safetensors"
    written = first.stat().st_mtime_ns
    recipe, seed, state = resume_point(folder)

    def look(name: str, done: int, _total: int) -> None:
        if name == "folds" and done == 2:
            assert first.stat().st_mtime_ns == written

    fit_run(recipe, splits, folder, seed=seed, resume=state, workers=1, progress=look)
    for name in SAME:
        assert sha256(folder / name) == sha256(finished / name), name


def test_outputs_of_other_beats_are_refused(splits: Splits, tmp_path: Path) -> None:
    """A run that goes on with other recordings does not mix the scores of both."""

    def cut(name: str, done: int, _total: int) -> None:
        if name == "folds" and done == 1:
            raise PowerCutError

    start_run(QUICK, splits, tmp_path / "run", 5)
    with pytest.raises(PowerCutError):
        fit_run(QUICK, splits, tmp_path / "run", seed=5, workers=1, progress=cut)
    windows = splits.train.windows * np.float32(0.5)
    other = replace(splits, train=replace(splits.train, windows=windows))
    with pytest.raises(InputError, match="of other beats"):
        fit_run(QUICK, other, tmp_path / "run", seed=5, workers=1)


def test_student_and_bundle_hold_the_ranges_of_the_training_patients(
    finished: Path, tmp_path: Path
) -> None:
    """From out-of-fold scores at the student's own threshold; a wish changes no range."""
    held = runs.load_student(finished).metadata["scope"]
    assert held["patients"] == 6
    assert held["operating_point"] == runs.load_student(finished).point.to_dict()
    export(finished, max_fpr=0.01, data="synthetic", out=tmp_path / "bundle")
    assert runs.load(tmp_path / "bundle").metadata["scope"] == held


def test_a_finished_run_holds_its_out_of_fold_scores(finished: Path, splits: Splits) -> None:
    """Every training beat has one, listed in the manifest; what only folds needed is gone."""
    assert check_manifest(finished, kind=runs.KIND) == []
    assert not (finished / runs.FOLDS).exists()
    with np.load(finished / "out_of_fold_scores.npz") as scores:
        np.testing.assert_array_equal(scores["sample"], splits.train.sample)
        np.testing.assert_array_equal(scores["symbol"], splits.train.symbol)
        drawn = [splits.folds[name] + 1 for name in scores["subject"].tolist()]
        np.testing.assert_array_equal(scores["fold"], drawn)
        order = np.argsort(scores["score"])
        assert np.all(np.diff(scores["probability"][order, 1]) >= 0)
    metrics = json.loads((finished / runs.METRICS).read_text())
    assert metrics["took_part_in_selection"] == ["training", "out_of_fold"]
    assert set(metrics["sets"]) == {"out_of_fold", "DS2"}
    assert metrics["operating_point"]["fitted_on"] == ["out_of_fold"]


def test_the_operating_point_does_on_the_scores_what_the_run_says(finished: Path) -> None:
    """Threshold and probabilities of the file give the miss rate and FPR of the metrics."""
    numbers, point = numbers_of(finished), runs.load_student(finished).point
    with np.load(finished / "out_of_fold_scores.npz") as scores:
        label = scores["label"]
        called = point.decide(scores["probability"][:, 1])
        counts = confusion(label, called, patients_alike(scores["subject"], label))
    assert numbers["miss"] == pytest.approx(counts.miss_rate, abs=1e-3)
    assert numbers["fpr"] == pytest.approx(counts.fpr, abs=1e-3)
    nested = numbers["nested"]
    assert isinstance(nested, dict)
    assert len(nested["epochs"]) == 2
    assert numbers["patients"] == 6


def test_the_student_is_that_of_all_patients_after_the_chosen_epoch(
    finished: Path, splits: Splits
) -> None:
    """The last training knows nothing of the folds but where to stop."""
    trained = runs.load_student(finished)
    architecture, states = trained.student.architecture, list[FitState]()
    examples = taught(splits, QUICK, architecture, seed=5)
    fit(
        SegmentStudent(architecture, seed=5), examples, {"any": examples},
        replace(QUICK.training, patience=10), QUICK.decision,
        QUICK.parts(examples, architecture.classes), seed=5, on_epoch=states.append,
    )  # fmt: skip
    epoch = numbers_of(finished)["epoch"]
    assert isinstance(epoch, int)
    for name, value in trained.student.arrays().items():
        np.testing.assert_array_equal(states[epoch - 1].arrays[f"averaged.{name}"], value)


def test_a_wish_is_kept_on_the_out_of_fold_scores(
    finished: Path, wfdb_folder: Path, tmp_path: Path
) -> None:
    """The smaller the FPR allowed, the more is missed; bundle and annotation take the threshold."""
    found = {
        limit: evaluate(finished, max_fpr=limit, data="synthetic").metrics
        for limit in (0.01, 0.2)
    }  # fmt: skip
    for limit, metrics in found.items():
        assert metrics["out_of_fold"]["fpr"] <= limit
        low, high = metrics["out_of_fold"]["interval_95"]["fpr"]
        assert low <= metrics["out_of_fold"]["fpr"] <= high
    assert found[0.01]["out_of_fold"]["miss"] > found[0.2]["out_of_fold"]["miss"]
    other = evaluate(finished, max_miss=0.0, data="synthetic").metrics
    assert other["out_of_fold"]["miss"] == 0
    none = evaluate(finished, max_fpr=0.0, data="synthetic").metrics["out_of_fold"]
    assert none["fpr"] == 0 <= found[0.01]["out_of_fold"]["miss"] <= none["miss"]
    export(finished, max_fpr=0.01, data="synthetic", out=tmp_path / "bundle")
    carried = runs.load(tmp_path / "bundle")
    assert carried.point.to_dict() == found[0.01]["operating_point"]
    assert carried.metadata["wish"] == {"max_fpr": 0.01}
    record = wfdb_folder / "s01"
    said = annotate(record, model=finished, max_fpr=0.01, out=tmp_path, picture=False).summary
    assert said["operating_point"] == carried.point.to_dict()
    assert said["out_of_fold"] == found[0.01]["out_of_fold"]
    assert any("by wish: out of fold" in note for note in said["notes"])


def test_labels_that_are_named_are_used_or_refused(finished: Path) -> None:
    """A mistyped scheme is not replaced by that of the run, which may be named as well."""
    with pytest.raises(InputError, match="did you mean aami-svf"):
        evaluate(finished, labels="aami-sv", data="synthetic")
    beats = [
        evaluate(finished, labels=labels, data="synthetic").metrics["sets"]["DS2"]["beats"]
        for labels in (None, "aami-svf", "aami")
    ]
    assert beats[0] == beats[1] < beats[2]


def test_without_a_wish_a_run_is_evaluated_as_it_was_written(finished: Path) -> None:
    """Out-of-fold numbers are repeated before the test set, at the threshold of training."""
    found = evaluate(finished, data="synthetic").metrics
    written = json.loads((finished / runs.METRICS).read_text())
    assert found["out_of_fold"] == written["out_of_fold"]
    assert next(iter(found["sets"])) == "out_of_fold"
    again = json.loads(json.dumps(found["sets"]["out_of_fold"]))
    assert again == written["sets"]["out_of_fold"]


def test_folds_are_shown_before_any_test_set(finished: Path) -> None:
    """On the terminal and on the page, with the nested estimate and what it leaves out."""
    shown = CliRunner().invoke(main, ["evaluate", str(finished), "--data", "synthetic"])
    assert shown.exit_code == 0, shown.output
    assert 0 < shown.stdout.index("nested estimate") < shown.stdout.index("DS2")
    page = chapter("results", gather(finished), gather(finished).sets)
    assert 0 < page.index("Nested: epoch and threshold") < page.index("DS2")


def test_a_wish_that_cannot_be_kept_is_refused(finished: Path) -> None:
    """Rates that exclude each other, and students that have no out-of-fold scores."""
    with pytest.raises(InputError, match="no threshold is within max_miss 0 % and max_fpr 0 %"):
        evaluate(finished, max_miss=0.0, max_fpr=0.0, data="synthetic")
    with pytest.raises(InputError, match=r"holds no out_of_fold_scores.*name it: runs/NAME"):
        evaluate("reference-8", max_fpr=0.05, data="synthetic")


def test_what_needs_a_validation_set_is_refused_with_folds(splits: Splits, tmp_path: Path) -> None:
    """A blend with the test set; and workers where there is nothing to share."""
    blended = override(QUICK, ["decision.blend=0.3"])
    start_run(blended, splits, tmp_path / "run", 0)
    with pytest.raises(InputError, match=r"decision\.blend is 0\.3"):
        fit_run(blended, splits, tmp_path / "run", seed=0, workers=1)
    with pytest.raises(InputError, match="workers is 0; it must be from 1 to 1024"):
        fit_run(QUICK, splits, tmp_path / "run", seed=0, workers=0)
    with pytest.raises(InputError, match="workers is 0; it must be from 1 to 1024"):
        train(data="synthetic", workers=0, out=tmp_path / "other")
    with pytest.raises(InputError, match=r"decision\.blend is 0\.3"):
        train(data="synthetic", settings=["decision.blend=0.3"], out=tmp_path / "other")
    with pytest.raises(InputError, match="has no folds to share"):
        train("reference-8", data="synthetic", workers=2, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_four_classes_are_cross_fitted_without_a_threshold(splits: Splits, tmp_path: Path) -> None:
    """The epoch is chosen by macro-F1 over folds; every beat has a probability of every class."""
    recipe = override(QUICK, ["data.labels=aami4", "training.selection=macro-f1"])
    protocol = splits.protocol
    four = synthetic_splits(protocol=protocol, labels="aami4", patients=9, beats=150)
    start_run(recipe, four, tmp_path / "run", 0)
    report = fit_run(recipe, four, tmp_path / "run", seed=0, workers=1)
    assert report.metrics["operating_point"] is None
    assert 0 < report.metrics["out_of_fold"]["nested"]["macro_f1"] <= 1
    with np.load(tmp_path / "run" / "out_of_fold_scores.npz") as scores:
        assert scores["probability"].shape == (len(four.train), 4)
    with pytest.raises(InputError, match=r"4 classes and so no threshold.*run of two classes"):
        evaluate(tmp_path / "run", max_fpr=0.05)
