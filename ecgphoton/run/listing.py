"""Listings: shipped students, shipped recipes, and the runs of a folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecgphoton import models as shipped_models, recipe as recipe_files, runs as run_folders
from ecgphoton.artifacts import MANIFEST, load_checkpoint, read_json
from ecgphoton.recipes import FLAGSHIP


@dataclass(frozen=True)
class Listing:
    """Things of one kind, a row each."""

    kind: str
    rows: tuple[Mapping[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {self.kind: [dict(row) for row in self.rows]}


def models() -> Listing:
    """List the students that come with the package."""
    rows = []
    for name, folder in shipped_models.shipped().items():
        trained = run_folders.load_student(folder)
        rows.append(
            {
                "name": name,
                "protocol": trained.metadata["protocol"],
                "labels": trained.metadata["labels"],
                "parameters": trained.student.architecture.parameters,
                "delay_beats": trained.student.architecture.delay,
                "classes": list(trained.classes),
                "recipe": trained.recipe.name,
                "seed": trained.metadata["seed"],
                "default": name == FLAGSHIP,
            }
        )
    return Listing("models", tuple(rows))


def recipes() -> Listing:
    """List the recipes that come with the package."""
    known = recipe_files.shipped().items()
    return Listing("recipes", tuple({"name": name, "purpose": text} for name, text in known))


def runs(folder: Path | str = Path("runs")) -> Listing:
    """List the finished runs of a folder, the newest first.

    Parameters
    ----------
    folder
        Where the runs are.

    Raises
    ------
    InputError
        If a file of a run is damaged.
    """
    return Listing("runs", tuple(_row(run) for run in run_folders.finished_runs(folder)))


def _row(run: Path) -> dict[str, Any]:
    metrics = read_json(run / run_folders.METRICS)
    about = load_checkpoint(run / run_folders.CHECKPOINT)[1]
    # The test set as a whole comes before parts of it.
    names = list(metrics["sets"])
    name = min((n for n in names if n not in run_folders.CHOOSING), key=len, default=names[0])
    written = datetime.fromtimestamp((run / MANIFEST).stat().st_mtime, UTC)
    numbers = metrics["sets"][name]
    return {
        "run": str(run),
        "date": written.isoformat(timespec="minutes").replace("+00:00", "Z"),
        "recipe": about["recipe"].get("name"),
        "data": metrics["source"],
        "labels": about["labels"],
        "seed": metrics["seed"],
        "set": name,
        **{key: numbers.get(key) for key in ("auc", "miss", "fpr", "macro_f1")},
    }
