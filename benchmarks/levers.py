"""What each setting of a recipe does to patients left out of training, and what size does.

    python -m benchmarks levers levers                       # settings of the flagship
    python -m benchmarks levers sizes                        # its curve over parameters
    python -m benchmarks levers patients --seeds 3           # and over patients that it is taught
    python -m benchmarks levers levers --only "no delay" --seeds 3

Only the training patients are read: every variant is fitted on the folds of the protocol, and the
patients left out are scored; no test set is opened. Scores are kept in ``--out``, so that a second
call goes on where the first ended, and ``--write`` fills docs/results.md. A variant takes five
sixths of a training: 2 minutes on two free cores, with more layers, branches or folds up to 5.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._pages import fill, table
from ecgphoton.artifacts import read_arrays, write_arrays, write_text
from ecgphoton.ecg.beats import Splits
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.progress import silent
from ecgphoton.recipe import DataSettings, Recipe, override, read
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.run.beats import splits_of, taught
from ecgphoton.run.folds import out_of_fold
from ecgphoton.student.architecture import BRANCHES, Branch

DRAWS, FALSE_ALARMS = 1000, 0.05
PAGE = Path("docs/results.md")
Variant = Mapping[str, tuple[str, ...]]


USUAL = {
    "deviation/regular": "deviation",
    "QRS deviation/regular": "QRS deviation",
    "amplitude/regular": "amplitude/usual",
    "width/regular": "width/usual",
    "T deviation/regular": "T deviation/usual",
    "QRS largest deviation/regular": "QRS largest deviation",
    "P deviation/regular": "P deviation",
    "unlikeness/regular": "unlikeness",
}
"""In the place of the regular beats, the last 33 beats of any shape."""
SO_FAR = {
    "post/pre": "pre/previous",
    "next interval z": "interval rank",
    "unlikeness to next": "interval",
}
"""In the place of the next beat, the beat itself and earlier ones."""


def tokens(recipe: Recipe, *names: str, other: Mapping[str, str] | None = None) -> str:
    """Setting of a student with these tokens of the recipe, and some features replaced."""
    other = other or {}
    texts = (
        f'{{name="{t.name}",features={json.dumps([other.get(f, f) for f in t.features])}}}'
        for t in recipe.student.patient
        if t.name in names
    )
    return f"student.patient=[{','.join(texts)}]"


def branches(*chosen: Branch) -> str:
    texts = (
        f'{{name="{b.name}",source="{b.source}",start={b.start},stop={b.stop},tokens={b.tokens},'
        f"kernel={b.kernel}}}"
        for b in chosen
    )
    return f"student.branches=[{','.join(texts)}]"


def levers(recipe: Recipe) -> Variant:
    every = [t.name for t in recipe.student.patient]
    return {
        "as it ships": (),
        "no delay": (tokens(recipe, *every, other=USUAL | SO_FAR),),
        "no regular template": (tokens(recipe, *every, other=USUAL),),
        "no features of the next beat": (tokens(recipe, *every, other=SO_FAR),),
        **{
            f"without token {name}": (tokens(recipe, *(t for t in every if t != name)),)
            for name in every
        },
        "no patient tokens": ("student.patient=[]",),
        "windows on the annotation": ("data.centring=annotation",),
        "no augmentation of windows": ("augment.shift=0", "augment.wander=0", "augment.noise=0"),
        "no augmentation of features": ("augment.features=0",),
        "with made-up fibrillation": ("augment.fibrillation=0.3",),
        "one lead of each record": ("data.views=1",),
        "no noise of chips": ("noise.weight=0",),
        "twice the noise of chips": ("noise.weight=0.06",),
        "patients not weighted alike": ("balance.patient_weight=false",),
        "no average of weights": ("training.ema=0",),
        "half the epochs": ("training.epochs=6", "training.min_epochs=6"),
        "twice the epochs": ("training.epochs=24", "training.min_epochs=24"),
    }


def patients(recipe: Recipe, folder: Path) -> Variant:
    """Students of fewer and of more patients: other numbers of folds, in protocol files."""
    protocol = protocol_of(recipe.data.protocol)
    total = protocol.patients
    found: dict[str, tuple[str, ...]] = {}
    for folds in (2, 3, protocol.folds, 11):
        path = folder / f"{protocol.name}-in-{folds}.toml"
        values = {"folds": folds, "train": protocol.train, "test": protocol.test}
        write_text(path, "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        shipped = ", as it ships" if folds == protocol.folds else ""
        found[f"{total - total / folds:.0f} patients{shipped}"] = (f"data.protocol={path}",)
    return found


def sizes(recipe: Recipe) -> Variant:
    """From 150 to about 1,000 parameters, 20 for each 4x4 matrix with its bias."""
    first = recipe.student.patient
    found: dict[str, tuple[str, ...]] = {
        "one token": (tokens(recipe, first[0].name),),
        "two tokens": (tokens(recipe, *(t.name for t in first[:2])),),
        "three tokens": (tokens(recipe, *(t.name for t in first[:3])),),
        "four tokens, as it ships": (),
    }
    found |= {f"{count} layers": (f"student.layers={count}",) for count in (4, 8, 16)}
    for copies in (2, 4, 11):
        parallel = (
            replace(b, name=f"{b.name}{k}" if k else b.name)
            for k in range(copies)
            for b in BRANCHES
            if b.source == "window"
        )
        found[f"{copies} parallel sets of branches"] = (branches(*parallel),)
    return found


@dataclass(frozen=True, eq=False)
class Found:
    """Out-of-fold scores of a variant at its best epoch."""

    score: NDArray[np.float64]
    label: NDArray[np.int64]
    subject: NDArray[np.str_]
    kind: NDArray[np.str_]
    weight: NDArray[np.float64]

    def numbers(self, draws: int = DRAWS) -> dict[str, NDArray[np.float64]]:
        """AUC, that of S and V, and miss at 5 % FPR; patients weighted alike.

        (draws + 1,) each: every patient once, then resampled ones, the same for every variant.
        """
        patients, at = np.unique(self.subject, return_inverse=True)
        rng = np.random.default_rng(20)
        picks = rng.multinomial(len(patients), np.full(len(patients), 1 / len(patients)), draws)
        normal = np.flatnonzero(self.label == 0)
        normal = normal[np.argsort(self.score[normal], kind="stable")]
        kinds = {"AUC": self.label > 0, "AUC of S": self.kind == "S", "AUC of V": self.kind == "V"}
        rows = {name: np.flatnonzero(own) for name, own in kinds.items()}
        ends = {
            name: [np.searchsorted(self.score[normal], self.score[own], side)
                   for side in ("left", "right")]
            for name, own in rows.items()
        }  # fmt: skip
        found: dict[str, list[float]] = {name: [] for name in (*rows, "miss at 5 % FPR")}
        for times in [np.ones(len(patients)), *picks]:
            weight = self.weight * times[at]
            below = np.concatenate([[0.0], np.cumsum(weight[normal])])
            for name, own in rows.items():
                left, right = ends[name]
                ranks = weight[own] @ (below[left] + below[right])
                found[name].append(ranks / (2 * weight[own].sum() * below[-1]))
            first = np.searchsorted(below, (1 - FALSE_ALARMS) * below[-1])  # normal beat called
            own, lost = rows["AUC"], ends["AUC"][1] <= first
            found["miss at 5 % FPR"].append(weight[own][lost].sum() / weight[own].sum())
        return {name: np.array(values) for name, values in found.items()}


Row = tuple[str, object, list[Found]]


def fitted(recipe: Recipe, splits: Splits, seed: int, path: Path, workers: int | None) -> Found:
    """Scores of a variant, from its file if there is one."""
    if not path.exists():
        examples = taught(splits, recipe, recipe.student, seed)
        with tempfile.TemporaryDirectory() as place:
            choice = out_of_fold(
                recipe,
                splits,
                examples,
                recipe.student,
                Path(place),
                seed=seed,
                workers=workers,
                progress=silent,
            )
        columns = {name: getattr(choice, name) for name in ("label", "subject", "kind", "weight")}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, score=choice.score[choice.epoch()], **columns)
    return Found(**read_arrays(path, "out-of-fold scores of a variant"))


def compared(recipe: Recipe, variants: Variant, given: argparse.Namespace) -> Iterator[Row]:
    """Name, parameters and scores of every variant, each with all seeds."""
    splits: dict[DataSettings, Splits] = {}
    for name, assignments in variants.items():
        changed = override(recipe, [*given.set, *assignments])
        if changed.data not in splits:
            splits[changed.data] = splits_of(changed)
        slug = "".join(c if c.isalnum() else "-" for c in name)
        yield name, changed.student.parameters, [
            fitted(changed, splits[changed.data], seed,
                   given.out / f"{recipe.name}-{slug}-{seed}.npz", given.workers)
            for seed in range(given.seeds)
        ]  # fmt: skip


def compare(rows: Iterable[Row]) -> str:
    """Table of variants; differences from the first are paired over seeds and drawn patients."""
    base: list[dict[str, NDArray[np.float64]]] = []
    lines, heads = [], list[str]()
    for name, parameters, found in rows:
        own = [one.numbers() for one in found]
        base = base or own
        line: list[object] = [name, parameters]
        for key in own[0]:
            values = 100 * np.stack([one[key] for one in own])
            gaps = (values - 100 * np.stack([one[key] for one in base])).mean(0)
            low, high = np.nanquantile(gaps[1:], [0.025, 0.975])
            line += [f"{values[:, 0].mean():.2f}", f"{gaps[0]:+.2f} [{low:+.2f}, {high:+.2f}]"]
        lines.append(line)
        heads = ["variant", "parameters", *(text for key in own[0] for text in (key, "Δ [95 %]"))]
        print(table(heads, [line]), flush=True)
    return table(heads, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("levers", "sizes", "patients"))
    parser.add_argument("--recipe", default=FLAGSHIP)
    parser.add_argument("--only", nargs="*", help="variants; the first of all is always compared")
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds, from 0")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--out", type=Path, default=Path("runs/levers"))
    parser.add_argument("--write", action="store_true", help=f"fill {PAGE}")
    given = parser.parse_args()
    recipe = read(given.recipe)
    made = {"levers": levers, "sizes": sizes, "patients": partial(patients, folder=given.out)}
    variants = made[given.what](recipe)
    chosen = given.only or list(variants)
    unknown = [name for name in chosen if name not in variants]
    if unknown:
        parser.error(f"there is no variant {unknown[0]!r}; there are {', '.join(variants)}")
    first = next(name for name in variants if name.endswith("as it ships"))
    ordered = {name: variants[name] for name in [first, *(n for n in chosen if n != first)]}
    found = compare(compared(recipe, ordered, given))
    if given.write:
        fill(PAGE, {given.what: found})


if __name__ == "__main__":
    main()
