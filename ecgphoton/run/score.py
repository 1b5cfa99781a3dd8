"""Compare two annotations of records beat by beat."""

from collections.abc import Sequence
from pathlib import Path

from ecgphoton.arguments import strict
from ecgphoton.ecg.formats import Hints, find_file
from ecgphoton.ecg.records import Grouping
from ecgphoton.ecg.score import LEARNING, MATCH_WINDOW, score_record
from ecgphoton.ecg.tally import Summary, aggregate
from ecgphoton.errors import InputError


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
    fs: float | None = None,
    column: str | None = None,
) -> Summary:
    """Compare two annotations of records beat by beat.

    Beats are counted as ANSI/AAMI EC57 requires and as WFDB's bxb does: two beats match within
    150 ms, from five minutes on, outside ventricular flutter. Se is sensitivity, +P positive
    predictivity; gross weights all beats equally, average weights all records equally.

    Parameters
    ----------
    records
        Paths of records without extension, or files of recordings of any format that is read.
    reference
        Extension of the reference annotation. Beside a recording that is not WFDB it may be a
        table (csv, labels.csv), or edf+ for the annotations in an EDF+ file.
    test
        Extension of the annotation to judge.
    test_folder
        Folder of the annotations to judge; by default beside the records.
    grouping
        Whether escape beats (e, j, n) count as S (``ec57``, as in bxb) or as N (``de-chazal``).
    start
        Seconds from the beginning that are not scored.
    end
        Second at which scoring ends; by default the end of the record.
    window
        Largest distance of two beats that match, in seconds, up to 1.
    fs
        Hz, of text and NumPy recordings that do not state their rate.
    column
        Column of text and NumPy recordings, by name or number from 0.

    Raises
    ------
    InputError
        If an annotation is missing or damaged, a record is named twice, or a value is outside its
        range.
    """
    if test_folder is not None and not Path(test_folder).is_dir():
        raise InputError(f"there is no folder {test_folder}; give that of the annotations to judge")
    places = [find_file(Path(record)).resolve() for record in records]
    twice = [str(one) for at, one in enumerate(records) if places[at] in places[:at]]
    if twice:
        raise InputError(f"{twice[0]} is named twice and would count twice; name each record once")
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
            hints=Hints(fs, column=column),
        )
        for record in records
    )
