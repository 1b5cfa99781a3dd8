"""Compare two annotations of records beat by beat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ecgphoton.ecg.score import aggregate, score_record

if TYPE_CHECKING:
    from ecgphoton.ecg.score import Summary


def score(
    records: Sequence[Path | str],
    *,
    reference: str = "atr",
    test: str = "eph",
    start: float = 300.0,
    end: float | None = None,
    window: float = 0.150,
) -> Summary:
    """Compare two annotations of records beat by beat (ANSI/AAMI EC57).

    Parameters
    ----------
    records
        Paths of WFDB records without extension.
    reference, test
        Annotators: the reference, and the one to judge.
    start, end
        Seconds from which and to which beats count.
    window
        Largest distance of two beats that match, s.

    Raises
    ------
    InputError
        If an annotation is missing or damaged, or a value is outside its range.
    """
    return aggregate(
        score_record(str(r), reference=reference, test=test, start=start, end=end, window=window)
        for r in records
    )
