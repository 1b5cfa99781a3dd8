"""A generated raw recording with all that a student reads and decides of it.

It is the golden example of ``features.py``, the explanation of the inputs that a bundle holds
(`ecgphoton.export.input_features`, which repeats the computation on purpose, in numpy alone).
"""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecgphoton.artifacts import read_arrays
from ecgphoton.ecg.detect import Centring
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.patient_features import FEATURES, OWN
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.ecg.reading import AnnotatedLead
from ecgphoton.ecg.resample import ratio, resample, scaled
from ecgphoton.errors import InputError
from ecgphoton.export import input_features
from ecgphoton.export.golden import arrays_of, npz
from ecgphoton.export.quantize import QuantizedStudent
from ecgphoton.program.program import MeshProgram
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.propagate import Inputs, inputs_of

explained: Callable[..., dict[str, NDArray[Any]]] = input_features.inputs
"""What ``features.py`` of a bundle computes: mesh file, signal, rate and R samples to inputs."""
LIMIT = 1e-5
"""Largest difference of an input that is accepted."""
RATE, BEATS, PATIENT, SEED = 250, 44, 2, 4
MISSING = -32768
"""Code of a sample that was not measured, as in WFDB's format 16."""


class Raw(NamedTuple):
    """One lead as a device records it."""

    signal: NDArray[np.int16]
    """``(n,)`` ADC codes, `MISSING` where nothing was measured."""
    rate: float
    """Hz."""
    samples: NDArray[np.int64]
    """``(beats,)`` R samples at that rate."""

    @property
    def measured(self) -> NDArray[np.float32]:
        """The signal with NaN for what is missing."""
        return np.where(self.signal == MISSING, np.nan, self.signal).astype(np.float32)


def unexplained(architecture: Architecture) -> tuple[str, ...]:
    """Return the student's features of other packages, which ``features.py`` cannot compute."""
    own = list(FEATURES)[:OWN]
    return tuple(name for name in architecture.features if name not in own)


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
) -> tuple[NDArray[np.int64], Inputs]:
    """Return which beats of a recording have a window, and what a student reads of these."""
    factor = ratio(raw.rate, "golden recording")
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


def read_recording(path: Path) -> tuple[Raw, dict[str, NDArray[Any]]]:
    """Return the recording, and all arrays of the file.

    Raises
    ------
    InputError
        If the file is no golden recording.
    """
    arrays = read_arrays(path, "a golden recording")
    try:
        raw = Raw(arrays["signal"], float(arrays["rate"]), arrays["samples"].astype(np.int64))
        good = raw.signal.ndim == raw.samples.ndim == 1 and (np.diff(raw.samples) > 0).all()
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is not a golden recording: {error}") from error
    if not good:
        raise InputError(f"{path} is not a golden recording: its samples are not in order")
    return raw, arrays
