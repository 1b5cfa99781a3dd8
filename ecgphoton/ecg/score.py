"""Beat-by-beat comparison of two annotations: ANSI/AAMI EC57:2012, with the numbers of ``bxb``.

Written from the standard's text, the manual page of ``bxb`` and the literature:

References
----------
.. [1] ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac rhythm and ST
   segment measurement algorithms, section 4.3.
.. [2] Moody, WFDB Applications Guide, bxb(1): match window, shutdown, printed columns.
.. [3] de Chazal et al. 2004, IEEE TBME 51(7):1196, DOI 10.1109/TBME.2004.827359.
"""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.annotations import Annotations
from ecgphoton.ecg.formats import Hints, find_file
from ecgphoton.ecg.marks import (
    Spans,
    flutter_spans,
    inside,
    marks_of,
    unreadable_spans,
    whole_samples,
)
from ecgphoton.ecg.records import BEAT_SYMBOLS, Grouping, aami_group
from ecgphoton.ecg.tally import COLUMNS, ROWS, BeatComparison
from ecgphoton.errors import InputError, require
from ecgphoton.wording import count

MATCH_WINDOW = 0.150
"""Seconds by which two annotations of one beat may differ."""
LONGEST_WINDOW = 1.0
"""Seconds; a larger window would match neighbouring beats, and is likely meant in milliseconds."""
LEARNING = 300.0
"""Seconds at the start of a record that are not scored, in which an algorithm may learn."""
FLUTTER = {"(VFL", "(VF", "(VFIB"}
"""Names of ventricular flutter and fibrillation as rhythms."""
NEVER = 2**62
"""Sample behind all others."""
_T = TypeVar("_T", bound=np.generic)
Samples = NDArray[np.int64]


def match(
    reference: NDArray[np.int64], test: NDArray[np.int64], window: float
) -> NDArray[np.int64]:
    """Pair beats at most `window` samples apart, going once through both in time order.

    Of the first beats that are left, the later one (at one sample, that of the test) is the
    candidate of the earlier one. They are a pair if they are near enough, unless the beat that
    follows the earlier one is at least as near to the candidate and has no nearer candidate of its
    own. An earlier beat without a pair is extra (of the test) or missed (of the reference).

    Returns
    -------
    ``(m, 2)`` index of the reference and of the test beat of every comparison in order, -1 where
    there is none.
    """
    first, second = ([*times.tolist(), NEVER, 2 * NEVER] for times in (reference, test))
    made = []
    i = j = 0
    while i < len(reference) or j < len(test):
        swap = second[j] < first[i]
        early, late = (second[j : j + 2], first[i : i + 2])[:: 1 if swap else -1]
        gap, rival = late[0] - early[0], abs(late[0] - early[1])
        paired = gap <= window and (gap < rival or abs(late[1] - early[1]) < rival)
        made.append((i if paired or not swap else -1, j if paired or swap else -1))
        i += paired or not swap
        j += paired or swap
    return np.array(made, np.int64).reshape(-1, 2)


