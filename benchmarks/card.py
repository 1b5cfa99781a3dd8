"""The card of a shipped student from its run: for whom it is, its results, for whom it fails.

    python -m benchmarks card runs/final/inter-patient-0

Evaluates the run on SVDB, and where it is not made for: paced records, atrial fibrillation, bundle
branch blocks, the other lead. Needs the databases; a minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray

from benchmarks._pages import table
from benchmarks._patients import patient_table
from benchmarks._runs import (
    Family,
    Judged,
    Spread,
    auc,
    families,
    fpr,
    missed,
    precision,
    ratio,
    sensitivity,
)
from benchmarks.results import set_title, sets_of
from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.database import locate
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.runs import TrainedStudent, load_student
from ecgphoton.wording import words

PACED = ("102", "104", "107", "217")
BLOCKS = {"L": "left bundle branch block", "R": "right bundle branch block"}
ESCAPES = {
    "aami": "escape and nodal beats e, j, n are normal, as in de Chazal 2004; EC57 calls them S",
    "literal": "literal symbols; L, R, A, a, J, j, E, e, / and f are left out",
}
CHOSEN = {
    True: "epoch{0} from out-of-fold scores of the 22 training patients, five folds, patients "
    "weighted alike",
    False: "epoch{0} on validation beats, a random fifth of the beats of the training records",
}


def card(folder: Path) -> str:
    """The whole card."""
    found = families([folder], ["svdb"])
    family = next(iter(found.values()))
    worst = f"Records of {words(family.test)} with the largest share of all errors:\n"
    parts = [_head(family.first), _results(family), _groups(family), worst]
    return "\n".join([*parts, patient_table(family, family.test), _tail()])


def short_card(folder: Path) -> str:
    """What can be said without recordings."""
    return "\n".join([_head(load_student(folder)), _tail()])


def _head(trained: TrainedStudent) -> str:
    about, architecture = trained.metadata, trained.student.architecture
    labels, binary = str(about["labels"]), trained.point.binary
    names = ", ".join(f"`{token.name}`" for token in architecture.patient)
    tokens = f", and patient tokens ({names}) that compare it with the patient's other beats"
    tokens = tokens if names else ""
    delay = "one beat later" if architecture.delay else "with the beat itself"
    escapes = ESCAPES["literal" if labels == "literal" else "aami"]
    folds = "out_of_fold" in about["selection"]["sets"]
    classes = " against ".join(trained.classes) if binary else ", ".join(trained.classes)
    views = trained.recipe.data.views
    further = f"; up to {views} leads of each training record teach" if views > 1 else ""
    return f"""# {trained.recipe.name}

Heartbeat classifier, {classes}: {architecture.parameters} weights and biases, \
{len(architecture.blocks)} photonic 4×4 matrices in [−1, 1] and a digital head, trained on noisy \
chips.

    ecgphoton train --recipe {trained.recipe.name} --seed {about["seed"]}

