"""Distil a student: train with a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton.run.train import train

if TYPE_CHECKING:
    from ecgphoton.run.finish import TrainedRun


def distill(
    recipe: Path | str = "default",
    *,
    teacher: str = "auto",
    **settings: Any,  # noqa: ANN401 - as `train` takes them
) -> TrainedRun:
    """Train teacher, baseline and distilled student, each at its own operating point.

    Parameters
    ----------
    recipe
        Name of a shipped recipe, or a TOML file.
    teacher
        ``auto`` trains a teacher first; otherwise the path of a teacher checkpoint.
    settings
        As `ecgphoton.run.train` takes them.

    Raises
    ------
    InputError
        As `ecgphoton.run.train`, and if the teacher cannot be read.
    """
    return train(recipe, teacher=teacher, **settings)
