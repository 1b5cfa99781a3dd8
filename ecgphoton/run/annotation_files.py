"""A table of beats comes in; files for other programs go out. Inputs are never replaced."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ecgphoton.artifacts import atomic_path, write_text
from ecgphoton.ecg.annotations import check_annotator
from ecgphoton.ecg.formats import FORMATS
from ecgphoton.errors import InputError
from ecgphoton.run.annotator import Beats

ANNOTATOR = "eph"
"""Extension of the annotation files this project writes."""
REFERENCE = "atr"
"""Extension that databases give their reference annotations."""
RESERVED = frozenset({"dat", "jsonl", "png", "mat", *(ending[1:] for ending in FORMATS)})
"""Extensions of signals and of the other outputs; no annotation is called so."""
COLUMNS = "sample,seconds,symbol,called,abnormal,reason"


def outputs(
    out: Path,
    name: str,
    annotator: str,
    inputs: Iterable[Path],
    *,
    edf: bool = False,
    picture: bool = True,
    force: bool = False,
) -> dict[str, Path]:
    """Choose the output files of one recording before any work: annotation, jsonl, csv, edf, png.

    Raises
    ------
    InputError
        If the annotator cannot be written, or a file would replace an input, or exists already
        without `force`.
    """
    if annotator.lower() in RESERVED:
        raise InputError(
            f"annotator {annotator!r}: that is the extension of signals, headers or other "
            f"outputs; choose another, such as {ANNOTATOR}"
        )
    check_annotator(annotator)
    if annotator.lower() == REFERENCE and not force:
        raise InputError(
            f"annotator {annotator!r} is that of reference annotations; choose another, such "
            f"as {ANNOTATOR}, or add --force"
        )
    kinds = ["jsonl", "csv", *(["edf"] if edf else []), *(["png"] if picture else [])]
    annotation = {"annotation": out / f"{plain_name(name)}.{annotator}"}
    found = annotation | {kind: out / f"{name}.{annotator}.{kind}" for kind in kinds}
    read = [*inputs]
    for path in found.values():
        if path.exists() and any(path.samefile(one) for one in read):
            raise InputError(
                f"{path} is an input and would be replaced; choose another annotator or --out"
            )
    taken = [path for path in found.values() if path.exists() and (path.is_dir() or not force)]
    if taken:
        more = "" if force else ", or add --force"
        raise InputError(
            f"{taken[0]} already exists{' as a folder' * taken[0].is_dir()}; choose another "
            f"--annotator or --out{more}"
        )
    return found


def plain_name(name: str) -> str:
    """Return the name of a record in letters that WFDB allows."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]


def write_lines(path: Path, summary: dict[str, Any], beats: Beats) -> None:
    """Write the summary, then a line of JSON a beat."""
    lines = [json.dumps({"summary": summary}, sort_keys=True, ensure_ascii=False)]
    for sample, seconds, symbol, called, p, reason in _rows(beats):
        line = {"sample": sample, "seconds": seconds, "symbol": symbol, "called": called}
        lines.append(json.dumps({**line, **({"reason": reason} if reason else {"abnormal": p})}))
    write_text(path, "\n".join([*lines, ""]))


def write_table(path: Path, beats: Beats) -> None:
    """Write a CSV with a line a beat."""
    rows = (
        f"{sample},{seconds},{symbol},{called},{'' if reason else p},{reason}"
        for sample, seconds, symbol, called, p, reason in _rows(beats)
    )
    write_text(path, "\n".join([COLUMNS, *rows, ""]))


def _rows(beats: Beats) -> Iterable[tuple[int, float, str, str, float, str]]:
    columns = (
        beats.sample.tolist(),
        beats.time.round(4).tolist(),
        beats.symbol.tolist(),
        beats.called.tolist(),
        beats.probability.astype(float).round(5).tolist(),
        beats.quality.tolist(),
    )
    return zip(*columns, strict=True)


def write_edf(path: Path, beats: Beats) -> None:
    """Write the beats as EDF+ annotations, in a file that holds nothing else.

    No name or date of the recording is copied.
    """
    from edfio import Edf, EdfAnnotation

    notes = [
        EdfAnnotation(round(seconds, 4), None, f"{symbol} {called}")
        for seconds, symbol, called in zip(
            beats.time.tolist(), beats.symbol.tolist(), beats.called.tolist(), strict=True
        )
    ]
    with atomic_path(path) as temporary:
        Edf([], annotations=notes).write(temporary)