- **For whom**: adults, with recordings of one lead, {about["lead"]} or a similar one, at 100 Hz \
or more. Not for paced patients, and not for diagnosis.
- **Reads**: 360 samples of a beat{tokens}. Answers {delay}.
- **Data**: MIT-BIH Arrhythmia Database 1.0.0, protocol `{about["protocol"]}`, labels `{labels}` \
({escapes}). Lead {about["lead"]}{further}. R peaks from the annotations, windows centred on the \
{"middle of the QRS" if trained.centring == "qrs" else "annotation"}.
- **Chosen by**: {CHOSEN[folds].format(" and threshold" if binary else "")}. This is \
seed {about["seed"]}; seed 0 is shipped, whatever other seeds reach. The run chose nothing on a \
test set. `docs/experiments.md` lists every evaluation on one, also those before the \
recipe was fixed.
"""


def _results(family: Family) -> str:
    rows = []
    for name, sets in sets_of(family):
        title = f"{set_title(name, sets[0])}, {len(sets[0].scores):,} beats"
        if family.first.point.binary:
            kinds = [(auc, 3, 1.0), (missed(), 1, 100.0), (fpr, 1, 100.0)]
        else:
            kinds = [
                (kind(index), 1, 100.0)
                for index in range(1, len(family.first.classes))
                for kind in (sensitivity, precision)
            ]
        rows.append([title, *(_once(sets, *kind) for kind in kinds)])
    heads = ["AUC", "miss %", "FPR %"]
    if not family.first.point.binary:
        heads = [f"{name} {what}" for name in family.first.classes[1:] for what in ("Se %", "+P %")]
    return (
        "## Results\n\nResults of this seed; brackets are 95 % intervals from resampling patients. "
        "`docs/results.md` has those of five seeds, and published ones.\n\n"
        f"{table(['set', *heads], rows)}"
    )


def _once(sets: tuple[Judged, ...], statistic, digits: int, scale: float) -> str:
    spread = Spread.of(sets[:1], statistic)
    low, high = (f"{scale * x:.{digits}f}" for x in (spread.low, spread.high))
    return f"{scale * spread.mean:.{digits}f} [{low}, {high}]"


def _groups(family: Family) -> str:
    """Patients and beats that the student is not made for, with its numbers there."""
    trained, rows = family.first, []
    for name, judged in _others(trained):
        shown = [f"{100 * judged.value(rate):.1f}" for rate in (missed(), fpr)]
        rows.append([name, f"{len(judged.scores):,}", *("–" if s == "nan" else s for s in shown)])
    test = family.sets[family.test][0]
    for symbol, name in BLOCKS.items():
        share = ratio(lambda j: j.called > 0, lambda j, s=symbol: j.scores.symbol == s)
        if count := int((test.scores.symbol == symbol).sum()):
            false = f"{100 * test.value(share):.1f}"
            rows.append([f"{name} ({words(family.test)})", f"{count:,}", "–", false])
    fusion = int((test.kind == "F").sum())
    lost = f"{100 * test.value(missed('F')):.1f}"
    rows.append([f"fusion beats ({words(family.test)})", f"{fusion:,}", lost, "–"])
    meaning = "Miss: abnormal beats called normal. FPR: normal beats called anything else.\n"
    found = table(["group", "beats", "miss %", "FPR %"], rows)
    return f"## For whom it fails\n\n{meaning}\n{found}"


def _others(trained: TrainedStudent) -> Iterator[tuple[str, Judged]]:
    test = protocol_of(str(trained.metadata["protocol"])).test
    lead = str(trained.metadata["lead"])
    beats = _read(trained, test, lead)
    fibrillating = in_fibrillation(beats)
    yield "in atrial fibrillation or flutter", Judged.on(trained, beats.take(fibrillating))
    yield "in other rhythms", Judged.on(trained, beats.take(~fibrillating))
    yield "on the second lead, mostly V1", Judged.on(trained, _read(trained, test, "channel:1"))
    paced = Judged.on(trained, _read(trained, PACED, None, "aami"))
    yield "records with a pacemaker (paced beats count as abnormal)", paced


def _read(
    trained: TrainedStudent, names: tuple[str, ...], lead: str | None, labels: str | None = None
) -> BeatSet:
    scheme = labels or str(trained.metadata["labels"])
    lead = None if lead == "MLII" else lead
    beats = load_all(names, lead=lead, labels=scheme, centring=trained.centring).beats
    return beats.take(beats.label >= 0)


def in_fibrillation(beats: BeatSet) -> NDArray[np.bool_]:
    """Whether the last rhythm annotation before each beat is atrial fibrillation or flutter."""
    found, folder = np.zeros(len(beats), bool), locate()
    for record in np.unique(beats.record):
        marks = wfdb.rdann(str(folder / str(record)), "atr")
        notes = zip(marks.sample, marks.aux_note, strict=True)
        rhythm = [(at, note.strip("\0")) for at, note in notes if note.startswith("(")]
        own = beats.record == record
        last = np.searchsorted([at for at, _ in rhythm], beats.sample[own], "right") - 1
        is_one = np.array([note in ("(AFIB", "(AFL") for _, note in rhythm] + [False])
        found[own] = is_one[last]
    return found


def _tail() -> str:
    return (
        "Not a medical device. The bundle holds no recorded signal; its golden vectors are "
        "generated.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    for folder in parser.parse_args().runs:
        print(card(folder))


if __name__ == "__main__":
    main()
