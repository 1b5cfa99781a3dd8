"""What two annotators marked in a record of any format that is read."""

from pathlib import Path

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
from ecgphoton.intake import read_bytes


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