def compare(
    reference: Annotations,
    test: Annotations,
    *,
    record: str = "",
    start: float = LEARNING,
    end: float | None = None,
    window: float = MATCH_WINDOW,
    grouping: Grouping = "ec57",
) -> BeatComparison:
    """Compare the beats of a test annotation with those of a reference.

    What an annotation marks inside its own ventricular flutter (from ``[`` to ``]``) is no beat,
    and an extra beat of the test inside that of the reference is not counted. Extra beats where
    the reference is unreadable, and beats missed while the test is shut down, are counted in rows
    and columns of their own.

    Parameters
    ----------
    reference, test
        Annotations of the same record.
    record
        Name, for tables.
    start, end
        Part of the record that is scored, s; the standard leaves the first five minutes to learn.
        As in ``bxb``, a beat in this part may be paired with one just outside of it.
    window
        Largest difference in time of two annotations of one beat, s; like `start` and `end` it is
        rounded to the nearest sample, as in ``bxb`` (at 250 Hz, 150 ms are 38 samples).
    grouping
        Which AAMI group escape beats belong to.

    Raises
    ------
    InputError
        If annotations are of different rates or not in order, or an option makes no sense.
    """
    fs = reference.fs
    if test.fs != fs:
        raise InputError(f"annotations at {fs:g} and {test.fs:g} Hz; bring them to one rate")
    require(0 <= window <= LONGEST_WINDOW, "window", window,
            f"from 0 to {LONGEST_WINDOW:g} s (150 ms is 0.15)")  # fmt: skip
    require(start >= 0, "start", start, "at least 0 s")
    require(end is None or end > start, "end", end, f"after start, which is {start:g} s")
    flutter, shaking = flutter_spans(reference), flutter_spans(test)
    sample, row = _beats(reference, grouping, ROWS)
    other, column = _beats(test, grouping, COLUMNS)
    near, stop = whole_samples(window, fs), np.inf if end is None else whole_samples(end, fs)
    unreadable, shut = unreadable_spans(reference), unreadable_spans(test)
    first = _first(sample, other, whole_samples(start, fs), near)
    paired = match(sample[first[0] :], other[first[1] :], near) >= 0
    # The next beat on each side at every comparison, whether the comparison takes it or not.
    i, j = np.array((np.cumsum(paired, axis=0) - paired + first).T)
    scored = np.minimum(_at(sample, i, NEVER), _at(other, j, NEVER)) <= stop
    paired, i, j = paired[scored], i[scored], j[scored]
    lost, extra = inside(sample, shut), inside(other, unreadable)
    rows = np.where(paired[:, 0], _at(row, i), np.where(_at(extra, j), *_NONE))
    columns = np.where(paired[:, 1], _at(column, j), np.where(_at(lost, i), *_NONE_CALLED))
    matrix = np.zeros((len(ROWS), len(COLUMNS)), np.int64)
    np.add.at(matrix, (rows, columns), paired[:, 0] | ~_at(inside(other, flutter), j))
    one, known = _interval(sample, i, [*flutter, *unreadable])
    two, known_too = _interval(other, j, [*shaking, *shut])
    error = (one - two)[known & known_too] / fs
    rms = float(np.sqrt(np.mean(error**2))) if len(error) else None
    return BeatComparison(record, matrix, rms, len(error))


_NONE = ROWS.index("X"), ROWS.index("O")
_NONE_CALLED = COLUMNS.index("X"), COLUMNS.index("O")


def _first(sample: Samples, other: Samples, start: float, window: float) -> tuple[int, int]:
    """Return the index of the first beat on each side that is compared.

    The first reference beat may have its partner before `start`. A test beat just behind `start`
    is left out if the next one is nearer to that reference beat: it may belong to one before.
    """
    i, j = (int(np.searchsorted(times, start)) for times in (sample, other))
    beat = int(np.append(sample, NEVER)[i])
    before, now, after = np.concatenate([[-NEVER], other, [NEVER, NEVER]])[j : j + 3].tolist()
    if beat - before <= window and beat - before < abs(beat - now):
        return i, j - 1
    belongs = now - start > window or abs(beat - after) >= abs(beat - now)
    return i, j + int(start > 0 and not belongs)


def _at(values: NDArray[_T], index: Samples, past: int = 0) -> NDArray[_T]:
    """Values at some places, `past` behind the end."""
    return np.append(values, np.array([past], values.dtype))[np.minimum(index, len(values))]


def _interval(sample: Samples, index: Samples, breaks: Spans) -> tuple[Samples, NDArray[np.bool_]]:
    """Return the interval before each beat and whether it is one, above 0 and without a break."""
    starts = np.sort([start for start, _ in breaks])
    now, before = _at(sample, index), _at(sample, np.maximum(index - 1, 0))
    whole = np.searchsorted(starts, now) == np.searchsorted(starts, before)
    return now - before, (now > before) & whole


def _beats(marks: Annotations, grouping: Grouping, letters: str) -> tuple[Samples, Samples]:
    """Return sample and place in `letters` of the beats outside ventricular flutter."""
    groups = {symbol: str(aami_group(symbol, grouping)) for symbol in BEAT_SYMBOLS}
    if "U" in letters:
        groups["?"] = "U"
    place = {symbol: letters.index(group) for symbol, group in groups.items()}
    bracket = np.where(np.isin(marks.symbol, ["[", "]"]), np.arange(len(marks.symbol)), -1)
    last = np.maximum.accumulate(bracket)  # in the order of the file, where times are equal
    kept = np.isin(marks.symbol, [*place]) & ~((last >= 0) & (marks.symbol[last] == "["))
    sample, symbols = marks.sample[kept], marks.symbol[kept]
    if (np.diff(sample) < 0).any():
        raise InputError("annotation times run backwards; sort them by sample")
    return sample, np.array([place[one] for one in symbols.tolist()], np.int64)


