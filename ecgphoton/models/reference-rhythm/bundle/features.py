"""Compute what the student reads from a recording, with numpy alone.

Every number comes from ``preprocessing`` in mesh.json, which also explains it in words::

    mesh = json.loads(pathlib.Path("mesh.json").read_text())
    read = inputs(mesh, signal, rate, r_samples)

A whole recording goes in. Features that look at the next beat are known one beat late in a stream;
``preprocessing.delay_beats`` tells whether the student has one.
"""

from fractions import Fraction

import numpy as np


def inputs(mesh, signal, rate, r_samples):
    """Return what the student reads of every beat with a whole window.

    ``signal`` is one lead in any unit at 100 to 1000 Hz, masked or NaN where nothing was measured;
    ``r_samples`` are the R samples of all beats, in order, at its ``rate``. The answer holds the
    arrays that the student has inputs for, ``window`` (n, 360), ``rhythm`` (n, 4 a token) and
    ``residual`` (n, 120), and ``beat`` (n,), which of the R samples they belong to.
    """
    about, student = mesh["preprocessing"], mesh["student"]
    signal, r_samples = checked(signal, rate, r_samples)
    signal = measured(signal, round(about["missing"]["still_s"] * rate))
    signal, beats = at_common_rate(signal, rate, r_samples, about)
    if about["centring"] == "qrs":
        beats = middles(signal, beats, about["rate"], about["qrs_middle"])
    rows, raw = windows(signal, beats, about["window"])
    window, magnitude = normalised(raw, about["normalisation"]["flat"])
    rhythm, regular = rhythm_features(signal, beats, about["rate"], about["rhythm"])
    residual, shape = shape_features(window, magnitude, rows, regular[rows], about["shape"])
    known = {name: value[rows] for name, value in rhythm.items()} | shape
    named = [name for token in student["patient"] for name in token["features"]]
    rhythm = np.array([known[name] for name in named], np.float32).T
    found = {"window": window, "rhythm": np.nan_to_num(rhythm), "residual": residual}
    read = {
        "window",
        *(branch["source"] for branch in mesh["pooling"]),
        *(["rhythm"] * bool(named)),
    }
    return {"beat": rows} | {name: value for name, value in found.items() if name in read}


def checked(signal, rate, r_samples):
    """Return one lead, NaN where it is masked or not finite, and R samples as whole numbers."""
    signal, beats = np.ma.asarray(signal), np.ma.asarray(r_samples)
    if signal.ndim != 1 or signal.dtype.kind not in "iuf":
        raise ValueError(f"signal is {signal.shape} of {signal.dtype}; give one row of numbers")
    if not 0 < rate < np.inf:
        raise ValueError(f"rate is {rate}; give the sampling rate in Hz")
    if beats.ndim != 1 or (beats.size and beats.dtype.kind not in "iuf"):
        raise ValueError(f"r_samples are {beats.shape} of {beats.dtype}; give one row of numbers")
    whole = np.ma.filled(beats.astype(float), np.nan)
    if not (whole == np.rint(whole)).all() or not (np.diff(whole) >= 0).all():
        raise ValueError("r_samples must be whole numbers in order, and none of them masked")
    signal = np.ma.filled(signal.astype(np.float32), np.nan)
    return np.where(np.isfinite(signal), signal, np.float32(np.nan)), whole.astype(np.int64)


def measured(signal, still):
    """Return the signal, NaN where `still` or more samples in a row have one value."""
    starts = np.flatnonzero(np.diff(signal, prepend=np.nan) != 0)
    runs = np.diff(starts, append=len(signal))
    return np.where(np.repeat(runs >= still, runs), np.float32(np.nan), signal)


