"""Listings: shipped students, shipped recipes, and the runs of a folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgphoton import models as shipped_models, runs as run_folders
from ecgphoton.arguments import strict
from ecgphoton.artifacts import MANIFEST, kind_of, load_checkpoint, read_json
from ecgphoton.errors import EcgphotonError, InputError
from ecgphoton.intake import expecting
from ecgphoton.metrics import stated
from ecgphoton.recipes import FLAGSHIP, purposes
from ecgphoton.student.architecture import Architecture


@dataclass(frozen=True)
class Listing:
    """Things of one kind, a row each."""

    kind: str
    rows: tuple[Mapping[str, Any], ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Folders that cannot be listed, each with the reason."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        left = {"left_out": dict(self.left_out)} if self.left_out else {}
        return {self.kind: [dict(row) for row in self.rows], **left}


def models() -> Listing:
    """List the students that come with the package."""
    rows = []
    for name, folder in shipped_models.shipped().items():
        about = load_checkpoint(run_folders.intact(folder / run_folders.CHECKPOINT))[1]
        architecture = Architecture.from_dict(about["architecture"])
        rows.append(
            {
                "name": name,
                **{key: about[key] for key in ("protocol", "labels")},
                "parameters": architecture.parameters,
                "delay_beats": architecture.delay,
                "classes": about["classes"],
                "recipe": about["recipe"]["name"],
                "seed": about["seed"],
                "default": name == FLAGSHIP,
            }
        )
    return Listing("models", tuple(rows))


def recipes() -> Listing:
    """List the recipes that come with the package."""
    known = purposes().items()
    return Listing("recipes", tuple({"name": name, "purpose": text} for name, text in known))


@strict
def runs(folder: Path | str | None = None) -> Listing:
    """List the finished runs of a folder, the newest first.

    Damaged and unfinished runs are named, with what is wrong, and left out.

    Parameters
    ----------
    folder
        Where the runs are; by default ``runs/``.

    Raises
    ------
    InputError
        If the folder that is named does not exist or is a run, or every run in it is damaged.
    """
    if folder is not None and not Path(folder).is_dir():
        raise InputError(f"there is no folder {folder}; name the one that holds the runs")
    if folder is not None and kind_of(Path(folder)) == run_folders.KIND:
        raise InputError(f"{folder} is a run itself; name the folder that holds it")
    rows, damaged = list[Mapping[str, Any]](), dict[str, EcgphotonError]()
    root = Path(run_folders.RUNS if folder is None else folder)
    for run in run_folders.finished(root=root):
        try:
            with expecting(run, "a finished run"):
                rows.append(_row(run))
        except EcgphotonError as error:
            damaged[str(run)] = error
    if damaged and not rows:
        raise next(iter(damaged.values()))
    left_out = {run: str(error) for run, error in damaged.items()}
    for start in sorted(root.glob(f"*/{run_folders.START}")):
        if not (start.parent / MANIFEST).exists():
            left_out[str(start.parent)] = (
                f"{start.parent} is unfinished; if nothing trains it now, `ecgphoton train "
                f"--resume {start.parent}` continues it"
            )
    return Listing("runs", tuple(rows), left_out)


def _row(run: Path) -> dict[str, Any]:
    metrics = read_json(run_folders.intact(run / run_folders.METRICS))
    about = load_checkpoint(run / run_folders.CHECKPOINT)[1]
    # The test set as a whole comes before parts of it.
    names = list(metrics["sets"])
    name = min((n for n in names if n not in run_folders.CHOOSING), key=len, default=names[0])
    numbers = metrics["sets"][name]
    return {
        "run": str(run),
        "date": f"{run_folders.date_of(run)[:16]}Z",
        "recipe": about["recipe"].get("name"),
        "data": metrics["source"],
        "labels": about["labels"],
        "seed": metrics["seed"],
        "set": name,
        **{key: stated(numbers, key) for key in ("auc", "miss", "fpr", "macro_f1")},
    }
