"""Beat-by-beat comparison of two annotations, as ANSI/AAMI EC57:2012 describes it.

Written from the standard's text and from the descriptions in the literature:

References
----------
.. [1] ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac rhythm and ST
   segment measurement algorithms, section 4.3.
.. [2] de Chazal et al. 2004, IEEE TBME 51(7):1196, DOI 10.1109/TBME.2004.827359.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.annotations import Annotations, read_annotations
from ecgphoton.ecg.matching import match
from ecgphoton.ecg.records import aami_group
from ecgphoton.errors import InputError

CLASSES = ("N", "S", "V", "F", "Q")
NONE = len(CLASSES)
"""Row or column of beats that have no partner."""
MATCH_WINDOW = 0.150
"""Seconds by which two annotations of one beat may differ."""
LEARNING = 300.0
"""Seconds at the start of a record that are not scored, in which an algorithm may learn."""


@dataclass(frozen=True, eq=False)
class BeatComparison:
    """How the beats of one annotation answer those of another."""

    record: str
    matrix: NDArray[np.int64]
    """``(6, 6)``: rows are reference N, S, V, F, Q and no beat; columns the test's.

    The last column counts missed beats, the last row extra ones.
    """
    rr_error: float | None = None
    """RMS difference of RR intervals between consecutive matched beats, s."""
    rr_count: int = 0

    @property
    def beats(self) -> int:
        """Reference beats in the scored part."""
        return int(self.matrix[:NONE].sum())

    @property
    def detection(self) -> Rates:
        """QRS detection: Se and +P of having a beat at all."""
        found = int(self.matrix[:NONE, :NONE].sum())
        return Rates(
            found, int(self.matrix[:NONE, NONE].sum()), int(self.matrix[NONE, :NONE].sum()), None
        )

    @property
    def veb(self) -> Rates:
        """Ventricular ectopic beats; a fusion or unclassifiable beat called V is no error."""
        return self._ectopic("V", forgiven="FQ")

    @property
    def sveb(self) -> Rates:
        """Supraventricular ectopic beats; an unclassifiable beat called S is no error."""
        return self._ectopic("S", forgiven="Q")

    def _ectopic(self, name: str, forgiven: str) -> Rates:
        """Rates of a class; the negatives are the reference beats of other classes."""
        own = CLASSES.index(name)
        others = [row for row in range(NONE) if row != own]
        rest = [column for column in range(NONE + 1) if column != own]
        charged = [*(row for row in others if CLASSES[row] not in forgiven), NONE]
        return Rates(
            tp=int(self.matrix[own, own]),
            fn=int(self.matrix[own, rest].sum()),
            fp=int(self.matrix[charged, own].sum()),
            tn=int(self.matrix[np.ix_(others, rest)].sum()),
        )

    @property
    def abnormal(self) -> Rates:
        """Any of S, V, F, Q against N, for a test that only tells normal from abnormal.

        A missed abnormal beat is a miss; an extra beat called abnormal a false alarm.
        """
        m = self.matrix
        return Rates(
            tp=int(m[1:NONE, 1:NONE].sum()),
            fn=int(m[1:NONE, [0, NONE]].sum()),
            fp=int(m[[0, NONE], 1:NONE].sum()),
            tn=int(m[0, [0, NONE]].sum()),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "record": self.record,
            "beats": self.beats,
            "matrix": self.matrix.tolist(),
            "rows_and_columns": [*CLASSES, "none"],
            "QRS": self.detection.to_dict(),
            "VEB": self.veb.to_dict(),
            "SVEB": self.sveb.to_dict(),
            "abnormal": self.abnormal.to_dict(),
            "rr_error_seconds": self.rr_error,
        }


@dataclass(frozen=True)
class Rates:
    """Counts of one kind of beat and the shares EC57 reports; None where there is no beat."""

    tp: int
    fn: int
    fp: int
    tn: int | None

    @property
    def se(self) -> float | None:
        """Sensitivity, TP / (TP + FN)."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def ppv(self) -> float | None:
        """Positive predictivity +P, TP / (TP + FP)."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def fpr(self) -> float | None:
        """False-positive rate, FP / (FP + TN); None where TN cannot be counted."""
        return None if self.tn is None else _share(self.fp, self.fp + self.tn)

    def to_dict(self) -> dict[str, float | int | None]:
        """JSON-ready form."""
        return {
            "tp": self.tp, "fn": self.fn, "fp": self.fp, "tn": self.tn,
            "Se": self.se, "+P": self.ppv, "FPR": self.fpr,
        }  # fmt: skip


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _beats(annotations: Annotations) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return samples and class numbers of the beats alone."""
    groups = [aami_group(symbol) for symbol in annotations.symbol.tolist()]
    sample = annotations.sample[np.array([group is not None for group in groups], bool)]
    if (np.diff(sample) < 0).any():
        raise InputError("annotation times run backwards; sort them by sample")
    return sample, np.array([CLASSES.index(group) for group in groups if group], np.int64)


