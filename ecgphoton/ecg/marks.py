"""What two annotators marked in a record of any format that is read, and its episodes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.annotations import (
    LARGEST_ANNOTATION,
    Annotations,
    decode,
    duration,
    read_annotations,
)
from ecgphoton.ecg.formats import Hints, find_file, open_recording
from ecgphoton.ecg.labels import label_file, of_wfdb, read_labels
from ecgphoton.ecg.leads import choose
from ecgphoton.ecg.records import BEAT_SYMBOLS
from ecgphoton.intake import read_bytes

UNREADABLE = 0x30
"""Bits of a noise mark's subtype that are both set where the signal cannot be read."""
Spans = Sequence[tuple[float, float]]
"""First and last sample of episodes."""


def marks_of(
    record: str | Path, reference: str, test: str, folder: Path | None, hints: Hints
) -> tuple[str, float | None, Annotations, Annotations, tuple[str, ...]]:
    """Read the marks of two annotators.

    Of a WFDB record both are annotation files. Beside a recording of another format they may be
    tables or EDF+ annotations as well, see `labels.label_file`.

    Parameters
    ----------
    record
        File of a recording, or path without extension.
    reference, test
        Annotators.
    folder
        Where the marks of `test` are, if not beside the record.
    hints
        Of a text or NumPy file.

    Returns
    -------
    Name of the record, its length in s (None where a WFDB header does not state it), marks of
    `reference` and of `test`, and notes on them.

    Raises
    ------
    InputError
        If a file is missing or damaged, or a hint is given of a file that states it.
    """
    file = find_file(Path(record))
    if file.suffix == ".hea" and not hints.given:
        known = read_annotations(file, reference)
        given = read_annotations(file, test, folder=folder)
        return file.stem, duration(file), known, given, ()
    held = open_recording(file, hints)
    alike = len({(one.fs, one.length) for one in held.channels}) == 1
    lead = held.channels[0 if alike else choose(held)]

    def read(annotator: str, beside: Path) -> tuple[Annotations, tuple[str, ...]]:
        marks = label_file(beside, annotator)
        if of_wfdb(marks):
            content = read_bytes(marks, LARGEST_ANNOTATION)
            return decode(content, f"annotation file {marks.name}", lead.fs), ()
        flutter = {mark: mark for mark in "[]"}
        found = read_labels(marks, lead.fs, None, flutter, begins=held.begins, length=lead.length)
        return Annotations(found.sample, found.symbol, lead.fs), found.notes

    known, said = read(reference, file)
    given, said_too = read(test, file if folder is None else folder / file.name)
    return held.name, lead.length / lead.fs, known, given, (*said, *said_too)


def whole_samples(seconds: float, fs: float) -> float:
    """Return the nearest whole number of samples, the larger one of two as near."""
    return float(np.floor(seconds * fs + 0.5))


def flutter_spans(marks: Annotations) -> Spans:
    """Return first and last sample of every episode from ``[`` to ``]``."""
    ends = marks.sample[marks.symbol == "]"].tolist()
    found: list[tuple[float, float]] = []
    for start in marks.sample[marks.symbol == "["].tolist():
        if not found or start > found[-1][1]:
            found.append((start, next((end for end in ends if end >= start), np.inf)))
    return found


def unreadable_spans(marks: Annotations) -> Spans:
    """Return first and last sample of every span that is marked as unreadable.

    It goes from its mark to the next noise mark. Where a beat comes first (as in the AHA
    database), it goes from 150 ms after the mark before it to 150 ms before that beat.
    """
    if marks.subtype is None:
        return []
    near = whole_samples(0.150, marks.fs)
    noise, beat = marks.symbol == "~", np.isin(marks.symbol, list(BEAT_SYMBOLS))
    found: list[tuple[float, float]] = []
    for at in np.flatnonzero(noise & (marks.subtype & UNREADABLE == UNREADABLE)).tolist():
        start = marks.sample[at]
        after = np.flatnonzero((noise | beat)[at + 1 :]) + at + 1
        if not len(after):
            found.append((start, np.inf))
        elif noise[after[0]]:
            found.append((start, marks.sample[after[0]]))
        else:
            before = marks.sample[at - 1] if at else 0
            found.append((before + near, marks.sample[after[0]] - near))
    return found


def inside(sample: NDArray[np.int64], spans: Spans) -> NDArray[np.bool_]:
    """Whether samples lie in one of some spans, ends included."""
    found = np.zeros(len(sample), bool)
    for start, end in spans:
        found |= (sample >= start) & (sample <= end)
    return found