def _unbracketed(marks: Annotations, spans: Spans) -> list[str]:
    """Return the names of flutter under which an annotation states rhythms without brackets."""
    ends = [*(at for at, _ in marks.rhythms[1:]), np.inf]
    return sorted({
        rhythm
        for (at, rhythm), end in zip(marks.rhythms, ends, strict=False)
        if rhythm.upper() in FLUTTER and not any(a <= end and b >= at for a, b in spans)
    })  # fmt: skip


def score_record(
    record: str | Path,
    *,
    reference: str = "atr",
    test: str = "eph",
    test_folder: Path | None = None,
    start: float = LEARNING,
    end: float | None = None,
    window: float = MATCH_WINDOW,
    grouping: Grouping = "ec57",
    hints: Hints | None = None,
) -> BeatComparison:
    """Compare two annotators of one record.

    Parameters
    ----------
    record, reference, test, test_folder, hints
        As `marks_of` takes them.
    start, end, window, grouping
        As for `compare`; without an end, the end of the record, or of the reference where the
        header does not state how long the record is.

    Raises
    ------
    InputError
        As `marks_of` and `compare` raise it.
    """
    asked = reference, test, test_folder, hints or Hints()
    name, lasts, known, given, said = marks_of(record, *asked)
    stop = lasts if end is None else min(end, lasts or end)
    guessed = stop is None and len(known.beats.sample) > 0
    if guessed:
        stop = float(known.beats.sample[-1] / known.fs)
    found = compare(
        known,
        given,
        record=name,
        start=start,
        end=stop if stop in (None, end) else max(stop, float(np.nextafter(start, np.inf))),
        window=window,
        grouping=grouping,
    )
    spans = flutter_spans(known)
    flutter = ", ".join(_unbracketed(known, spans))
    waves = int((~inside(known.sample[known.symbol == "!"], spans)).sum())
    unopened = int((~inside(known.sample[known.symbol == "]"], spans)).sum())
    beyond = {
        who: int((marks.beats.sample > (lasts or np.inf) * marks.fs).sum())
        for who, marks in ((reference, known), (test, given))
    }
    beside = find_file(Path(record)).resolve().parent
    marks = ([*zip(one.symbol, one.sample / one.fs, strict=True)] for one in (known, given))
    copied = len(known.sample) > 0 and next(marks) == next(marks)
    itself = reference == test and (test_folder or beside).resolve() == beside
    notes = (
        *said,
        f"reference and test are both {name}.{test}, which is compared with itself"
        if itself else "",
        f"{name}.{reference} and {name}.{test} hold the same annotations: one may be a copy of the "
        "other" if copied and not itself else "",
        f"header {name}.hea does not state how long the record is: scored up to the last beat "
        f"of {reference}" if guessed else "",
        f"{name}.{reference} states the rhythm {flutter} without [ and ]: beats there are "
        "scored, as bxb does" if flutter else "",
        f"{name}.{reference}: {count(waves, 'flutter wave')} (!) outside of [ and ]: beats there "
        "are scored, as bxb does" if waves else "",
        f"{name}.{reference}: {count(unopened, 'mark')} ] without [ before: "
        "flutter there is scored" if unopened else "",
        f"{name}.{reference}: flutter that begins at {spans[-1][0] / known.fs:g} s has no ]: "
        "nothing is scored from there on" if spans and spans[-1][1] == np.inf else "",
        f"{name} lasts {lasts:g} s: scored to its end, not to {end:g} s"
        if lasts is not None and end is not None and end > lasts else "",
        *(f"{name}.{who}: {count(number, 'beat')} beyond the end "
          f"{'is' if number == 1 else 'are'} not scored" if number else ""
          for who, number in beyond.items()),
        *(f"{name}.{who} marks no beat"
          for who, marks in ((reference, known), (test, given)) if not len(marks.beats.sample)),
        f"{name} lasts {lasts:g} s and the first {start:g} s are not scored (learning period "
        "of EC57); --start 0 scores all of it" if lasts is not None and lasts <= start else "",
        f"{name}.{test} calls no beat S or V, but some abnormal (Q): it distinguishes normal "
        "from abnormal only, so read its abnormal shares; its VEB and SVEB shares do not apply"
        if found.two_class else "",
    )  # fmt: skip
    return replace(found, notes=tuple(dict.fromkeys(filter(None, notes))))
