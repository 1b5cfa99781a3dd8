"""The pictures of a run: curves, ROC, precision, confusion, and a page of wrongly decided beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.decision import OperatingPoint
from ecgphoton.metrics import confusion_matrix, ranking
from ecgphoton.report import style
from ecgphoton.report.beat_page import draw_beats
from ecgphoton.report.curves import draw_curves
from ecgphoton.report.scores import SUFFIX, Scores, precision_recall, read_scores, roc, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ecgphoton.ecg.beats import BeatSet
    from ecgphoton.training.parts import EpochRecord

CURVES, ROC, PRECISION = "curves.png", "roc.png", "precision_recall.png"
CONFUSION, BEATS = "confusion.png", "beats.png"
CORNER = 0.2
"""The inset of a ROC shows errors up to this, or more where operating points need it."""


def draw_run(
    folder: Path,
    history: Sequence[EpochRecord],
    sets: Mapping[str, BeatSet],
    point: OperatingPoint,
    classes: Sequence[str],
) -> None:
    """Draw every picture of a run into its folder.

    Parameters
    ----------
    folder
        With ``<set>_scores.npz`` for every set.
    history
        One record an epoch.
    sets
        Beats by the name of their set.
    point
        Operating point of the student.
    classes
        Names of the classes.

    Raises
    ------
    InputError
        If scores are missing or damaged, or the folder cannot be written.
    """
    scores = {name: read_scores(folder / f"{name}{SUFFIX}") for name in sets}
    synthetic = any(beats.synthetic for beats in sets.values())
    with style.look():
        draw_curves(folder / CURVES, history, classes, synthetic=synthetic)
        draw_roc(folder / ROC, scores, point, classes, synthetic=synthetic)
        draw_precision(folder / PRECISION, scores, point, classes, synthetic=synthetic)
        draw_confusion(folder / CONFUSION, scores, point, classes, synthetic=synthetic)
        draw_beats(folder / BEATS, sets, scores, point, classes, synthetic=synthetic)


def spoken(name: str) -> str:
    """Name of a set as a person would say it."""
    return name.replace("_", " ")


def draw_roc(
    path: Path,
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> None:
    """Draw the ROC of every set, the busy corner enlarged and the operating point marked.

    With more than two classes there is a panel a set and a curve a class, that class against
    the others.
    """
    panels = 1 if point.binary else len(scores)
    lines = len(scores) + 1 if point.binary else len(classes)
    figure = style.new_figure((5.35 + 0.17 * lines) * panels, synthetic=synthetic)
    for axes, group in zip(
        np.atleast_1d(figure.subplots(panels, 1)), _groups(scores, point), strict=True
    ):
        inset = axes.inset_axes((0.42, 0.33, 0.55, 0.55))
        corner = CORNER
        for number, (name, one, column) in enumerate(_curves(group, point, classes)):
            colour = style.CYCLE[number % len(style.CYCLE)]
            truth, probability = one.label == column, one.probability[:, column]
            auc = ranking(truth, probability)["auc"]
            if auc is None:
                continue
            label = f"{name}   AUC {auc:.4f}"
            curve = thin(roc(truth, probability))
            if point.binary:
                called = point.decide(probability)
                fpr, caught = called[~truth].mean(), called[truth].mean()
                label += f"   miss {100 * (1 - caught):.1f} %   FPR {100 * fpr:.1f} %"
                corner = max(corner, min(1.0, np.ceil(11 * max(fpr, 1 - caught)) / 10))
                for where in (axes, inset):
                    where.plot(fpr, caught, "o", color=colour, mec="white", mew=1.2, ms=8, zorder=4)
            axes.plot(*curve.T, color=colour, label=label)
            inset.plot(*curve.T, color=colour)
        axes.plot([0, 1], [0, 1], color="#c3c9ce", lw=0.8, ls=(0, (4, 4)), zorder=1)
        ticks = np.linspace(0, corner, 1 + round(corner / 0.1))
        inset.set(xlim=(0, corner), ylim=(1 - corner, 1 + corner / 60), xticks=ticks)
        inset.set_yticks(1 - ticks[::-1])
        inset.tick_params(labelsize=7)
        title = "ROC" if point.binary else f"ROC, {spoken(next(iter(group)))}: class by class"
        axes.set(title=title, xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal")
        axes.set(xlabel="FPR: normal beats called abnormal", ylabel="sensitivity: 1 − miss rate")
        if not point.binary:
            axes.set(xlabel="share of other beats called this class", ylabel="sensitivity")
        for where in (axes, inset):
            style.percent_axis(where, "x")
            style.percent_axis(where, "y")
        frame = axes.indicate_inset_zoom(inset, edgecolor=style.LINE, alpha=0.8)
        for connector in frame.connectors or ():
            connector.set_visible(False)
        note = f"●  at threshold {_threshold(point)}" if point.binary else None
        legend = axes.legend(loc="upper left", title=note, bbox_to_anchor=(0, -0.1))
        legend.get_title().set_fontsize(8)
        legend.set_alignment("left")
    style.save(figure, path)


def draw_precision(
    path: Path,
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> None:
    """Draw precision over sensitivity; its chance level is the prevalence, stated beside it."""
    panels = 1 if point.binary else len(scores)
    figure = style.new_figure(4.3 * panels, synthetic=synthetic)
    for axes, group in zip(
        np.atleast_1d(figure.subplots(panels, 1)), _groups(scores, point), strict=True
    ):
        for number, (name, one, column) in enumerate(_curves(group, point, classes)):
            colour = style.CYCLE[number % len(style.CYCLE)]
            truth, probability = one.label == column, one.probability[:, column]
            precision = ranking(truth, probability)["average_precision"]
            if precision is None:
                continue
            curve = thin(precision_recall(truth, probability))
            share = truth.mean()
            label = f"{name}   AP {precision:.3f} at {100 * share:.1f} % prevalence"
            axes.plot(*curve.T, color=colour, label=label)
            axes.axhline(share, color=colour, lw=0.8, ls=(0, (2, 3)), zorder=1)
            if point.binary:
                called = point.decide(probability)
                at = called[truth].mean(), truth[called].mean() if called.any() else 0.0
                axes.plot(*at, "o", color=colour, mec="white", mew=1.2, ms=8, zorder=4)
        of = "" if point.binary else f", {spoken(next(iter(group)))}: class by class"
        axes.set(title=f"Precision and sensitivity{of}", xlim=(0, 1.01), ylim=(0, 1.01))
        axes.set(xlabel="sensitivity: 1 − miss rate", ylabel="+P: calls that are right")
        style.percent_axis(axes, "x")
        style.percent_axis(axes, "y")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.17))
    style.save(figure, path)


def draw_confusion(
    path: Path,
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> None:
    """Draw a panel a set: counts, and below each its share of the beats of that class."""
    columns = 2 if len(classes) == 2 and len(scores) > 1 else 1
    rows = -(-len(scores) // columns)
    cell = 1.0 if columns == 2 else 0.75
    figure = style.new_figure(rows * (len(classes) * cell + 0.75), synthetic=synthetic)
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes, (name, one) in zip(panels, scores.items(), strict=False):
        matrix = confusion_matrix(one.label, point.classify(one.probability), len(classes))
        _draw_matrix(axes, matrix, classes)
        axes.set_title(spoken(name), pad=16)
        axes.annotate(
            f"{len(one):,} beats", (0, 1), (0, 4), xycoords="axes fraction",
            textcoords="offset points", color=style.SOFT,
        )  # fmt: skip
    for axes in panels[len(scores) :]:
        axes.set_axis_off()
    style.save(figure, path)


def _draw_matrix(axes: Axes, matrix: np.ndarray, classes: Sequence[str]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    ramp = LinearSegmentedColormap.from_list("ramp", ["#f4f7fa", style.BLUE])
    axes.imshow(shares, cmap=ramp, vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(matrix):
        share = shares[row, column]
        ink = "white" if share > 0.55 else style.INK
        weight = "bold" if row == column else "normal"
        axes.text(
            column, row - 0.06, f"{count:,}", ha="center", va="bottom", color=ink, weight=weight,
            fontsize=11,
        )  # fmt: skip
        axes.text(
            column, row + 0.08, f"{100 * share:.2f} %", ha="center", va="top", color=ink, fontsize=8
        )
    axes.set_xticks(range(len(classes)), [f"called\n{name}" for name in classes])
    turned: Any = {"rotation": 90, "va": "center"} if len(classes) == 2 else {}
    axes.set_yticks(range(len(classes)), classes, **turned)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    edges = np.arange(len(classes) - 1) + 0.5
    axes.hlines(edges, -0.5, len(classes) - 0.5, color="white", lw=2.5)
    axes.vlines(edges, -0.5, len(classes) - 0.5, color="white", lw=2.5)
    axes.set_ylabel("annotated")


def _groups(scores: Mapping[str, Scores], point: OperatingPoint) -> list[Mapping[str, Scores]]:
    """Return the sets drawn together: all, or each alone with more than two classes."""
    return [scores] if point.binary else [{name: one} for name, one in scores.items()]


def _curves(
    group: Mapping[str, Scores], point: OperatingPoint, classes: Sequence[str]
) -> list[tuple[str, Scores, int]]:
    """Name, scores and class of every curve of a panel."""
    if point.binary:
        return [(spoken(name), one, 1) for name, one in group.items()]
    return [(label, one, column) for one in group.values() for column, label in enumerate(classes)]


def _threshold(point: OperatingPoint) -> str:
    return f"{point.threshold:.3f}, fitted on {', '.join(map(spoken, point.fitted_on))}"
