"""Compare two annotations of records beat by beat."""

from collections.abc import Sequence
from pathlib import Path

from ecgphoton.ecg.score import LEARNING, MATCH_WINDOW, Grouping, score_record
from ecgphoton.ecg.tally import Summary, aggregate
from ecgphoton.settings import strict


@strict
def score(
    records: Sequence[Path | str],
    *,
    reference: str = "atr",
    test: str = "eph",
    test_folder: Path | None = None,
    grouping: Grouping = "ec57",
    start: float = LEARNING,
    end: float | None = None,
    window: float = MATCH_WINDOW,
) -> Summary:
    """Compare two annotations of records beat by beat.

    Beats are counted as ANSI/AAMI EC57 requires and as WFDB's bxb does: two beats match within
    150 ms, from five minutes on, outside ventricular flutter. Se is sensitivity, +P positive
    predictivity; gross weights all beats equally, average weights all records equally.

    Parameters
    ----------
    records
        Paths of WFDB records without extension.
    reference, test
        Annotators: the reference, and the one to judge.
    test_folder
        Where the annotations to judge are, if not beside the records.
    grouping
        Whether escape beats e, j, n are S (``ec57``, as in bxb) or N (``de-chazal``).
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
        score_record(
            record,
            reference=reference,
            test=test,
            test_folder=test_folder,
            grouping=grouping,
            start=start,
            end=end,
            window=window,
        )
        for record in records
    )
