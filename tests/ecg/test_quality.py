"""Stretches that are no ECG are found, and only those."""

import numpy as np
import pytest
from recordings import ecg, write_wfdb

from ecgphoton.ecg.annotate import classify_record
from ecgphoton.ecg.quality import LENGTH, REASONS, Watch, judge, reasons
from ecgphoton.ecg.reading import open_signal
from ecgphoton.ecg.resample import Resampler, ratio

RNG = np.random.default_rng(0)
HUM = np.sin(2 * np.pi * 50 * np.arange(LENGTH) / 360)
FLUTTER = np.sin(2 * np.pi * 4.5 * np.arange(LENGTH) / 360) * (
    1 + 0.1 * RNG.standard_normal(LENGTH)
)


def spikes(width):
    """Make a dead lead with a spike of 1 mV and some samples a second."""
    made = 0.005 * RNG.standard_normal(LENGTH)
    for at in range(width):
        made[100 + at :: 360] += 1
    return made


def steps(shape, amplitude=1.0, fs=360, seconds=5, period=1.0):
    """Make a dead lead on which a shape (of seconds since it began) recurs."""
    since = np.arange(round(seconds * fs)) / fs % period
    return amplitude * shape(since) + 0.005 * RNG.standard_normal(len(since))


def pulse(width):
    """Return a rectangular pulse of some seconds."""
    return lambda since: 1.0 * (since < width)


def tap(seconds):
    """Return an electrode that is tapped, and returns with a time constant."""
    return lambda since: np.exp(-since / seconds)


def windows(signal):
    """Cut a signal at 360 Hz into windows."""
    count = len(signal) // LENGTH
    return np.asarray(signal[: count * LENGTH], np.float32).reshape(count, LENGTH)


@pytest.mark.parametrize(
    ("what", "made"),
    [
        ("flat", np.zeros(LENGTH)),
        ("flat", 0.005 * RNG.standard_normal(LENGTH)),
        ("flat", 1e-3 * ecg(5, 360)[0]),  # a unit too small
        ("noise", HUM),
        ("noise", 2 * np.sin(2 * np.pi * 59.9 * np.arange(LENGTH) / 360)),
        ("noise", 0.2 * RNG.standard_normal(LENGTH)),
        ("noise", HUM + 0.1 * RNG.standard_normal(LENGTH)),
        ("saturated", np.clip(3 * np.sin(np.arange(LENGTH) / 60), -1, 1)),
        ("scale", 1000 * ecg(5, 360)[0]),
        *(("spikes", spikes(width)) for width in (2, 3, 4)),
        *(("steps", steps(pulse(width))) for width in (0.2, 0.25, 0.3)),  # calibration pulses
        *(("steps", steps(tap(tau), 2, period=0.9)) for tau in (0.03, 0.1, 0.3)),
        ("steps", steps(pulse(0.4), 10, period=0.8)),  # an amplifier that toggles
        ("", ecg(5, 360)[0] + steps(pulse(0.2))),
        ("", ecg(5, 360)[0] + steps(tap(0.1), 8)),
        ("", ecg(5, 360)[0] + steps(pulse(2.2), period=5)),
        ("", ecg(5, 360)[0]),
        ("", ecg(5, 360, rr=2.4)[0]),
        ("", ecg(5, 360)[0] + spikes(2)),
        ("", -ecg(5, 360, rr=0.35)[0]),
        ("", ecg(5, 360)[0] + np.sin(np.arange(LENGTH) / 200)),
        ("", ecg(5, 360)[0] + HUM),
        ("", FLUTTER),
    ],
)  # fmt: skip
def test_what_is_no_ecg_is_named(what, made):
    """Flat, hum, noise, saturation and wrong units are named; ECG, also with hum, is not."""
    assert judge(windows(made)).tolist() == [what]


@pytest.mark.parametrize("fs", [100, 128, 250, 1000])
@pytest.mark.parametrize("shape", [pulse(0.2), tap(0.05)])
def test_steps_are_found_at_every_rate(shape, fs):
    """However sharp the resampled edges are, and wherever the windows cut them, steps are steps."""
    made = steps(shape, 2, fs=fs, seconds=20).astype(np.float32)
    at_360 = Resampler(ratio(fs, "made"), 1.0).push(made, last=True)
    assert set(judge(windows(at_360)).tolist()) == {"steps"}


def test_missing_samples_are_not_judged():
    """A window that is mostly missing is a gap, not a flat lead."""
    made = np.array([ecg(5, 360)[0]], np.float32)
    made[0, 300:400] = np.nan
    assert judge(made).tolist() == [""]
    made[0, :1000] = np.nan
    assert judge(made).tolist() == [""]


@pytest.mark.parametrize("step", [37, 1000, 1800, 99_999])
def test_pieces_do_not_matter(step):
    """However the signal is cut into pieces, the same stretches are found and joined."""
    signal = np.concatenate([ecg(10, 360)[0], np.zeros(5000), ecg(12, 360)[0]]).astype(np.float32)
    watch = Watch(gain=1.0)
    for first in range(0, len(signal), step):
        watch.push(signal[first : first + step], last=first + step >= len(signal))
    assert [str(stretch) for stretch in watch.stretches] == [f"10 to 20 s: {REASONS['flat']}"]
    assert reasons(np.array([100, 3599, 3600, 7199, 7200]), watch.stretches).tolist() == [
        "", "", REASONS["flat"], REASONS["flat"], ""
    ]  # fmt: skip


def test_an_electrode_that_falls_off_gives_no_calls(tmp_path):
    """After a minute of ECG, ten of amplifier noise: nothing there is called, and it is said."""
    signal, beats = ecg(60, 128)
    off = 0.005 * np.random.default_rng(1).standard_normal(600 * 128)
    record = write_wfdb(tmp_path, "a", np.concatenate([signal, off]), fs=128)

    def normal(beats):
        return np.tile(np.float32([1, 0]), (len(beats), 1))

    calls = classify_record(open_signal(record), normal)
    called = calls.sample[calls.classified] / 128
    assert called.max() < 60
    assert abs(len(called) - len(beats)) <= 2
    assert [str(stretch) for stretch in calls.stretches] == [f"60 to 660 s: {REASONS['flat']}"]


@pytest.mark.mitdb
def test_the_database_is_an_ecg(mitdb):
    """Ventricular flutter (207) and pacing (107) are not taken for noise."""
    for name in ("107", "207"):
        signal, watch = open_signal(mitdb / name), None
        watch = Watch(signal.lead.gain)
        for first, piece in signal.blocks():
            watch.push(piece, last=first + len(piece) == signal.length_360)
        assert watch.stretches == []