def at_common_rate(signal, rate, r_samples, about):
    """Resample signal and R samples with a polyphase filter; what is missing stays missing."""
    how, n = about["resampling"], len(signal)
    ratio = Fraction(about["rate"] / float(rate)).limit_denominator(how["largest_term"])
    up, down = ratio.numerator, ratio.denominator
    if up == down or not n:
        return signal, r_samples
    r_samples = np.rint(r_samples * (up / down)).astype(np.int64)
    place = np.arange(-(-n * up // down)) * down  # of the new samples, n up to a second of `rate`
    missing = np.isnan(signal)
    if missing.all():
        return np.full(len(place), np.nan, np.float32), r_samples
    known = np.flatnonzero(~missing)
    filled = signal[known[np.searchsorted(known[:-1] + known[1:], 2 * np.arange(n))]]
    half = how["zero_crossings"] * max(up, down)
    taps = np.sinc(np.arange(-half, half + 1) / max(up, down))
    taps *= np.kaiser(len(taps), how["kaiser_beta"])
    phase = np.arange(len(taps)) % up
    taps = np.pad(taps / np.bincount(phase, taps)[phase], up)  # a constant stays one
    out = np.zeros(len(place))
    for ahead in range(-(half // up), half // up + 2):  # of the old sample before each new one
        old = np.clip(place // up + ahead, 0, n - 1)
        out += filled[old] * taps[place % up - ahead * up + half + up]
    out[missing[np.minimum((2 * place + up) // (2 * up), n - 1)]] = np.nan
    return out.astype(np.float32), r_samples


def middles(signal, beats, rate, how):
    """Move beats to the middle of their QRS, where the slope in the QRS band is largest."""

    def smoothed(values, taps):
        return np.convolve(np.pad(values, len(taps) // 2, "edge"), taps, "valid")

    inside = np.flatnonzero((beats >= 0) & (beats < len(signal)))
    if not len(inside):
        return beats
    last = np.maximum.accumulate(np.where(np.isfinite(signal), np.arange(len(signal)), -1))
    held = np.where(last < 0, 0.0, signal[last].astype(float))
    low, high = np.array(how["band_hz"]) / (rate / 2)
    at = np.arange(how["band_taps"]) - how["band_taps"] // 2
    band = (high * np.sinc(high * at) - low * np.sinc(low * at)) * np.hamming(len(at))
    wave = smoothed(held, band / (band @ np.cos(np.pi * at * (low + high) / 2)))
    step, slope = how["slope_step"], np.zeros(len(wave))
    slope[step // 2 : -(step // 2)] = np.abs(wave[step:] - wave[:-step])
    hann = np.hanning(how["smooth_taps"] + 2)[1:-1]
    reach, moved = how["reach"], beats.copy()
    energy = np.pad(smoothed(slope, hann / hann.sum()), reach, constant_values=-1.0)
    missing, away = np.isnan(signal), reach + how["band_taps"] // 2
    for beat in inside:
        if missing[max(0, beats[beat] - away) : beats[beat] + away + 1].any():
            continue  # what remains of a QRS has its largest energy elsewhere
        near = energy[beats[beat] : beats[beat] + 2 * reach + 1]
        moved[beat] += near.argmax() - reach
    return np.maximum.accumulate(moved)


def windows(signal, beats, length):
    """Return which beats have a whole window, and these windows."""
    start = beats - length // 2
    whole = [
        0 <= at <= len(signal) - length and np.isfinite(signal[at : at + length]).all()
        for at in start
    ]
    rows = np.flatnonzero(whole)
    return rows, signal[start[rows][:, None] + np.arange(length)]


def normalised(raw, flat):
    """Return windows between -1 and 1, and the largest magnitude of each before that."""
    centred = raw - raw.mean(axis=1, keepdims=True)
    size = np.abs(centred).max(axis=1, keepdims=True)
    level = np.abs(raw).max(axis=1, keepdims=True)
    scaled = np.where(size <= flat * level, 0, centred / np.where(size == 0, 1, size))
    return np.clip(scaled, -1, 1), size[:, 0]


def rhythm_features(signal, beats, rate, how):
    """Return the features of the intervals of all beats, and which beats are regular."""

    def before(values, most, middle=np.median):
        """Return the middle of the up to `most` values before each, NaN where there is none."""
        pasts = [values[max(0, at - most) : at] for at in range(len(values))]
        pasts = [past[~np.isnan(past)] for past in pasts]
        return np.array([middle(past) if len(past) else np.nan for past in pasts])

    def earlier(values, by):
        """Return the value of the beat `by` beats before each, NaN where there is none."""
        return np.append(np.full(by, np.nan), values)[: len(values)]

    interval = np.append(np.full(min(len(beats), 1), np.nan), np.diff(beats) / rate)
    interval = np.clip(interval, *how["limits_s"])
    missing = np.append(0, np.cumsum(np.isnan(signal)))[np.clip(beats, 0, len(signal))]
    long = ~(interval < how["doubtful"] * before(interval, how["recent"]))
    interval[long & (np.diff(missing, prepend=missing[:1]) > 0)] = np.nan  # it may hide a beat
    pre = np.log(interval)
    post = np.append(pre[1:], np.nan)[: len(pre)]
    usual = before(pre, how["usual"])
    scatter = before(np.abs(pre - usual), how["usual"])
    steps = [np.abs(pre - earlier(pre, lag)) for lag in range(1, how["lags"] + 1)]
    irregularity = before(np.fmin.reduce(steps), how["usual"])
    signs = [np.sign(pre - earlier(pre, lag)) for lag in range(1, how["usual"] + 1)]
    ranked = np.sum(np.isfinite(signs), axis=0)
    rank = np.nansum(signs, axis=0) / np.where(ranked == 0, np.nan, ranked)
    features = {
        "pre/recent": np.tanh(4 * (pre - np.log(before(interval, how["recent"])))),
        "pre/long-run": np.tanh(4 * (pre - np.log(before(interval, how["long_run"], np.mean)))),
        "pre/previous": np.tanh(4 * (pre - earlier(pre, 1))),
        "interval": np.tanh(2 * (interval - 0.8)),
        "post/pre": np.tanh(4 * (post - pre)),
        "post/usual": np.tanh(4 * (post - usual)),
        "interval z": np.tanh((pre - usual) / (3 * (scatter + 0.03))),
        "next interval z": np.tanh((post - usual) / (3 * (scatter + 0.03))),
        "irregularity": np.tanh(np.log(irregularity + 0.01) + 3),
        "interval rank": rank,
    }
    near = [np.abs(value - usual) < how["regular"] for value in (pre, post)]
    return features, near[0] & near[1]


def shape_features(window, magnitude, rows, regular, how):
    """Return the residual, and the features of the shape of all beats with a window."""
    step, (qrs, p, t) = how["step"], (window[:, slice(*how[part])] for part in ("qrs", "p", "t"))
    p, t = (part.reshape(len(part), part.shape[1] // step, step).mean(axis=2) for part in (p, t))
    steepness = np.abs(qrs[:, step:] - qrs[:, :-step]).max(axis=1) / step
    steepness = np.maximum(steepness, how["least_slope"])
    size = np.log(np.maximum(magnitude, how["least_magnitude"]))
    width = np.abs(qrs - np.median(window, axis=1, keepdims=True)).mean(axis=1)
    last = [np.arange(max(0, at + 1 - how["running"]), at + 1) for at in range(len(rows))]
    steady = [np.flatnonzero(regular[:at])[-how["regular"] :] for at in range(len(rows))]
    steady = [a if len(a) >= how["fewest_regular"] else b for a, b in zip(steady, last)]

    def cosine(one, other):
        lengths = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
        return (one * other).sum(axis=1) / np.maximum(lengths, how["least_length"])

    def against(groups):
        """Compare every beat with the median of its group of beats."""

        def usual(values):
            found = [np.median(values[group], axis=0) for group in groups]
            return np.array(found, np.float32).reshape(values.shape)

        def above(values, floor):
            return np.log(values + floor) - np.log(usual(values) + floor)

        residual = np.clip(qrs - usual(qrs), -1, 1)
        distance, c = np.abs(residual), cosine(qrs, usual(qrs))
        d, slope = distance.mean(axis=1), np.log(steepness) + size
        return residual, {
            "deviation": np.tanh(above(d, 0.03)),
            "QRS deviation": np.tanh(8 * d - 1),
            "amplitude/usual": np.tanh(3 * (size - usual(size))),
            "width/usual": np.tanh(2 * above(width, 0.02)),
            "QRS largest deviation": np.tanh(np.log(distance.max(axis=1) + 0.05) + 1),
            "T deviation/usual": np.tanh(above(np.abs(t - usual(t)).mean(axis=1), 0.03)),
            "P deviation": np.tanh(8 * np.abs(p - usual(p)).mean(axis=1) - 1),
            "unlikeness": np.tanh(2 * np.log(1.02 - np.minimum(c, 1)) + 4),
            "steepness/usual": np.tanh(2 * (slope - usual(slope))),
        }

    residual, features = against(last)
    for name, value in against(steady)[1].items():
        features[name.removesuffix("/usual") + "/regular"] = value
    likeness = np.full(len(rows), np.nan)
    likeness[:-1] = np.where(np.diff(rows) == 1, cosine(qrs[:-1], qrs[1:]), np.nan)
    features["unlikeness to next"] = np.tanh(np.log(1.02 - np.minimum(likeness, 1)) + 2)
    features["steepness"] = np.tanh(np.log(steepness) + 3)
    return residual, features
