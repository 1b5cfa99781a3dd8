"""What a mesh file says of the student's inputs: how each is computed from a recording.

Numbers are those of `ecgphoton.ecg`; words name them by their keys. ``features.py`` in a bundle
computes with these numbers and nothing else.
"""

from typing import Any

from ecgphoton.ecg import detect, features, missing, resample, rhythm, shape
from ecgphoton.ecg.detect import Centring
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.student.architecture import Architecture

MISSING = (
    "A sample that is not a finite number is missing, and so is each of still_s seconds or more of "
    "samples in a row that have one value: they were not measured."
)
RESAMPLING = (
    "Where the recording is not at `rate`: with `rate` over its own rate as a fraction up / down "
    "in terms up to largest_term, sample m of the result is the sum over k of x[k] h(m down - k "
    "up), h(i) = g(i) / (sum of g(i + n up) over all n), g(i) = sinc(i / M) times the Kaiser "
    "window of kaiser_beta, |i| <= zero_crossings M, M = max(up, down). The nearest measured "
    "sample, the earlier of two, stands in for a missing one and beyond both ends. A new sample is "
    "missing where the old one at floor(m down / up + 1/2) is. R samples times up / down are "
    "rounded, ties to even."
)
QRS_MIDDLE = (
    "Where centring is `qrs`, the middle of the QRS replaces the R sample, for windows and "
    "intervals: where the energy is largest within `reach` samples of it, the first of equal ones. "
    "Energy: a band-pass of band_taps taps (the difference of the sinc low-passes at the limits of "
    "band_hz, times a Hamming window, gain 1 in the middle of the band); then the magnitude of the "
    "sample half a slope_step later minus that half a slope_step earlier, 0 at both ends; then a "
    "mean of smooth_taps samples, weighted by a Hann window without its zeros. Ends are repeated, "
    "a missing sample has the value of the last measured one, or 0 before the first. No middle "
    "comes before that of an earlier beat. A beat with a missing sample within reach + band_taps / "
    "2 of its R sample keeps that. Where centring is `annotation`, the R samples are used."
)
WINDOWS = (
    "Samples of the beat from half a window before its R sample (or QRS middle), which is in the "
    "second half, at index window / 2. A beat whose window leaves the recording or holds a missing "
    "sample has none; its R sample still counts for intervals."
)
NORMALISATION = (
    "In single precision: subtract the mean of the window, divide by the largest magnitude, clip "
    "to [-1, 1]. A window becomes zeros if the largest magnitude behind the subtraction is at most "
    "`flat` times the largest before it."
)
RHYTHM = (
    "Of all beats of the recording, with a window or not. Interval: time from the R sample (or QRS "
    "middle) before to that of the beat, s, clipped to limits_s. An interval in which a sample is "
    "missing is not there, unless it is shorter than `doubtful` times the median of the up to "
    "`recent` intervals before it. `recent`, `usual`, long_run: earlier intervals, at most, that "
    "it is compared with. A beat is regular if the logarithms of "
    "the intervals before and after it are within `regular` of the median of the logarithms of the "
    "up to `usual` intervals before these two; a beat without one of them is not."
)
SHAPE = (
    "Of the beats with a window, normalised. Parts `qrs`, `p`, `t`: samples of the window, from "
    "first to one past the last; P and T part in means of `step` samples. Running template: "
    "the median, sample by sample, of the beat and the up to `running` - 1 before it. Regular "
    "template: that of the up to `regular` regular beats before the beat; where there are fewer "
    "than fewest_regular, the running template. residual: QRS part minus running template, clipped "
    "to [-1, 1]. The usual value of a quantity: its median over the beats of the template, each "
    "compared with its own template. A slope is the difference of two samples `step` apart, over "
    "`step`, at least least_slope; a magnitude at least least_magnitude; a cosine has a divisor of "
    "at least least_length."
)
FEATURE_WORDS = (
    "Inputs of the patient tokens, single precision, in [-1, 1]; 0 where what a feature needs is "
    "not there (no earlier beat, no next beat). ln is the natural logarithm. delay_beats is 1 "
    "where a feature needs the beat after this one: in a stream the answer comes one beat late."
)


def preprocessing(architecture: Architecture, centring: Centring, lead: str) -> dict[str, Any]:
    """Return the description of the inputs of a student, as it stands in a mesh file.

    Parameters
    ----------
    lead
        Name of the lead that the student was trained on, empty where it is not known.
    """
    parts = {"qrs": features.QRS, "p": shape.P_PART, "t": shape.T_PART}
    return {
        "rate": round(features.SAMPLING_RATE),
        "window": features.WINDOW,
        "lead": lead,
        "centring": centring,
        "delay_beats": architecture.delay,
        "missing": {"still_s": missing.STILL, "how": MISSING},
        "resampling": {
            "largest_term": resample.LARGEST_TERM,
            "zero_crossings": resample.ZERO_CROSSINGS,
            "kaiser_beta": resample.KAISER_BETA,
            "how": RESAMPLING,
        },
        "qrs_middle": {
            "band_hz": list(detect.BAND),
            "band_taps": detect.BAND_TAPS,
            "slope_step": detect.STEP,
            "smooth_taps": detect.SMOOTH_TAPS,
            "reach": detect.CENTRE,
            "how": QRS_MIDDLE,
        },
        "windows": WINDOWS,
        "normalisation": {"flat": features.FLAT, "how": NORMALISATION},
        "rhythm": {
            "limits_s": list(rhythm.RR_LIMITS),
            "recent": rhythm.RECENT,
            "usual": rhythm.USUAL,
            "long_run": rhythm.LONG_RUN,
            "lags": rhythm.LAGS,
            "doubtful": rhythm.DOUBTFUL,
            "regular": rhythm.REGULAR,
            "how": RHYTHM,
        },
        "shape": {
            **{name: [part.start, part.stop] for name, part in parts.items()},
            "step": shape.STEP,
            "running": shape.TEMPLATE_BEATS,
            "regular": shape.REGULAR_BEATS,
            "fewest_regular": shape.FEWEST,
            "least_slope": shape.LEAST_SLOPE,
            "least_magnitude": shape.LEAST_MAGNITUDE,
            "least_length": shape.LEAST_LENGTH,
            "how": SHAPE,
        },
        "features": {name: FEATURES[name].meaning for name in architecture.features},
        "features_are": FEATURE_WORDS,
    }
