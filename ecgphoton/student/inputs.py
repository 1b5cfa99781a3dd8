"""Inputs of a student, as tensors."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.patient_features import columns_of
from ecgphoton.errors import InputError
from ecgphoton.mesh.arrays import Singles
from ecgphoton.student.architecture import Architecture

LARGEST = 1.001
"""Largest size of an input: 1, but for rounding."""


@dataclass(frozen=True)
class Inputs:
    """Beats as tensors, one row a beat."""

    window: Tensor
    """(B, 360), normalised samples in [-1, 1]."""
    rhythm: Tensor | None = None
    """(B, 4 k), four features in [-1, 1] for each of the k tokens of `Architecture.patient`."""
    residual: Tensor | None = None
    """(B, 120), QRS part of beat minus running template, in [-1, 1]."""

    def __len__(self) -> int:
        """Return the number of beats."""
        return int(self.window.shape[0])

    def rows(self, index: slice | Tensor) -> "Inputs":
        """Return a subset of the beats."""
        return self.mapped(lambda part: part[index])

    def mapped(self, change: Callable[[Tensor], Tensor]) -> "Inputs":
        """Return the beats with every part changed alike."""
        rest = (None if part is None else change(part) for part in (self.rhythm, self.residual))
        return Inputs(change(self.window), *rest)

    def join(self, other: "Inputs") -> "Inputs":
        """Return these beats and then the others, which have the same parts."""
        pairs = ((self.rhythm, other.rhythm), (self.residual, other.residual))
        rest = (None if a is None or b is None else torch.cat([a, b]) for a, b in pairs)
        return Inputs(torch.cat([self.window, other.window]), *rest)

    def finite(self) -> "Inputs":
        """Return the beats themselves.

        Raises
        ------
        InputError
            If a value is NaN or infinite; the message names the beats.
        """
        for name, part in vars(self).items():
            if part is None or bool(torch.isfinite(part.sum())):
                continue
            bad = (~torch.isfinite(part)).any(1).nonzero()[:, 0].tolist()
            if bad:
                some = ", ".join(map(str, bad[:5])) + (" ..." if len(bad) > 5 else "")
                raise InputError(
                    f"{name} of {len(bad)} of {len(self)} beats holds NaN or infinity (beats "
                    f"{some}); leave such beats out"
                )
        return self


def evenly(beats: int, most: int) -> Tensor:
    """Rows of at most `most` beats, spread evenly over all."""
    # Always single precision, so that the rows do not depend on torch's default type.
    return torch.linspace(0, beats - 1, min(most, beats), dtype=torch.float32).long()


def inputs_of(beats: BeatSet | Inputs, architecture: Architecture) -> Inputs:
    """Return the tensors a student of this architecture reads.

    Parameters
    ----------
    beats
        A `BeatSet`, or what this function made of one before.

    Returns
    -------
    Windows (B, 360), and the patient features and residuals (B, 120) that the student reads.

    Raises
    ------
    InputError
        If they are something else, or a value is not of single precision, NaN, infinite or outside
        [-1, 1], as those of beats in mV are.
    """
    columns = columns_of(architecture.features)
    if isinstance(beats, BeatSet):
        beats = Inputs(
            _tensor(beats.windows),
            _tensor(beats.patient.take(columns, axis=1)) if columns else None,
            _tensor(beats.residual) if architecture.template else None,
        )
    if not isinstance(beats, Inputs):
        raise InputError(f"beats are a {type(beats).__name__}; give a BeatSet, or its inputs_of")
    for name, part in vars(beats).items():
        rows = tuple(part.shape[:1]) if isinstance(part, Tensor) and part.dim() == 2 else ()
        if part is not None and rows != (len(beats.window),):
            raise InputError(
                f"{name} of these beats is a {type(part).__name__} of shape "
                f"{tuple(getattr(part, 'shape', ()))}; give a tensor with a row for each beat"
            )
        if part is None:
            continue
        if part.dtype != torch.float32:
            raise InputError(f"{name} of these beats is {part.dtype}; a student reads float32")
        if part.layout != torch.strided or part.device.type != "cpu":
            raise InputError(
                f"{name} of these beats is a {part.layout} tensor on {part.device}; give numbers "
                "in memory, as inputs_of makes them"
            )
    found = beats.finite()
    for name, part in vars(found).items():
        if part is None or not len(part):
            continue
        if (far := max(map(abs, part.aminmax()))) > LARGEST:
            raise InputError(
                f"{name} of these beats reaches {float(far):g}; a student reads values in [-1, 1], "
                "windows as ecgphoton.ecg.features.normalise returns them"
            )
    return found


def _tensor(values: Singles) -> Tensor:
    """Return an array as a tensor, which shares its memory unless that is read-only."""
    return torch.as_tensor(values if values.flags.writeable else values.copy())
