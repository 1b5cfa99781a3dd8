"""Fit a student for every fold of a run, and collect the scores of the patients left out."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ecgphoton import runs
from ecgphoton.artifacts import load_checkpoint, save_checkpoint
from ecgphoton.ecg.beats import Splits
from ecgphoton.ecg.splits import kinds_of
from ecgphoton.errors import InputError
from ecgphoton.hwsim.distributed import check_workers, computed
from ecgphoton.mesh.arrays import Floats
from ecgphoton.metrics import patients_alike
from ecgphoton.progress import Progress
from ecgphoton.recipe import Recipe
from ecgphoton.run.finish import write_history
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent
from ecgphoton.training.crossfit import OutOfFold, Scale, margin, squeezed
from ecgphoton.training.fit import fit
from ecgphoton.training.judge import outputs_of
from ecgphoton.training.parts import Examples
from ecgphoton.training.state import FitState, packed_as

OUTPUTS = "outputs.safetensors"
LOOK = 0.5  # seconds between two looks at how far the folds are


@dataclass(frozen=True, eq=False)
class FoldWork:
    """Everything a worker process needs to fit the student of any fold."""

    recipe: Recipe
    architecture: Architecture
    examples: Examples
    """What is trained on, with the weights that make patients count alike; 0 for copies of beats,
    which are never judged."""
    fold: NDArray[np.int64]
    """(n,) fold of each beat or copy."""
    folder: Path
    """Where the outputs of finished folds are."""
    seed: int
    digest: str
    """Of the training beats."""

    def place(self, number: int) -> Path:
        """Return the folder of a fold."""
        return self.folder / str(number + 1)

    def held(self, number: int) -> NDArray[np.bool_]:
        """Return which beats of a fold are judged."""
        assert self.examples.weight is not None
        return np.asarray((self.fold == number) & (self.examples.weight > 0))

    def __call__(self, number: int) -> Floats:
        """Fit the student of a fold, unless that was done; its outputs are written to a file."""
        if not (self.place(number) / OUTPUTS).exists():
            self._fit(number)
        return np.zeros(0)

    def _fit(self, number: int) -> None:
        held = self.examples.take(self.held(number))
        training = self.examples.take(self.fold != number)
        label, weight = training.label.numpy(), training.weight
        assert weight is not None
        judged = SegmentStudent(self.architecture, seed=self.seed)
        logits, scales = [], []

        def keep(state: FitState) -> None:
            judged.load_state_dict(packed_as("averaged", state.arrays))
            scale = Scale.of(margin(outputs_of(judged, training).logits.numpy()), label, weight)
            scales.append((scale.normal, scale.abnormal))
            logits.append(outputs_of(judged, held).logits.numpy())
            write_history(self.place(number), state.history)

        schedule = self.recipe.training
        fitted = fit(
            SegmentStudent(self.architecture, seed=self.seed),
            training,
            {"held_out": held},
            replace(schedule, patience=schedule.epochs),
            self.recipe.decision,
            self.recipe.parts(training, self.architecture.classes),
            seed=self.seed,
            on_epoch=keep,
        )
        arrays = {
            "logits": np.stack(logits),
            "scale": np.array(scales),
            "selection": np.array([record.score for record in fitted.history]),
        }
        about = {"beats": self.digest, "fold": number}
        save_checkpoint(self.place(number) / OUTPUTS, arrays, about)

    def outputs(self, number: int) -> dict[str, np.ndarray]:
        """Read the outputs of a finished fold.

        Raises
        ------
        InputError
            If they are damaged, or of other beats.
        """
        path = self.place(number) / OUTPUTS
        arrays, about = load_checkpoint(path)
        shape = (self.recipe.training.epochs, int(self.held(number).sum()))
        if about.get("beats") != self.digest or arrays["logits"].shape[:2] != shape:
            raise InputError(f"{path} is of other beats or another recipe; delete it, and resume")
        return arrays


def check_folds(recipe: Recipe, splits: Splits, workers: int | None) -> None:
    """Refuse what a protocol with folds cannot do, before anything is written.

    Raises
    ------
    InputError
        If the recipe listens to the test set, or `workers` is less than 1.
    """
    name = splits.protocol.name
    if recipe.decision.blend > 0:
        raise InputError(
            f"decision.blend is {recipe.decision.blend}, and protocol {name!r} chooses on folds, "
            "where no second set takes part; set it to 0"
        )
    if workers is not None:
        check_workers(workers)


def out_of_fold(
    recipe: Recipe,
    splits: Splits,
    examples: Examples,
    architecture: Architecture,
    folder: Path,
    *,
    seed: int,
    workers: int | None = None,
    progress: Progress,
) -> OutOfFold:
    """Fit a student for every fold, and return the scores of the patients left out.

    Parameters
    ----------
    examples
        What is trained on, see `taught`: the beats of `splits` come first.
    folder
        Run folder; outputs of folds that are finished already are taken from it.
    workers
        Processes, as `computed` takes them. The scores are the same for any number.

    Raises
    ------
    InputError
        If `check_folds` refuses, a loss stops being finite, or a file cannot be written.
    """
    check_folds(recipe, splits, workers)
    subject, label = splits.subject, splits.train.label
    weight = patients_alike(subject, label)
    alone = np.concatenate([weight, np.zeros(len(examples) - len(weight))])
    subjects = splits.protocol.subjects
    folds = np.array([splits.folds[subjects[name]] for name in examples.record.tolist()])
    work = FoldWork(
        recipe, architecture, replace(examples, weight=alone), folds, folder / runs.FOLDS, seed,
        splits.train.digest,
    )  # fmt: skip
    fold = folds[: len(weight)]
    count, epochs = splits.protocol.folds, recipe.training.epochs
    with _watched(work, count * epochs, progress):
        for done, _ in enumerate(computed(work, count, workers=workers), 1):
            progress("folds", done, count)
    outputs = [work.outputs(number) for number in range(count)]
    classes = architecture.classes
    score = np.empty((epochs, len(label)))
    probability = np.empty((epochs, len(label), classes))
    for number, found in enumerate(outputs):
        rows = fold == number
        for epoch, (logits, scale) in enumerate(zip(found["logits"], found["scale"], strict=True)):
            score[epoch, rows] = Scale(*scale.tolist()).score(margin(logits))
            probability[epoch, rows] = torch.softmax(torch.as_tensor(logits), -1).numpy()
    if classes == 2:
        abnormal = squeezed(score)
        probability = np.stack([1 - abnormal, abnormal], -1)
    selection = np.stack([found["selection"] for found in outputs])
    kind = kinds_of(splits.train.symbol, label)
    return OutOfFold(score, probability, selection, fold, subject, label, kind, weight)


@contextlib.contextmanager
def _watched(work: FoldWork, epochs: int, progress: Progress) -> Iterator[None]:
    """Report the epochs of all folds while they run, wherever they do."""
    ended = threading.Event()

    def look() -> None:
        last = False
        while not last:
            last, done = ended.wait(LOOK), 0
            for path in work.folder.glob(f"*/{runs.HISTORY}"):
                with contextlib.suppress(OSError):
                    done += path.read_text().count("\n")
            progress("epochs", done, epochs)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
