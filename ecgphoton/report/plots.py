"""The pictures of a run: curves, ROC, precision, confusion, and a page of wrongly decided beats."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.metrics import confusion_matrix, ranking
from ecgphoton.report import style
from ecgphoton.report.curves import draw_curves
from ecgphoton.report.scores import SUFFIX, Scores, precision_recall, read_scores, roc
from ecgphoton.report.wrong_beats import draw_beats
from ecgphoton.training.parts import EpochRecord
from ecgphoton.wording import listed, words

CORNER = 0.2
"""The inset of a ROC shows errors up to this, or more where operating points need it."""
ONE_KIND = "no curve, as all beats are of one kind"
DOT: Mapping[str, Any] = {"mec": style.WHITE, "mew": 1.2, "ms": 8, "zorder": 4}


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
        One record per epoch.
    sets
        Beats by the name of their set.
    point
        Operating point of two classes; None with more.
    classes
        Names of the classes.

    Raises
    ------
    InputError
        If scores are missing or damaged, or the folder cannot be written.
    """
    scores = {name: read_scores(folder / f"{name}{SUFFIX}") for name in sets}
    synthetic = any(one.synthetic for one in sets.values())
    pictures: dict[str, style.Figure] = {
        "roc": draw_roc(scores, point, classes, synthetic=synthetic),
        "precision_recall": draw_precision(scores, point, classes, synthetic=synthetic),
        "confusion": draw_confusion(scores, point, classes, synthetic=synthetic),
        "beats": draw_beats(sets, scores, point, classes, synthetic=synthetic),
    }
    if history:
        pictures["curves"] = draw_curves(history, classes, synthetic=synthetic)
    for name, figure in pictures.items():
        style.save(figure, folder / f"{name}.png")


@style.look()
def draw_roc(
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> style.Figure:
    """Draw the ROC of every set, with the corner of small errors enlarged.

    Dots mark the operating point. With more than two classes there is a panel for each set and a
    curve for each class against the others.
    """
    lines = len(scores) + 1 if point.binary else len(classes)
    figure, panels = _panels(scores, point, 5.35 + 0.17 * lines, synthetic=synthetic)
    for axes, group, of in panels:
        inset = axes.inset_axes((0.42, 0.33, 0.55, 0.55))
        corner = CORNER
        for colour, name, truth, probability in _curves(group, point, classes):
            if not _both(truth):
                axes.plot([], [], color=colour, label=f"{name}: {ONE_KIND}")
                continue
            label = f"{name}: AUC {ranking(truth, probability)['auc']:.4f}"
            if point.binary:
                called = point.decide(probability)
                fpr, caught = called[~truth].mean(), called[truth].mean()
                label += f", miss {100 * (1 - caught):.1f} %, FPR {100 * fpr:.1f} %"
                corner = max(corner, min(1.0, np.ceil(11 * max(fpr, 1 - caught)) / 10))
                for where in (axes, inset):
                    where.plot(fpr, caught, "o", color=colour, **DOT)
            curve = roc(truth, probability).T
            axes.plot(*curve, color=colour, label=label)
            inset.plot(*curve, color=colour)
        axes.plot([0, 1], [0, 1], color=style.LINE, lw=0.8, ls=(0, (4, 4)), zorder=1)
        ticks = np.linspace(0, corner, 1 + round(corner / 0.1)).round(10)
        inset.set(
            xlim=(0, corner), ylim=(1 - corner, 1 + corner / 60), xticks=ticks,
            yticks=(1 - ticks[::-1]).round(10), facecolor=style.WHITE,
        )  # fmt: skip
        inset.tick_params(labelsize=7.5)
        normal, others = "normal beats called abnormal", "share of other beats called this class"
        axes.set(
            title=f"ROC{of}", xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal",
            xlabel=f"FPR: {normal}" if point.binary else others,
            ylabel="sensitivity: 1 − miss rate",
        )  # fmt: skip
        for where in (axes, inset):
            style.percent_axis(where, "xy")
        frame = (0, 1 - corner, corner, corner + corner / 60)
        axes.indicate_inset(frame, edgecolor=style.LINE, alpha=0.8)
        note = (
            f"●  at threshold {point.threshold:.3f}, fitted on {listed(point.fitted_on)}"
            if point.binary
            else None
        )
        axes.legend(
            loc="upper left", title=note, title_fontsize=8, alignment="left",
            bbox_to_anchor=(0, -0.1),
        )  # fmt: skip
    return figure


@style.look()
def draw_precision(
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> style.Figure:
    """Draw precision over sensitivity; a dashed line at the prevalence is the chance level."""
    figure, panels = _panels(scores, point, 4.3, synthetic=synthetic)
    for axes, group, of in panels:
        for colour, name, truth, probability in _curves(group, point, classes):
            if not _both(truth):
                axes.plot([], [], color=colour, label=f"{name}: {ONE_KIND}")
                continue
            precision, share = ranking(truth, probability)["average_precision"], truth.mean()
            label = f"{name}: AP {precision:.3f} at {100 * share:.1f} % prevalence"
            axes.plot(*precision_recall(truth, probability).T, color=colour, label=label)
            axes.axhline(share, color=colour, lw=0.8, ls=(0, (2, 3)), zorder=1)
            if point.binary:
                called = point.decide(probability)
                at = called[truth].mean(), truth[called].mean() if called.any() else 0.0
                axes.plot(*at, "o", color=colour, **DOT)
        axes.set(
            title=f"Precision and sensitivity{of}", xlim=(0, 1.01), ylim=(0, 1.01),
            xlabel="sensitivity: 1 − miss rate",
            ylabel=f"precision: correct calls of {'abnormal' if point.binary else 'the class'}",
        )  # fmt: skip
        style.percent_axis(axes, "xy")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.17))
    return figure


