"""`BeatSet`, the one value that carries beats through the project, and what was dropped."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import QRS, SAMPLING_RATE, WINDOW
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.errors import InputError
from ecgphoton.host import as_array

_KINDS = {
    **dict.fromkeys(("windows", "patient", "residual", "size"), np.float32),
    **dict.fromkeys(("label", "sample"), np.int64),
    **dict.fromkeys(("symbol", "record"), np.str_),
}
_COLUMNS = tuple(_KINDS)


@dataclass(frozen=True, eq=False)
class BeatSet:
    """Beats in order, one row each."""

    windows: NDArray[np.float32]
    """``(n, 360)`` normalised beats in [-1, 1], R at sample 180."""
    patient: NDArray[np.float32]
    """``(n, K)`` features of the beat against its patient's other beats, in [-1, 1]: one column for
    each of `patient_features.FEATURES`, in that order."""
    residual: NDArray[np.float32]
    """``(n, 120)`` QRS part of the beat minus the patient's running template."""
    size: NDArray[np.float32]
    """``(n,)`` mV, largest distance of the samples from their mean before they were normalised."""
    label: NDArray[np.int64]
    """``(n,)`` class, -1 outside the label scheme."""
    symbol: NDArray[np.str_]
    """``(n,)`` WFDB annotation symbol."""
    record: NDArray[np.str_]
    """``(n,)`` name of the record."""
    sample: NDArray[np.int64]
    """``(n,)`` R sample at `fs`, counted from the start of the record."""
    fs: float = SAMPLING_RATE
    """Hz."""
    source: str = "mitdb"
    """'mitdb', 'synthetic', or the folder the records came from."""

    def __post_init__(self) -> None:
        given = {name: as_array(getattr(self, name), f"BeatSet.{name}") for name in _KINDS}
        count = given["label"].size
        widths = {"windows": WINDOW, "patient": len(FEATURES), "residual": QRS.stop - QRS.start}
        for name, kind in _KINDS.items():
            value = given[name]
            wanted = (count, widths[name]) if name in widths else (count,)
            if value.shape != wanted:
                raise InputError(f"BeatSet.{name} has shape {value.shape}; it must be {wanted}")
            if count and not np.can_cast(value.dtype, kind, "same_kind"):
                raise InputError(
                    f"BeatSet.{name} holds {value.dtype}; it must hold {kind.__name__}"
                )
            object.__setattr__(self, name, np.ascontiguousarray(value, kind))

    def __len__(self) -> int:
        return len(self.label)

    def __repr__(self) -> str:
        """Return how many beats of how many records these are, and of what."""
        records = len(set(self.record.tolist()))
        return f"BeatSet(beats={len(self)}, records={records}, source={self.source!r})"

    @property
    def synthetic(self) -> bool:
        """Whether any of these beats is synthetic."""
        return "synthetic" in self.source.split("+")

    def take(self, index: NDArray[np.integer] | NDArray[np.bool_] | slice) -> Self:
        """Return the chosen rows, in the order of the index."""
        rows: dict[str, Any] = {name: getattr(self, name)[index] for name in _COLUMNS}
        return replace(self, **rows)

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Join sets one after the other.

        Raises
        ------
        InputError
            If there is nothing to join, or sampling rates differ.
        """
        if not parts:
            raise InputError("no beats to join; choose at least one record")
        rates = {part.fs for part in parts}
        if len(rates) > 1:
            raise InputError(f"beats at different sampling rates {sorted(rates)} Hz; resample")
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS
        }
        source = "+".join(sorted({part.source for part in parts}))
        return cls(**columns, fs=parts[0].fs, source=source)

    @property
    def digest(self) -> str:
        """SHA-256 of all values of the set, hexadecimal."""
        sha = hashlib.sha256()
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                sha.update(f"{item.name}{value.shape}".encode())
                if value.dtype.kind == "U":  # the width of a text column is not content
                    sha.update("\n".join(value.tolist()).encode())
                else:
                    sha.update(np.ascontiguousarray(value).data)
            else:
                sha.update(f"{item.name}={value}".encode())
        return sha.hexdigest()


Drops = Counter[tuple[str, str, str]]
"""How many beats were left out, by record, symbol and reason."""


def _totals(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add the counts of each name, the largest sum first."""
    total: Counter[str] = Counter()
    for name, count in counts:
        total[name] += count
    return dict(total.most_common())


@dataclass(frozen=True)
class DropReport:
    """Beats that were left out of a set, and notes on the others."""

    drops: Drops = field(default_factory=Counter)
    notes: tuple[str, ...] = ()
    """Sentences: leads substituted, records resampled, flat beats, shared subjects."""

    def by_symbol(self, reason: str | None = None) -> dict[str, int]:
        """Count dropped beats per symbol, most first."""
        return _totals(
            (symbol, count)
            for (_, symbol, why), count in self.drops.items()
            if reason in (None, why)
        )

    def by_reason(self) -> dict[str, int]:
        """Count dropped beats per reason, most first."""
        return _totals((why, count) for (_, _, why), count in self.drops.items())

    def without(self, records: AbstractSet[str], said: Sequence[str] = ()) -> Self:
        """Return what does not concern these records alone, without some of the notes."""
        drops = Counter({key: n for key, n in self.drops.items() if key[0] not in records})
        left = [note for note in self.notes if note not in said]
        notes = tuple(note for note in left if note.partition(": ")[0] not in records)
        return replace(self, drops=drops, notes=notes)

    def lines(self) -> list[str]:
        """Return the counts and notes as sentences."""
        lines = []
        for reason, count in self.by_reason().items():
            symbols = "  ".join(f"{s} {n:,}" for s, n in self.by_symbol(reason).items())
            lines.append(f"dropped {count:,} beats, {reason}; by symbol: {symbols}")
        alike: dict[str, list[str]] = {}
        for note in self.notes:  # the same note of many records is given once
            record, colon, text = note.partition(": ")
            alike.setdefault(text if colon else note, []).append(record if colon else "")
        for text, records in alike.items():
            many = f"{len(records)} records: " if len(records) > 3 else f"{', '.join(records)}: "
            lines.append(many + text if records[0] else text)
        return lines

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "by_reason": {r: self.by_symbol(r) for r in self.by_reason()},
            "records": [
                {"record": record, "symbol": symbol, "reason": reason, "count": count}
                for (record, symbol, reason), count in self.drops.items()
            ],
            "notes": list(self.notes),
        }

    @classmethod
    def join(cls, parts: Iterable[Self]) -> Self:
        """One report of several."""
        reports = list(parts)
        return cls(
            sum((report.drops for report in reports), Drops()),
            tuple(note for report in reports for note in report.notes),
        )


@dataclass(frozen=True)
class Extracted:
    """Beats of a record, and what was left out."""

    beats: BeatSet
    """With every label -1 before a label scheme."""
    report: DropReport
    lead: str = ""
    """The lead they were cut from, by its name in the file."""


@dataclass(frozen=True)
class Further:
    """A further lead of a training record, in which its beats teach once more."""

    record: str
    lead: str
    beats: int
    """How many of them; fewer than in the lead that is scored where this one is no ECG."""


def count_drops(record: str, symbols: NDArray[np.str_], reasons: NDArray[np.str_] | str) -> Drops:
    """Count dropped beats of one record by symbol and reason."""
    each = np.broadcast_to(np.asarray(reasons), symbols.shape)
    pairs = zip(symbols.tolist(), each.tolist(), strict=True)
    return Counter((record, symbol, reason) for symbol, reason in pairs)
