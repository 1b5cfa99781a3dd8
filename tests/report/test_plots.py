"""Pictures of a run: complete, the same every time, and with a banner for synthetic beats."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from made_scores import write_scores
from made_splits import synthetic_splits
from PIL import Image

from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.metrics import ranking
from ecgphoton.report import scores as read_back
from ecgphoton.report.plots import draw_precision, draw_roc, draw_run
from ecgphoton.report.wrong_beats import draw_beats
from ecgphoton.training.fit import best_epoch
from ecgphoton.training.judge import summarise
from ecgphoton.training.parts import EpochRecord

pytestmark = [pytest.mark.slow, pytest.mark.pictures]

PICTURES = {"curves.png", "roc.png", "precision_recall.png", "confusion.png", "beats.png"}
BANNER_YELLOW = (255, 214, 10)


def a_run(folder, labels="literal"):
    """Scores, history and sets of a synthetic run, as `draw_run` takes them."""
    splits = synthetic_splits(patients=9, beats=30, labels=labels)
    classes = splits.labels.classes
    point = OperatingPoint(0.4, ("validation",)) if len(classes) == 2 else LargestProbability()
    sets = {"validation": splits.validation, "generalization": splits.test}
    rng = np.random.default_rng(0)
    for name, beats in sets.items():
        probability = write_scores(folder, name, beats, len(classes), rng)
    summary = summarise(probability, beats.label, point)
    history = tuple(
        EpochRecord(
            epoch, 1 / epoch, 0.5 + 0.1 * (epoch == 2), 0.01, point, {"validation": summary},
            events=("collapsed to all-normal: warm-up ends",) if epoch == 1 else (),
        )
        for epoch in (1, 2, 3)
    )  # fmt: skip
    return history, sets, point, classes


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Folder of a two-class run with its pictures."""
    folder = tmp_path_factory.mktemp("run")
    draw_run(folder, *a_run(folder))
    return folder


def says_synthetic(folder):
    """Whether all five pictures are there, each under a yellow banner."""
    corners = {
        path.name: Image.open(path).convert("RGB").getpixel((4, 4)) for path in folder.glob("*.png")
    }
    return corners == dict.fromkeys(PICTURES, BANNER_YELLOW)


def test_every_picture_is_drawn_and_says_synthetic(drawn, tmp_path):
    """All five pictures are there for two and for four classes, each under a yellow banner."""
    assert says_synthetic(drawn)
    draw_run(tmp_path, *a_run(tmp_path, "aami4"))
    assert says_synthetic(tmp_path)


@pytest.mark.slow
def test_pictures_have_the_same_bytes_whatever_the_settings(drawn, tmp_path):
    """Drawing twice gives the same bytes, also when the user changed matplotlib's settings."""
    import matplotlib as mpl

    first = {name: (drawn / name).read_bytes() for name in PICTURES}
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        draw_run(tmp_path, *a_run(tmp_path))
        assert mpl.rcParams["font.size"] == 30
    assert {name: (tmp_path / name).read_bytes() for name in PICTURES} == first
    assert "Software" not in Image.open(io.BytesIO(first["roc.png"])).info


def test_wrong_beats_have_given_places(tmp_path):
    """Nothing of the page is solved for, since last bits of a solution differ from run to run."""
    _, sets, point, classes = a_run(tmp_path)
    scores = {name: read_back.read_scores(tmp_path / f"{name}_scores.npz") for name in sets}
    figure = draw_beats(sets, scores, point, classes)

    def places():
        parts = [axes.get_position().bounds for axes in figure.axes]
        return parts + [text.get_position() for text in figure.texts]

    before = places()
    figure.savefig(io.BytesIO(), format="png", dpi=20)
    assert places() == before
    bounds = np.array(before[: len(figure.axes)])
    assert (bounds >= 0).all()
    assert (bounds[:, :2] + bounds[:, 2:] <= 1).all()


def test_damaged_scores_are_an_input_error(tmp_path):
    """A truncated score file is refused in one sentence that names it."""
    run = a_run(tmp_path)
    path = tmp_path / "validation_scores.npz"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"validation_scores\.npz"):
        draw_run(tmp_path, *run)


def test_kept_epoch_is_the_first_best():
    """Among equal scores the earliest epoch is the kept one."""
    history = [EpochRecord(e, 0.0, s, 0.0, None, {}) for e, s in enumerate((0.1, 0.9, 0.9), 1)]
    assert best_epoch(history) == 2


def test_curves_agree_with_the_reported_areas():
    """The area under the drawn ROC is the AUC of the table, ties included."""
    rng = np.random.default_rng(1)
    truth = rng.random(500) < 0.2
    probability = np.round(rng.random(500) + 0.5 * truth, 1)
    points = read_back.roc(truth, probability)
    area = np.trapezoid(points[:, 1], points[:, 0])
    assert area == pytest.approx(ranking(truth, probability)["auc"])
    recall, precision = read_back.precision_recall(truth, probability).T
    steps = np.diff(recall, prepend=0) @ precision
    assert steps == pytest.approx(ranking(truth, probability)["average_precision"])


def test_a_set_without_a_class_is_named_instead_of_left_out():
    """A legend that lacks a set or a class would say nothing of why there is no curve."""
    label, name = np.array([0, 0, 1, 0]), np.array(["a"] * 4)
    both = read_back.Scores(np.eye(2, dtype=np.float32)[label], label, name, np.arange(4), name)
    sets = {"DS2": both, "clinic": replace(both, label=np.zeros(4, int))}
    for draw in (draw_roc, draw_precision):
        figure = draw(sets, OperatingPoint(0.5, ("out_of_fold",)), ("normal", "abnormal"))
        first, second = figure.axes[0].get_legend().get_texts()
        assert first.get_text().startswith("DS2: A")
        assert second.get_text().startswith("clinic: no curve")


def test_errors_of_many_records_are_shown_before_many_errors_of_one():
    """The worst error of every record comes before the second worst of any."""
    record = np.array(["a"] * 5 + ["b"] * 2)
    wrongness = np.array([9, 8, 7, 6, 5, 1, 2])
    scores = read_back.Scores(
        np.zeros((7, 2), np.float32), np.zeros(7, int), record, np.arange(7), record
    )
    rows = read_back.worst_in_turn(scores, np.ones(7, bool), wrongness, 4)
    assert record[rows[:2]].tolist() == ["a", "b"]
    assert wrongness[rows].tolist() == [9, 2, 8, 1]
