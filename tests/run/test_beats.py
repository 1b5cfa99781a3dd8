"""A student's beats are those of the files it was trained on, or of what is named instead."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from made_splits import synthetic_splits

from ecgphoton.ecg.beats import load_splits
from ecgphoton.ecg.patient_features import columns_of
from ecgphoton.errors import InputError
from ecgphoton.recipe import Recipe, read
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.run.beats import (
    beats_on,
    check_both,
    divided_by,
    own_splits,
    scheme_of,
    splits_like,
    splits_of,
)
from ecgphoton.run.train import train
from ecgphoton.runs import load_student
from ecgphoton.student.architecture import TOKENS

PROTOCOL = (
    'name = "ours"\ntrain = ["s01", "s02"]\nvalidation = ["s03"]\ntest = ["s04"]\n'
    'labels = "aami"\nlead = "V1"\n'
)


@pytest.fixture
def ours(wfdb_folder, tmp_path):
    """A recipe for one's own records, its beats, and what a run stores about them."""
    shutil.copytree(wfdb_folder, tmp_path / "records")
    (tmp_path / "ours.toml").write_text(PROTOCOL)
    data = replace(
        Recipe().data, source=str(tmp_path / "records"), protocol=str(tmp_path / "ours.toml")
    )
    recipe = replace(Recipe(), data=data)
    splits = splits_of(recipe)
    metadata = {
        "recipe": recipe.to_dict(),
        "source": splits.train.source,
        "labels": splits.labels.name,
        "lead": splits.protocol.lead,
        "provenance": splits.provenance,
    }
    return recipe, splits, json.loads(json.dumps(metadata))


def test_the_same_files_give_the_same_beats(ours, tmp_path):
    """Without a word about data the run's own beats come back, protocol file or not."""
    _, splits, metadata = ours
    (tmp_path / "ours.toml").unlink()
    again = splits_like(metadata)
    for name, part in splits.parts.items():
        assert again.parts[name].digest == part.digest
    assert scheme_of(metadata).name == "aami"
    shutil.move(tmp_path / "records", tmp_path / "elsewhere")
    with pytest.raises(InputError, match="not a folder"):
        splits_like(metadata)
    assert splits_like(metadata, data_dir=tmp_path / "elsewhere").test.digest == splits.test.digest


@pytest.mark.parametrize("suffix", ["atr", "dat", "hea"])
def test_other_files_are_refused_by_name(ours, tmp_path, suffix):
    """A file that is gone or has changed is named; no other beats take its place."""
    _, _, metadata = ours
    file = tmp_path / "records" / f"s02.{suffix}"
    if suffix == "hea":
        file.write_text(file.read_text() + "# a word more\n")
    else:
        shutil.copy(tmp_path / "records" / f"s01.{suffix}", file)
    with pytest.raises(InputError, match=rf"s02\.{suffix} has changed|corrupt|truncated"):
        splits_like(metadata)
    file.unlink()
    with pytest.raises(InputError, match="s02"):
        splits_like(metadata)


@pytest.mark.slow
def test_other_data_are_used_when_they_are_named(ours, tmp_path):
    """Made-up beats and another protocol come by name only; a database without the records not."""
    _, splits, metadata = ours
    assert splits_like(metadata, "synthetic").synthetic
    (tmp_path / "other.toml").write_text(
        PROTOCOL.replace('["s04"]', '["s01"]').replace("s01", "s04", 1)
    )
    other = splits_like(metadata, protocol=tmp_path / "other.toml")
    assert set(other.test.record.tolist()) == {"s01"}
    assert other.labels.name == splits.labels.name
    text = PROTOCOL.replace('"aami"', '"ec57"').replace('"V1"', '"MLII"')
    (tmp_path / "other.toml").write_text(text)
    other = splits_like(metadata, protocol=tmp_path / "other.toml")
    assert (other.labels.name, other.protocol.lead) == ("ec57", "MLII")
    assert not np.array_equal(other.test.windows, splits.test.windows)
    with pytest.raises(InputError, match="no dataset or folder"):
        splits_like(metadata, "elsewhere")


