"""Sets of beats: counts of the real database, splits, cache, digests."""

import json
import os
import shutil
from collections import Counter

import numpy as np
import pytest
from made_splits import synthetic_splits

from ecgphoton.ecg.beats import BeatSet, load_all, load_splits
from ecgphoton.ecg.cache import cache_folder
from ecgphoton.ecg.protocols import PROTOCOLS, Protocol
from ecgphoton.ecg.records import LabelScheme, aami_group
from ecgphoton.ecg.windows import AT_EDGE
from ecgphoton.errors import InputError
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent, predict


def groups(symbols):
    """Count beats by AAMI group."""
    return Counter(aami_group(symbol) for symbol in symbols)


@pytest.mark.slow
@pytest.mark.mitdb
def test_aami_counts(mitdb):
    """Every AAMI group has the measured number of beats on either side."""
    splits = load_splits("reference", "aami", data_dir=mitdb)
    both = [*splits.train.symbol.tolist(), *splits.validation.symbol.tolist()]
    assert groups(both) == {"N": 59_520, "S": 2_479, "V": 2_820, "F": 397, "Q": 6_232}
    test = groups(splits.test.symbol.tolist())
    assert test == {"N": 30_818, "S": 302, "V": 4_253, "F": 405, "Q": 4}


@pytest.mark.slow
@pytest.mark.mitdb
def test_inter_patient_counts_before_windowing(mitdb):
    """DS1 and DS2 hold the published numbers of annotated beats, windowed or not."""
    protocol = PROTOCOLS["inter-patient"]
    wanted = {
        protocol.train: (45_866, 944, 3_788, 415, 8),
        protocol.test: (44_259, 1_837, 3_221, 388, 7),
    }
    for names, counts in wanted.items():
        loaded = load_all(names, data_dir=mitdb, labels="aami")
        beats, report = loaded.beats, loaded.report
        found = groups(beats.symbol.tolist())
        for (_, symbol, reason), count in report.drops.items():
            assert reason == AT_EDGE
            found[aami_group(symbol)] += count
        assert tuple(found[group] for group in "NSVFQ") == counts


@pytest.mark.slow
@pytest.mark.mitdb
def test_inter_patient_parts_share_no_record(mitdb):
    """Patients are apart, every class is in every fold, and the shared subject is told."""
    splits = load_splits("inter-patient", "aami-svf", data_dir=mitdb)
    assert not set(splits.train.record.tolist()) & set(splits.test.record.tolist())
    fold = np.array([splits.folds[name] for name in splits.subject.tolist()])
    symbols = [splits.train.symbol[fold == number] for number in range(5)]
    for part in (*symbols, splits.test.symbol):
        assert {aami_group(s) for s in part.tolist()} == set("NSVF")
    assert any("202" in note for note in splits.report.notes)
    assert splits.report.by_symbol("outside label scheme aami-svf") == {"Q": 15}


@pytest.mark.mitdb
def test_lead_by_name_matters_for_114(mitdb):
    """Record 114 has MLII on channel 1: by name and by channel 0 differ there, not on 100."""
    named, numbered = (
        load_all(["100", "114"], data_dir=mitdb, lead=lead).beats for lead in ("MLII", "channel:0")
    )
    same = (named.windows == numbered.windows).all(axis=1)
    assert same[named.record == "100"].all()
    assert not same[named.record == "114"].any()


def test_split_is_exact_random_and_reproducible(wfdb_folder):
    """Four fifths of the beats train; the seed chooses which; none is in both or lost."""
    protocol = Protocol("mine", ("s01", "s02", "s03"), (), ("s04",), "test", 0.2)
    one, same, other = (
        load_splits(protocol, "aami", data=wfdb_folder, split_seed=seed) for seed in (0, 0, 1)
    )
    total = len(one.train) + len(one.validation)
    assert len(one.train) == round(0.8 * total)
    assert one.train.digest == same.train.digest != other.train.digest
    keys = [
        set(zip(p.record.tolist(), p.sample.tolist(), strict=True))
        for p in (one.train, one.validation)
    ]
    assert len(keys[0] | keys[1]) == total
    pool = load_all(["s01", "s02", "s03"], data=wfdb_folder, labels="aami").beats
    assert keys[0] | keys[1] == set(zip(pool.record.tolist(), pool.sample.tolist(), strict=True))


