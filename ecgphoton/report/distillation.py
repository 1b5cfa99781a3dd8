"""The files of a distillation: log, summary, cached outputs, teacher and the ROC of each model."""

import textwrap
from pathlib import Path

from ecgphoton.artifacts import csv_text, write_arrays, write_json, write_text
from ecgphoton.legacy.distill_run import DistilReport
from ecgphoton.legacy.teacher import Teacher, save_teacher
from ecgphoton.report import style
from ecgphoton.wording import words

COLOURS = {"teacher": style.SOFT, "baseline": style.BLUE, "distilled": style.VERMILION}


def write_distillation(folder: Path, report: DistilReport, *, synthetic: bool = False) -> None:
    """Write the files of a distillation into a folder.

    ``kd_log.csv`` has a row per model and epoch, ``distillation.json`` the verdict and a row per
    model and set, ``kd_roc.png`` the ROC of each model on both sets (two classes), and
    ``teacher.safetensors`` with ``teacher_outputs.npz`` the teacher and its outputs for every
    training beat.
    """
    write_text(folder / "kd_log.csv", csv_text(report.log()))
    write_json(
        folder / "distillation.json",
        {
            "accepted": report.verdict.accepted,
            "weight": report.verdict.weight,
            "verdict": str(report.verdict),
            "took_part_in_selection": list(report.took_part),
            "models": report.summary(),
        },
    )
    outputs = {name: part.numpy() for name, part in report.outputs._asdict().items()}
    write_arrays(folder / "teacher_outputs.npz", **outputs)
    teacher = report.contestants[0].fitted.model
    if isinstance(teacher, Teacher):
        save_teacher(
            folder / "teacher.safetensors",
            teacher,
            {"took_part_in_selection": list(report.took_part)},
        )
    if report.contestants[0].fitted.point.binary:
        style.save(draw_rocs(report, synthetic=synthetic), folder / "kd_roc.png")


@style.look()
def draw_rocs(report: DistilReport, *, synthetic: bool = False) -> style.Figure:
    """Draw the ROC of each model on every set; dots mark the operating points."""
    curves = report.roc()
    rows = {(row["model"], row["set"]): row for row in report.summary()}
    figure = style.new_figure(0.3 + 4.2 * len(curves), synthetic=synthetic)
    panels = figure.subplots(len(curves), 1, squeeze=False).ravel()
    for axes, (name, models) in zip(panels, curves.items(), strict=True):
        for model, (fpr, tpr) in models.items():
            row, colour = rows[model, name], COLOURS[model]
            auc = "" if row["auc"] is None else f", AUC {row['auc']:.4f}"
            axes.plot(fpr, tpr, color=colour, label=f"{model}{auc}")
            axes.plot(row["fpr"], 1 - row["miss"], "o", color=colour)
        far = max(0.5, *(rows[model, name][rate] for model in models for rate in ("fpr", "miss")))
        axes.set(title=words(name), xlabel="FPR", ylabel="sensitivity: 1 − miss rate",
                 xlim=(0, far), ylim=(1 - far, 1.01))  # fmt: skip
        style.percent_axis(axes, "xy")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), ncols=2,
                    title="dots: operating points", alignment="left")  # fmt: skip
    figure.supxlabel("\n".join(textwrap.wrap(str(report.verdict), 72)), fontsize=8.5)
    return figure
