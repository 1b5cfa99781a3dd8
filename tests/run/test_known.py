"""Beats of patients that a student learnt from are never taken for an estimate in silence."""

from dataclasses import replace

import numpy as np
import pytest
from made_splits import synthetic_splits
from recordings import FS, ecg

import ecgphoton as ep
from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.run.known import learnt_from


def test_records_of_training_in_another_set_are_named() -> None:
    """Another protocol or folder may test on patients the student learnt from: that is said."""
    splits = synthetic_splits()
    own, first = splits.protocol, splits.test.record[0]
    student = {"source": "synthetic", "provenance": {**splits.provenance, "files": {}}}
    assert learnt_from(student, {"test": splits.test, "validation": splits.validation}) == []
    (said,) = learnt_from(student, {"all": splits.train})
    assert said.startswith(f"all: {len(splits.train):,} of {len(splits.train):,} beats")
    assert own.train[0] in said
    related = replace(own, same_subject={str(first): own.train[0]})
    student["provenance"] = {**replace(splits, protocol=related).provenance, "files": {}}
    (said,) = learnt_from(student, {"test": splits.test})
    assert f"beats, in 1 record ({first}), are of training patients" in said
    assert learnt_from({**student, "source": "mitdb"}, {"test": splits.test}) == []


def test_a_verdict_names_what_an_evaluation_names(tmp_path) -> None:
    """Records of training, and beats left out: chips are judged with the sentences of `evaluate`.

    The window of the first beat leaves its record.
    """
    signal, at = ecg(seconds=30)
    at = np.insert(at, 0, 20)[:20]
    np.savez(tmp_path / "101.npz", signal=signal, fs=FS, leads=["V5"])
    write_annotations(tmp_path, "101", "atr", at, list(10 * "NV"), fs=FS)
    said = ep.run.evaluate("inter-patient", data=tmp_path).to_dict()["notes"]
    found = ep.run.simulate(
        "inter-patient", noise=0.0, chips=1, data=tmp_path, out=tmp_path / "chips"
    )
    assert len(said) == 5
    *left_out, learnt = found.numbers["notes"]
    assert left_out == said[:-1]
    assert learnt.partition(": ")[2] == said[-1].partition(": ")[2]
    assert "beats, in 1 record (101), are of training patients" in said[-1]
    page = ep.run.report("inter-patient", also=[found.folder], out=tmp_path / "page.html").page
    assert "in 1 record (101), are of training patients" in page.read_text()


@pytest.mark.slow
def test_a_shared_subject_of_the_own_test_set_is_named_once(
    wfdb_folder, tmp_path, monkeypatch
) -> None:
    """Record 202 is of a patient of training: the notes of the protocol say so, and no other.

    Made-up records stand for those of the database, and do not say that they are made up.
    """
    monkeypatch.setattr("ecgphoton.run.beats.check_same", lambda *_: None)
    protocol = protocol_of("inter-patient")
    for number, name in enumerate(protocol.records):
        made = f"s0{number % 4 + 1}"
        for file in wfdb_folder.glob(f"{made}.*"):
            content = file.read_bytes()
            if file.suffix == ".hea":
                content = content.replace(made.encode(), name.encode()).partition(b"#")[0]
            (tmp_path / file.with_stem(name).name).write_bytes(content)
    found = ep.run.simulate(
        "inter-patient", noise=0.0, chips=1, data_dir=tmp_path, out=tmp_path / "chips"
    )
    (said,) = (note for note in found.numbers["notes"] if "202" in note)
    assert said.startswith("DS2 record 202 is of a subject that also trains")
    assert not any("epoch" in note for note in found.numbers["notes"])  # nothing is chosen here
