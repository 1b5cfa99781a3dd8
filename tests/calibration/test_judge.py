"""The operating point of a chip comes from its calibration beats alone."""

import numpy as np
import pytest

from ecgphoton.calibration.judge import refit
from ecgphoton.decision import ThresholdPolicy


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
