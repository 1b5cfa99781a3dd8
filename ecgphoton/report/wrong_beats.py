"""Wrongly decided beats: as the student sees them, and on ECG paper where recordings are there."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.database import file_sha256, find
from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.formats import find_file, needs_hints, record_names
from ecgphoton.ecg.origin import dataset_read
from ecgphoton.ecg.patients import BASELINE, GAIN, patient, synthesise
from ecgphoton.ecg.reading import Signal, open_signal
from ecgphoton.ecg.resample import resample
from ecgphoton.ecg.synthetic import recording
from ecgphoton.errors import InputError
from ecgphoton.report import style
from ecgphoton.report.material import Material
from ecgphoton.report.scores import Scores, errors_of, is_part, worst_in_turn
from ecgphoton.report.strips import axes_at, draw_strip
from ecgphoton.runs import CHOOSING
from ecgphoton.wording import words

COLUMNS, ROWS = 4, 3
"""Beats of one kind of error of one set."""
EDGE, GAP, HEAD, ROW, TITLE = 0.06, 0.06, 0.3, 0.82, 0.18
"""Inches: margin, between beats, title of a chapter, row of beats with their titles, a title."""
STRIPS = 9
"""Strips of each kind of error."""
SECONDS = 2.2
Reader = Callable[[str, int, int], NDArray[np.float32]]
"""From record, first and last sample at 360 Hz to mV."""


@style.look()
def draw_beats(
    sets: Mapping[str, BeatSet],
    scores: Mapping[str, Scores],
    point: OperatingPoint,
    classes: Sequence[str],
    *,
    synthetic: bool = False,
) -> style.Figure:
    """Draw missed and false-alarm beats of every set: the worst of each record, then the second.

    A set that is part of another (test records without one of them) is not shown again. Places are
    given in inches: of a layout that is solved for, the last bits, and with them the pixel row of a
    title, would depend on addresses in memory.
    """
    chapters = [
        chapter
        for name, one in scores.items()
        if not is_part(name)
        for chapter in _chapters(name, one, point, classes)
    ]
    height = 0.1 + sum(HEAD + ROW * len(rows[::COLUMNS]) for _, _, rows, _, _ in chapters)
    figure = style.new_figure(height, synthetic=synthetic)
    figure.set_layout_engine("none")
    wide, high = figure.get_size_inches()
    width = (wide - 2 * EDGE - (COLUMNS - 1) * GAP) / COLUMNS
    for name, title, rows, texts, colour in chapters:
        figure.text(EDGE / wide, (height - 0.13) / high, title, va="top", fontsize=9,
                    weight="bold", color=colour)  # fmt: skip
        height -= HEAD
        for number, row in enumerate(rows):
            down, across = divmod(number, COLUMNS)
            left, bottom = EDGE + across * (width + GAP), height - (down + 1) * ROW
            axes = axes_at(figure, left, bottom, width, ROW - TITLE)
            _draw_beat(axes, sets[name], int(row), texts[row], colour)
        height -= ROW * len(rows[::COLUMNS])
    return figure


Chapter = tuple[str, str, NDArray[np.int64], Sequence[str], str]
"""Set, title, rows, text above each beat, colour."""


def _chapters(
    name: str, one: Scores, point: OperatingPoint, classes: Sequence[str]
) -> list[Chapter]:
    if not point.binary:
        called, worst = one.probability.argmax(1), one.probability.max(1)
        wrong = called != one.label
        rows = worst_in_turn(one, wrong, worst, 2 * COLUMNS * ROWS)
        texts = [f"as {classes[c]} {p:.2f}" for c, p in zip(called, worst, strict=True)]
        title = f"{words(name)}: {wrong.sum():,} of {len(one):,} beats in a wrong class"
        return [(name, title, rows, texts, style.VERMILION)]
    texts = [f"p {p:.2f}" for p in one.probability[:, 1]]
    return [
        (
            name,
            f"{words(name)}: {wrong.sum():,} of {of:,} {kind}",
            worst_in_turn(one, wrong, wrongness, COLUMNS * ROWS),
            texts,
            colour,
        )
        for (kind, wrong, of, wrongness), colour in zip(
            errors_of(one, point), (style.VERMILION, style.BLUE), strict=True
        )
    ]


def _draw_beat(axes: style.Axes, beats: BeatSet, row: int, text: str, colour: str) -> None:
    """Draw one window in [-1, 1] with the R peak at 0 s, its record, symbol and probability."""
    window = beats.windows[row]
    axes.plot((np.arange(len(window)) - len(window) // 2) / beats.fs, window, color=colour, lw=1.1)
    axes.set(xlim=(-0.5, 0.5), ylim=(-1.1, 1.1), xticks=[-0.25, 0, 0.25], yticks=[-1, 0, 1])
    axes.tick_params(length=0, labelbottom=False, labelleft=False)
    axes.set_title(f"{beats.record[row]}  {beats.symbol[row]}", loc="left", fontsize=7.5, pad=1)
    axes.set_title(text, loc="right", fontsize=7, weight="normal", color=style.SOFT, pad=1)


def check_used(material: Material) -> None:
    """Raise InputError if a folder of recordings is named and no page of this student reads any."""
    if material.data_dir is None:
        return
    synthetic = material.metadata.get("source") == "synthetic"
    if synthetic or not _judged(material, material.scores):
        what = "its beats are generated" if synthetic else "no scores of two classes are there"
        raise InputError(
            f"the recordings in {material.data_dir} would not be read, because {what}; leave "
            "--data-dir out, or give the folder of another run"
        )


def _judged(material: Material, scores: Mapping[str, Scores]) -> list[str]:
    """Return the sets whose wrong beats are shown."""
    names = [name for name in scores if name not in CHOOSING and not is_part(name)]
    return names if names and material.point.binary else []


def wrong_beats(
    material: Material, scores: Mapping[str, Scores]
) -> dict[str, list[tuple[str, style.Figure]]] | None:
    """Draw the worst errors of every record, with the signal around them.

    Returns
    -------
    What was done wrongly, to the strips with their captions; None where the recordings are not
    there, or are not those of the run.
    """
    names = _judged(material, scores)
    if not names:
        return {}
    reader = _reader(material)
    if reader is None:
        return None
    one, found = scores[names[0]], {}
    for kind, wrong, _, wrongness in errors_of(one, material.point):
        rows = worst_in_turn(one, wrong, wrongness, STRIPS)
        some = f"{len(rows)} of {wrong.sum():,}, the worst of each record"
        title = f"{words(names[0])}, {kind}: {some if len(rows) else 'none'}"
        try:
            found[title] = [_strip(reader, one, int(row)) for row in rows]
        except InputError:
            return None
    return found


def _strip(reader: Reader, one: Scores, row: int) -> tuple[str, style.Figure]:
    half = round(SECONDS / 2 * SAMPLING_RATE)
    record, sample = str(one.record[row]), int(one.sample[row])
    first = max(sample - half, 0)
    near = np.flatnonzero(
        (one.record == record) & (one.sample >= first) & (one.sample < sample + half)
    )
    marks = [((one.sample[i] - first) / SAMPLING_RATE, str(one.symbol[i]), i == row) for i in near]
    p = one.probability[row, 1]
    text = f"record {record}, {sample / SAMPLING_RATE:.1f} s, {one.symbol[row]}, p = {p:.2f}"
    return text, draw_strip(reader(record, first, sample + half), SAMPLING_RATE, marks)


def _reader(material: Material) -> Reader | None:
    """Return what reads the signal of the beats, None where they are not available."""
    lead = str(material.metadata.get("lead", "MLII"))
    if str(material.metadata.get("source", "")) == "synthetic":
        return _synthetic(lead)
    stored = (material.metadata.get("provenance") or {}).get("files", {})
    try:
        dataset = dataset_read(material.metadata).moved(material.data_dir)
        folder = find(dataset, material.data_dir)
        record_names(folder)
        return _recorded(dataset, folder, lead, stored)
    except InputError:
        if material.data_dir is not None:  # named, so used or refused
            raise
        return None


def _recorded(dataset: Dataset, folder: Path, lead: str, stored: Mapping[str, str]) -> Reader:
    """Return what reads records of a folder, refusing files that are not those of the run."""

    @cache
    def opened(record: str) -> Signal:
        file = find_file(folder / record)
        hints = dataset.hints if needs_hints(file) else None
        signal = open_signal(file, prefer=(lead, *dataset.leads), hints=hints)
        changed = [
            path
            for path in signal.held.files
            if path.name in stored and stored[path.name] != file_sha256(path)
        ]
        if changed:
            raise InputError(f"{changed[0]} is not the file of the run")
        return signal

    def read(record: str, first: int, last: int) -> NDArray[np.float32]:
        signal = opened(record)
        down = signal.factor.denominator
        start, stop = (int(at / signal.factor) for at in (first, last))
        start = start // down * down
        return resample(signal.millivolts(start, stop), signal.factor)

    return read


def _synthetic(lead: str) -> Reader:
    @cache
    def signal(record: str) -> NDArray[np.float32]:
        made = recording(synthesise(patient(int(record[1:]))), lead=lead).signal
        return np.asarray((made - BASELINE) / GAIN, np.float32)

    return lambda record, first, last: signal(record)[first:last]
