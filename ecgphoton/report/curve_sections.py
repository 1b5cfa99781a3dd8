"""Chapters with the curves of a run: training, ROC, precision."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from markupsafe import Markup

from ecgphoton.artifacts import read_bytes
from ecgphoton.errors import InputError
from ecgphoton.metrics import ranking
from ecgphoton.report import pieces
from ecgphoton.report.charts import Series, chart, percent as percent_tick
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import Section, percent, spoken
from ecgphoton.report.scores import precision_recall, roc, thin


def curves(material: Material) -> Section | None:
    """Draw loss, score and rates over the epochs."""
    path = material.find("history.jsonl")
    if path is None:
        return None
    try:
        history = [json.loads(line) for line in read_bytes(path).decode().splitlines()]
        epochs = [float(line["epoch"]) for line in history]
        first = next(iter(history[0]["sets"]))
        names = list(history[0]["sets"])
    except (ValueError, KeyError, TypeError, IndexError, StopIteration) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error})") from error
    kept = Series("post", [(float(material.metrics.get("best_epoch", epochs[-1])), 0.0)], 5,
                  "kept epoch", dashed=True)  # fmt: skip

    def over(
        values: list[float | None], colour: int, label: str = "", *, dashed: bool = False
    ) -> Series:
        pairs = zip(epochs, values, strict=True)
        points = [(epoch, float(value)) for epoch, value in pairs if value is not None]
        return Series("line", points, colour, label, dashed=dashed)

    figures = [
        pieces.figure(
            chart([kept, over([h["loss"] for h in history], 0)], x_label="epoch", y_label="loss"),
            "Training loss",
        ),
        pieces.figure(
            chart([kept, over([h["score"] for h in history], 0)],
                  x_label="epoch", y_label="score"),
            "Selection score",
        ),
    ]  # fmt: skip
    rates = [kept]
    if history[0]["point"] is not None:
        keys = (("miss", "miss rate", 1), ("fpr", "FPR", 0), ("f1", "F1", 2))
        for index, name in enumerate(names):
            for key, label, colour in keys:
                values = [h["sets"][name].get(key) for h in history]
                said = label if index == 0 else f"{label}, {spoken(name)}"
                rates.append(over(values, colour, said, dashed=index > 0))
        title = f"Rates at the epoch's own threshold, {spoken(first)}"
    else:
        for colour, (label, shown) in enumerate(
            zip(history[0]["sets"][first]["classes"], material.classes, strict=False)
        ):
            values = [h["sets"][first]["classes"][label]["recall"] for h in history]
            rates.append(over(values, colour % 6, str(shown)))
        title = f"Recall of every class, {spoken(first)}"
    svg = chart(rates, x_label="epoch", y_label="", y_limits=(0, 1), y_format=percent_tick,
                title=title)  # fmt: skip
    figures.append(pieces.figure(svg, title))
    events = [f"Epoch {h['epoch']}: {event}" for h in history for event in h.get("events", [])]
    told = pieces.join(Markup("<li>{}</li>").format(event) for event in events)
    body = pieces.grid(figures)
    if events:
        body += pieces.fold(f"What guards did ({len(events)})", Markup("<ul>{}</ul>").format(told))
    return Section("curves", "Training", body)


def ranking_curves(material: Material) -> Section | None:
    """Draw ROC, its corner, and precision against sensitivity."""
    if not material.scores:
        return None
    groups: dict[str, list[tuple[str, np.ndarray, np.ndarray]]] = {}
    for name, one in material.scores.items():
        if len(material.classes) == 2:
            entry = (spoken(name), one.label == 1, one.probability[:, 1])
            groups.setdefault("", []).append(entry)
        else:
            groups[f", {spoken(name)}"] = [
                (label, one.label == column, one.probability[:, column])
                for column, label in enumerate(material.classes)
            ]
    figures = [
        drawn for suffix, entries in groups.items() for drawn in _ranked(material, suffix, entries)
    ]
    return Section("roc", "ROC and precision", pieces.grid(figures))


def _ranked(
    material: Material, suffix: str, entries: list[tuple[str, np.ndarray, np.ndarray]]
) -> list[Markup]:
    point = material.point
    lines, precisions, corner = [], [], 0.2
    for colour, (name, truth, probability) in enumerate(entries):
        areas = ranking(truth, probability)
        if areas["auc"] is None:
            continue
        said = f"{name}, AUC {areas['auc']:.4f}"
        lines.append(Series("line", _pairs(thin(roc(truth, probability))), colour % 6, said))
        said = f"{name}, AP {areas['average_precision']:.3f} at {100 * truth.mean():.1f} %"
        curve = _pairs(thin(precision_recall(truth, probability)))
        precisions.append(Series("line", curve, colour % 6, said))
        if point.binary:
            called = point.decide(probability)
            fpr, caught = float(called[~truth].mean()), float(called[truth].mean())
            corner = max(corner, min(1.0, float(np.ceil(11 * max(fpr, 1 - caught)) / 10)))
            here = f"{name} at the threshold: miss {percent(1 - caught)}, FPR {percent(fpr)}"
            lines.append(Series("points", [(fpr, caught)], colour % 6, titles=[here]))
            right = float(truth[called].mean()) if called.any() else 0.0
            precisions.append(Series("points", [(caught, right)], colour % 6, titles=[here]))
    axes: dict[str, Any] = {"x_format": percent_tick, "y_format": percent_tick}
    x, y = "FPR", "sensitivity (1 − miss rate)"
    whole = chart(lines, x_label=x, y_label=y, x_limits=(0, 1), y_limits=(0, 1), **axes)
    near = chart(
        lines, x_label=x, y_label=y, x_limits=(0, corner), y_limits=(1 - corner, 1), **axes
    )
    balance = chart(
        precisions, x_label=y, y_label="+P (precision)", x_limits=(0, 1), y_limits=(0, 1), **axes
    )
    dots = " (dots: operating point)" if point.binary else ""
    return [
        pieces.figure(near, f"ROC, the corner that matters{suffix}{dots}"),
        pieces.figure(whole, f"ROC{suffix}"),
        pieces.figure(balance, f"Precision and sensitivity{suffix}"),
    ]


def _pairs(points: np.ndarray) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points]
