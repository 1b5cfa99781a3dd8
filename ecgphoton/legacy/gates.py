"""Gates: a teacher is used for distillation only where it is better than the baseline student."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecgphoton.legacy.distill import Distillation


@dataclass(frozen=True)
class Verdict:
    """Whether a teacher is used, with what weight, and why."""

    weight: float
    """1 accepted, 0.5 accepted with half `beta`, 0 refused."""
    reasons: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether the teacher is used."""
        return self.weight > 0

    def __str__(self) -> str:
        """Return the verdict as a sentence."""
        reasons = "; ".join(self.reasons)
        if not self.accepted:
            return f"distillation refused, weight 0: {reasons}"
        return f"teacher accepted, weight {self.weight:g}" + (f": {reasons}" if reasons else "")


def accept(
    teacher: Mapping[str, Any],
    baseline: Mapping[str, Any],
    settings: Distillation,
    *,
    learnt: Mapping[str, Any] | None = None,
) -> Verdict:
    """Decide whether a teacher is used, and with what weight.

    Parameters
    ----------
    teacher, baseline
        Numbers of teacher and undistilled student on the gate set, each at its own operating
        point, as `judge.summarise` gives them.
    settings
        Gates.
    learnt
        The teacher's numbers on the set before the gate set (training before validation,
        validation before test), for the gap.
    """
    if "macro_f1" in teacher:
        f1, sensitivity, own = teacher["macro_f1"], teacher["mean_recall"], baseline["macro_f1"]
        gates = [(f1 < own, f"the teacher's macro-F1 {f1:.3f} is below the student's {own:.3f}")]
    else:
        f1, sensitivity = teacher["f1"], 1 - teacher["miss"]
        miss = baseline["miss"] + settings.miss_margin
        fpr = max(baseline["fpr"], settings.fpr_limit)
        gates = [
            (
                teacher["miss"] > miss,
                (
                    f"the teacher misses {100 * teacher['miss']:.2f} %, more than the "
                    f"student's {100 * baseline['miss']:.2f} % allow (margin "
                    f"{100 * settings.miss_margin:g} %)"
                ),
            ),
            (
                teacher["fpr"] > fpr,
                f"the teacher's FPR {100 * teacher['fpr']:.2f} % exceeds {100 * fpr:.2f} %",
            ),
        ]
    gates += [
        (
            f1 < settings.min_f1,
            f"the teacher's F1 {f1:.3f} is below distill.min_f1 {settings.min_f1:g}",
        ),
        (
            sensitivity < settings.min_sensitivity,
            (
                f"the teacher's sensitivity {sensitivity:.3f} is below distill.min_sensitivity "
                f"{settings.min_sensitivity:g}"
            ),
        ),
    ]
    if reasons := tuple(reason for failed, reason in gates if failed):
        return Verdict(0.0, reasons)
    if learnt is not None and "miss" in teacher:
        gap = teacher["miss"] - learnt["miss"]
        if gap > settings.max_gap:
            return Verdict(
                0.5,
                (f"the teacher's miss rate grows by {100 * gap:.2f} %, so its weight is halved",),
            )
    return Verdict(1.0, ())