def compare(
    reference: Annotations,
    test: Annotations,
    *,
    record: str = "",
    start: float = LEARNING,
    end: float | None = None,
    window: float = MATCH_WINDOW,
) -> BeatComparison:
    """Compare the beats of a test annotation with those of a reference.

    Parameters
    ----------
    reference, test
        Annotations of the same record; symbols that mark no beat are ignored.
    record
        Name, for tables.
    start, end
        Part of the record that is scored, s; the standard leaves the first five minutes to learn.
    window
        Largest difference in time of two annotations of one beat, s.

    Raises
    ------
    InputError
        If annotations are of different rates or not in order, or a time makes no sense.
    """
    fs = reference.fs
    if test.fs != fs:
        raise InputError(f"annotations at {fs:g} and {test.fs:g} Hz; bring them to one rate")
    if not (window >= 0 and start >= 0 and (end is None or end > start)):
        raise InputError(
            f"window={window} s, start={start} s, end={end} s; times must not be negative and "
            "end must come after start"
        )
    sample, group = _beats(reference)
    other, called = _beats(test)
    to_test, to_reference = match(sample, other, window * fs)
    first, last = start * fs, np.inf if end is None else end * fs
    matrix = np.zeros((NONE + 1, NONE + 1), np.int64)
    # A pair is scored where its reference beat is, so that the edge cuts no pair in two.
    inside = (sample >= first) & (sample <= last)
    paired = inside & (to_test >= 0)
    np.add.at(matrix, (group[paired], called[to_test[paired]]), 1)
    matrix[:NONE, NONE] = np.bincount(group[inside & (to_test < 0)], minlength=NONE)
    extra = (to_reference < 0) & (other >= first) & (other <= last)
    matrix[NONE, :NONE] = np.bincount(called[extra], minlength=NONE)
    rows = np.flatnonzero(paired)
    rows = rows[1:][(np.diff(rows) == 1) & (np.diff(to_test[rows]) == 1)]
    difference = (np.diff(sample)[rows - 1] - np.diff(other)[to_test[rows] - 1]) / fs
    error = float(np.sqrt(np.mean(difference**2))) if len(rows) else None
    return BeatComparison(record, matrix, error, len(rows))


@dataclass(frozen=True, eq=False)
class Summary:
    """Comparisons of several records: gross (all beats alike) and average (all records alike)."""

    records: tuple[BeatComparison, ...]

    @property
    def gross(self) -> BeatComparison:
        """All beats of all records in one matrix."""
        count = sum(one.rr_count for one in self.records)
        square = sum(one.rr_count * (one.rr_error or 0.0) ** 2 for one in self.records)
        total = np.sum([one.matrix for one in self.records], axis=0)
        return BeatComparison("gross", total, (square / count) ** 0.5 if count else None, count)

    def average(self) -> dict[str, dict[str, float | None]]:
        """Mean of every share over the records in which it exists."""
        table: dict[str, dict[str, float | None]] = {}
        rows: list[Mapping[str, Any]] = [one.to_dict() for one in self.records]
        for kind in ("QRS", "VEB", "SVEB", "abnormal"):
            table[kind] = {}
            for share in ("Se", "+P", "FPR"):
                values = [row[kind][share] for row in rows if row[kind][share] is not None]
                table[kind][share] = float(np.mean(values)) if values else None
        return table

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "records": [one.to_dict() for one in self.records],
            "gross": self.gross.to_dict(),
            "average": self.average(),
        }


def aggregate(comparisons: Iterable[BeatComparison]) -> Summary:
    """Gather the comparisons of several records.

    Raises
    ------
    InputError
        If there is none.
    """
    records = tuple(comparisons)
    if not records:
        raise InputError("no comparison to summarise; score at least one record")
    return Summary(records)


def score_record(
    record: str | Path,
    *,
    reference: str = "atr",
    test: str = "eph",
    test_folder: Path | None = None,
    start: float = LEARNING,
    end: float | None = None,
    window: float = MATCH_WINDOW,
) -> BeatComparison:
    """Compare two annotators of one WFDB record.

    Parameters
    ----------
    record
        Path without extension.
    reference, test
        Annotators: the extensions of the two files.
    test_folder
        Where the test annotation is, if not beside the record.
    start, end, window
        As for `compare`.

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """
    path = Path(record)
    return compare(
        read_annotations(path, reference),
        read_annotations(path, test, folder=test_folder),
        record=path.name,
        start=start,
        end=end,
        window=window,
    )