@style.look()
def draw_confusion(
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> style.Figure:
    """Draw a panel for each set: counts, and below each its share of the beats of that class."""
    columns = 2 if len(classes) == 2 and len(scores) > 1 else 1
    rows = -(-len(scores) // columns)
    cell = 1.0 if columns == 2 else 0.75
    figure = style.new_figure(rows * (len(classes) * cell + 0.75), synthetic=synthetic)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (name, one) in zip(panels, scores.items(), strict=False):
        matrix = confusion_matrix(one.label, point.classify(one.probability), len(classes))
        _draw_matrix(axes, matrix, classes)
        axes.set_title(words(name), pad=16)
        axes.annotate(
            f"{len(one):,} beats", (0, 1), (0, 4), xycoords="axes fraction",
            textcoords="offset points", color=style.SOFT,
        )  # fmt: skip
    for axes in panels[len(scores) :]:
        axes.set_axis_off()
    return figure


def _draw_matrix(axes: style.Axes, matrix: NDArray[Any], classes: Sequence[str]) -> None:
    beats = matrix.sum(1, keepdims=True)
    for (row, column), share in np.ndenumerate(matrix / np.maximum(beats, 1)):
        axes.bar(column, 0.97, 0.97, row - 0.485, color=style.BLUE, alpha=0.05 + 0.95 * share)
        ink = style.WHITE if share > 0.75 else style.INK
        weight = "bold" if row == column else "normal"
        axes.text(column, row - 0.06, f"{matrix[row, column]:,}", ha="center", va="bottom",
                  color=ink, weight=weight, fontsize=11)  # fmt: skip
        text = f"{100 * share:.2f} %" if beats[row] else "–"
        axes.text(column, row + 0.08, text, ha="center", va="top", color=ink)
    ends = -0.5, len(classes) - 0.5
    axes.set(xlim=ends, ylim=ends[::-1], ylabel="annotated")
    axes.set_xticks(range(len(classes)), [f"called\n{name}" for name in classes])
    turned: Any = {"rotation": 90, "va": "center"} if len(classes) == 2 else {}
    axes.set_yticks(range(len(classes)), classes, **turned)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _panels(
    scores: Mapping[str, Scores], point: OperatingPoint, height: float, *, synthetic: bool
) -> tuple[style.Figure, list[tuple[style.Axes, Mapping[str, Scores], str]]]:
    """Return a figure, its panels, the sets of each (all, or with more classes one), and titles."""
    groups = [scores] if point.binary else [{name: one} for name, one in scores.items()]
    titles = [""] if point.binary else [f", {words(name)}" for name in scores]
    figure = style.new_figure(height * len(groups), synthetic=synthetic)
    panels = figure.subplots(len(groups), 1, squeeze=False).ravel()
    return figure, list(zip(panels, groups, titles, strict=True))


def _curves(
    group: Mapping[str, Scores], point: OperatingPoint, classes: Sequence[str]
) -> Iterator[tuple[str, str, NDArray[np.bool_], NDArray[np.float32]]]:
    """Yield colour, name, truth and probability of every curve of a panel."""
    number = 0
    for name, one in group.items():
        for column in (1,) if point.binary else range(len(classes)):
            label = words(name) if point.binary else classes[column]
            truth = np.asarray(one.label == column)
            yield style.colour_of(number), label, truth, one.probability[:, column]
            number += 1


def _both(truth: NDArray[np.bool_]) -> bool:
    """Whether there are beats of a class and others, without which there is no curve."""
    return bool(truth.any() and not truth.all())
