"""Datasets are values: published ones by name, one's own from a folder or a file."""

import json

import pytest
from recordings import ecg, write_edf

from ecgphoton.ecg.beats import load_all, load_splits
from ecgphoton.ecg.database import find, locate, present
from ecgphoton.ecg.databases import DATASETS, dataset_of
from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.formats import Hints
from ecgphoton.ecg.origin import check_same, dataset_read
from ecgphoton.ecg.protocols import (
    PROTOCOLS,
    protocol_from,
    protocol_of,
    protocol_values,
)
from ecgphoton.ecg.quality import REASONS
from ecgphoton.ecg.records import GROUPINGS, LABELS, aami_group
from ecgphoton.errors import InputError
from ecgphoton.recipe import override, read
from ecgphoton.run.beats import splits_of

SIGNAL, BEATS = ecg(seconds=40)


@pytest.fixture
def clinic(tmp_path):
    """Three EDF recordings with labels in tables, and their protocol."""
    folder = tmp_path / "clinic"
    folder.mkdir()
    for name in ("p1", "p2", "p3"):
        write_edf(folder / f"{name}.edf", SIGNAL)
        rows = [f"{at / 250:.4f},{'NV'[i % 2]}" for i, at in enumerate(BEATS)]
        (folder / f"{name}.csv").write_text("\n".join(["time,symbol", *rows]))
    (tmp_path / "protocol.toml").write_text(
        'train = ["p1"]\nvalidation = ["p2"]\ntest = ["p3"]\nlead = "II"\nannotator = "csv"\n'
        '[subjects]\np3 = "p1"\n[labels]\nname = "beats"\nclasses = ["sinus", "ventricular"]\n'
        "N = 0\nV = 1\n"
    )
    return folder


def test_published_databases_are_described():
    """Two databases, their records, subjects and the licence they are used under."""
    mitdb, svdb = DATASETS["mitdb"], DATASETS["svdb"]
    assert (len(mitdb.records), mitdb.same_subject) == (48, {"202": "201"})
    assert (len(svdb.records), svdb.leads) == (78, ("ECG1", "ECG2"))
    assert len(svdb.files) == 78 * 3 + 2
    for dataset in (mitdb, svdb):
        assert dataset.licence
        assert dataset.doi.startswith("10.13026/")
        assert dataset.url.endswith("/")
        assert dataset_of(dataset.name) is dataset
    with pytest.raises(InputError, match="did you mean svdb"):
        DATASETS["svdbb"]
    for wrong in ("nowhere", "no/where", "nowhere.toml"):
        with pytest.raises(InputError, match=r"nowhere|no/where"):
            dataset_of(wrong)


def test_groupings_differ_in_escape_beats():
    """EC57 counts e, j and n as supraventricular, the literature as normal."""
    one, two = GROUPINGS["de-chazal"], GROUPINGS["ec57"]
    assert {symbol for symbol in one if one[symbol] != two[symbol]} == set("ejn")
    assert (aami_group("j"), aami_group("j", "ec57")) == ("N", "S")
    assert {LABELS["ec57"].mapping[symbol] for symbol in "ejn"} == {1}
    with pytest.raises(InputError, match="unknown grouping"):
        aami_group("N", "mine")


def test_a_folder_is_a_dataset(clinic):
    """Every recording of a folder is in it; labels are found; the source is no path."""
    dataset = Dataset.from_folder(clinic)
    assert dataset.records == ("p1", "p2", "p3")
    loaded = load_all(data=dataset, labels="aami", cache=False)
    assert loaded.beats.source == "clinic (own recordings)"
    assert set(loaded.beats.record.tolist()) == {"p1", "p2", "p3"}
    assert sorted(loaded.origin.files) == [f"p{i}.{kind}" for i in "123" for kind in ("csv", "edf")]
    assert loaded.beats.digest == load_all(data=clinic, labels="aami").beats.digest
    with pytest.raises(InputError, match=r"no record 'p9'.*p1 p2 p3"):
        load_all(["p9"], data=clinic)
    for given in ({"hints": Hints(fs=250)}, {"fs": 250}):
        with pytest.raises(InputError, match=r"state their rate.*leave out fs"):
            Dataset.from_folder(clinic, **given)
    with pytest.raises(InputError, match="fs is '250'; it must be a number"):
        Dataset.from_folder(clinic, fs="250")
    with pytest.raises(InputError, match="no argument 'lead'; did you mean leads"):
        Dataset.from_folder(clinic, lead="II")
    with pytest.raises(InputError, match="is in"):
        find(dataset, clinic.parent)


def test_a_dataset_file_says_how_to_read(clinic):
    """Folder, records, leads, words and subjects come from the file; it is stored and rebuilt."""
    file = clinic.parent / "clinic.toml"
    file.write_text(
        'name = "ours"\nfolder = "clinic"\nrecords = ["p1", "p2"]\nleads = ["II"]\n'
        'annotator = "csv"\n[subjects]\np2 = "p1"\n[symbols]\nbeat = "N"\n'
    )
    dataset = dataset_of(file)
    assert (dataset.name, dataset.records, dataset.leads) == ("ours", ("p1", "p2"), ("II",))
    assert dataset.same_subject == {"p2": "p1"}
    stored = json.loads(json.dumps(dataset.to_dict()))
    assert Dataset.from_dict(stored, dataset.records) == dataset
    assert DATASETS["mitdb"].to_dict() == {"name": "mitdb"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nam = 'x'", "did you mean name"),
        ("records = ['p1', 2]", "texts in quotes"),
        ("[symbols]\nok = 'fine'", "WFDB beat symbols"),
        ("folder = 'nowhere'", "not a folder"),
        ("fs = 250", "state their rate"),
        ("fs = '250'", "fs is '250'"),
        ("= 1", "not valid TOML"),
    ],
)
def test_a_wrong_dataset_file_is_refused(text, why, clinic):
    """Unknown keys, wrong kinds and contradictions are named."""
    file = clinic / "d.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=why):
        Dataset.from_file(file)


