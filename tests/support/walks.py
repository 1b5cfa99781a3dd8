"""Windows of beats that are random walks."""

import numpy as np

from ecgphoton.ecg.features import WINDOW


def beats(count, seed=0):
    """Random walks, one window each."""
    return np.random.default_rng(seed).normal(size=(count, WINDOW)).cumsum(axis=1)


def steady(count, noise=0.0, seed=3):
    """One beat over and over, with white noise relative to its size."""
    one = beats(1)[0]
    rng = np.random.default_rng(seed)
    return one + noise * np.abs(one).max() * rng.normal(size=(count, WINDOW))
