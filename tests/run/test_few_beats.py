"""No beat, one, two, or beats of one kind: answers are right, or refused in words."""

from __future__ import annotations

import json
from itertools import cycle

import numpy as np
import pytest
from recordings import FS, ecg, fibrillation, write_wfdb

import ecgphoton as ep
from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.errors import InputError
from ecgphoton.run import burden
from ecgphoton.run.annotate import AnnotationReport

KINDS = {"none": "", "one": "N", "two": "NV", "normal": 12 * "N", "abnormal": 12 * "V"}
MISSING = {
    "one": {"miss", "f1", "auc"},
    "two": set(),
    "normal": {"miss", "f1", "auc"},
    "abnormal": {"fpr", "auc"},
}
VERDICTS = [(ep.run, name) for name in ("simulate", "calibrate", "budget")]
VERDICTS += [(ep.study, name) for name in ep.study.HOMES]
REQUIRED = {"sweep": {"over": "noise=0,0.02"}, "solve": {"key": "noise"}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folder of one recording with its labels, by the kind of its beats."""
    signal, at = ecg(seconds=30)
    at = at[(at > 2 * FS) & (at < len(signal) - 2 * FS)]
    found = {}
    for kind, symbols in KINDS.items():
        folder = found[kind] = tmp_path_factory.mktemp(kind)
        np.savez(folder / "r.npz", signal=signal, fs=FS, leads=["MLII"])
        write_annotations(folder, "r", "atr", at[: len(symbols)], list(symbols), fs=FS)
    return found


@pytest.mark.parametrize("kind", MISSING)
def test_a_rate_of_nobody_is_null_with_a_reason(kind, folders):
    """In the set, and of its only record; there is no interval over one record either."""
    found = ep.run.evaluate("inter-patient", data=folders[kind]).to_dict()
    (numbers,) = (one for name, one in found["sets"].items() if name != "out_of_fold")
    json.dumps(found, allow_nan=False)
    shares = ("miss", "fpr", "f1", "auc")
    assert {name for name in shares if numbers[name] is None} == MISSING[kind]
    assert set(numbers["reasons"]) >= MISSING[kind]
    assert numbers["interval_95"] == {"miss": None, "fpr": None, "f1": None}
    (record,) = numbers["records"].values()
    assert {name for name in shares[:3] if record[name] is None} == MISSING[kind] - {"auc"}


@pytest.mark.parametrize("kind", ["normal", "abnormal"])
def test_a_class_of_nobody_has_no_recall(kind, folders):
    """Four classes, beats of one."""
    found = ep.run.evaluate("inter-patient-4", data=folders[kind]).to_dict()["sets"]
    (numbers,) = (one for name, one in found.items() if name != "out_of_fold")
    there = {"normal": "N", "abnormal": "V"}[kind]
    assert {name for name, row in numbers["classes"].items() if row["recall"] is not None} == {
        there
    }


@pytest.mark.parametrize(
    ("package", "name", "kind"),
    [
        *((ep.run, "simulate", kind) for kind in ("none", "one", "normal", "abnormal")),
        *(
            (*one, kind)
            for one, kind in zip(VERDICTS, cycle(("none", "normal", "abnormal")), strict=False)
        ),
    ],
)
def test_a_verdict_needs_both_kinds(package, name, kind, folders, tmp_path, monkeypatch):
    """Every simulation and study refuses beats without a miss rate or an FPR."""
    monkeypatch.chdir(tmp_path)
    why = "holds no beat" if kind == "none" else "so there is no (miss rate|FPR); normal and"
    with pytest.raises(InputError, match=why):
        getattr(package, name)("inter-patient", data=folders[kind], **REQUIRED.get(name, {}))
    assert list(tmp_path.iterdir()) == []


def test_no_beat_is_nothing_to_annotate_or_score(folders, tmp_path):
    """Each says what is not there."""
    record = folders["none"] / "r"
    with pytest.raises(InputError, match="has no beat in annotation atr"):
        ep.run.annotate(record, model="inter-patient", peaks="atr", out=tmp_path)
    write_wfdb(tmp_path, "w", ecg()[0])
    write_annotations(tmp_path, "w", "atr", np.empty(0, np.int64), [], fs=FS)
    with pytest.raises(InputError, match="nothing is scored"):
        ep.run.score([tmp_path / "w"], test="atr", start=0.0)


def test_a_recording_without_a_decision_has_no_burden():
    """Where every beat is undecided, none is known to be normal or abnormal."""
    scope = {"checked": False, "outside": False, "score": None}
    summary = {"record": "r", "seconds": 60.0, "beats": 5, "not_normal": 0, "scope": scope}
    none, one = (
        burden._row(AnnotationReport({**summary, "symbols": symbols}, ()), names_kinds=True)
        for symbols in ({"?": 5}, {"?": 4, "N": 1})
    )
    assert [none[f"{kind} share"] for kind in burden.SHARES] == [None, None, None, 1.0]
    assert [one[f"{kind} share"] for kind in burden.SHARES] == [0.0, 0.0, 0.0, 0.8]


def test_training_needs_both_kinds(tmp_path):
    """Beats of one kind teach nothing; and as many classes as the labels have."""
    signal, at = ecg(seconds=30)
    for name in "abc":
        np.savez(tmp_path / f"{name}.npz", signal=signal, fs=FS, leads=["MLII"])
        write_annotations(tmp_path, name, "atr", at[5:20], list(15 * "N"), fs=FS)
    file = tmp_path / "protocol.toml"
    file.write_text('train = ["a"]\nvalidation = ["b"]\ntest = ["c"]\n')
    given = {"recipe": "reference-8", "protocol": file, "data": tmp_path, "out": tmp_path / "run"}
    with pytest.raises(InputError, match="training beats are normal, so there is no miss rate"):
        ep.run.train(**given)
    with pytest.raises(InputError, match="classes is 4, but labels 'aami' have 2"):
        ep.run.train(**given, classes=4, labels="aami")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_beats_of_one_patient_are_enough_for_one_chip(folders, tmp_path):
    """A verdict without an interval over patients."""
    report = ep.run.simulate(
        "inter-patient", noise=0.02, chips=1, data=folders["two"], out=tmp_path / "chips"
    ).report
    assert report.over_patients["sentence"].endswith("not given: one patient and one chip.")


def test_fibrillation_between_beats_is_described(tmp_path):
    """A long span without beats is noted, with the waves that are there."""
    signal = np.concatenate([ecg(40)[0], fibrillation(30, 0.6), ecg(40)[0]])
    place = write_wfdb(tmp_path, "vf", signal)
    done = ep.run.annotate(place, model="reference-8", out=tmp_path, picture=False)
    (found,) = [note for note in done.summary["notes"] if note.startswith("no beat from")]
    assert ": waves of 0.60 mV in which no QRS complex is found, strongest at " in found
    assert "as in ventricular flutter or fibrillation" in found
