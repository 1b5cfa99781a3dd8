"""A bundle explains its inputs: ``features.py`` computes them from a raw recording."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.ecg.reading import AnnotatedLead
from ecgphoton.ecg.resample import Resampler, ratio, resample, scaled
from ecgphoton.ecg.rhythm import Rhythm
from ecgphoton.errors import InputError
from ecgphoton.export import golden
from ecgphoton.export.bundle import load_bundle
from ecgphoton.export.claimed_bundle import ClaimedBundle
from ecgphoton.export.claims import CHECKS
from ecgphoton.export.golden import npz
from ecgphoton.export.input_features import inputs
from ecgphoton.program.preprocessing import preprocessing
from ecgphoton.student.architecture import TOKENS, Architecture, Token
from ecgphoton.student.inputs import inputs_of

OWN_FEATURES = list(FEATURES.shipped)
PADDED = OWN_FEATURES + OWN_FEATURES[: -len(OWN_FEATURES) % 4]
ALL = Architecture(
    patient=tuple(Token(f"t{at}", tuple(PADDED[at : at + 4])) for at in range(0, len(PADDED), 4)),
    template=True,
)
STUDENTS = {
    "window": Architecture(),
    "tokens": Architecture(patient=TOKENS[:2]),
    "residual": Architecture(template=True),
    "both": Architecture(patient=TOKENS, template=True),
}


def mesh_of(architecture, centring="annotation"):
    """What ``features.py`` reads of a mesh file."""
    return {
        "preprocessing": preprocessing(architecture, centring, "MLII"),
        "student": architecture.to_dict(),
        "pooling": [{"source": branch.source} for branch in architecture.sliding],
    }


def recorded(rate, *, number=7, beats=90, edges=True):
    """Raw signal and R samples of a patient with premature beats, cut and with gaps."""
    made = synthesise(patient(number, seed=5), beats=beats)
    factor = 1 / ratio(rate, "made")
    raw, peaks = (
        resample(made.digital[:, 0].astype(np.float32), factor),
        scaled(made.samples, factor),
    )
    if not edges:
        return raw, peaks
    first = peaks[0] - int(0.2 * rate)  # inside the windows of the first and the last beat
    raw, peaks = raw[first : peaks[-1] + int(0.3 * rate)].copy(), peaks - first
    raw[:3] = np.nan
    for beat, start, length in ((30, 0.1, 0.4), (50, -0.1, 2.0), (70, 0.2, 1 / rate)):
        at = peaks[beat] + int(start * rate)
        raw[at : at + max(1, int(length * rate))] = np.nan
    at = peaks[60] + int(0.2 * rate)
    raw[at : at + round(1.2 * rate)] = raw[at]  # stands still
    return raw, peaks


def package(raw, rate, peaks, centring):
    """Beats of the package itself, and which of the R samples they are."""
    factor = ratio(rate, "made")
    beats = scaled(peaks, factor)
    symbols = np.full(len(beats), "N")
    signal = Resampler(factor).push(raw, last=True)
    lead = AnnotatedLead("made", signal, beats, symbols, "MLII")
    found = extract(lead, source="made", centring=centring).beats
    return found, np.flatnonzero(np.isin(beats, found.sample))


def same(found, architecture, beats, rows):
    """Whether inputs are those of the package."""
    wanted = vars(inputs_of(beats, architecture))
    read = {name: value.numpy() for name, value in wanted.items() if name in architecture.reads}
    assert found.keys() == {"beat", *read}
    assert np.array_equal(found["beat"], rows)
    return all(np.abs(found[name] - value).max(initial=0) <= 1e-5 for name, value in read.items())


@pytest.mark.parametrize("centring", ["annotation", "qrs"])
@pytest.mark.parametrize("rate", [100, 128, 250, 333.3, 360, 500, 1000])
def test_every_feature_at_every_rate(rate, centring) -> None:
    """All features, windows and the residual equal the package's within 1e-5, gaps and all."""
    raw, peaks = recorded(rate)
    beats, rows = package(raw, rate, peaks, centring)
    assert 75 <= len(beats) < 85
    found = golden.explained(mesh_of(ALL, centring), raw, rate, peaks)
    assert same(found, ALL, beats, rows)


@pytest.mark.parametrize("student", STUDENTS)
def test_a_student_gets_what_it_reads(student) -> None:
    """Tokens and residual are there for students that read them, in the order of the student."""
    architecture, (raw, peaks) = STUDENTS[student], recorded(250, number=2)
    beats, rows = package(raw, 250, peaks, "qrs")
    found = golden.explained(mesh_of(architecture, "qrs"), raw, 250, peaks)
    assert same(found, architecture, beats, rows)


@pytest.mark.slow
def test_long_memories() -> None:
    """Beyond 250 intervals and 65 regular beats the features are still the same."""
    raw, peaks = recorded(360, number=9, beats=330)
    beats, rows = package(raw, 360, peaks, "annotation")
    assert same(golden.explained(mesh_of(ALL), raw, 360, peaks), ALL, beats, rows)


def test_the_unit_does_not_matter() -> None:
    """Volts or ADC codes far from zero, the inputs are those of the package."""
    raw, peaks = recorded(500)
    for signal in (raw * np.float32(1e-5), raw - np.float32(30_000)):
        beats, rows = package(signal, 500, peaks, "qrs")
        assert same(golden.explained(mesh_of(ALL, "qrs"), signal, 500, peaks), ALL, beats, rows)