def test_stratified_split_keeps_shares():
    """Stratified, the validation share of every class is right to one beat."""
    splits = synthetic_splits(labels="aami4", stratified=True, beats=60)
    both = np.concatenate([splits.train.label, splits.validation.label])
    for label, count in enumerate(np.bincount(both)):
        assert abs((splits.validation.label == label).sum() - 0.2 * count) <= 1
    assert len(splits.train) == round(0.8 * len(both))


def test_empty_split_is_refused(wfdb_folder):
    """A scheme or record that leaves a set empty is named."""
    protocol = Protocol("mine", ("s01",), ("s02",), ("s04",), "test")
    only = LabelScheme("only-paced", ("normal", "paced"), {"/": 1})
    with pytest.raises(InputError, match=r"training set.*only-paced"):
        load_splits(protocol, only, data=wfdb_folder)


def test_labels_outside_the_scheme_are_minus_one(wfdb_folder):
    """load_all keeps every beat; outside the scheme its label is -1, and counted."""
    loaded = load_all(["s04"], data=wfdb_folder, labels="literal")
    beats, report = loaded.beats, loaded.report
    outside = beats.symbol == "L"
    assert outside.any()
    assert (beats.label[outside] == -1).all()
    assert (beats.label[~outside] >= 0).all()
    assert report.by_symbol("outside label scheme literal")["L"] == outside.sum()
    assert {record for record, _, _ in report.drops} == {"s04"}
    assert any("outside label scheme literal" in line for line in report.lines())
    json.dumps(report.to_dict())


def test_rhythm_sees_beats_the_labels_drop(wfdb_folder):
    """Features do not depend on the label scheme, only on the record."""
    one = load_all(["s04"], data=wfdb_folder, labels="literal").beats
    two = load_all(["s04"], data=wfdb_folder, labels="aami").beats
    np.testing.assert_array_equal(one.patient, two.patient)
    np.testing.assert_array_equal(one.residual, two.residual)


def entries(name="s01"):
    """Cache files of a record."""
    return sorted((cache_folder() / "beats").glob(f"{name}-*.beats"))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Give the test an empty cache."""
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("own_cache")
def test_cache_changes_nothing(wfdb_folder):
    """Cold, warm and without a cache, the beats are the same."""
    cold = load_all(["s01"], data=wfdb_folder).beats
    assert len(entries()) == 1
    warm = load_all(["s01"], data=wfdb_folder).beats
    without = load_all(["s01"], data=wfdb_folder, cache=False).beats
    assert cold.digest == warm.digest == without.digest
    for column in ("record", "symbol", "windows", "patient"):  # and so are the files they end in
        assert getattr(cold, column).dtype == getattr(warm, column).dtype, column


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text", "folder"])
def test_a_damaged_cache_is_rebuilt(wfdb_folder, damage):
    """A flipped bit, a cut, or nonsense in the cache costs time, never beats."""
    good = load_all(["s01"], data=wfdb_folder).beats
    (path,) = entries()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        content = {"flip": bytes(data), "cut": bytes(data[:1000]), "empty": b"", "text": b"hi"}
        path.write_bytes(content[damage])
    assert load_all(["s01"], data=wfdb_folder).beats.digest == good.digest
    if damage != "folder":
        assert bytes(data) != path.read_bytes()
        assert len(path.read_bytes()) > 1000


@pytest.mark.usefixtures("own_cache")
def test_cache_follows_content_and_lead(wfdb_folder, tmp_path):
    """A changed annotation file or another lead is another entry; stale ones are removed."""
    shutil.copytree(wfdb_folder, tmp_path / "copy")
    first = load_all(["s01"], data=tmp_path / "copy").beats
    load_all(["s01"], data=tmp_path / "copy", lead="V1")
    assert len(entries()) == 2
    shutil.copy(wfdb_folder / "s02.atr", tmp_path / "copy" / "s01.atr")
    second = load_all(["s01"], data=tmp_path / "copy").beats
    assert first.digest != second.digest
    assert len(entries()) == 2


def test_an_unwritable_cache_is_done_without(wfdb_folder, tmp_path, monkeypatch):
    """Where the cache cannot be, loading still works."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "file"))
    assert len(load_all(["s01"], data=wfdb_folder).beats) > 50


