"""Chapters about what a run was trained on and what it is worth, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from ecgphoton.metrics import confusion_matrix
from ecgphoton.report import pieces
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import Section, percent, spoken


def data(material: Material) -> Section | None:
    """Tell which beats, under which labels, took part in what."""
    about, metrics = material.metadata, material.metrics
    if not about and not metrics:
        return None
    sets = material.sets
    recipe = about.get("recipe", {})
    pairs: dict[str, object] = {
        "source": about.get("source", metrics.get("source", "unknown")),
        "protocol": about.get("protocol"),
        "labels": about.get("labels"),
        "lead": about.get("lead"),
        "recipe": recipe.get("name"),
        "seed": about.get("seed"),
        "took part in training or selection": ", ".join(
            map(spoken, metrics.get("took_part_in_selection", []))
        ),
    }
    parts = [pieces.facts({k: v for k, v in pairs.items() if v not in (None, "")})]
    chosen = metrics.get("took_part_in_selection", [])
    if sets:
        rows = [
            [
                spoken(name),
                f"{row['beats']:,}",
                f"{row['tp'] + row['fn']:,}" if "tp" in row else "–",
                percent(row.get("prevalence"), 1),
                len(row["records"]) if "records" in row else "–",
                "yes" if name in chosen else "no",
            ]
            for name, row in sets.items()
        ]
        columns = ["set", "beats", "abnormal", "prevalence", "records", "chose anything"]
        parts.append(pieces.table(columns, rows))
    dropped = metrics.get("dropped", {})
    for reason, symbols in dropped.get("by_reason", {}).items():
        said = "  ".join(f"{symbol} {count:,}" for symbol, count in symbols.items())
        parts.append(
            pieces.paragraph(f"Dropped {sum(symbols.values()):,} beats, {reason}: {said}", "note")
        )
    parts += [pieces.paragraph(note, "note") for note in dropped.get("notes", [])]
    return Section("data", "Data and protocol", pieces.join(parts))


def results(material: Material) -> Section | None:
    """Give rates with intervals, and per class or symbol."""
    sets = material.sets
    if not sets:
        return None
    parts = []
    if all("miss" in row for row in sets.values()):
        columns = ["set", "miss rate", "FPR", "F1", "prevalence", "AUC", "average precision"]
        rows = [
            [
                spoken(name),
                _with_interval(row, "miss"),
                _with_interval(row, "fpr"),
                pieces.number(row["f1"], 3),
                percent(row["prevalence"], 1),
                pieces.number(row["auc"]),
                pieces.number(row["average_precision"]),
            ]
            for name, row in sets.items()
        ]
        parts.append(pieces.table(columns, rows))
        parts.append(
            pieces.paragraph(
                "In brackets: 95 % intervals from resampling whole records. Beats of one patient "
                "are alike, so intervals over beats would be far too narrow. F1 depends on the "
                "prevalence beside it.",
                "note",
            )
        )
    if (point := material.point).binary:
        sentence = f"Threshold {point.threshold:.4f}, fitted on {', '.join(point.fitted_on)}"
        if not point.feasible:
            sentence += "; no threshold met both limits there, the least violation was taken"
        parts.append(pieces.paragraph(sentence + "."))
    for name, row in sets.items():
        if "classes" in row:
            parts.append(_class_table(name, row))
        elif "symbols" in row:
            symbols = [
                [symbol, f"{s['beats']:,}", "abnormal" if s["abnormal"] else "normal",
                 percent(s["called_abnormal"])]
                for symbol, s in row["symbols"].items()
            ]  # fmt: skip
            columns = ["symbol", "beats", "class", "called abnormal"]
            parts.append(
                pieces.fold(f"{spoken(name)}, symbol by symbol", pieces.table(columns, symbols))
            )
    return Section("results", "Results", pieces.join(parts))


def _with_interval(row: Mapping[str, Any], key: str) -> Markup:
    low, high = row["interval_95"][key]
    return Markup('<td><b>{}</b> <span class="soft">[{:.1f}, {:.1f}]</span></td>').format(
        percent(row[key]), 100 * low, 100 * high
    )


def _class_table(name: str, row: Mapping[str, Any]) -> Markup:
    rows = [
        [label, f"{c['support']:,}", percent(c["recall"]), percent(c["precision"]),
         pieces.number(c["f1"], 3)]
        for label, c in row["classes"].items()
    ]  # fmt: skip
    caption = f"{spoken(name)}: macro-F1 {row['macro_f1']:.4f}, accuracy {row['accuracy']:.4f}"
    return pieces.table(["class", "beats", "recall", "+P", "F1"], rows, caption=caption)


def confusion(material: Material) -> Section | None:
    """Give the counts of every set, and their share of the annotated class."""
    if not material.scores:
        return None
    point, classes = material.point, material.classes
    tables = []
    for name, one in material.scores.items():
        matrix = confusion_matrix(one.label, point.classify(one.probability), len(classes))
        shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        rows = [
            [classes[row], *(_shaded(int(c), float(s)) for c, s in zip(matrix[row], shares[row],
                                                                     strict=True))]
            for row in range(len(classes))
        ]  # fmt: skip
        columns = ["annotated", *(f"called {label}" for label in classes)]
        caption = f"{spoken(name)}, {len(one):,} beats"
        tables.append(pieces.table(columns, rows, kind="matrix", caption=caption))
    return Section("confusion", "Confusion", pieces.grid(tables))


def _shaded(count: int, share: float) -> Markup:
    return Markup('<td style="--share:{:.3f}"><b>{:,}</b><br><span>{:.2f} %</span></td>').format(
        share, count, 100 * share
    )


def records(material: Material) -> Section | None:
    """Give every record of every set, the one with most errors first."""
    parts = []
    for name, row in material.sets.items():
        if "records" not in row:
            continue
        ordered = sorted(row["records"].items(), key=lambda item: -(item[1]["fn"] + item[1]["fp"]))
        rows = [
            [
                record,
                f"{r['tp'] + r['fn'] + r['fp'] + r['tn']:,}",
                f"{r['fn']:,} of {r['tp'] + r['fn']:,}",
                _bar(r["miss"] if r["tp"] + r["fn"] else None, 1),
                f"{r['fp']:,} of {r['fp'] + r['tn']:,}",
                _bar(r["fpr"] if r["fp"] + r["tn"] else None, 0),
            ]
            for record, r in ordered
        ]
        columns = ["record", "beats", "missed", "miss rate", "false alarms", "FPR"]
        parts.append(
            pieces.fold(f"{spoken(name)}: {len(rows)} records", pieces.table(columns, rows),
                        opened=name != "validation" and "_without_" not in name)
        )  # fmt: skip
    return Section("records", "Record by record", pieces.join(parts)) if parts else None


def _bar(share: float | None, colour: int) -> Markup:
    """Return a share with a bar as long as it."""
    if share is None:
        return Markup("<td>–</td>")
    return Markup('<td class="bar"><i class="b{}" style="width:{:.1f}%"></i>{}</td>').format(
        colour, min(100.0, 100 * share), percent(share)
    )
