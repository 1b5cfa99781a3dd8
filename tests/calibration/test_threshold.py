"""The operating point of a chip comes from its calibration beats alone."""

import numpy as np
import pytest

from ecgphoton.calibration.threshold import centre, reference_of, refit
from ecgphoton.decision import ThresholdPolicy
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
    points = refit(np.stack([plain, shifted]), label, ThresholdPolicy(blend=0.35))
    called = [point.decide(row) for point, row in zip(points, (plain, shifted), strict=True)]
    assert points[1].threshold > points[0].threshold + 0.1
    for rows in (label, ~label):
        assert called[0][rows].mean() == pytest.approx(called[1][rows].mean(), abs=0.02)
    assert points[0].fitted_on == ("chip calibration",)


def test_centring_undoes_a_shift_of_one_record_without_labels() -> None:
    """Two records whose scores differ by a constant score alike after centring."""
    one, _ = scores(0.0)
    other, _ = scores(1.2)
    record = np.repeat(["a", "b"], len(one))
    both = np.concatenate([one, other])
    result = centre(both, record, reference_of(one, record[: len(one)]))
    assert np.allclose(result[: len(one)], one, atol=1e-6)
    assert np.allclose(result[len(one) :], one, atol=1e-6)


def test_short_records_and_certain_scores_are_safe() -> None:
    """A record of a few beats keeps its scores; probabilities of 0 and 1 stay finite."""
    one, _ = scores(0.0)
    record = np.array(["a"] * (len(one) - 5) + ["b"] * 5)
    result = centre(one, record, 3.0)
    assert np.allclose(result[-5:], one[-5:], atol=1e-6)
    assert not np.allclose(result[:-5], one[:-5], atol=1e-2)
    assert np.isfinite(centre(np.tile([0.0, 1.0], 50), np.repeat("a", 100))).all()


def test_what_does_not_fit_is_refused() -> None:
    """Scores and labels of different length, and an impossible quantile, are user errors."""
    plain, label = scores(0.0)
    with pytest.raises(InputError, match="beats"):
        refit(plain[None, :-1], label, ThresholdPolicy())
    with pytest.raises(InputError, match="quantile"):
        centre(plain, np.repeat("a", len(plain)), quantile=2.0)
