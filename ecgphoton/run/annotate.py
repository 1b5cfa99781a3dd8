"""Recordings in; annotations, a line a beat, a picture and a table of burdens out."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton.artifacts import sha256
from ecgphoton.ecg.annotate import BeatCalls, Progress, classify_record
from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.ecg.formats import Hints, find_file
from ecgphoton.ecg.labels import label_file
from ecgphoton.ecg.signal import BLOCK_SECONDS, Signal, open_signal
from ecgphoton.run.annotation_files import ANNOTATOR, Outputs, write_edf, write_lines, write_table
from ecgphoton.run.annotator import Beats, table
from ecgphoton.run.backends import Backend, classifier
from ecgphoton.run.subject import Subject, open_subject
from ecgphoton.version import __version__

LONG_SILENCE = 10.0
"""Seconds without a beat that are mentioned."""


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
    model: Path | Subject | None = None,
    backend: Backend = "torch",
    lead: str | None = None,
    hints: Hints | None = None,
    peaks: str | None = None,
    annotator: str = ANNOTATOR,
    force: bool = False,
    chip: int = 0,
    profile: str | None = None,
    noise: float | None = None,
    block_seconds: float = BLOCK_SECONDS,
    picture: bool = True,
    progress: Progress | None = None,
) -> AnnotationReport:
    """Classify every beat of a recording.

    Writes ``<record>.<annotator>`` (WFDB annotation), ``<record>.jsonl`` (a summary line, then a
    line a beat), ``<record>.<annotator>.csv`` and ``<record>.png`` into `out`, and for an EDF
    recording its annotations as ``<record>.<annotator>.edf`` (EDF+).

    Parameters
    ----------
    record
        A recording of any format, any rate from 100 Hz, any length.
    out
        Folder.
    model
        Run folder, checkpoint or bundle; without one the newest run, else the shipped student.
    backend
        ``torch`` and ``onnx``: the student as trained; ``integer``: the quantised graph of a
        bundle; ``chip``: one simulated chip.
    lead
        By name, or ``channel:<n>``; by default the one the student was trained on.
    hints
        Rate, unit and column, for files that do not say them.
    peaks
        Annotator that marks the R peaks; without one they are detected.
    annotator
        Extension of the annotation file to write.
    force
        Whether ``atr``, or a file that this project did not write, may be replaced.
    chip, profile, noise
        Which chip of which process, or of what noise, as `simulate` takes them.
    block_seconds
        How much of the signal is held in memory.

    Raises
    ------
    InputError
        If record, model or an option cannot be used, or an output would replace an input.
    """
    began = time.perf_counter()
    subject = model if isinstance(model, Subject) else open_subject(model)
    prefer = (str(subject.metadata.get("lead", "MLII")),)
    signal = open_signal(record, lead, prefer=prefer, hints=hints)
    inputs = [*signal.held.files]
    if peaks is not None:
        inputs.append(label_file(find_file(signal.path), peaks))
    outputs = Outputs.plan(
        out, signal.name, annotator, inputs,
        edf=signal.held.format in ("EDF", "BDF"), picture=picture, force=force,
    )  # fmt: skip
    classify = classifier(subject, backend, chip=chip, profile=profile, noise=noise)
    calls = classify_record(
        signal,
        classify,
        annotator=peaks,
        centring=subject.centring,
        block_seconds=block_seconds,
        progress=progress,
    )
    beats = table(subject, signal.fs, calls.sample, calls.probability, calls.reason)
    note = _note(subject, backend)
    summary = {
        **_summary(signal, calls, beats, subject),
        "backend": backend,
        "chip": {"number": chip, "profile": profile, "noise": noise} if backend == "chip" else None,
        "annotation_note": note,
        "version": __version__,
    }
    write_annotations(
        out, outputs.name, annotator, calls.sample, beats.symbol.tolist(), fs=signal.fs, note=note
    )
    write_lines(outputs.lines, summary, beats)
    write_table(outputs.table, beats)
    if outputs.edf is not None:
        write_edf(outputs.edf, beats)
    if outputs.picture is not None:
        from ecgphoton.report.strips import draw_annotation

        draw_annotation(outputs.picture, calls, beats.symbol, beats.probability)
    summary["wall_seconds"] = round(time.perf_counter() - began, 2)
    return AnnotationReport(summary, outputs.files)


def _summary(signal: Signal, calls: BeatCalls, beats: Beats, subject: Subject) -> dict[str, Any]:
    undecided = int((~calls.classified).sum())
    seconds = signal.length / signal.fs
    return {
        "record": signal.name,
        "format": signal.held.format,
        "lead": signal.lead,
        "sampling_rate": signal.fs,
        "seconds": seconds,
        "source": "synthetic" if signal.synthetic else "recorded",
        "beats": len(calls),
        "symbols": dict(sorted(Counter(beats.symbol.tolist()).items())),
        "not_normal": int((calls.classified & (beats.symbol != "N")).sum()),
        "not_classified": dict(Counter(calls.reason[~calls.classified].tolist())),
        "undecided_share": undecided / len(calls),
        "peaks_from": calls.peaks_from,
        "centring": subject.centring,
        "model": str(subject.path),
        "model_sha256": _digest(subject),
        "classes": [str(name) for name in subject.metadata["classes"]],
        "operating_point": None if subject.point is None else subject.point.to_dict(),
        "notes": [
            *signal.notes,
            *(f"{signal.name}: {part}" for part in calls.stretches),
            *_silences(beats.time, seconds),
        ],
    }


def _silences(time: np.ndarray[Any, np.dtype[np.float64]], seconds: float) -> list[str]:
    """Mention long spans in which there is no beat."""
    edges = [0.0, *time.tolist(), seconds]
    spans = [(a, b) for a, b in pairwise(edges) if b - a > LONG_SILENCE]
    said = [f"no beat from {a:.1f} s to {b:.1f} s" for a, b in spans[:5]]
    more = [f"and {len(spans) - 5} more spans of over {LONG_SILENCE:g} s without a beat"]
    return said + (more if len(spans) > 5 else [])


def _digest(subject: Subject) -> str:
    from ecgphoton import runs

    path = subject.path
    return sha256(path / runs.CHECKPOINT if path.is_dir() else path)


def _note(subject: Subject, backend: str) -> str:
    """Return what the annotation file says about itself."""
    said = f"ecgphoton {__version__}, student {_digest(subject)[:12]} on {backend}: "
    if subject.point is None:
        classes = " ".join(str(name) for name in subject.metadata["classes"])
        return said + f"classes {classes}; Q is any other, ? not classifiable"
    return (
        said + f"Q is abnormal of any kind (p >= {subject.point.threshold:.4f}), ? not classifiable"
    )
