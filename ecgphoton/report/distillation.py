"""What a distillation leaves behind: log, summary, cached outputs and the picture of both ROCs."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ecgphoton.artifacts import atomic_path, write_json, write_text
from ecgphoton.legacy.teacher import Teacher, save_teacher

if TYPE_CHECKING:
    from ecgphoton.legacy.distill_run import DistilReport

LOG = "kd_log.csv"
SUMMARY = "distillation.json"
PICTURE = "kd_roc.png"
OUTPUTS = "teacher_outputs.npz"
TEACHER = "teacher.safetensors"

COLOURS = {"teacher": "#7f7f7f", "baseline": "#1f77b4", "distilled": "#d62728"}


def write_distillation(folder: Path, report: DistilReport) -> None:
    """Write everything a distillation has to show into a folder.

    ``kd_log.csv`` has a row per model and epoch, ``distillation.json`` the verdict and a row per
    model and set, ``kd_roc.png`` the ROC of each model on both sets (two classes), and
    ``teacher.safetensors`` with ``teacher_outputs.npz`` the teacher and what it said about every
    training beat.
    """
    rows = report.log()
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / LOG, text.getvalue())
    write_json(
        folder / SUMMARY,
        {
            "accepted": report.verdict.accepted,
            "weight": report.verdict.weight,
            "verdict": str(report.verdict),
            "took_part_in_selection": list(report.took_part),
            "models": report.summary(),
        },
    )
    with atomic_path(folder / OUTPUTS) as temporary, temporary.open("wb") as file:
        np.savez(file, logits=report.outputs.logits.numpy(), feature=report.outputs.feature.numpy())
    teacher = report.contestants[0].fitted.model
    if isinstance(teacher, Teacher):
        save_teacher(folder / TEACHER, teacher, {"took_part_in_selection": list(report.took_part)})
    if report.contestants[0].fitted.point.binary:
        draw_roc(folder / PICTURE, report)


def draw_roc(path: Path, report: DistilReport) -> None:
    """Draw the ROC of each model on both sets, with every model's own operating point."""
    from matplotlib.figure import Figure

    curves = report.roc()
    rows = {(row["model"], row["set"]): row for row in report.summary()}
    figure = Figure(figsize=(5 * len(curves), 4.6), layout="constrained")
    for axes, (name, models) in zip(
        np.atleast_1d(figure.subplots(1, len(curves))), curves.items(), strict=True
    ):
        for model, (fpr, tpr) in models.items():
            row = rows[model, name]
            auc = "" if row["auc"] is None else f", AUC {row['auc']:.4f}"
            axes.plot(fpr, tpr, color=COLOURS[model], lw=1.4, label=f"{model}{auc}")
            axes.plot(row["fpr"], 1 - row["miss"], "o", color=COLOURS[model], ms=6)
        axes.set(
            title=name, xlabel="FPR", ylabel="sensitivity", xlim=(-0.01, 0.5), ylim=(0.5, 1.01)
        )
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right", title="dots: operating points")
    figure.suptitle(str(report.verdict), fontsize=9)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
