"""Golden examples: synthetic beats with every intermediate code, and a generated raw recording.

The codes check a laboratory's electronics. The recording, with all that a student reads and decides
of it, is the golden example of ``features.py``, the explanation of the inputs that a bundle holds
(`ecgphoton.export.input_features`, which repeats the computation on purpose, in numpy alone).
"""

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from ecgphoton.artifacts import read_arrays
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.detect import Centring
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.ecg.reading import AnnotatedLead
from ecgphoton.ecg.resample import ratio, resample, scaled
from ecgphoton.ecg.synthetic import extracted
from ecgphoton.export import input_features
from ecgphoton.export.quantize import QuantizedStudent
from ecgphoton.intake import expecting
from ecgphoton.mesh.arrays import AnyArray, Integers, Singles
from ecgphoton.program.blocks import largest_code
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.architecture import SAMPLES, Architecture
from ecgphoton.student.propagate import Inputs, evenly, inputs_of

GOLDEN = 32  # beats
PATIENTS = tuple(f"s{number:02d}" for number in range(1, 10))


def synthetic_inputs(architecture: Architecture, *, seed: int = 0, beats: int = 60) -> Inputs:
    """Return the beats of nine synthetic patients, `beats` each; no recorded data is in them."""
    made = extracted(PATIENTS, seed=seed, beats=beats).values()
    return inputs_of(BeatSet.concat([part.beats for part in made]), architecture)


def golden_inputs(architecture: Architecture) -> Inputs:
    """Return 32 beats: 28 synthetic, then zeros, both extremes alternating, full scale, noise.

    The synthetic beats are smoothed over 17 samples, which keeps the file small.
    """
    many = synthetic_inputs(architecture, seed=1)
    inputs = many.rows(evenly(len(many), GOLDEN))
    padded = torch.nn.functional.pad(inputs.window[:, None], (8, 8), mode="replicate")
    window = torch.nn.functional.avg_pool1d(padded, 17, 1)[:, 0]
    sample = torch.arange(SAMPLES)
    window[-4] = 0.0
    window[-3] = 1.0 - 2.0 * (sample % 2)
    window[-2] = 1.0
    draw = np.random.default_rng(0).uniform(-1, 1, SAMPLES)
    window[-1] = torch.as_tensor(draw, dtype=window.dtype)
    return replace(inputs, window=window)


def arrays_of(inputs: Inputs) -> dict[str, Singles]:
    """Return the inputs that are there, by name, as float32 arrays: what an ONNX graph is fed."""
    return {
        name: np.asarray(part.detach().numpy(), np.float32)
        for name, part in vars(inputs).items()
        if part is not None
    }


def decoded(codes: Mapping[str, AnyArray], bits: int) -> Inputs:
    """Return the beats of a trace of codes: input codes over full scale."""
    read = [item.name for item in fields(Inputs) if item.name in codes]
    full = largest_code(bits)
    return Inputs(**{name: torch.as_tensor(codes[name].astype(np.float32) / full) for name in read})


def npz(arrays: Mapping[str, object]) -> bytes:
    """Return arrays, such as the trace of a student on golden beats, as a small npz."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        for name, value in arrays.items():
            array = io.BytesIO()
            np.save(array, _smallest(np.asarray(value, order="C")), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")  # dated 1980: equal content, equal bytes
            entry.compress_type = zipfile.ZIP_LZMA
            archive.writestr(entry, array.getvalue())
    return buffer.getvalue()


def read_golden(path: Path, bits: int) -> tuple[Inputs, dict[str, AnyArray]]:
    """Return the inputs (codes over full scale) and all arrays of a golden file.

    Raises
    ------
    InputError
        If the file is not a readable npz of plain arrays with a window in it.
    """
    arrays = read_arrays(path, "a golden file")
    with expecting(path, "a golden file"):
        return decoded(arrays, bits), arrays


def _smallest(value: AnyArray) -> AnyArray:
    """Return integers in the narrowest type that holds them."""
    if value.dtype.kind != "i":
        return value
    lowest = min(int(value.min()), -1 - int(value.max()))  # of what a signed type has to hold
    return value.astype(np.min_scalar_type(lowest))


explained: Callable[..., dict[str, AnyArray]] = input_features.inputs
"""What ``features.py`` of a bundle computes: mesh file, signal, rate and R samples to inputs."""
LIMIT = 1e-5
"""Largest difference of an input that is accepted."""
RATE, BEATS, PATIENT, SEED = 250, 44, 2, 4
MISSING = -32768
"""Code of a sample that was not measured, as in WFDB's format 16."""


class Raw(NamedTuple):
    """One lead as a device records it."""

    signal: AnyArray
    """``(n,)`` ADC codes, `MISSING` where nothing was measured."""
    rate: float
    """Hz."""
    samples: Integers
    """``(beats,)`` R samples at that rate."""

    @property
    def measured(self) -> Singles:
        """The signal with NaN for what is missing."""
        return np.where(self.signal == MISSING, np.nan, self.signal).astype(np.float32)


def unexplained(architecture: Architecture) -> tuple[str, ...]:
    """Return the student's features of other packages, which ``features.py`` cannot compute."""
    return tuple(name for name in architecture.features if name not in FEATURES.shipped)


def generated() -> Raw:
    """Return 36 s of a generated patient with premature beats, a gap, and both ends in a beat."""
    made = synthesise(patient(PATIENT, seed=SEED), beats=BEATS)
    factor = Fraction(RATE, round(SAMPLING_RATE))
    signal = np.rint(resample(made.digital[:, 0].astype(np.float32), factor)).astype(np.int16)
    samples = scaled(made.samples, factor)
    edge = RATE // 4  # half of what a window needs
    gap = samples[BEATS // 2] + edge
    signal[gap : gap + RATE // 10] = MISSING
    first, last = samples[0] - edge, samples[-1] + edge
    return Raw(signal[first:last], RATE, samples - first)


def inputs_from(
    raw: Raw, architecture: Architecture, centring: Centring
) -> tuple[Integers, Inputs]:
    """Return which beats of a recording have a window, and what a student reads of these."""
    factor = ratio(raw.rate, "the golden recording")
    beats = scaled(raw.samples, factor)
    symbols = np.full(len(beats), "N")
    lead = AnnotatedLead(
        "golden", resample(raw.measured, factor), beats, symbols, "", synthetic=True
    )
    found = extract(lead, source="synthetic", centring=centring).beats
    return np.searchsorted(beats, found.sample), inputs_of(found, architecture)


def recording_file(program: MeshProgram) -> bytes:
    """Return the golden recording as an npz, with inputs and decisions of the integer student."""
    raw = generated()
    beat, inputs = inputs_from(raw, program.architecture, program.centring)
    probability = QuantizedStudent.from_program(program).predict(inputs)
    found = {"beat": beat, "decision": program.operating_point.classify(np.asarray(probability))}
    return npz(raw._asdict() | arrays_of(inputs) | found)


def read_recording(path: Path) -> tuple[Raw, dict[str, AnyArray]]:
    """Return the recording, and all arrays of the file.

    Raises
    ------
    InputError
        If the file is no golden recording.
    """
    arrays = read_arrays(path, "a golden recording")
    with expecting(path, "a golden recording"):
        raw = Raw(arrays["signal"], float(arrays["rate"]), arrays["samples"].astype(np.int64))
        if raw.signal.ndim != 1 or raw.samples.ndim != 1 or (np.diff(raw.samples) <= 0).any():
            raise ValueError("its samples are not in order")
        return raw, arrays
