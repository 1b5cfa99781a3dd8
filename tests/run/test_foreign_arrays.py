"""Arrays of other libraries and types are read for what they say, or refused."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import ecgphoton as ep
from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.patients import GAIN, patient, synthesise
from ecgphoton.ecg.recording import Recording
from ecgphoton.run.journey import Outcome
from ecgphoton.student.inputs import inputs_of

STUDENT = ep.load("reference-8")


@pytest.fixture(scope="module")
def signal():
    """Half a minute of a made-up patient, mV at 250 Hz."""
    return (synthesise(patient(2), beats=25).digital[:, 0] - 1024) / GAIN


def symbols(signal, fs=250, **options):
    """Annotate."""
    return "".join(ep.annotate(signal, fs, student=STUDENT, **options).symbol)


def test_a_masked_sample_is_missing(signal) -> None:
    """What lies under a mask is not measured, as NaN is not."""
    mask = np.zeros(len(signal), bool)
    mask[1500:3500] = True
    found = symbols(np.ma.masked_array(signal, mask))
    assert found == symbols(np.where(mask, np.nan, signal))
    assert found != symbols(signal)
    peaks = np.ma.masked_array([300, 600, 900], [False, True, False])
    with pytest.raises(ep.InputError, match="peaks: 1 of 3 values are masked"):
        symbols(signal, peaks=peaks)


@pytest.mark.parametrize(
    "other", [np.asarray([1j]), np.array([True]), np.array(["1"]), np.array([0], "M8[s]")]
)
def test_what_is_no_real_number_is_refused(other) -> None:
    """No imaginary part is dropped, and no text, truth or date taken for mV."""
    for row in (np.repeat(other, 1000), np.repeat(other, 1000).astype(object)):
        with pytest.raises(ep.InputError, match="no numbers; give real numbers, in mV"):
            symbols(row)
    with pytest.raises(ep.InputError, match="samples cannot be read"):
        symbols(torch.zeros(1000, requires_grad=True))


def test_what_is_shown_in_a_notebook_fits_a_screen(signal) -> None:
    """The last line of a cell shows what a value is, and not the numbers that it holds."""
    called = ep.annotate(signal, 250, student=STUDENT)
    beats = load_all(["s01"], data="synthetic").beats
    for value in (ep.load_bundle(STUDENT.folder), Outcome(beats, {}, Path())):
        assert len(repr(value)) < 300
    assert repr(called) == "Beats(25 beats, N 23, Q 2)"
    assert repr(beats) == f"BeatSet(beats={len(beats)}, records=1, source='synthetic')"


def test_a_number_without_axes_is_a_number(signal) -> None:
    """``np.load`` gives the rate of an ``.npz`` file as an array that holds one number."""
    assert symbols(signal, fs=np.array(250)) == symbols(signal, fs=torch.tensor(250.0))
    with pytest.raises(ep.InputError, match=r"fs is array\(\[250\]\)"):
        symbols(signal, fs=np.array([250]))


def test_arrays_of_other_libraries_are_read(signal) -> None:
    """Tensors, series and lists of other numbers are the signal that they hold."""
    single = signal.astype(np.float32)
    wanted = symbols(single)
    series = pd.Series(single)
    for other in (torch.tensor(single), series.astype("Float32"), pd.array(single, "Float32"),
                  series.astype("category"), [Fraction(float(one)) for one in single]):  # fmt: skip
        assert symbols(other) == wanted


@pytest.mark.slow
def test_what_is_below_a_mask_is_no_beat_label_or_probability() -> None:
    """A mask is not dropped: beats, labels, records and probabilities that have one are refused."""
    beats = ep.load_splits(data="synthetic").test

    def hidden(column):
        mask = np.zeros(np.shape(column), bool)
        mask[3] = True
        return np.ma.masked_array(column, mask)

    def simulated(labels, records=None):
        ep.simulate(STUDENT.student, beats, labels, STUDENT.point, chips=1, records=records)

    shares = ep.predict(STUDENT.student, beats)[:, 1]
    for call in (
        lambda: replace(beats, windows=hidden(beats.windows)),
        lambda: replace(beats, label=hidden(beats.label)),
        lambda: simulated(hidden(beats.label)),
        lambda: simulated(beats.label, hidden(beats.record)),
        lambda: STUDENT.point.decide(hidden(shares)),
    ):
        with pytest.raises(ep.InputError, match="values are masked"):
            call()
    for records in ([None] * len(beats), np.full(len(beats), np.nan)):
        with pytest.raises(ep.InputError, match="records "):
            simulated(beats.label, records)


def test_a_rate_is_any_number(signal) -> None:
    """Of numpy, a fraction; a text is refused by name."""
    wanted = symbols(signal)
    for fs in (250.0, np.float32(250), np.int16(250), Fraction(250)):
        assert symbols(signal, fs) == wanted
    for fs in ("250", True, None, [250]):
        with pytest.raises(ep.InputError, match=r"fs|rate"):
            symbols(signal, fs)


def test_no_samples_are_no_beats() -> None:
    """An empty signal, and a stream that ends before it begins, hold no beats."""
    assert symbols([]) == ""
    assert len(ep.Annotator(250, student=STUDENT).finish()) == 0
    assert symbols([], peaks=[]) == ""


def test_a_lead_in_another_unit_is_refused(signal) -> None:
    """A pressure is no ECG, and samples are in mV."""
    for unit in ("mmHg", "uV"):
        held = Recording(signal[:, None], 250.0, ("II",), (unit,), Path("x"), "text")
        with pytest.raises(ep.InputError, match=f"'II' is in '{unit}'; an ECG in mV"):
            ep.annotate(held, student=STUDENT)


def test_windows_that_are_not_normalised_are_refused() -> None:
    """Beats in mV or ADC units give no answer."""
    beats = ep.load_splits(data="synthetic").test
    with pytest.raises(ep.InputError, match=r"window of these beats reaches .* \[-1, 1\]"):
        ep.predict(STUDENT.student, replace(beats, windows=1000 * beats.windows))


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        (lambda y: np.where(y == 0, np.nan, y), "nan"),
        (lambda y: y - 1, "-1"),
        (lambda y: np.where(y == 0, 0.4, y), "0.4"),
        (lambda y: np.where(y > 0, "V", "N"), "'N', 'V'"),
        (lambda y: y[:, None], "shape"),
    ],
)
def test_labels_are_classes(labels, named) -> None:
    """What is not known, outside the label scheme, or a symbol is not taken for abnormal."""
    beats = ep.load_splits(data="synthetic").test
    inputs = ep.inputs_of(beats, STUDENT.student.architecture)
    with pytest.raises(ep.InputError, match=f"labels .*{named}.* one row of classes is needed"):
        ep.simulate(STUDENT.student, inputs, labels(beats.label), STUDENT.point, chips=1)


@pytest.mark.parametrize("wrong", [{"chips": 2.5}, {"seed": 1.5}, {"seed": None}, {"workers": 1.5}])
def test_counts_are_whole_numbers(wrong) -> None:
    """A seed of 1.5 is not that of 1."""
    beats = ep.load_splits(data="synthetic").test
    inputs = ep.inputs_of(beats, STUDENT.student.architecture)
    (name,) = wrong
    with pytest.raises(ep.InputError, match=f"^{name} is .* a whole number"):
        ep.simulate(STUDENT.student, inputs, beats.label, STUDENT.point, **{"chips": 1, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [{"quality": "Drop"}, {"centring": "QRS"}, {"stratified": "no"}, {"split_seed": 1.5}],
)
def test_a_choice_that_is_none_is_refused(wrong) -> None:
    """A mistyped choice is not taken for the default, and "no" not for true."""
    (name,) = wrong
    with pytest.raises(ep.InputError, match=f"^{name} is "):
        ep.load_splits(data="synthetic", **wrong)
    for function in (ep.verify, lambda _, **given: ep.export_bundle("r", "b", **given)):
        name = "sax" if function is ep.verify else "force"
        with pytest.raises(ep.InputError, match=f"^{name} is 'no'"):
            function("b", **{name: "no"})


def test_beats_are_simulated_as_their_inputs_are() -> None:
    """A set of beats or its inputs; other types and precisions are refused by name."""
    beats = ep.load_splits("reference", data="synthetic").test
    inputs = inputs_of(beats, STUDENT.student.architecture)
    wanted = ep.simulate(STUDENT.student, inputs, beats.label, STUDENT.point, chips=2)
    found = ep.simulate(STUDENT.student, beats, beats.label, STUDENT.point, chips=2)
    assert np.array_equal(found.miss, wanted.miss)
    wrong = {
        "float64; a student reads float32": inputs.mapped(torch.Tensor.double),
        "a student reads values in": inputs.mapped(lambda part: 2 * part),
        "is of type Tensor; it must be of type BeatSet or of type Inputs": inputs.window,
        "window of these beats is a ndarray": replace(inputs, window=inputs.window.numpy()),
        "row for each beat": replace(inputs, window=inputs.window[0]),
        "a torch.sparse_coo tensor on cpu": inputs.mapped(torch.Tensor.to_sparse),
        "a torch.strided tensor on meta": inputs.mapped(lambda part: part.to("meta")),
    }
    for message, other in wrong.items():
        with pytest.raises(ep.InputError, match=message):
            ep.simulate(STUDENT.student, other, beats.label, STUDENT.point, chips=2)
        with pytest.raises(ep.InputError, match=message):
            ep.predict(STUDENT.student, other)
    with pytest.raises(ep.InputError, match="block is -5; it must be at least 1"):
        ep.predict(STUDENT.student, beats, block=-5)
    with pytest.raises(ep.InputError, match="operating_point is of type float; it must be of type"):
        ep.simulate(STUDENT.student, beats, beats.label, 0.5, chips=2)
