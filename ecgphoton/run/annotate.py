"""Recordings come in; annotation files, a table of beats and a picture go out."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ecgphoton import runs
from ecgphoton.arguments import strict
from ecgphoton.artifacts import atomic_files, check_room
from ecgphoton.ecg.annotate import DETECTED, SEEN, BeatCalls, classify_record
from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.formats import Hints, find_file
from ecgphoton.ecg.labels import label_file
from ecgphoton.ecg.quality import waves
from ecgphoton.ecg.reading import BLOCK_SECONDS, Signal, open_signal
from ecgphoton.errors import InputError
from ecgphoton.hwsim.simulate import noise_of, profile_of
from ecgphoton.models import NAMES_CLASSES
from ecgphoton.progress import Progress, silent
from ecgphoton.run.annotation_files import (
    ANNOTATOR,
    outputs,
    plain_name,
    write_edf,
    write_lines,
    write_table,
)
from ecgphoton.run.annotator import Beats, table
from ecgphoton.run.backends import Backend, classifier
from ecgphoton.run.claim import outside_bundles
from ecgphoton.run.crossed import at_wish
from ecgphoton.run.provenance import provenance
from ecgphoton.run.scope import KEY, Observer
from ecgphoton.runs import TrainedStudent
from ecgphoton.version import __version__
from ecgphoton.wording import hardware

LONG_GAP = 10.0
"""Seconds without a beat that are mentioned."""


@dataclass(frozen=True)
class AnnotationReport:
    """Result of annotating a recording, and its files."""

    summary: dict[str, Any]
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**self.summary, "files": [str(path) for path in self.files]}


@strict
def annotate(
    record: Path | str,
    *,
    model: Path | str | TrainedStudent | None = None,
    max_miss: float | None = None,
    max_fpr: float | None = None,
    backend: Backend | None = None,
    chip: int | None = None,
    profile: str | None = None,
    settings: Sequence[str] = (),
    noise: float | None = None,
    lead: str | None = None,
    fs: float | None = None,
    unit: str | None = None,
    column: str | None = None,
    peaks: str | None = None,
    annotator: str = ANNOTATOR,
    force: bool = False,
    out: Path | str = Path(),
    picture: bool = True,
    block_seconds: float = BLOCK_SECONDS,
    progress: Progress = silent,
) -> AnnotationReport:
    """Classify every beat of a recording.

    Writes ``RECORD.ANNOTATOR`` (WFDB annotation), ``RECORD.ANNOTATOR.jsonl`` (a summary line, then
    a line a beat), ``RECORD.ANNOTATOR.csv`` and ``RECORD.ANNOTATOR.png``, and for an EDF recording
    its beats as EDF+ annotations in ``RECORD.ANNOTATOR.edf``. The summary says whether the
    recording lies outside what the student knows from its training patients.

    Parameters
    ----------
    record
        A recording of any format that is read, any rate from 100 Hz, any length.
    model
        Run, bundle or checkpoint, or the name of a shipped student; by default the newest finished
        run below ``runs/``, otherwise the shipped student that tells N, S, V and F apart. The
        summary says under ``student`` which one it was, and why.
    max_miss, max_fpr
        As `ecgphoton.run.evaluate` takes them; only a run of two classes with folds can.
    backend
        ``torch`` and ``onnx``: the student as trained; ``integer``: the quantized graph of a
        bundle; ``chip``: one simulated chip. By default ``torch``, or ``chip`` where one is
        described.
    chip
        Number of the simulated chip, from 0.
    profile, settings, noise
        As `ecgphoton.run.simulate` takes them.
    lead
        Lead to classify, by name or as ``channel:N`` from 0; by default the one that the student
        was trained on, else II, else the first ECG.
    fs
        Samples a second, of a text or NumPy file that does not state it.
    unit
        V, mV, uV or nV, of a text or NumPy file that does not state it.
    column
        Column of a text or NumPy file, by name or number from 0.
    peaks
        Extension of the annotation that marks the R peaks; by default they are detected.
    annotator
        Extension of the annotation file to write.
    force
        Replace files of an earlier call, and allow the extension ``atr`` of reference annotations.
        Inputs are never replaced.
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
        If record, model or an option cannot be used, an output would replace a file, or no
        out-of-fold threshold keeps `max_miss` and `max_fpr`.
    """
    asked, began = dict(locals()), time.perf_counter()
    described = (chip, profile, noise, tuple(settings)) != (None, None, None, ())
    backend = backend or ("chip" if described else "torch")
    if described and backend != "chip":
        raise InputError(
            "chip, profile, its settings and noise describe a chip; they go with --backend chip, "
            f"not {backend}"
        )
    made, on, on_chip = profile_of(profile, settings), str(backend), None
    if backend == "chip":
        number, sigma = chip or 0, noise_of(noise, profile)
        on_chip = {"number": number, "profile": profile, "settings": [*settings], "noise": sigma}
        named = None if made is None else f"{made.name}, uncalibrated"
        on = f"chip {number}, {hardware({'profile': named, 'noise': sigma})}"
    trained, wished = at_wish(runs.load(model, shipped=NAMES_CLASSES), max_miss, max_fpr)
    hints = Hints(fs, unit, column)
    prefer = (str(trained.metadata.get("lead", "MLII")),)
    signal = open_signal(record, lead, prefer=prefer, hints=hints if hints.given else None)
    inputs = [*signal.held.files]
    if peaks is not None:
        inputs.append(label_file(find_file(signal.held.path), peaks))
    chosen = partial(
        outputs, outside_bundles(out), signal.name, annotator, inputs,
        edf=signal.held.format in ("EDF", "BDF"), picture=picture, force=force,
    )  # fmt: skip
    files = chosen()
    check_room(Path(out))
    classify = classifier(trained, backend, chip=chip or 0, profile=made, noise=noise)
    observer = Observer(classify, trained.metadata)
    calls = classify_record(
        signal,
        observer,
        annotator=peaks,
        centring=trained.centring,
        block_seconds=block_seconds,
        progress=partial(progress, "classifying"),
    )
    beats = table(trained, signal.lead.fs, calls.sample, calls.probability, calls.reason)
    note = _note(trained, on)
    found = _found(signal, calls, beats, trained)
    described_data = {"source": found["source"], "set": signal.name, "beats": len(calls)}
    asked["model"] = trained.folder
    if wished:
        found["out_of_fold"] = wished
        found["notes"].append(
            f"threshold {trained.point.threshold:.4f} by wish: out of fold, on patients it had "
            f"not seen, a miss rate of {100 * wished['miss']:.2f} % and an FPR of "
            f"{100 * wished['fpr']:.2f} %"
        )
    summary = {
        **found,
        "student": trained.about,
        KEY: observer.report(calls.reason).to_dict(),
        "backend": backend,
        "chip": on_chip,
        "annotation_note": note,
        "provenance": provenance(annotate, asked, trained, made, described_data),
    }
    chosen()  # refuses what another call has written meanwhile
    with atomic_files(Path(out)) as folder:
        write_annotations(
            folder, plain_name(signal.name), annotator, calls.sample, beats.symbol.tolist(),
            fs=signal.lead.fs, note=note,
        )  # fmt: skip
        write_lines(folder / files["jsonl"].name, summary, beats)
        write_table(folder / files["csv"].name, beats)
        if "edf" in files:
            write_edf(folder / files["edf"].name, beats)
        if "png" in files:
            from ecgphoton.report import strips, style

            figure = strips.draw_record(calls, beats.symbol, beats.probability, note)
            style.save(figure, folder / files["png"].name)
    summary["wall_seconds"] = round(time.perf_counter() - began, 2)
    return AnnotationReport(summary, tuple(files.values()))


def _found(
    signal: Signal, calls: BeatCalls, beats: Beats, trained: TrainedStudent
) -> dict[str, Any]:
    seconds = signal.lead.length / signal.lead.fs
    return {
        "record": signal.name,
        "format": signal.held.format,
        "lead": signal.lead.name,
        "sampling_rate": signal.lead.fs,
        "seconds": seconds,
        "source": "synthetic" if signal.held.synthetic else "recorded",
        "beats": len(calls),
        "symbols": dict(sorted(Counter(beats.symbol.tolist()).items())),
        "not_normal": int((calls.classified & (beats.symbol != "N")).sum()),
        "not_classified": dict(Counter(calls.reason[~calls.classified].tolist())),
        "undecided_share": float((~calls.classified).mean()),
        "missing": asdict(calls.missing),
        "peaks_from": calls.peaks_from,
        "centring": trained.centring,
        "delay_beats": trained.student.architecture.delay,
        "classes": list(trained.classes),
        "operating_point": trained.point.to_dict(),
        "notes": [
            *_made_up(trained),
            *signal.notes,
            *calls.notes,
            *(f"{signal.name}: {part}" for part in calls.stretches),
            *_gaps(calls, beats.time),
        ],
    }


def _made_up(trained: TrainedStudent) -> tuple[str, ...]:
    """Return what is to be said of a student that knows generated beats only."""
    text = (
        f"SYNTHETIC: student {trained.name} was trained on generated beats; its calls say nothing "
        "about a patient"
    )
    return (text,) if trained.metadata.get("source") == "synthetic" else ()


def _gaps(calls: BeatCalls, time: np.ndarray[Any, np.dtype[np.float64]]) -> list[str]:
    """Return notes about long spans without a beat, and what is there if none was detected."""
    signal, fs = calls.signal, calls.signal.lead.fs
    seconds = signal.lead.length / fs
    edges = [0.0, *time[time < seconds].tolist(), seconds]
    spans = [(a, b) for a, b in pairwise(edges) if b - a > LONG_GAP]
    notes = []
    for a, b in spans[:5]:
        known = calls.peaks_from != DETECTED or any(
            one.first < b * SAMPLING_RATE and one.last > a * SAMPLING_RATE
            for one in calls.stretches
        )
        middle, half = (a + b) / 2, min((b - a) / 2 - 1, SEEN)  # without the beats at its ends
        part = round((middle - half) * fs), round((middle + half) * fs)
        shown = "" if known else waves(signal.millivolts(*part), fs)
        notes.append(f"no beat from {a:.1f} s to {b:.1f} s{f': {shown}' if shown else ''}")
    more = [f"and {len(spans) - 5} more spans of over {LONG_GAP:g} s without a beat"]
    return notes + (more if len(spans) > 5 else [])


def _note(trained: TrainedStudent, on: str) -> str:
    """Return the comment of the annotation file."""
    knows = " (generated beats)" if trained.metadata.get("source") == "synthetic" else ""
    text = f"ecgphoton {__version__}, student {trained.digest[:12]}{knows} on {on}: "
    if not trained.point.binary:
        other = "Q is any other, " if "O" in trained.classes else ""
        return f"{text}classes {' '.join(trained.classes)}; {other}? not classifiable"
    threshold = f"{trained.point.threshold:.4f}"
    return text + f"Q is abnormal of any kind (p >= {threshold}), ? not classifiable"