@pytest.mark.slow
def test_what_a_student_learnt_from_does_not_move_with_an_evaluation(ours, wfdb_folder, tmp_path):
    """Converter ranges and thresholds need its own beats where other patients are evaluated."""
    _, splits, metadata = ours
    other = tmp_path / "others"
    other.mkdir()
    for file in wfdb_folder.glob("s04.*"):
        shutil.copy(file, other)
    assert own_splits(metadata, other).train.digest == splits.train.digest
    same = own_splits(metadata, wfdb_folder)
    assert same.train.record.tolist()[0] == "s01"
    assert not any("and are others" in note for note in same.report.notes)
    other = shutil.copytree(wfdb_folder, tmp_path / "namesakes")
    (other / "s02.hea").write_text((other / "s02.hea").read_text() + "# of another clinic\n")
    notes = own_splits(metadata, other).report.notes
    assert any("have the names" in note and "(s02.hea)" in note for note in notes)
    assert own_splits(metadata, "synthetic").synthetic


@pytest.mark.slow
def test_a_run_of_version_01_names_its_source(wfdb_folder):
    """Without hashes the folder or database that the run names is read, and nothing else."""
    metadata = {"recipe": Recipe().to_dict(), "source": str(wfdb_folder), "labels": "literal"}
    with pytest.raises(InputError, match="no record"):
        splits_like(metadata)
    with pytest.raises(InputError, match="/no/such"):
        splits_like({**metadata, "source": "mitdb"}, data_dir="/no/such")
    made = splits_like({**metadata, "source": "synthetic"})
    assert made.test.digest == load_splits(data="synthetic").test.digest


def test_a_recipe_that_contradicts_its_protocol_is_refused(ours):
    """Labels and lead may come from recipe or protocol, not differently from both."""
    recipe, splits, _ = ours
    assert (splits.labels.name, splits.protocol.lead) == ("aami", "V1")
    for change in ({"labels": "aami4"}, {"lead": "V5"}):
        with pytest.raises(InputError, match="leave one out"):
            splits_of(replace(recipe, data=replace(recipe.data, **change)))


def test_a_protocol_that_is_asked_for_brings_its_labels_and_lead(ours, tmp_path):
    """With the flagship, whose recipe states labels; what the protocol leaves open stays."""
    flagship = read(FLAGSHIP)
    chosen = divided_by(flagship, str(tmp_path / "ours.toml"))
    splits = splits_of(replace(chosen, data=replace(chosen.data, source=str(tmp_path / "records"))))
    assert (splits.labels.name, splits.protocol.lead) == ("aami", "V1")
    assert divided_by(flagship, "reference").data.labels == flagship.data.labels


def test_a_frozen_student_reads_another_dataset(ours, wfdb_folder):
    """All beats that the labels know, of every record, on the student's own lead."""
    _, _, metadata = ours
    found = beats_on(metadata, wfdb_folder)
    assert set(found.beats.record.tolist()) == {"s01", "s02", "s03", "s04"}
    assert (found.beats.label >= 0).all()
    assert not any("no lead" in note for note in found.report.notes)
    wanted = load_splits(_protocol(), "aami", data=wfdb_folder, lead="V1").test.windows
    assert (found.beats.take(found.beats.record == "s04").windows == wanted).all()


def test_recordings_of_training_under_other_names_are_said(ours, wfdb_folder, tmp_path):
    """Their content tells them; a copy of a test record is none."""
    _, _, metadata = ours
    for old, new in (("s01", "q01"), ("s04", "q04")):
        for file in wfdb_folder.glob(f"{old}.*"):
            (tmp_path / f"{new}{file.suffix}").write_bytes(file.read_bytes())
        header = tmp_path / f"{new}.hea"
        header.write_text(header.read_text().replace(old, new))
    (said,) = (one for one in beats_on(metadata, tmp_path).report.notes if "learnt from" in one)
    assert said.startswith("1 file (q01.dat)")
    assert not any("learnt from" in one for one in beats_on(metadata, wfdb_folder).report.notes)


def test_beats_of_one_kind_give_no_verdict():
    """Where no beat is abnormal a miss rate of 0 would pass every limit, so they are refused."""
    beats = synthetic_splits(patients=9, beats=30).test
    assert check_both(beats) is beats
    with pytest.raises(InputError, match=r"are normal, so there is no miss rate"):
        check_both(beats.take(beats.label == 0))
    with pytest.raises(InputError, match=r"are abnormal, so there is no FPR"):
        check_both(beats.take(beats.label > 0))