def test_take_concat_and_digest(wfdb_folder):
    """Cutting and joining again changes nothing; any changed value changes the digest."""
    beats = load_all(["s01", "s02"], data=wfdb_folder).beats
    parts = [beats.take(slice(0, 10)), beats.take(np.arange(10, len(beats)))]
    assert BeatSet.concat(parts).digest == beats.digest
    assert beats.take(beats.record == "s02").digest != beats.digest
    changed = beats.take(slice(None))
    changed = BeatSet.concat([changed])
    changed.windows[3, 100] += 1e-6
    assert changed.digest != beats.digest
    with pytest.raises(InputError, match="no beats to join"):
        BeatSet.concat([])


def test_mixed_sources_are_told():
    """Joined with others, made-up beats stay visible in the source."""
    made = synthetic_splits(beats=20).test
    real = BeatSet(**{**vars(made), "source": "mitdb"})
    mixed = BeatSet.concat([made, real])
    assert mixed.source == "mitdb+synthetic"
    assert mixed.synthetic
    with pytest.raises(InputError, match="sampling rates"):
        BeatSet.concat([made, BeatSet(**{**vars(made), "fs": 250.0})])
    with pytest.raises(InputError, match="patient"):
        BeatSet(**{**vars(made), "patient": made.patient[:, :3]})


@pytest.mark.parametrize("form", ["double", "foreign", "columns", "backwards", "read-only"])
def test_the_layout_of_an_array_does_not_matter(form):
    """Another width, byte order or order in memory, or a read-only array, gives the same beats."""
    made = synthetic_splits(beats=20).test
    value = {
        "double": made.windows.astype(np.float64),
        "foreign": made.windows.astype(made.windows.dtype.newbyteorder()),
        "columns": np.asfortranarray(made.windows),
        "backwards": made.windows[::-1].copy()[::-1],
        "read-only": made.windows.copy(),
    }[form]
    value.flags.writeable = form != "read-only"
    beats = BeatSet(**{**vars(made), "windows": value})
    assert beats.digest == made.digest
    student = SegmentStudent(Architecture(), seed=1)
    np.testing.assert_array_equal(predict(student, beats), predict(student, made))


def test_labels_are_whole_numbers():
    """A label that is no whole number is refused, not rounded."""
    made = synthetic_splits(beats=20).test
    with pytest.raises(InputError, match="label holds float64; it must hold int64"):
        BeatSet(**{**vars(made), "label": made.label + 0.5})


@pytest.mark.slow
def test_without_data(tmp_path, monkeypatch):
    """Only 'auto' takes made-up beats where there are no others; MIT-BIH is asked for otherwise."""
    monkeypatch.delenv("ECGPHOTON_DATA", raising=False)
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path))
    assert load_splits(data="auto").synthetic
    for named in ({}, {"data": "mitdb"}):
        with pytest.raises(InputError, match="data fetch"):
            load_splits("inter-patient", **named)
    assert not os.listdir(tmp_path)  # noqa: PTH208 - made-up beats are quicker than a disk


def test_without_a_home_nothing_is_cached(monkeypatch, tmp_path, wfdb_folder):
    """A user without a home folder gets no folder called ``~`` where the work is."""
    monkeypatch.delenv("ECGPHOTON_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: f"~/.cache/{name}")
    monkeypatch.chdir(tmp_path)
    assert len(load_all(["s01"], data=wfdb_folder).beats)
    assert cache_folder() is None
    assert list(tmp_path.iterdir()) == []
