"""Intervals over patients and chips: what they resample, and that the rates add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.errors import InputError
from ecgphoton.hwsim.patients import ByPatient, counted
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.hwsim.verdict import Limits
from ecgphoton.intervals import mean_interval, record_bootstrap
from ecgphoton.metrics import Confusion
from ecgphoton.report.pieces import part

GOOD = Limits().good
OVER = ("chips", "patients", "both")


def widths(found, name):
    """Widths of the intervals over chips, patients and both."""
    return [high - low for low, high in (found[name][over] for over in OVER)]


def test_counts_are_those_of_each_record():
    """Normal beats that are wrong first, then abnormal ones."""
    wrong = np.array([True, True, False, True, True])
    label = np.array([False, True, True, True, False])
    found = counted(wrong, label, np.array([0, 0, 0, 2, 2]))
    assert found.tolist() == [[1, 0, 1], [1, 0, 1]]


def test_only_what_differs_widens_an_interval():
    """Chips alike: no interval over chips. Patients alike: none over patients."""
    beats = np.full((2, 6), 100.0)
    by_patient = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 60.0], (5, 2, 1))
    chips, patients, both = widths(ByPatient(by_patient, beats).intervals(GOOD, 0.95), "miss")
    assert chips < 1e-12
    assert patients == pytest.approx(both)
    assert both > 0.1
    by_chip = np.tile(np.array([0, 0, 0, 0, 60.0])[:, None, None], (1, 2, 6))
    chips, patients, both = widths(ByPatient(by_chip, beats).intervals(GOOD, 0.95), "fpr")
    assert patients < 1e-12
    assert chips == pytest.approx(both)
    assert both > 0.1


def test_a_draw_without_abnormal_beats_counts_for_nothing():
    """Where two of six patients have abnormal beats, every interval is one of their rates."""
    beats = np.array([[50.0] * 6, [40.0, 40.0, 0, 0, 0, 0]])
    wrong = np.zeros((5, 2, 6))
    wrong[:, 1, :2] = 20.0  # half of them, in every chip
    found = ByPatient(wrong, beats)
    assert found.holders == {"normal": 6, "abnormal": 2}
    assert found.intervals(GOOD, 0.95)["miss"]["patients"] == [0.5, 0.5]


def test_two_chips_differ_by_more_than_they_show():
    """The interval over chips is Student's, of the yield Clopper and Pearson's."""
    beats = np.full((2, 4), 1000.0)
    wrong = np.stack([np.full((2, 4), 60.0), np.full((2, 4), 64.0)])
    found = ByPatient(wrong, beats).intervals(GOOD, 0.95)
    low, high = mean_interval(np.array([0.060, 0.064]))
    assert found["miss"]["chips"] == pytest.approx([low, high])
    assert high - low == pytest.approx(2 * 12.706 * 0.002, rel=1e-3)
    assert found["yield"]["chips"] == pytest.approx([0.158, 1.0], abs=1e-3)
    assert found["yield"]["both"] == pytest.approx(found["yield"]["chips"])
    with pytest.raises(InputError, match="one chip tells nothing"):
        ByPatient(wrong[:1], beats).intervals(GOOD, 0.95)


def test_chips_alike_have_the_interval_of_an_evaluation():
    """The same resampling of records as everywhere else."""
    rng = np.random.default_rng(3)
    beats = rng.integers(20, 90, (2, 8)).astype(float)
    wrong = np.floor(beats * rng.random((2, 8)))
    found = ByPatient(np.stack([wrong, wrong]), beats).intervals(GOOD, 0.95)
    records = [
        Confusion(abnormal - missed, missed, false, normal - false)
        for (false, missed), (normal, abnormal) in zip(wrong.T, beats.T, strict=True)
    ]
    for name, rate in (("miss", lambda c: c.miss_rate), ("fpr", lambda c: c.fpr)):
        expected = record_bootstrap(records, rate, seed=20)
        assert found[name]["patients"] == pytest.approx(expected)
        assert found[name]["both"] == pytest.approx(expected)


def test_a_report_gives_all_three_and_says_so(student, inputs, label, point):
    """The records change neither rates nor verdict; a single one is said to be too few."""
    records = np.array([f"p{at % 5}" for at in range(len(label))])
    arguments = (student, inputs, label, point)
    plain = simulate(*arguments, chips=6, noise=0.05)
    report = simulate(*arguments, chips=6, noise=0.05, records=records)
    assert plain.to_dict()["over_patients"] is None
    assert np.array_equal(report.miss, plain.miss)
    assert report.to_dict()["verdict"] == plain.to_dict()["verdict"]
    beats, wrong = report.by_patient.beats, report.by_patient.wrong
    assert beats.sum(1).tolist() == [(label == 0).sum(), (label != 0).sum()]
    np.testing.assert_allclose(wrong.sum(2) / beats.sum(1), np.stack([report.fpr, report.miss], 1))
    found = report.to_dict()["over_patients"]
    assert found["patients"] == 5
    assert found["intervals"]["yield"]["chips"] == list(report.interval)
    for name, value in (("miss", report.miss), ("fpr", report.fpr), ("yield", report.good)):
        row = found["intervals"][name]
        assert row["value"] == value.mean()
        assert all(row[over][0] <= row["value"] <= row[over][1] for over in OVER)
    assert "over 5 records and 6 chips" in found["sentence"]
    one = simulate(*arguments, chips=3, records=np.full(len(label), "p"))
    assert one.over_patients["intervals"] is None
    assert one.over_patients["sentence"].endswith("not given: one patient.")
    lone = simulate(*arguments, chips=1, records=records)
    assert lone.over_patients["sentence"].endswith("not given: one chip.")
    page, alone, empty = (
        part("over_patients", made.to_dict()["over_patients"]).strip()
        for made in (report, one, plain)
    )
    assert found["sentence"] in page
    assert "over both" in page
    assert "one patient" in alone
    assert "over both" not in alone
    assert empty == ""


def test_no_error_seen_is_not_said_to_be_none_elsewhere(student, inputs, point):
    """Where no patient has a missed beat on any chip, the sentence says what this leaves open."""
    label = np.arange(len(inputs)) % 2
    records = np.array([f"p{at % 3}" for at in range(len(label))])
    warned = {}
    for threshold in (point.threshold, 0.0):  # at 0 every beat is called abnormal
        chosen = replace(point, threshold=threshold)
        report = simulate(student, inputs, label, chosen, chips=3, noise=0.05, records=records)
        widths = [np.ptp(row["both"]) for row in report.over_patients["intervals"].values()]
        warned[threshold] = "may still differ" in report.over_patients["sentence"], min(widths) == 0
    assert warned == {point.threshold: (False, False), 0.0: (True, True)}


def test_records_of_other_beats_are_refused(student, inputs, label, point):
    """As many records as beats are needed."""
    trial = trial_of(student, inputs, label, point, noise=0.0)
    with pytest.raises(InputError, match="1 records"):
        replace(trial, record=np.zeros(1, np.int64))
