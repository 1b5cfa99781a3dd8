"""The chapters about a run: its data, results, training, curves, and records."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ecgphoton.artifacts import read_bytes
from ecgphoton.intake import expecting
from ecgphoton.metrics import stated
from ecgphoton.report import pieces, plots
from ecgphoton.report.curves import MOST_EVENTS, draw_curves
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import number, percent, words
from ecgphoton.report.scores import Scores, is_part
from ecgphoton.runs import CHOOSING


def data(material: Material, _: Material) -> Markup:
    """List the beats of every set, their labels, and what took part in training or selection."""
    about, metrics = material.metadata, material.metrics
    if not about and not metrics:
        return Markup("")
    chosen = metrics.get("took_part_in_selection", [])
    parts = [
        pieces.facts(
            {
                "source": about.get("source", metrics.get("source", "unknown")),
                **{name: about.get(name) for name in ("protocol", "labels", "lead")},
                "recipe": about.get("recipe", {}).get("name"),
                "seed": about.get("seed"),
                "took part in training or selection": ", ".join(map(words, chosen)),
            }
        )
    ]
    rows = [
        [
            words(name),
            number(row["beats"]),
            number(row["tp"] + row["fn"] if "tp" in row else None),
            percent(row.get("prevalence"), 1),
            number(len(row["records"]) if "records" in row else None),
            number(name in chosen),
        ]
        for name, row in material.sets.items()
    ]
    if rows:
        columns = ["set", "beats", "abnormal", "prevalence", "records", "used for selection"]
        parts.append(pieces.table(columns, rows))
    dropped = metrics.get("dropped", {})
    for reason, symbols in dropped.get("by_reason", {}).items():
        counts = "  ".join(f"{symbol} {count:,}" for symbol, count in symbols.items())
        text = f"{sum(symbols.values()):,} beats are left out, {reason}: {counts}"
        parts.append(pieces.paragraph(text, "note"))
    parts += [pieces.paragraph(note, "note") for note in dropped.get("notes", [])]
    return pieces.join(parts)


def results(material: Material, sets: Mapping[str, Any]) -> Markup:
    """Give the rates of every set with intervals, and the rates of every class or symbol."""
    parts = [_out_of_fold(material.metrics.get("out_of_fold", {}))]
    if all("miss" in row for row in sets.values()):
        columns = ["set", "miss rate", "FPR", "F1", "prevalence", "AUC", "average precision"]
        rows = [
            [
                words(name),
                _with_interval(row, "miss"),
                _with_interval(row, "fpr"),
                number(row["f1"], 3),
                percent(row["prevalence"], 1),
                number(row["auc"]),
                number(row["average_precision"]),
            ]
            for name, row in sets.items()
        ]
        note = (
            "In brackets: 95 % intervals from resampling whole records, because beats of one "
            "patient resemble each other. F1 depends on the prevalence."
        )
        parts += [pieces.table(columns, rows), pieces.paragraph(note, "note")]
    if (point := material.point).binary:
        text = f"Threshold {point.threshold:.4f}, fitted on {', '.join(point.fitted_on)}"
        if not point.feasible:
            text += "; no threshold met both limits there, so the smallest violation was taken"
        parts.append(pieces.paragraph(text + "."))
    for name, row in sets.items():
        if "classes" in row:
            classes = [
                [label, number(c["support"]), percent(c["recall"]), percent(c["precision"]),
                 number(c["f1"], 3)]
                for label, c in row["classes"].items()
            ]  # fmt: skip
            columns = ["class", "beats", "recall", "precision", "F1"]
            rates = f"macro-F1 {row['macro_f1']:.4f}, accuracy {row['accuracy']:.4f}"
            parts.append(pieces.table(columns, classes, caption=f"{words(name)}: {rates}"))
        elif "symbols" in row:
            symbols = [
                [symbol, number(s["beats"]), "abnormal" if s["abnormal"] else "normal",
                 percent(s["called_abnormal"])]
                for symbol, s in row["symbols"].items()
            ]  # fmt: skip
            table = pieces.table(["symbol", "beats", "class", "called abnormal"], symbols)
            parts.append(pieces.fold(f"{words(name)}, by symbol", table))
    return pieces.join(parts)


def _with_interval(row: Mapping[str, Any], key: str) -> Markup:
    value, ends = stated(row, key), row["interval_95"][key]
    if value is None:
        return Markup("–")
    rate = Markup("<b>{}</b>").format(percent(value))
    if ends is None:
        return rate
    interval = Markup(' <span class="soft">[{:.1f}, {:.1f}]</span>')
    return rate + interval.format(100 * ends[0], 100 * ends[1])


def _out_of_fold(numbers: Mapping[str, Any]) -> Markup:
    """Give what the folds say; nothing without folds."""
    if not numbers:
        return Markup("")
    found = {"operating point": numbers, "nested": numbers["nested"]}
    rows = [
        [
            name,
            _with_interval(one, "miss"),
            _with_interval(one, "fpr"),
            *map(number, (one["auc"], *one["class_auc"].values())),
        ]
        for name, one in found.items()
    ]
    columns = ["out of fold", "miss rate", "FPR", "AUC"]
    columns += [f"AUC, {name}" for name in numbers["class_auc"]]
    note = (
        f"The {numbers['patients']} training patients, each scored by a student that did not train "
        "on the patient. Patients are weighted alike, one with fewer than 20 beats of a class by "
        "its beats; intervals are from resampling patients. Nested: epoch and threshold of every "
        "fold are chosen on the other folds. It estimates what this run does on new patients, as "
        "far as its own choices go; features and settings that were chosen on the same patients "
        "before are not part of it."
    )
    return pieces.table(columns, rows) + pieces.paragraph(note, "note")


def training(material: Material, path: Path) -> Markup:
    """Draw loss, score and rates over the epochs."""
    from ecgphoton.training.parts import EpochRecord

    with expecting(path, "the history of a training", "train again"):
        lines = read_bytes(path).decode().splitlines()
        history = [EpochRecord.from_dict(json.loads(line)) for line in lines]
        figure = draw_curves(history, material.classes, synthetic=material.synthetic)
    body = pieces.picture(figure, "Loss, score and rates over the epochs")
    events = [(record.epoch, event) for record in history for event in record.events]
    if len(events) > MOST_EVENTS:
        body += pieces.fold(f"All {len(events)} events", pieces.table(["epoch", "event"], events))
    return body


def decisions(material: Material, scores: Mapping[str, Scores]) -> Markup:
    """Draw ROC, precision against sensitivity, and the confusion matrices."""
    found = scores, material.point, material.classes
    pictures = [
        pieces.picture(draw(*found, synthetic=material.synthetic), label)
        for draw, label in (
            (plots.draw_roc, "ROC"),
            (plots.draw_precision, "Precision and sensitivity"),
            (plots.draw_confusion, "Confusion matrices"),
        )
    ]
    return Markup('<div class="grid">{}</div>').format(pieces.join(pictures))


def records(_: Material, sets: Mapping[str, Any]) -> Markup:
    """List every record of every set, the one with most errors first."""
    parts = []
    for name, row in sets.items():
        if "records" not in row:
            continue
        ordered = sorted(row["records"].items(), key=lambda item: -(item[1]["fn"] + item[1]["fp"]))
        rows = [
            [
                record,
                number(sum(r[key] for key in ("tp", "fn", "fp", "tn"))),
                f"{r['fn']:,} of {r['tp'] + r['fn']:,}",
                _bar(stated(r, "miss"), 1),
                f"{r['fp']:,} of {r['fp'] + r['tn']:,}",
                _bar(stated(r, "fpr"), 0),
            ]
            for record, r in ordered
        ]
        columns = ["record", "beats", "missed", "miss rate", "false alarms", "FPR"]
        opened = name not in CHOOSING and not is_part(name)
        table = pieces.table(columns, rows)
        parts.append(pieces.fold(f"{words(name)}: {len(rows)} records", table, opened=opened))
    return pieces.join(parts)


def _bar(share: float | None, colour: int) -> Markup:
    """Return a share with a bar as long as it."""
    if share is None:
        return Markup("–")
    return Markup('<span class="bar"><i class="b{}" style="width:{:.1f}%"></i>{}</span>').format(
        colour, min(100.0, 100 * share), percent(share)
    )
