"""The operating point of a chip comes from its calibration beats alone."""

import numpy as np
import pytest

from ecgphoton.calibration.threshold import centred, chip_points, log_odds, typical
from ecgphoton.errors import InputError


def scores(shift: float, beats: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of two classes, moved by `shift`, as probabilities; and labels."""
    draw = np.random.default_rng(seed)
    label = draw.random(beats) < 0.2
    odds = draw.normal(np.where(label, 2.5, -2.5), 1.0) + shift
    return 1 / (1 + np.exp(-odds)), label


def test_a_chip_that_shifts_scores_gets_a_shifted_threshold() -> None:
    """Miss and FPR at a chip's own threshold do not depend on a common shift of its scores."""
    plain, label = scores(0.0)
    shifted, _ = scores(1.5)
    points = chip_points(np.stack([plain, shifted]), label)
    called = [point.decide(row) for point, row in zip(points, (plain, shifted), strict=True)]
    assert points[1].threshold > points[0].threshold + 0.1
    for rows in (label, ~label):
        assert called[0][rows].mean() == pytest.approx(called[1][rows].mean(), abs=0.02)
    assert points[0].fitted_on == ("calibration",)


def test_centring_undoes_a_shift_of_one_record_without_labels() -> None:
    """Two records whose scores differ by a constant score alike after centring."""
    one, _ = scores(0.0)
    other, _ = scores(1.2)
    record = np.repeat(["a", "b"], len(one))
    both = np.concatenate([one, other])
    result = centred(both, record, typical(one, record[: len(one)]))
    assert np.allclose(result[: len(one)], one, atol=1e-6)
    assert np.allclose(result[len(one) :], one, atol=1e-6)


def test_centring_looks_at_the_first_beats_only_when_told_and_can_do_nothing() -> None:
    """Later beats do not move the median of the first ones; strength 0 changes nothing."""
    one, _ = scores(0.0)
    record = np.repeat("a", len(one))
    changed = one.copy()
    changed[500:] = 0.999
    early = [centred(p, record, 0.0, beats=500)[:500] for p in (one, changed)]
    assert np.array_equal(*early)
    assert np.allclose(centred(one, record, 9.0, strength=0.0), one, atol=1e-6)
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()


def test_what_does_not_fit_is_refused() -> None:
    """Scores and labels of different length, and a strength above 1, are user errors."""
    plain, label = scores(0.0)
    with pytest.raises(InputError, match="a score for every label"):
        chip_points(plain[None, :-1], label)
    with pytest.raises(InputError, match="strength"):
        centred(plain, np.repeat("a", len(plain)), 0.0, strength=2.0)
