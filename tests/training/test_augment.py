"""Augmentation: 360 samples in, 360 normalised samples out, the residual moving along."""

import math

import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.augment import Augmentation, Augmented

ALL = Augmentation(shift=8, amplitude=0.2, wander=0.2, noise=0.05)


def generator(seed=0):
    """Fresh generator."""
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "settings",
    [
        ALL,
        Augmentation(shift=60),
        Augmentation(amplitude=1.0),
        Augmentation(wander=1.0),
        Augmentation(noise=1.0),
    ],
)
def test_shapes_ranges_and_rhythm_are_kept(toy, settings):
    """Every augmented beat has its shape, lies in [-1, 1], is finite; rhythm is untouched."""
    inputs = toy(64).inputs
    changed = Augmented(settings)(inputs, generator())
    for before, after in (
        (inputs.window, changed.window),
        (inputs.residual, changed.residual),
    ):
        assert before.shape == after.shape
        assert after.isfinite().all()
        assert after.abs().max() <= 1
    assert changed.rhythm is inputs.rhythm
    assert not torch.equal(changed.window, inputs.window)


def test_inputs_are_not_changed_in_place(toy):
    """The beats given stay as they were."""
    inputs = toy(32).inputs
    window, residual = inputs.window.clone(), inputs.residual.clone()
    Augmented(ALL)(inputs, generator())
    assert torch.equal(inputs.window, window)
    assert torch.equal(inputs.residual, residual)


def test_the_generator_decides(toy):
    """The same generator state gives the same beats, another gives others."""
    inputs, change = toy(32).inputs, Augmented(ALL)
    first = change(inputs, generator(1)).window
    assert torch.equal(first, change(inputs, generator(1)).window)
    assert not torch.equal(first, change(inputs, generator(2)).window)


def test_a_shift_moves_samples_and_repeats_the_edge():
    """Each row is itself, some samples later, with its edge sample repeated; all shifts occur."""
    rows = torch.arange(360.0).repeat(400, 1) / 360
    shifted = Augmented(Augmentation(shift=3))(Inputs(rows), generator()).window
    by = ((rows - shifted)[:, 180] * 360).round().long()
    assert set(by.tolist()) == {-3, -2, -1, 0, 1, 2, 3}
    for row, amount in zip(shifted[:20], by[:20], strict=True):
        expected = (torch.arange(360) - amount).clamp(0, 359) / 360
        assert torch.allclose(row, expected)


def test_the_residual_shifts_with_the_window():
    """A residual equal to the window's QRS part stays equal to it away from the edge."""
    draw = generator(3)
    window = torch.rand(50, 360, generator=draw) * 2 - 1
    inputs = Inputs(window, None, window[:, 120:240].clone())
    changed = Augmented(Augmentation(shift=5))(inputs, draw)
    assert torch.equal(changed.residual[:, 5:-5], changed.window[:, 125:235])


def test_the_residual_takes_on_what_the_window_took_on(toy):
    """Template (window minus residual) is the same before and after, where nothing was clipped."""
    inputs = toy(64).inputs
    changed = Augmented(Augmentation(amplitude=0.1, wander=0.05))(inputs, generator())
    template = inputs.window[:, 120:240] - inputs.residual
    after = changed.window[:, 120:240] - changed.residual
    free = changed.residual.abs() < 1
    assert free.float().mean() > 0.9
    assert torch.allclose(template[free], after[free], atol=1e-5)


def test_disturbed_beats_are_normalised_again(toy):
    """After gain, drift or noise a beat has its largest magnitude at 1 and mean about 0."""
    changed = Augmented(ALL)(toy(64).inputs, generator()).window
    assert torch.allclose(changed.abs().amax(1), torch.ones(64), atol=1e-5)
    assert changed.mean(1).abs().max() < 1e-4


def test_noise_on_features_has_the_standard_deviation_asked_for():
    """It stays within [-1, 1], and leaves the windows as they are."""
    inputs = Inputs(torch.rand(2000, 360) - 0.5, torch.tensor([[0.0, 1.0]]).repeat(2000, 8))
    noisy = Augmented(Augmentation(features=0.1))(inputs, generator())
    assert torch.equal(noisy.window, inputs.window)
    assert abs(float(noisy.rhythm[:, ::2].std()) - 0.1) < 0.005
    assert float(noisy.rhythm.max()) == 1.0


def test_noise_has_the_standard_deviation_asked_for():
    """On beats whose extremes dominate, added noise has the given spread within 5 %."""
    window = torch.zeros(400, 360)
    window[:, 100], window[:, 260] = 1.0, -1.0
    noisy = Augmented(Augmentation(noise=0.02))(Inputs(window), generator()).window
    quiet = torch.cat([noisy[:, :100], noisy[:, 101:260], noisy[:, 261:]], 1)
    assert float(quiet.std()) == pytest.approx(0.02, rel=0.05)


def test_drift_stays_below_its_amplitude():
    """Baseline wander is slow and no larger than asked for."""
    window = torch.zeros(400, 360)
    window[:, 100], window[:, 260] = 1.0, -1.0
    changed = Augmented(Augmentation(wander=0.2))._disturbed(window, generator())
    drift = torch.cat([changed[:, :100], changed[:, 101:260], changed[:, 261:]], 1)
    assert drift.abs().max() < 0.2 * 2 / 0.8
    assert drift[:, 10:90].diff(dim=1).abs().max() < 0.02


def test_flat_beats_stay_finite():
    """A beat of zeros does not become NaN."""
    inputs = Inputs(torch.zeros(4, 360), None, torch.zeros(4, 120))
    changed = Augmented(Augmentation(shift=3, amplitude=0.5))(inputs, generator())
    assert (changed.window == 0).all()
    assert (changed.residual == 0).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("shift", -1), ("shift", 61), ("amplitude", -0.1), ("wander", math.nan), ("noise", 2.0)],
)
def test_settings_out_of_range_are_refused_by_their_recipe_key(name, value):
    """The message names the recipe key and the value."""
    with pytest.raises(InputError, match=rf"augment\.{name} is {value!r}"):
        Augmentation(**{name: value})