@pytest.mark.parametrize("centring", ["annotation", "qrs"])
@pytest.mark.parametrize("what", ["no beat", "one beat", "flat", "nothing measured"])
def test_hardly_anything(what, centring) -> None:
    """Recordings with one beat, none, or no signal give what the package gives."""
    raw, peaks = recorded(250, edges=False)
    peaks = {"no beat": peaks[:0], "one beat": peaks[5:6]}.get(what, peaks[:20])
    raw = {"flat": np.full_like(raw, 512), "nothing measured": np.full_like(raw, np.nan)}.get(
        what, raw
    )
    beats, rows = package(raw, 250, peaks, centring)
    assert same(golden.explained(mesh_of(ALL, centring), raw, 250, peaks), ALL, beats, rows)


def test_masked_and_infinite_samples_are_missing() -> None:
    """They are read like NaN, whatever value lies below the mask."""
    raw, peaks = recorded(250)
    missing = np.isnan(raw)
    wanted = golden.explained(mesh_of(ALL), raw, 250, peaks)
    hidden = np.ma.masked_array(np.where(missing, 1000, raw), missing)
    for signal in (hidden, np.where(missing, np.inf, raw)):
        found = golden.explained(mesh_of(ALL), signal, 250, peaks)
        assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"signal": np.zeros((500, 2))}, r"signal is \(500, 2\) of float64"),
        ({"signal": np.zeros(500, complex)}, "of complex128; give one row of numbers"),
        ({"rate": np.nan}, "rate is nan"),
        ({"r_samples": [[100, 300]]}, r"r_samples are \(1, 2\)"),
        ({"r_samples": [100, np.nan]}, "whole numbers in order"),
        ({"r_samples": [100.5, 300]}, "whole numbers in order"),
        ({"r_samples": [300, 100]}, "whole numbers in order"),
        ({"r_samples": np.ma.masked_array([100, 300], [False, True])}, "none of them masked"),
    ],
)
def test_what_would_be_read_wrongly_is_refused(wrong, said) -> None:
    """Two leads at once, numbers that are none, R samples out of order: no answer is made up."""
    given = {"signal": np.zeros(500), "rate": 360, "r_samples": [100, 300]}
    with pytest.raises(ValueError, match=said):
        inputs(mesh_of(ALL), **given | wrong)


def test_golden_recording_has_what_is_hard() -> None:
    """It holds premature beats, a gap, cut ends, and enough regular beats for their template."""
    raw = golden.generated()
    beats, _ = golden.inputs_from(raw, ALL, "annotation")
    assert len(beats) <= len(raw.samples) - 3
    assert (raw.signal == golden.MISSING).any()
    assert 30 <= len(raw.signal) / raw.rate <= 40
    rhythm = Rhythm.of(scaled(raw.samples, Fraction(360, golden.RATE)))
    assert rhythm.regular[:20].sum() >= 5
    assert 2 <= (rhythm.pre - rhythm.usual < -0.15).sum() <= 10


def claim(folder):
    """Outcome and finding of the claim about ``features.py``."""
    (check,) = [check for text, check in CHECKS.items() if text.startswith("features.py")]
    return check(ClaimedBundle(folder, None))


@pytest.mark.slow
def test_verify_recomputes_the_recording(bundle, tmp_path) -> None:
    """Inputs and decisions follow from the raw signal; another decision or value fails."""
    outcome, found = claim(bundle)
    assert outcome == "ok"
    assert "recording at 250 Hz" in found
    copy = shutil.copytree(bundle, tmp_path / "copy")
    _, arrays = golden.read_recording(bundle / "golden_recording.npz")
    changes = {"decision": 1 - arrays["decision"], "rhythm": arrays["rhythm"] + np.float32(1e-4)}
    for name, value in changes.items():
        (copy / "golden_recording.npz").write_bytes(npz(arrays | {name: value}))
        outcome, found = claim(copy)
        assert outcome == "failed"
        assert name in found
    (copy / "golden_recording.npz").write_bytes(npz({"signal": arrays["signal"]}))
    with pytest.raises(InputError, match="not a golden recording"):
        claim(copy)


@pytest.mark.parametrize(
    ("name", "old", "new", "differs"),
    [
        ("features.py", "0.03", "0.04", "features.py: rhythm"),
        (
            "features.py",
            "np.hamming",
            "np.hanning",
            "features.py from the manifest",
        ),  # not used here
        ("mesh.json", '"kaiser_beta":5.0', '"kaiser_beta":6.0', "features.py: window"),
        ("mesh.json", '"threshold":0.5', '"threshold":0.0', "features.py: decisions"),
    ],
)
def test_the_checker_goes_from_raw_to_decision(bundle, tmp_path, name, old, new, differs) -> None:
    """check.py computes inputs by features.py, decides, and names what is not as stored."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))
    done = subprocess.run(
        [sys.executable, copy / "check.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert differs in done.stdout


def test_mesh_file_explains_every_feature(bundle) -> None:
    """Each feature has its formula; every number of the package that is used stands in the file."""
    mesh = json.loads((bundle / "mesh.json").read_text())
    about = mesh["preprocessing"]
    read = [name for token in mesh["student"]["patient"] for name in token["features"]]
    assert list(about["features"]) == read
    assert all("tanh" in words for words in about["features"].values())
    assert about["shape"]["regular"] == 65
    program = load_bundle(bundle).program
    assert (program.centring, program.lead) == (about["centring"], about["lead"])


def test_no_meaning_refers_to_another() -> None:
    """A formula can be read alone: it names neither another feature nor one above it."""
    for name in OWN_FEATURES:
        meaning = FEATURES[name].meaning
        assert "same" not in meaning.lower(), name
        assert not any(f"As {other}" in meaning for other in OWN_FEATURES), name
