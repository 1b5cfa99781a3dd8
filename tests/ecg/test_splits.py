"""Patients are divided into folds whole, alike, and always in the same way."""

from __future__ import annotations

import numpy as np
import pytest
from made_splits import synthetic_splits

from ecgphoton.ecg.protocols import protocol_from, protocol_of
from ecgphoton.ecg.splits import _notes, folds_of
from ecgphoton.errors import InputError


def beats(patients: dict[str, str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return subject, symbol and label of the beats of patients, given as their symbols."""
    subject = np.array([name for name, symbols in patients.items() for _ in symbols])
    symbol = np.array([one for symbols in patients.values() for one in symbols])
    return subject, symbol, (symbol != "N").astype(np.int64)


MANY = {f"p{n:02d}": "N" * 50 + "VAF"[n % 3] * 30 * (n % 2) for n in range(23)}


def test_folds_have_the_same_number_of_patients_and_every_kind_of_beat() -> None:
    """Of 23 patients, eleven with one kind of ectopic beat each, every fold has V, S and F."""
    for seed in range(5):
        subject, symbol, label = beats(MANY)
        folds = folds_of(subject, symbol, label, 3, seed=seed)
        assert set(folds) == set(MANY)
        assert sorted(np.bincount(list(folds.values()))) == [7, 8, 8]
        for number in range(3):
            own = np.array([folds[name] == number for name in subject])
            assert set(symbol[own]) == set("NVAF")


def test_the_seed_decides_the_folds_and_nothing_else_does() -> None:
    """The order of the beats does not matter; another seed gives other folds."""
    columns = beats(MANY)
    order = np.random.default_rng(0).permutation(len(columns[0]))
    folds = folds_of(*columns, 4, seed=3)
    assert folds_of(*(column[order] for column in columns), 4, seed=3) == folds
    assert folds_of(*columns, 4, seed=4) != folds


def test_a_fold_that_alone_has_abnormal_beats_is_refused() -> None:
    """Without it the other folds could not teach what abnormal is."""
    with pytest.raises(InputError, match="abnormal beats are in 1 of 2 folds"):
        folds_of(*beats({"a": "NNV", "b": "NNN"}), 2, seed=0)


def test_a_protocol_file_without_validation_has_folds() -> None:
    """There are five, or as many as there are patients; records of one patient count once."""
    test = {"test": ["z"]}
    assert protocol_from({"train": list("abcdefg"), **test}, "x").folds == 5
    assert protocol_from({"train": list("abc"), **test}, "x").folds == 3
    same = {"train": list("abc"), "subjects": {"c": "a"}, **test}
    assert protocol_from(same, "x").folds == 2
    assert protocol_from({"train": list("abc"), "validation": ["d"], **test}, "x").folds == 0
    assert protocol_from({"train": list("abcd"), "folds": 2, **test}, "x").folds == 2


@pytest.mark.parametrize("same", [{"c": "b", "b": "a"}, {"c": "a", "a": "c", "b": "a"}])
def test_records_of_one_person_may_name_each_other(same) -> None:
    """A subject given as that of another record is one person, in a chain or in a circle."""
    given = {"train": ["a", "b", "d"], "test": ["c"], "folds": 2, "subjects": same}
    protocol = protocol_from(given, "x")
    assert dict(protocol.subjects) == {"a": "a", "b": "a", "c": "a", "d": "d"}
    assert protocol.leaking == ("c",)


def test_a_subject_of_no_record_is_refused(tmp_path) -> None:
    """A mistyped record would leave its patient on both sides."""
    file = tmp_path / "p.toml"
    text = 'train = ["01", "02"]\ntest = ["03"]\nfolds = 2\n[subjects]\n'
    file.write_text(f'{text}"3" = "02"\n')
    with pytest.raises(InputError, match=r"subjects\.3 names no record .* did you mean 03\?"):
        protocol_of(file)
    file.write_text(f'{text}"03" = "02"\n')
    assert protocol_of(file).leaking == ("03",)


def test_validation_on_a_training_patient_is_noted() -> None:
    """Epoch and operating point are then not chosen on new patients."""
    columns = {"train": ["201", "100"], "validation": ["202", "101"], "test": ["103"]}
    protocol = protocol_from({**columns, "subjects": {"202": "201"}}, "x")
    (note,) = _notes(protocol)
    assert "validation record 202 is of a subject that also trains" in note
    assert _notes(protocol_from(columns, "x")) == []


def test_splits_say_what_validates() -> None:
    """A note tells folds of patients from random beats, which say nothing about new patients."""
    whole = synthetic_splits(protocol="inter-patient", labels="aami", beats=40)
    assert any("16 training patients in 5 folds" in line for line in whole.report.lines())
    mixed = synthetic_splits(beats=40)
    assert any("not an estimate for new patients" in line for line in mixed.report.lines())
