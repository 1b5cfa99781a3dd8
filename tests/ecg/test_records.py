"""Record lists, label schemes and protocols are the published ones."""

import json
import pickle
from dataclasses import asdict

import pytest

from ecgphoton.ecg.databases import DATASETS
from ecgphoton.ecg.protocols import PROTOCOLS, Protocol, protocol_of
from ecgphoton.ecg.records import BEAT_SYMBOLS, LABELS, aami_group, label_scheme
from ecgphoton.errors import InputError

PACED = {"102", "104", "107", "217"}


def test_groups_follow_ec57():
    """Every symbol of MIT-BIH is in the AAMI group that EC57 gives it; others are no beats."""
    table = {"N": "NLRej", "S": "AaJS", "V": "VE", "F": "F", "Q": "/fQ"}
    for group, symbols in table.items():
        assert {aami_group(symbol) for symbol in symbols} == {group}
    assert all(aami_group(symbol) is None for symbol in '+~|x![]"')
    assert len(BEAT_SYMBOLS) == 19


def test_schemes_agree_with_the_groups():
    """The AAMI schemes are functions of the group, 0 means N, and only -svf drops Q."""
    for name, scheme in LABELS.items():
        assert scheme.name == name
        assert set(scheme.mapping.values()) == set(range(len(scheme.classes)))
        normal = {symbol for symbol, label in scheme.mapping.items() if label == 0}
        assert normal <= {s for s in BEAT_SYMBOLS if aami_group(s) == "N"}
    aami, svf, four = LABELS["aami"], LABELS["aami-svf"], LABELS["aami4"]
    for symbol in BEAT_SYMBOLS:
        group = aami_group(symbol)
        assert aami.mapping[symbol] == (group != "N")
        assert four.classes[four.mapping[symbol]] == ("O" if group in "FQ" else group)
        assert (symbol in svf.mapping) == (group != "Q")
    assert dict(LABELS["literal"].mapping) == {"N": 0, "V": 1, "S": 1, "F": 1, "Q": 1}


def test_reference_lists():
    """32 records train and 15 test; together they are the database without 217."""
    protocol = PROTOCOLS["reference"]
    assert (len(protocol.train), len(protocol.test)) == (32, 15)
    assert set(protocol.records) == set(DATASETS["mitdb"].records) - {"217"}
    assert protocol.validation == ()
    assert protocol.validation_fraction == 0.2
    assert protocol.leaking == ()


def test_inter_patient_lists():
    """DS1 and DS2 have 22 records each, no paced ones, and share the subject of 201 and 202."""
    protocol = PROTOCOLS["inter-patient"]
    assert len(protocol.train) == len(protocol.test) == 22
    assert set(protocol.records) == set(DATASETS["mitdb"].records) - PACED
    assert (protocol.validation, protocol.validation_fraction, protocol.folds) == ((), 0, 5)
    assert protocol.leaking == ("202",)
    assert protocol.subjects["202"] == "201"
    assert len(set(protocol.subjects.values())) == 43


def test_leaking_subjects_is_about_subjects():
    """A record leaks when its subject trains, under whichever name."""
    for train, test, leaking in (
        (("201",), ("202", "100"), ("202",)),
        (("202",), ("201",), ("201",)),
        (("100",), ("101",), ()),
    ):
        assert Protocol("mine", train, (), test, "test", 0.2).leaking == leaking


@pytest.mark.parametrize(
    "values",
    [
        {"train": ("1", "2"), "validation": ("2",), "test": ("3",)},
        {"train": ("1",), "validation": ("2",), "test": ("3",), "validation_fraction": 0.2},
        {"train": ("1",), "validation": (), "test": ("3",)},
        {"train": ("1",), "validation": (), "test": ("3",), "validation_fraction": 1.5},
        {"train": ("1", "2"), "validation": ("4",), "test": ("3",), "folds": 2},
        {"train": ("1", "2"), "validation": (), "test": ("3",), "folds": 3},
        {"train": ("1", "2"), "validation": (), "test": ("3",), "folds": 1},
    ],
)
def test_contradictory_protocols_are_refused(values):
    """A record has one role, and there are either validation records, a share or enough folds."""
    with pytest.raises(InputError):
        Protocol(name="mine", test_name="test", **values)


def test_tables_travel():
    """Protocols and schemes can be pickled, copied and turned into JSON."""
    for value in (PROTOCOLS["inter-patient"], LABELS["aami"]):
        assert pickle.loads(pickle.dumps(value)) == value
        json.dumps(asdict(value))


def test_unknown_names_list_the_known():
    """A mistyped scheme or protocol is answered with the names there are."""
    with pytest.raises(InputError, match="did you mean aami"):
        label_scheme("amai")
    with pytest.raises(InputError, match="literal, aami"):
        label_scheme("nothing")
    with pytest.raises(InputError, match="reference, inter-patient"):
        protocol_of("ds1")
