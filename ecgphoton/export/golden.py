"""Synthetic beats with every intermediate code, to check a laboratory's electronics against."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ecgphoton.artifacts import read_arrays
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.synthetic import extracted
from ecgphoton.errors import InputError
from ecgphoton.program.codes import largest_code
from ecgphoton.student.architecture import SAMPLES, Architecture
from ecgphoton.student.propagate import Inputs, inputs_of

GOLDEN = 32  # beats
NAMES = ("window", "rhythm", "residual")
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
    inputs = many.rows(torch.linspace(0, len(many) - 1, GOLDEN).long())
    padded = torch.nn.functional.pad(inputs.window[:, None], (8, 8), mode="replicate")
    window = torch.nn.functional.avg_pool1d(padded, 17, 1)[:, 0]
    sample = torch.arange(SAMPLES)
    window[-4] = 0.0
    window[-3] = 1.0 - 2.0 * (sample % 2)
    window[-2] = 1.0
    draw = np.random.default_rng(0).uniform(-1, 1, SAMPLES)
    window[-1] = torch.as_tensor(draw, dtype=window.dtype)
    return replace(inputs, window=window)


def arrays_of(inputs: Inputs) -> dict[str, NDArray[np.float32]]:
    """Return the inputs that are there, by name, as float32 arrays: what an ONNX graph is fed."""
    parts = {name: getattr(inputs, name) for name in NAMES}
    return {
        name: np.asarray(part.detach().numpy(), np.float32)
        for name, part in parts.items()
        if part is not None
    }


def decoded(codes: Mapping[str, NDArray[Any]], bits: int) -> Inputs:
    """Return the beats of a trace of codes: input codes over full scale."""
    parts = {
        name: torch.as_tensor(codes[name].astype(np.float32) / largest_code(bits))
        for name in NAMES
        if name in codes
    }
    return Inputs(**parts)


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


def read_golden(path: Path, bits: int) -> tuple[Inputs, dict[str, NDArray[Any]]]:
    """Return the inputs (codes over full scale) and all arrays of a golden file.

    Raises
    ------
    InputError
        If the file is not a readable npz of plain arrays with a window in it.
    """
    arrays = read_arrays(path, "a golden file")
    try:
        return decoded(arrays, bits), arrays
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{path} is not a golden file: {error}") from error


def _smallest(value: NDArray[Any]) -> NDArray[Any]:
    """Return integers in the narrowest type that holds them."""
    if value.dtype.kind != "i":
        return value
    low, high = int(value.min()), int(value.max())
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return value.astype(dtype)
    return value
