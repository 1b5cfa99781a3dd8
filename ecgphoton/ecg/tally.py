"""Counts of beats by true and given class, and the rates that follow from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgphoton.errors import InputError

ROWS = "NSVFQOX"
"""True class of a beat: its AAMI group, O no beat, X no beat where the reference is unreadable."""
COLUMNS = "NSVFQUOX"
"""Class in the test: an AAMI group, U undecided (``?``), O not found, X not found in shutdown."""
BEATS, NONE = "NSVFQ", "OX"
_NEITHER = "NFQU"
"""Called neither S nor V nor missed; ``bxb`` prints them in one column."""
KINDS = {
    "QRS": (BEATS, BEATS + "U", NONE, ""),
    "VEB": ("V", "V", "NSOX", "NSFQ"),
    "SVEB": ("S", "S", "NVFOX", "NVFQ"),
    "abnormal": ("SVFQ", "SVFQ", "NOX", "N"),
}
"""What is rated: its beats and what they are called (TP), the rows in which calling so is an error
(FP), and those of the negatives (TN), which the QRS, a beat at all, does not have.

A fusion or unclassifiable beat called V, and an unclassifiable one called S, are no errors.
``abnormal`` is for a test that only distinguishes normal from abnormal: an abnormal beat called N,
undecided or not found is a miss; a normal or extra beat called abnormal a false alarm.
"""
_PRINTED = {
    f"{row}{column}{chr(39) * (len(rows) + len(columns) > 2)}": (rows, columns)
    for column, columns in (("n", _NEITHER), ("s", "S"), ("v", "V"), ("o", NONE))
    for row, rows in (("N", "N"), ("S", "S"), ("V", "V"), ("F", "FQ"), ("O", NONE))
    if row + column != "Oo"
}
"""Rows and columns behind each count that ``bxb -L`` prints."""


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


@dataclass(frozen=True, eq=False)
class BeatComparison:
    """Comparison of the beats of one annotation with those of another."""

    record: str
    matrix: NDArray[np.int64]
    """``(7, 8)`` counts, by `ROWS` and `COLUMNS`."""
    rr_error: float | None = None
    """RMS difference of RR intervals over all comparisons, s; RR err in ``bxb``."""
    rr_count: int = 0
    """Comparisons behind it."""
    notes: tuple[str, ...] = ()
    """Remarks on the numbers."""

    def count(self, rows: str, columns: str) -> int:
        """Beats in some rows and columns, named by their letters."""
        chosen = np.ix_([*map(ROWS.index, rows)], [*map(COLUMNS.index, columns)])
        return int(self.matrix[chosen].sum())

    @property
    def beats(self) -> int:
        """Reference beats in the scored part."""
        return self.count(BEATS, COLUMNS)

    @property
    def two_class(self) -> bool:
        """Whether the test names neither S nor V beats, but abnormal ones (Q)."""
        return not self.count(ROWS, "SV") and self.count(ROWS, "Q") > 0

    @property
    def rates(self) -> dict[str, Rates]:
        """Rates of every kind of `KINDS`."""
        found = {}
        for kind, (own, called, charged, others) in KINDS.items():
            rest = "".join(letter for letter in COLUMNS if letter not in called)
            tn = self.count(others, rest) if others else None
            found[kind] = Rates(
                self.count(own, called), self.count(own, rest), self.count(charged, called), tn
            )
        return found

    @property
    def undecided(self) -> float | None:
        """Share of the reference beats that were found and called ``?``."""
        return _share(self.count(BEATS, "U"), self.beats)

    def bxb(self) -> dict[str, float | int | None]:
        """Return the cells of a line of ``bxb -L`` by its headings; shares in %, RR error in ms."""
        shares = {
            f"{letter} {name}": None if share is None else 100 * share
            for letter, rates in zip("QVS", self.rates.values(), strict=False)
            for name, share in (("Se", rates.se), ("+P", rates.ppv))
        }
        counts = {name: self.count(*cells) for name, cells in _PRINTED.items()}
        error = None if self.rr_error is None else 1000 * self.rr_error
        return {**counts, **shares, "RR err": error}

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "record": self.record,
            "beats": self.beats,
            "matrix": self.matrix.tolist(),
            "rows": [*ROWS],
            "columns": [*COLUMNS],
            **{kind: rates.to_dict() for kind, rates in self.rates.items()},
            "undecided": self.undecided,
            "two_class": self.two_class,
            "rr_error_seconds": self.rr_error,
            "bxb": self.bxb(),
            "notes": list(self.notes),
        }


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
        rows = [one.to_dict() for one in self.records]

        def mean(kind: str, share: str) -> float | None:
            values = [row[kind][share] for row in rows if row[kind][share] is not None]
            return float(np.mean(values)) if values else None

        shares = ("Se", "+P", "FPR")
        return {kind: {share: mean(kind, share) for share in shares} for kind in KINDS}

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
        If there is none, or none of them holds a beat.
    """
    records = tuple(comparisons)
    if not records:
        raise InputError("no comparison to summarise; score at least one record")
    if not any(one.matrix.any() for one in records):
        notes = "; ".join(note for one in records for note in one.notes)
        raise InputError(f"nothing is scored: {notes or 'neither annotation holds a beat'}")
    return Summary(records)
