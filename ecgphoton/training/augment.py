"""Augmentation: shift, gain, baseline drift and noise, drawn anew for every batch."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ecgphoton.settings import Settings, setting
from ecgphoton.student.propagate import Inputs

QRS_START, QRS_STOP = 120, 240  # where the template residual sits in the window
DRIFT = (0.15, 0.8)  # Hz: breathing and slow movement


@dataclass(frozen=True)
class Augmentation(Settings, section="augment"):
    """How much every training beat is changed; 0 everywhere changes nothing.

    Magnitudes are relative to a normalised beat in [-1, 1]; beats are normalised again afterwards.

    Raises
    ------
    InputError
        When a value is outside what its declaration allows.
    """

    shift: int = setting(
        0, "Largest shift to either side (1 sample is 2.8 ms).", low=0, high=60, unit="samples"
    )
    amplitude: float = setting(
        0.0,
        "Standard deviation of the logarithm of a gain that varies slowly along the beat.",
        low=0,
        high=1,
    )
    wander: float = setting(
        0.0,
        "Largest amplitude of a sinusoidal baseline drift of 0.15 to 0.8 Hz.",
        low=0,
        high=1,
    )
    noise: float = setting(0.0, "Standard deviation of white noise.", low=0, high=1)
    features: float = setting(
        0.0,
        "Standard deviation of noise on patient features, which are kept in [-1, 1].",
        low=0,
        high=1,
    )
    fibrillation: float = setting(
        0.0,
        "Share of each training record whose normal beats train a second time, in a made-up rhythm "
        "of atrial fibrillation.",
        low=0,
        high=1,
    )


@dataclass(frozen=True)
class Augmented:
    """Changes windows, the template residual with them, and patient features by noise alone.

    The residual is shifted like the window; then the change of the window's QRS part is added to
    it, because the template, an average of earlier beats, would not change with this beat.
    """

    settings: Augmentation

    def __call__(self, inputs: Inputs, generator: torch.Generator) -> Inputs:
        """Return changed beats."""
        window, residual = inputs.window, inputs.residual
        if self.settings.shift:
            reach = self.settings.shift
            by = torch.randint(-reach, reach + 1, (len(inputs), 1), generator=generator)
            window = _shifted(window, by)
            residual = None if residual is None else _shifted(residual, by)
        changed = self._disturbed(window, generator)
        if residual is not None and changed is not window:
            residual = (residual + (changed - window)[:, QRS_START:QRS_STOP]).clamp_(-1, 1)
        rhythm = inputs.rhythm
        if rhythm is not None and self.settings.features:
            noise = torch.randn(rhythm.shape, generator=generator, dtype=rhythm.dtype)
            rhythm = (rhythm + self.settings.features * noise).clamp_(-1, 1)
        return replace(inputs, window=changed, residual=residual, rhythm=rhythm)

    def _disturbed(self, window: Tensor, generator: torch.Generator) -> Tensor:
        """Gain, drift and noise, then normalisation; the window itself if none is asked for."""
        settings, kind, (beats, samples) = self.settings, window.dtype, window.shape
        changed = window
        if settings.amplitude:
            slope = torch.randn(beats, 1, generator=generator, dtype=kind) * settings.amplitude
            changed = changed * (slope * torch.linspace(-1, 1, samples, dtype=kind)).exp()
        if settings.wander:
            size, rate, phase = torch.rand(3, beats, 1, generator=generator, dtype=kind)
            angle = 2 * math.pi * (DRIFT[0] + (DRIFT[1] - DRIFT[0]) * rate)
            time = torch.arange(samples, dtype=kind) / samples  # a window lasts one second
            drift = (angle * time + 2 * math.pi * phase).sin()
            changed = changed + settings.wander * size * drift
        if settings.noise:
            noise = torch.randn(beats, samples, generator=generator, dtype=kind)
            changed = changed + settings.noise * noise
        return window if changed is window else _normalised(changed)


def _shifted(rows: Tensor, by: Tensor) -> Tensor:
    """Shift each row to the right by its number of samples, repeating the sample at the edge."""
    samples = rows.shape[1]
    return rows.gather(1, (torch.arange(samples) - by).clamp_(0, samples - 1))


def _normalised(rows: Tensor) -> Tensor:
    """Subtract each row's mean and divide by its largest magnitude."""
    rows = rows - rows.mean(1, keepdim=True)
    return (rows / rows.abs().amax(1, keepdim=True).clamp_min(1e-6)).clamp_(-1, 1)
