"""One recording in; WFDB annotation, JSON lines and a picture of every beat's class out."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecgphoton.artifacts import atomic_path, sha256
from ecgphoton.ecg.annotate import (
    BeatCalls,
    Progress,
    classify_record,
    decide_symbols,
)
from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.ecg.signal import BLOCK_SECONDS, open_signal
from ecgphoton.errors import InputError
from ecgphoton.run.backends import Backend, classifier
from ecgphoton.run.subject import Subject, open_subject
from ecgphoton.version import __version__

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    out: Path,
    *,
    model: Path | None = None,
    backend: Backend = "torch",
    lead: str | None = None,
    peaks: str | None = None,
    annotator: str = ANNOTATOR,
    chip: int = 0,
    profile: str | None = None,
    noise: float | None = None,
    block_seconds: float = BLOCK_SECONDS,
    picture: bool = True,
    progress: Progress | None = None,
) -> AnnotationReport:
    """Classify every beat of a recording.

    Writes ``<record>.<annotator>`` (WFDB annotation), ``<record>.jsonl`` (a summary line, then a
    line a beat) and ``<record>.png`` into `out`.

    Parameters
    ----------
    record
        Path of a WFDB record without extension; any rate from 100 Hz, any length.
    out
        Folder.
    model
        Run folder, checkpoint or bundle; without one the newest run, else the shipped student.
    backend
        ``torch`` and ``onnx``: the student as trained; ``integer``: the quantised graph of a
        bundle; ``chip``: one simulated chip.
    lead
        By name, or ``channel:<n>``; by default the one the student was trained on.
    peaks
        Annotator that marks the R peaks; without one they are detected.
    annotator
        Extension of the annotation file to write.
    chip, profile, noise
        Which chip of which process, or of what noise, as `simulate` takes them.
    block_seconds
        How much of the signal is held in memory.

    Raises
    ------
    InputError
        If record, model or an option cannot be used.
    """
    began = time.perf_counter()
    subject = open_subject(model)
    classes = tuple(str(name) for name in subject.metadata["classes"])
    signal = open_signal(record, lead, prefer=(str(subject.metadata.get("lead", "MLII")),))
    if peaks == annotator and out.resolve() == signal.path.parent.resolve():
        raise InputError(
            f"R peaks are read from annotator {peaks!r}, which would be overwritten; choose "
            "another annotator to write, or another folder"
        )
    classify = classifier(subject, backend, chip=chip, profile=profile, noise=noise)
    calls = classify_record(
        signal, classify, annotator=peaks, block_seconds=block_seconds, progress=progress
    )
    called, abnormality = decide(calls, subject)
    symbol = decide_symbols(calls, called, classes)
    note = _note(subject, classes, backend)
    files = [
        write_annotations(
            out, signal.name, annotator, calls.sample, symbol.tolist(), fs=signal.fs, note=note
        )
    ]
    summary = {
        "record": signal.name,
        "lead": signal.lead,
        "sampling_rate": signal.fs,
        "seconds": signal.length / signal.fs,
        "source": "synthetic" if signal.synthetic else "recorded",
        "beats": len(calls),
        "symbols": dict(sorted(Counter(symbol.tolist()).items())),
        "not_normal": int((calls.classified & (symbol != "N")).sum()),
        "not_classified": dict(Counter(calls.reason[~calls.classified].tolist())),
        "peaks_from": calls.peaks_from,
        "backend": backend,
        "chip": {"number": chip, "profile": profile, "noise": noise} if backend == "chip" else None,
        "model": str(subject.path),
        "model_sha256": _digest(subject),
        "classes": list(classes),
        "operating_point": None if subject.point is None else subject.point.to_dict(),
        "notes": [*signal.notes, *(f"{signal.name}: {part}" for part in calls.stretches)],
        "annotation_note": note,
        "version": __version__,
    }
    files.append(_write_lines(out / f"{signal.name}.jsonl", summary, calls, symbol, abnormality))
    if picture:
        from ecgphoton.report.strips import draw_annotation

        files.append(out / f"{signal.name}.png")
        draw_annotation(files[-1], calls, symbol, abnormality)
    summary["wall_seconds"] = round(time.perf_counter() - began, 2)
    return AnnotationReport(summary, tuple(files))


def decide(calls: BeatCalls, subject: Subject) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Class of every beat, and its probability of not being normal (NaN where unknown)."""
    abnormality = 1 - calls.probability[:, 0]
    if subject.point is None:
        called = np.nan_to_num(calls.probability, nan=-1.0).argmax(1)
        return called.astype(np.int64), abnormality
    abnormality = calls.probability[:, 1]
    return subject.point.decide(abnormality).astype(np.int64), abnormality


def _digest(subject: Subject) -> str:
    from ecgphoton import runs

    path = subject.path
    return sha256(path / runs.CHECKPOINT if path.is_dir() else path)


def _note(subject: Subject, classes: tuple[str, ...], backend: str) -> str:
    """Return what the annotation file says about itself."""
    said = f"ecgphoton {__version__}, student {_digest(subject)[:12]} on {backend}: "
    if subject.point is None:
        return said + f"classes {' '.join(classes)}; Q is any other, ? not classifiable"
    return (
        said + f"Q is abnormal of any kind (p >= {subject.point.threshold:.4f}), ? not classifiable"
    )


def _write_lines(
    path: Path,
    summary: dict[str, Any],
    calls: BeatCalls,
    symbol: NDArray[np.str_],
    abnormality: NDArray[np.float32],
) -> Path:
    """Write the summary, then a line a beat."""
    times = np.round(calls.sample / calls.signal.fs, 4)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps({"summary": summary}, sort_keys=True, ensure_ascii=False) + "\n")
        for sample, at, said, p, reason in zip(
            calls.sample, times, symbol, abnormality, calls.reason, strict=True
        ):
            line: dict[str, Any] = {
                "sample": int(sample), "seconds": float(at), "symbol": str(said)
            }  # fmt: skip
            if reason:
                line["reason"] = str(reason)
            else:
                line["abnormal"] = round(float(p), 5)
            file.write(json.dumps(line) + "\n")
    return path
