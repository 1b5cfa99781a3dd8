"""Pictures of a run: learning curves, ROC, confusion, and the beats it got wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.metrics import auc_by_rank, confusion_matrix
from ecgphoton.report.style import BLUE, COLOURS, GREEN, GREY, INK, PINK, RED, paper, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecgphoton.decision import OperatingPoint
    from ecgphoton.ecg.beats import BeatSet
    from ecgphoton.training.parts import EpochRecord

ROWS, COLUMNS = 6, 6  # of the page of wrong beats, half of them missed, half false alarms
Scores = Mapping[str, np.ndarray]
NAMES = {"miss": "miss rate", "fpr": "FPR", "f1": "F1"}


def read_scores(folder: Path, name: str) -> dict[str, np.ndarray]:
    """Read ``<name>_scores.npz`` of a run."""
    with np.load(folder / f"{name}_scores.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def draw_run(
    folder: Path,
    history: Sequence[EpochRecord],
    sets: Mapping[str, BeatSet],
    point: OperatingPoint | None,
    classes: Sequence[str],
) -> None:
    """Draw ``curves.png``, ``roc.png`` (two classes), ``confusion.png`` and ``beats.png``.

    Parameters
    ----------
    folder
        Run folder, with the scores of every set.
    history
        Epochs of the run.
    sets
        Beats by name of set, in the order of their scores.
    point
        Operating point; None for more than two classes.
    classes
        Names of the classes.
    """
    scores = {name: read_scores(folder, name) for name in sets}
    source = next(iter(sets.values())).source
    draw_curves(folder / "curves.png", history, source=source)
    if point is not None:
        draw_roc(folder / "roc.png", scores, point, source=source)
    draw_confusion(folder / "confusion.png", scores, point, classes, source=source)
    draw_wrong_beats(folder / "beats.png", sets, scores, point, classes)


def draw_curves(path: Path, history: Sequence[EpochRecord], *, source: str = "") -> None:
    """Loss, selection score and the rates of every monitored set against epochs."""
    epochs = [record.epoch for record in history]
    best = max(history, key=lambda record: (record.score, -record.epoch)).epoch
    names = list(history[0].sets)
    with picture(path, width=7, height=7.5, source=source) as figure:
        top, middle, bottom = figure.subplots(3, 1, sharex=True)
        top.plot(epochs, [record.loss for record in history], color=INK)
        top.set(title="training loss", ylim=(0, None))
        middle.plot(epochs, [record.score for record in history], color=BLUE)
        middle.set(title="selection score")
        _curve_rates(bottom, epochs, history, names)
        bottom.set(xlabel="epoch")
        bottom.legend(ncols=3, fontsize=8)
        for axes in (top, middle, bottom):
            axes.axvline(best, color=GREY, linewidth=1, linestyle=":")
            for record in history:
                if record.events:
                    axes.axvline(record.epoch, color=RED, linewidth=1, alpha=0.5)
        middle.annotate(
            f"epoch {best}", (best, 0.04), xycoords=("data", "axes fraction"), color=GREY,
            ha="right" if best > len(history) / 2 else "left", fontsize=9,
        )  # fmt: skip
        for record in history:
            for event in record.events:
                top.annotate(
                    event, (record.epoch, 0.97), xycoords=("data", "axes fraction"),
                    rotation=90, va="top", ha="right", fontsize=7, color=RED,
                )  # fmt: skip


def _curve_rates(
    axes: Axes, epochs: Sequence[int], history: Sequence[EpochRecord], names: Sequence[str]
) -> None:
    if history[0].point is None:
        classes = list(history[0].sets[names[0]]["classes"])
        for index, name in enumerate(classes):
            recall = [record.sets[names[0]]["classes"][name]["recall"] for record in history]
            axes.plot(epochs, recall, color=COLOURS[index], label=f"recall of class {name}")
        axes.set(title=f"recall per class ({names[0]})", ylim=(0, 1))
        return
    for style, name in zip(("-", "--"), names, strict=False):
        for key, colour in (("miss", RED), ("fpr", BLUE), ("f1", GREEN)):
            values = [record.sets[name][key] for record in history]
            axes.plot(epochs, values, style, color=colour, label=f"{NAMES[key]}, {name}")
    threshold = [record.point.threshold if record.point else np.nan for record in history]
    axes.plot(epochs, threshold, color=PINK, linewidth=1, label="threshold")
    axes.set(title="rates at the epoch's own threshold", ylim=(0, 1))


def draw_roc(
    path: Path, scores: Mapping[str, Scores], point: OperatingPoint, *, source: str = ""
) -> None:
    """ROC of every set with the operating point on it; logarithmic FPR, where alarms matter."""
    from sklearn.metrics import roc_curve

    with picture(path, width=7, height=5, source=source) as figure:
        axes = figure.subplots()
        for colour, (name, score) in zip(COLOURS, scores.items(), strict=False):
            truth, probability = score["label"] != 0, score["probability"][:, 1]
            if truth.all() or not truth.any():
                continue
            fpr, tpr, _ = roc_curve(truth, probability)
            area = auc_by_rank(probability[truth], probability[~truth])
            called = point.decide(probability)
            here = (called[~truth].mean(), called[truth].mean())
            label = f"{name.replace('_', ' ')}: AUC {area:.4f}"
            axes.plot(fpr, tpr, color=colour, label=label)
            axes.plot(*here, "o", color=colour, markersize=8, markeredgecolor="white", zorder=5)
            axes.annotate(
                f"miss {100 * (1 - here[1]):.1f} %, FPR {100 * here[0]:.1f} %", here,
                xytext=(10, -16), textcoords="offset points", color=colour, fontsize=9,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
            )  # fmt: skip
        axes.set_xscale("symlog", linthresh=0.01, linscale=0.4)
        axes.set_xticks([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
        axes.set_xticklabels(["0", "1 %", "2 %", "5 %", "10 %", "20 %", "50 %", "100 %"])
        axes.minorticks_off()
        axes.set(xlim=(0, 1), ylim=(0, 1.01), ylabel="sensitivity (1 - miss rate)")
        axes.set(xlabel="false-positive rate", title=f"ROC, threshold {point.threshold:.3f}")
        axes.grid(color="#eeeeee")
        axes.legend(loc="lower right")


def _called(score: Scores, point: OperatingPoint | None) -> np.ndarray:
    probability = score["probability"]
    if point is None:
        return np.asarray(probability.argmax(1))
    return point.decide(probability[:, 1]).astype(np.int64)


def draw_confusion(
    path: Path,
    scores: Mapping[str, Scores],
    point: OperatingPoint | None,
    classes: Sequence[str],
    *,
    source: str = "",
) -> None:
    """One confusion matrix a set: counts, and per cent of each row."""
    count = len(scores)
    with picture(path, width=3.5 * max(2, count), height=3.8, source=source) as figure:
        for axes, (name, score) in zip(
            np.atleast_1d(figure.subplots(1, count)), scores.items(), strict=True
        ):
            matrix = confusion_matrix(score["label"], _called(score, point), len(classes))
            share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
            axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
            for (row, column), value in np.ndenumerate(matrix):
                colour = "white" if share[row, column] > 0.5 else INK
                text = f"{value:,}\n{100 * share[row, column]:.1f} %"
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
            ticks = range(len(classes))
            axes.set_xticks(ticks, classes)
            axes.set_yticks(ticks, classes, rotation=90, va="center")
            axes.set(xlabel="called", ylabel="annotated", title=name.replace("_", " "))
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)


def draw_wrong_beats(
    path: Path,
    sets: Mapping[str, BeatSet],
    scores: Mapping[str, Scores],
    point: OperatingPoint | None,
    classes: Sequence[str],
) -> None:
    """Draw missed beats (top) and false alarms (bottom) of the test set."""
    name = next((key for key in sets if key != "validation"), next(iter(sets)))
    beats, score = sets[name], scores[name]
    called, label = _called(score, point), score["label"]
    missed, alarms = (label != 0) & (called == 0), (label == 0) & (called != 0)
    half = ROWS * COLUMNS // 2
    with picture(path, width=9, height=9.6, source=beats.source) as figure:
        grid: Any = figure.subplots(ROWS, COLUMNS, sharex=True, sharey=True)
        panels = list(grid.flat)
        for offset, wrong, colour in ((0, missed, RED), (half, alarms, BLUE)):
            chosen = _spread(np.flatnonzero(wrong), beats.record, half)
            for axes, index in zip(panels[offset : offset + half], chosen, strict=False):
                _beat(axes, beats, int(index), score, classes, colour)
            for axes in panels[offset + len(chosen) : offset + half]:
                axes.set_visible(False)
        figure.supxlabel(
            f"{name}: {missed.sum():,} of {(label != 0).sum():,} abnormal beats missed (red), "
            f"{alarms.sum():,} of {(label == 0).sum():,} normal beats called abnormal (blue). "
            "1 s each, normalised.",
            fontsize=9,
        )


def _spread(wrong: np.ndarray, record: np.ndarray, most: int) -> np.ndarray:
    """Choose beats from as many records as possible, the same ones every time."""
    turns = np.zeros(len(wrong), np.int64)
    for name in np.unique(record[wrong]):
        mine = np.flatnonzero(record[wrong] == name)
        turns[mine[np.random.default_rng(0).permutation(len(mine))]] = np.arange(len(mine))
    return np.asarray(wrong[np.argsort(turns, kind="stable")][:most])


def _beat(
    axes: Axes, beats: BeatSet, index: int, score: Scores, classes: Sequence[str], colour: str
) -> None:
    paper(axes)
    window = beats.windows[index]
    axes.plot(np.arange(len(window)) / beats.fs - 0.5, window, color=colour, linewidth=1)
    axes.set(xlim=(-0.5, 0.5), ylim=(-1.05, 1.05))
    probability = score["probability"][index]
    said = int(probability.argmax()) if len(classes) > 2 else 1
    text = (
        f"{beats.record[index]} {beats.symbol[index]}  p({classes[said]}) {probability[said]:.2f}"
    )
    axes.set_title(text, fontsize=7, weight="normal", pad=2)