def _protocol():
    from ecgphoton.ecg.protocols import Protocol

    return Protocol("p", ("s01", "s02"), ("s03",), ("s04",), "test")


def _digest_of_0_1(beats):
    """`BeatSet.digest` of version 0.1: three columns in the place of `patient`, and no `size`."""
    rhythm, shape, detail = (token.features for token in TOKENS)
    full = (*rhythm[:2], "post/pre", rhythm[3])
    old = {"rhythm_causal": rhythm, "rhythm_full": full, "shape": shape + detail}
    sha = hashlib.sha256()
    for name, value in vars(beats).items():
        if name == "size":
            continue
        if name == "patient":
            parts = {key: value[:, columns_of(names)] for key, names in old.items()}
        else:
            parts = {name: value}
        for key, part in parts.items():
            if isinstance(part, str | float):
                sha.update(f"{key}={part}".encode())
                continue
            sha.update(f"{key}{part.shape}".encode())
            text = part.dtype.kind == "U"
            sha.update("\n".join(part.tolist()).encode() if text else part.tobytes())
    return sha.hexdigest()


@pytest.mark.slow
@pytest.mark.mitdb
def test_shipped_students_read_what_they_always_did(mitdb):
    """Reference protocol and literal labels, on MLII or V5: the beats of the reference run.

    What they drop is said.
    """
    recipe = Recipe()
    metadata = {"recipe": recipe.to_dict(), "source": "mitdb", "labels": "literal", "lead": "MLII"}
    splits = splits_like(metadata, data_dir=mitdb)
    assert _digest_of_0_1(splits.test) == (
        "0791420cbf148c0fa6238aa8f064b9700cd879816c1ab9066fef09ab9c2d6979"
    )
    sizes = {name: len(part) for name, part in splits.parts.items()}
    assert sizes == {"train": 42_232, "validation": 10_558, "generalization": 29_781}
    assert splits.test.label.mean() == pytest.approx(0.157, abs=0.001)
    dropped = splits.report.by_symbol("outside label scheme literal")
    assert set(dropped) == set("LR/AfjaEJe")
    assert (
        sum(
            count
            for (record, _, reason), count in splits.report.drops.items()
            if reason.startswith("outside") and record in splits.protocol.train
        )
        == 18_658
    )
    assert "S" not in set(splits.train.symbol.tolist())
    assert [n for n in splits.report.notes if "no lead" in n] == [
        "102: no lead MLII; V5 is used",
        "104: no lead MLII; V5 is used",
    ]


@pytest.mark.slow
def test_a_student_is_trained_on_the_lead_that_its_dataset_prefers(ours, tmp_path):
    """A dataset file names it; the protocol and ``--set data.lead`` go before it, also MLII."""
    (tmp_path / "open.toml").write_text(PROTOCOL.replace('lead = "V1"\n', ""))
    (tmp_path / "own.toml").write_text('folder = "records"\nleads = ["V1", "MLII"]\n')
    quick = ["training.epochs=1", "training.min_epochs=1"]
    found = {}
    for name, protocol, changed in (
        ("dataset", "open", []), ("set", "open", ["data.lead=MLII"]), ("protocol", "ours", [])
    ):  # fmt: skip
        made = train(
            "reference-8", data=str(tmp_path / "own.toml"), labels="aami",
            protocol=str(tmp_path / f"{protocol}.toml"), settings=[*quick, *changed],
            out=tmp_path / name,
        )  # fmt: skip
        found[name] = made.splits.train.digest, load_student(tmp_path / name).metadata["lead"]
    assert [lead for _, lead in found.values()] == ["V1", "MLII", "V1"]
    assert found["dataset"][0] == found["protocol"][0] != found["set"][0]
    (tmp_path / "own.toml").write_text('folder = "records"\nrecords = ["s01", "s02", "s01"]\n')
    with pytest.raises(InputError, match="names record s01 twice"):
        load_splits(tmp_path / "open.toml", data=tmp_path / "own.toml")


def test_classes_that_labels_contradict_are_refused(tmp_path):
    """Labels decide how many outputs a student has; a setting that says otherwise is named."""
    with pytest.raises(InputError, match=r"student\.classes is 3, but labels 'literal' have 2"):
        train("reference-8", data="synthetic", settings=["student.classes=3"], out=tmp_path / "a")
    assert not (tmp_path / "a").exists()
