"""Made-up patients are reproducible, plausible, and always say what they are."""

import numpy as np
import pytest
from made_splits import synthetic_splits

from ecgphoton.ecg.beats import load_splits
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.ecg.records import LABELS
from ecgphoton.ecg.synthetic import extracted, recording, stand_in, write_wfdb
from ecgphoton.errors import InputError


@pytest.fixture(scope="module")
def splits():
    """Made-up beats with AAMI labels."""
    return synthetic_splits(labels="aami")


def test_same_seed_same_beats_other_seed_others():
    """The seed decides everything, and a patient is the same in any group."""
    one, same, other = (extracted(["s03"], seed=s)["s03"].beats for s in (0, 0, 1))
    assert one.digest == same.digest != other.digest
    assert one.digest == extracted(["s01", "s03"])["s03"].beats.digest


def test_every_beat_says_synthetic(splits):
    """No set of made-up beats can pass for recorded ones."""
    assert splits.synthetic
    assert all(part.source == "synthetic" and part.synthetic for part in splits.parts.values())


def test_every_kind_of_beat_is_on_both_sides(splits):
    """Training and test patients, who are different, both have N, V, S, F, L, R and paced."""
    for part in (splits.train, splits.test):
        assert {"N", "V", "F", "L", "R", "/"} <= set(part.symbol.tolist())
        assert set("AS") & set(part.symbol.tolist())
    assert not set(splits.train.record.tolist()) & set(splits.test.record.tolist())
    assert 6000 <= len(splits.train) + len(splits.validation) + len(splits.test) <= 8000


def test_protocol_shapes_carry_over():
    """With inter-patient, made-up patients are in folds; with reference, random beats validate."""
    whole = synthetic_splits(protocol="inter-patient", labels="aami4", beats=60)
    assert not len(whole.validation)
    assert set(whole.folds) == set(whole.protocol.train)
    assert whole.labels is LABELS["aami4"]
    mixed = synthetic_splits(beats=60)
    assert mixed.protocol.validation == ()
    assert len(mixed.validation) == pytest.approx(0.25 * len(mixed.train), abs=2)


def test_premature_beats_and_compensatory_pauses():
    """A V comes early and the pause after it makes two usual intervals together."""
    made = synthesise(patient(1), beats=400)
    rr = np.diff(made.samples) / 360
    usual = np.median(rr)
    at = np.flatnonzero(made.symbols[1:-1] == "V") + 1
    at = at[(made.symbols[at - 1] == "N") & (made.symbols[at + 1] == "N")]
    assert len(at) > 20
    assert (rr[at - 1] < 0.85 * usual).all()
    np.testing.assert_allclose(rr[at - 1] + rr[at], 2 * usual, rtol=0.12)


def test_files_and_memory_agree(tmp_path):
    """Records written as WFDB and read back give the very same beats, marked synthetic."""
    names = write_wfdb(tmp_path, patients=9, beats=40)
    assert {path.suffix for path in tmp_path.iterdir()} == {".hea", ".dat", ".atr"}
    protocol = stand_in(load_splits(data="synthetic").protocol, patients=9)
    assert protocol.records == names
    read = load_splits(protocol, "aami", data=tmp_path, cache=False)
    made = synthetic_splits(labels="aami", patients=9, beats=40)
    assert read.synthetic
    assert read.train.digest == made.train.digest
    assert read.test.digest == made.test.digest


def test_both_leads_differ():
    """V1 is another view of the same beats, by name or by channel."""
    made = synthesise(patient(1), beats=20)
    first, second = recording(made, lead="MLII"), recording(made, lead="V1")
    assert np.abs(np.corrcoef(first.signal, second.signal)[0, 1]) < 0.9
    np.testing.assert_array_equal(recording(made, lead="channel:1").signal, second.signal)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: extracted(["100"]),
        lambda: extracted(["s00"]),
        lambda: recording(synthesise(patient(1), beats=20), lead="V5"),
        lambda: synthesise(patient(1), beats=3),
        lambda: synthetic_splits(patients=4),
    ],
)
def test_impossible_wishes_are_refused(wrong):
    """Unknown names, leads and sizes too small are answered with what is possible."""
    with pytest.raises(InputError):
        wrong()
