"""One recording in; WFDB annotation, JSON lines and a picture of every beat's class out."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton import runs
from ecgphoton.artifacts import atomic_path
from ecgphoton.ecg.annotate import BeatCalls, classify_record, decide_symbols
from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.ecg.signal import BLOCK_SECONDS, open_signal
from ecgphoton.errors import InputError
from ecgphoton.progress import Progress, silent
from ecgphoton.run.backends import Backend, classifier
from ecgphoton.run.journey import provenance
from ecgphoton.version import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecgphoton.runs import TrainedStudent

ANNOTATOR = "eph"
"""Extension of the annotation files this project writes."""


@dataclass(frozen=True)
class AnnotationReport:
    """What was found in a recording, and where it is written."""

    summary: dict[str, Any]
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**self.summary, "files": [str(path) for path in self.files]}


def annotate(
    record: str | Path,
    *,
    model: Path | str | None = None,
    backend: Backend | None = None,
    chip: int | None = None,
    profile: str | None = None,
    noise: float | None = None,
    lead: str | None = None,
    peaks: str | None = None,
    annotator: str = ANNOTATOR,
    out: Path | str = Path(),
    picture: bool = True,
    block_seconds: float = BLOCK_SECONDS,
    progress: Progress = silent,
) -> AnnotationReport:
    """Classify every beat of a recording.

    Writes ``RECORD.ANNOTATOR`` (WFDB annotation), ``RECORD.ANNOTATOR.jsonl`` (a summary line, then
    a line a beat) and ``RECORD.ANNOTATOR.png``. A file that exists is never overwritten.

    Parameters
    ----------
    record
        Path of a WFDB record without extension; any rate from 100 Hz, any length.
    model
        Run, bundle or checkpoint, or the name of a shipped student; by default the newest run,
        otherwise the shipped student.
    backend
        ``torch`` (default) and ``onnx``: the student as trained; ``integer``: the quantized graph
        of a bundle; ``chip``: one simulated chip, the default where a chip is described.
    chip, profile, noise
        Which chip of which process, or of what noise, as `simulate` takes them.
    lead
        By name, or ``channel:<n>``; by default the one the student was trained on.
    peaks
        Annotator that marks the R peaks; without one they are detected.
    annotator
        Extension of the annotation file to write.
    out
        Folder to write to.
    picture
        Whether to draw the picture.
    block_seconds
        How much of the signal is held in memory.
    progress
        Called with the stage, samples done, and samples in all.

    Raises
    ------
    InputError
        If record, model or an option cannot be used, or a file to write exists.
    """
    asked, began = dict(locals()), time.perf_counter()
    described = (chip, profile, noise) != (None, None, None)
    backend = backend or ("chip" if described else "torch")
    if described and backend != "chip":
        raise InputError(
            f"chip, profile and noise describe a chip; they go with --backend chip, not {backend}"
        )
    trained, chip = runs.load(model), chip or 0
    signal = open_signal(record, lead, prefer=(str(trained.metadata.get("lead", "MLII")),))
    stem = f"{signal.name}.{annotator}"
    files = [Path(out) / name for name in (stem, f"{stem}.jsonl", f"{stem}.png")]
    if taken := [path for path in files if path.exists()]:
        raise InputError(
            f"{taken[0]} exists and would be overwritten; choose another --annotator or --out"
        )
    classify = classifier(trained, backend, chip=chip, profile=profile, noise=noise)
    calls = classify_record(
        signal,
        classify,
        annotator=peaks,
        block_seconds=block_seconds,
        progress=partial(progress, "classifying"),
    )
    called, abnormality = decide(calls, trained)
    symbol = decide_symbols(calls, called, trained.classes)
    note = _note(trained, backend)
    write_annotations(
        Path(out), signal.name, annotator, calls.sample, symbol.tolist(), fs=signal.fs, note=note
    )
    source = "synthetic" if signal.synthetic else "recorded"
    summary = {
        "record": signal.name,
        "lead": signal.lead,
        "sampling_rate": signal.fs,
        "seconds": signal.length / signal.fs,
        "source": source,
        "beats": len(calls),
        "symbols": dict(sorted(Counter(symbol.tolist()).items())),
        "not_normal": int((calls.classified & (symbol != "N")).sum()),
        "not_classified": dict(Counter(calls.reason[~calls.classified].tolist())),
        "peaks_from": calls.peaks_from,
        "backend": backend,
        "chip": {"number": chip, "profile": profile, "noise": noise} if backend == "chip" else None,
        "classes": list(trained.classes),
        "operating_point": trained.point.to_dict(),
        "notes": list(signal.notes),
        "annotation_note": note,
        "provenance": provenance(
            annotate, asked, trained, {"source": source, "set": signal.name, "beats": len(calls)}
        ),
    }
    _write_lines(files[1], summary, calls, symbol, abnormality)
    if picture:
        from ecgphoton.report.strips import draw_annotation

        draw_annotation(files[2], calls, symbol, abnormality)
    summary["wall_seconds"] = round(time.perf_counter() - began, 2)
    return AnnotationReport(summary, tuple(files if picture else files[:2]))


def decide(
    calls: BeatCalls, trained: TrainedStudent
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Class of every beat, and its probability of not being normal (NaN where unknown)."""
    probability = calls.probability
    abnormality = probability[:, 1] if trained.point.binary else 1 - probability[:, 0]
    return trained.point.classify(np.nan_to_num(probability, nan=-1.0)), abnormality


def _note(trained: TrainedStudent, backend: str) -> str:
    """Return what the annotation file says about itself."""
    text = f"ecgphoton {__version__}, student {trained.digest[:12]} on {backend}: "
    if not trained.point.binary:
        return text + f"classes {' '.join(trained.classes)}; Q is any other, ? not classifiable"
    threshold = f"{trained.point.threshold:.4f}"
    return text + f"Q is abnormal of any kind (p >= {threshold}), ? not classifiable"


def _write_lines(
    path: Path,
    summary: dict[str, Any],
    calls: BeatCalls,
    symbol: NDArray[np.str_],
    abnormality: NDArray[np.float32],
) -> None:
    """Write the summary, then a line a beat."""
    times = np.round(calls.sample / calls.signal.fs, 4)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"summary": summary}, sort_keys=True, ensure_ascii=False) + "\n")
        for sample, at, letter, p, reason in zip(
            calls.sample, times, symbol, abnormality, calls.reason, strict=True
        ):
            line: dict[str, Any] = {
                "sample": int(sample), "seconds": float(at), "symbol": str(letter)
            }  # fmt: skip
            if reason:
                line["reason"] = str(reason)
            else:
                line["abnormal"] = round(float(p), 5)
            file.write(json.dumps(line) + "\n")
