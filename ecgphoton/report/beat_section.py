"""The chapter with missed beats and false alarms on ECG paper, where the recordings are at hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ecgphoton.errors import InputError
from ecgphoton.report import pieces
from ecgphoton.report.charts import ecg_strip
from ecgphoton.report.material import Material
from ecgphoton.report.pieces import Section, spoken
from ecgphoton.report.scores import Scores, worst_in_turn

if TYPE_CHECKING:
    from ecgphoton.ecg.dataset import Dataset

STRIPS = 9
"""Beats shown of one kind of error."""
SECONDS = 2.2
FS = 360

Reader = Callable[[str, int, int], NDArray[np.float32]]
"""(record, first and last sample at 360 Hz) to mV."""


def wrong_beats(material: Material) -> Section | None:
    """Draw the worst errors of every record in turn, with the signal around them."""
    scores, point = material.scores, material.point
    names = [name for name in scores if name != "validation" and "_without_" not in name]
    if not names or not point.binary:
        return None
    reader = _reader(material)
    if reader is None:
        return None
    one = scores[names[0]]
    probability, abnormal = one.probability[:, 1], one.label == 1
    called = point.decide(probability)
    parts = []
    for wrong, worst, what in (
        (abnormal & ~called, -probability, "Missed"),
        (~abnormal & called, probability, "False alarms"),
    ):
        rows = worst_in_turn(one, wrong, worst, STRIPS)
        try:
            strips = [_strip(reader, one, int(row)) for row in rows]
        except InputError:
            return None  # the recordings here are not those of the run
        title = f"{what}: {len(rows)} of {int(wrong.sum()):,}, worst of each record first"
        parts.append(Markup("<h3>{}</h3>").format(title))
        parts.append(Markup('<div class="strips">{}</div>').format(pieces.join(strips)))
    note = "25 mm/s and 10 mm/mV on paper. p is the probability of abnormal; the beat in question "
    note += "is in the middle, with its neighbours' annotations beside it."
    if not material.synthetic:
        note += " This page holds parts of recordings: keep it with them."
    parts.append(pieces.paragraph(note, "note"))
    return Section("beats", f"Wrongly decided beats, {spoken(names[0])}", pieces.join(parts))


def _strip(reader: Reader, one: Scores, row: int) -> Markup:
    half = round(SECONDS / 2 * FS)
    record, sample = str(one.record[row]), int(one.sample[row])
    first = max(sample - half, 0)
    trace = reader(record, first, sample + half)
    near = np.flatnonzero(
        (one.record == record) & (one.sample >= first) & (one.sample < sample + half)
    )
    marks = [
        ((int(one.sample[i]) - first) / FS, str(one.symbol[i]), i == row) for i in near.tolist()
    ]
    p = float(one.probability[row, 1])
    said = f"record {record}, {sample / FS:.1f} s, {one.symbol[row]}, p = {p:.2f}"
    return pieces.figure(ecg_strip(trace.tolist(), FS, marks=marks, title=said), said)


def _reader(material: Material) -> Reader | None:
    """Where the signal of the beats can be read, None where it cannot."""
    lead = str(material.metadata.get("lead", "MLII"))
    if str(material.metadata.get("source", "")) == "synthetic":
        return _made_up(lead)
    from ecgphoton.ecg.database import find
    from ecgphoton.ecg.origin import dataset_read

    try:
        dataset = dataset_read(material.metadata).moved(material.data_dir)
        return _recorded(dataset, find(dataset, material.data_dir), lead)
    except InputError:  # the recordings are not here: the report goes without them
        return None


def _recorded(dataset: Dataset, folder: Path, lead: str) -> Reader:
    from ecgphoton.ecg.formats import find_file, needs_hints
    from ecgphoton.ecg.resample import resample
    from ecgphoton.ecg.signal import Signal, open_signal

    @cache
    def opened(record: str) -> Signal:
        file = find_file(folder / record)
        hints = dataset.hints if needs_hints(file) else None
        return open_signal(file, prefer=(lead, *dataset.leads), hints=hints)

    def read(record: str, first: int, last: int) -> NDArray[np.float32]:
        signal = opened(record)
        down = signal.factor.denominator
        start, stop = (int(at / signal.factor) for at in (first, last))
        start = start // down * down
        return resample(signal.millivolts(start, stop), signal.factor)

    return read


def _made_up(lead: str) -> Reader:
    from ecgphoton.ecg.patients import BASELINE, GAIN, patient, synthesise
    from ecgphoton.ecg.synthetic import recording

    @cache
    def signal(record: str) -> NDArray[np.float32]:
        made = recording(synthesise(patient(int(record[1:]))), lead=lead).signal
        return np.asarray((made - BASELINE) / GAIN, np.float32)

    return lambda record, first, last: signal(record)[first:last]