def test_a_protocol_file_divides_ones_own_records(clinic):
    """Sets, labels, lead, annotator and subjects are the file's; what leaks is told."""
    splits = load_splits(clinic.parent / "protocol.toml", data=clinic)
    sets = [set(part.record.tolist()) for part in splits.parts.values()]
    assert sets == [{"p1"}, {"p2"}, {"p3"}]
    assert splits.labels.classes == ("sinus", "ventricular")
    assert any("p3 is of a subject that also trains" in note for note in splits.report.notes)
    stored = json.loads(json.dumps(splits.provenance))
    assert protocol_from(stored["protocol"], "x") == splits.protocol
    assert dataset_read({"provenance": stored}).records == ("p1", "p2", "p3")
    check_same(stored["files"], splits.origin)
    for change, why in (({"p1.edf": "0"}, "p1.edf has changed"), ({"p4.edf": "0"}, "missing")):
        with pytest.raises(InputError, match=why):
            check_same({**stored["files"], **change}, splits.origin)
    with pytest.raises(InputError, match=r"p3\.edf was not there"):
        check_same({k: v for k, v in stored["files"].items() if k != "p3.edf"}, splits.origin)


def test_beats_of_a_bad_lead_are_left_out_of_training_alone(clinic):
    """With quality ``drop``, beats of flat stretches of training records are counted and gone."""
    signal = SIGNAL.copy()
    signal[10 * 250 : 20 * 250] *= 0.02
    for name in ("p1", "p3"):
        write_edf(clinic / f"{name}.edf", signal)
    kept, left = (
        load_splits(clinic.parent / "protocol.toml", data=clinic, quality=quality)
        for quality in ("keep", "drop")
    )
    flat = ((BEATS >= 10 * 250) & (BEATS < 20 * 250)).sum()
    assert flat > 10
    assert len(kept.train) - len(left.train) == flat == left.report.by_reason()[REASONS["flat"]]
    assert REASONS["flat"] not in kept.report.by_reason()
    assert left.test.digest == kept.test.digest
    asked = {"quality": "drop", "source": clinic, "protocol": clinic.parent / "protocol.toml"}
    recipe = override(read("reference-8"), [f"data.{key}={value}" for key, value in asked.items()])
    assert len(splits_of(recipe).train) == len(left.train)


def test_stored_protocols_are_the_same_again():
    """Every published protocol survives being stored in a run."""
    for protocol in PROTOCOLS.values():
        assert protocol_from(json.loads(json.dumps(protocol_values(protocol))), "x") == protocol


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("train = ['a']\ntest = ['b']\ntrian = []", "did you mean train"),
        ("test = ['b']", "no train records"),
        ("train = [1]\ntest = ['b']", "texts in quotes"),
        ("train = 'a'\ntest = ['b']", "train is 'a'"),
        ("train = ['a']\ntest = ['a']\nvalidation_fraction = 0.2", "twice"),
        ("train = ['a']\ntest = ['b']", "two or more folds are needed"),
        ("train = ['a', 'c']\ntest = ['b']\nfolds = 2\nvalidation_fraction = 0.2", "exactly one"),
        ("train = ['a']\ntest = ['b']\nlabels = 'amai'", "there is no label scheme"),
        ("train = ['a']\ntest = ['b']\n[labels]\nN = 0", "labels.classes"),
        ("train = ['a']\ntest = ['b']\n[labels]\nclasses = ['x', 'y']\nN = 0", "every one"),
        ("train = ['a']\ntest = ['b']\n[labels]\nclasses = ['x', 'y']\nZ = 0", "labels.Z"),
        ("train = ['a']\ntest = ['b']\n[labels]\nname = 'aami'\nclasses = ['x', 'y']\nN = 0\nV = 1",
         "another name"),
        ("= 1", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_wrong_protocol_file_is_refused(text, why, tmp_path):
    """Unknown keys, numbers for names, empty sets and impossible labels are named."""
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(InputError, match=why):
        protocol_of(tmp_path / "p.toml")
    with pytest.raises(InputError, match="not a file"):
        protocol_of(tmp_path / "q.toml")


@pytest.mark.slow
def test_a_named_folder_is_used_or_refused(tmp_path, monkeypatch):
    """Neither a given folder nor the variable's gives way to made-up beats."""
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ECGPHOTON_DATA", raising=False)
    assert load_splits(data="auto").synthetic  # nothing was named, and nothing is there
    for data in ("auto", "mitdb"):
        with pytest.raises(InputError, match="/no/such"):
            load_splits(data=data, data_dir="/no/such")
    monkeypatch.setenv("ECGPHOTON_DATA", "/no/such")
    with pytest.raises(InputError, match=r"ECGPHOTON_DATA /no/such"):
        load_splits(data="auto")
    assert locate() is None
    assert present(DATASETS["svdb"], tmp_path) == ()
