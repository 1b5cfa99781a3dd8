"""Training beats in further leads of their records."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb
from numpy.typing import NDArray
from recordings import write_wfdb

from ecgphoton.ecg.beats import BeatSet, Splits, load_splits
from ecgphoton.ecg.beatset import Further
from ecgphoton.ecg.formats import Hints, open_recording
from ecgphoton.ecg.labels import Labels, read_labels
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.ecg.protocols import Protocol
from ecgphoton.ecg.quality import judge
from ecgphoton.ecg.recording import OpenRecording
from ecgphoton.errors import InputError
from ecgphoton.recipe import Recipe
from ecgphoton.run.beats import taught
from ecgphoton.run.train import train

NAMES = ("p1", "p2", "p3", "p4")
LEADS = {"p1": ["MLII", "V1"], "p2": ["V5", "MLII"], "p3": ["MLII", "ABP"], "p4": ["MLII", "V1"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four records: two leads, two in the other order, one lead and a blood pressure, two leads."""
    place = tmp_path_factory.mktemp("records")
    for name in NAMES:
        write(place, name)
    return place


def write(place: Path, name: str, *, noise: float | None = None, until: float = 1.0) -> None:
    """Write one of the records; with noise, a share of the second channel is noise (mV RMS)."""
    made = synthesise(patient(NAMES.index(name) + 1), beats=120)
    digital = made.digital.astype(np.int64)
    if noise is not None:
        random = np.random.default_rng(0).normal(scale=200 * noise, size=len(digital))
        noisy = round(until * len(digital))
        digital[:noisy, 1] = 1024 + random[:noisy].round()
    wfdb.wrsamp(
        name,
        fs=360,
        units=["mV", "mV"],
        sig_name=LEADS[name],
        d_signal=digital,
        fmt=["16", "16"],
        adc_gain=[200, 200],
        baseline=[1024, 1024],
        write_dir=str(place),
    )
    wfdb.wrann(name, "atr", made.samples, list(made.symbols), write_dir=str(place))


def read(folder: Path, views: int, lead: str | None = None, share: float = 0.0) -> Splits:
    """Beats of three training records and a test record."""
    protocol = Protocol(
        "own", NAMES[:3], (), NAMES[3:], "test", validation_fraction=share, folds=0 if share else 2
    )
    return load_splits(protocol, "aami", data=folder, views=views, lead=lead)


def test_a_view_is_the_same_beats_in_the_other_lead(folder: Path) -> None:
    """Samples, symbols and classes stay, windows are those of the other lead, by its own name."""
    splits = read(folder, 2)
    assert splits.views is not None
    for name, channel in (("p1", 1), ("p2", 0)):
        own = splits.train.take(splits.train.record == name)
        seen = splits.views.take(splits.views.record == name)
        other = read(folder, 1, f"channel:{channel}").train
        other = other.take(other.record == name)
        assert seen.digest == other.digest
        assert np.array_equal(seen.sample, own.sample)
        assert np.array_equal(seen.label, own.label)
        assert not np.array_equal(seen.windows, own.windows)
    assert set(splits.views.record.tolist()) == {"p1", "p2"}


def test_what_is_scored_does_not_depend_on_views(folder: Path) -> None:
    """The three sets and the folds are those of the lead alone."""
    one, two = read(folder, 1), read(folder, 2)
    assert one.views is None
    assert two.folds == one.folds
    assert [part.digest for part in two.parts.values()] == [
        part.digest for part in one.parts.values()
    ]


def test_a_record_is_opened_once_and_a_lead_judged_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of its leads are read; from the cache, only a record without a further lead."""
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path))
    opened, judged = Counter[str](), Counter[bytes]()

    def open_counted(path: Path, hints: Hints | None) -> OpenRecording:
        opened[path.name] += 1
        return open_recording(path, hints)

    def judge_counted(windows: NDArray[np.float32]) -> NDArray[np.str_]:
        judged[windows.tobytes()] += 1
        return judge(windows)

    def labels_counted(path: Path, *given: Any, **how: Any) -> Labels:
        opened[path.name] += 1
        return read_labels(path, *given, **how)

    monkeypatch.setattr("ecgphoton.ecg.beats.open_recording", open_counted)
    monkeypatch.setattr("ecgphoton.ecg.beats.read_labels", labels_counted)
    monkeypatch.setattr("ecgphoton.ecg.quality.judge", judge_counted)
    first = read(folder, 2)
    once = dict.fromkeys((*NAMES, *(f"{name}.atr" for name in NAMES)), 1)
    assert opened == once
    assert set(judged.values()) == {1}
    second = read(folder, 2)
    assert opened == {**once, "p3": 2}
    assert set(judged.values()) == {1}
    assert first.views is not None
    assert second.views is not None
    assert second.views.digest == first.views.digest


@pytest.mark.parametrize("views", [0, -1, 13])
def test_a_number_of_leads_that_makes_no_sense_is_refused(views: int, folder: Path) -> None:
    """One lead is not read where none, or fewer, are asked for."""
    with pytest.raises(InputError, match=rf"views is {views}; it must be from 1 to 12"):
        read(folder, views)


def test_a_record_without_another_ecg_is_named(folder: Path) -> None:
    """A blood pressure is no view; of a third lead no record has one."""
    twice = read(folder, 2)
    taught, lacking = twice.report.notes[-2:]
    assert taught == (
        "240 further training beats, the same in other leads, which are not scored: "
        "V1 of 1 record, V5 of 1 record"
    )
    assert lacking == (
        "1 of 3 training records with fewer than 2 ECG leads (by name, with length and rate of the "
        "lead that is scored): p3"
    )
    assert twice.further == (Further("p1", "V1", 120), Further("p2", "V5", 120))
    thrice = read(folder, 3)
    assert thrice.views is not None
    assert len(thrice.views) == len(twice.views or ())
    assert thrice.report.notes[-1] == (
        "3 of 3 training records with fewer than 3 ECG leads (by name, with length and rate of the "
        "lead that is scored): p1 p2 p3"
    )


@pytest.mark.parametrize(
    ("size", "why"),
    [
        (0, "window has missing samples"),
        (0.003, "no signal: the lead is flat"),
        (0.3, "noise without beats"),
    ],
)
def test_a_dead_lead_does_not_teach(size: float, why: str, tmp_path: Path, folder: Path) -> None:
    """A second lead of noise alone teaches no beat, which is said; those of other records do."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "p1", noise=size)
    splits = read(tmp_path, 2)
    assert splits.views is not None
    assert set(splits.views.record.tolist()) == {"p2"}
    assert splits.further == (Further("p1", "V1", 0), Further("p2", "V5", 120))
    said = f"p1: 120 beats of lead V1 left out of training: {why}"
    assert splits.report.notes[-2] == said
    counted = next(note for note in splits.report.notes if "further training beats" in note)
    assert counted.startswith("120 ")
    assert counted.endswith("not scored: V5 of 1 record")


def test_where_every_further_lead_is_dead_one_lead_teaches(tmp_path: Path, folder: Path) -> None:
    """There are no further beats then, and no sentence counts any."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "p1", noise=0.3)
    protocol = Protocol("own", ("p1", "p3"), (), ("p4",), "test", folds=2)
    splits = load_splits(protocol, "aami", data=tmp_path, views=2)
    assert splits.views is None
    assert splits.further == (Further("p1", "V1", 0),)
    assert not [note for note in splits.report.notes if "further training beats" in note]


def test_a_note_on_poor_beats_names_its_lead_once(tmp_path: Path, folder: Path) -> None:
    """Of a further lead with some noise, whose beats teach nevertheless."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "p1", noise=0.3, until=0.25)
    said = [note for note in read(tmp_path, 2).report.notes if "poor signal" in note]
    assert len(said) == 1
    assert said[0].endswith("of lead V1 are kept")


@pytest.mark.slow
def test_a_run_states_the_leads_that_teach(tmp_path: Path) -> None:
    """In the folder from the start, in its results, and in what the command prints."""
    done = train(
        "reference-8",
        data="synthetic",
        settings=["data.views=2", "training.epochs=1", "training.min_epochs=1"],
        out=tmp_path / "run",
    )
    start = json.loads((tmp_path / "run" / "start.json").read_text())
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    views = done.splits.views
    assert views is not None
    assert start["digests"]["further leads"] == views.digest
    stated = start["further_leads"]
    assert stated == metrics["further_leads"] == done.to_dict()["further_leads"]
    assert sum(one["beats"] for one in stated) == len(views)
    assert {one["record"] for one in stated} == set(done.splits.protocol.train)
    assert {one["lead"] for one in stated} == {"V1"}
    assert any("further training beats" in note for note in metrics["dropped"]["notes"])


def test_beats_that_validate_are_not_seen_in_another_lead(folder: Path) -> None:
    """A random share of the beats validates; training holds none of them in any lead."""
    splits = read(folder, 2, share=0.3)
    assert splits.views is not None

    def places(beats: BeatSet) -> set[tuple[str, int]]:
        return set(zip(beats.record.tolist(), beats.sample.tolist(), strict=True))

    assert places(splits.views) < places(splits.train)
    assert not places(splits.views) & places(splits.validation)


def test_what_is_wrong_with_another_lead_is_said(tmp_path: Path) -> None:
    """Noise and another unit do not teach, nor does the missing half of a lead: a note says so."""
    noise, rng = ["noise", "scale", "half", "whole"], np.random.default_rng(0)
    for number, name in enumerate(noise, 1):
        made = synthesise(patient(number), beats=120)
        signal = (made.digital.astype(float) - 1024) / 200
        half = np.where(np.arange(len(signal)) < len(signal) // 2, np.nan, signal[:, 1])
        other = {"noise": 0.3 * rng.standard_normal(len(signal)), "half": half}
        signal[:, 1] = other.get(name, signal[:, 1] * (1000 if name == "scale" else 1))
        write_wfdb(tmp_path, name, signal, fs=360, lead=["MLII", "V1"])
        wfdb.wrann(name, "atr", made.samples, list(made.symbols), write_dir=str(tmp_path))
    protocol = Protocol("own", tuple(noise[:3]), (), ("whole",), "test", folds=2)
    notes = load_splits(protocol, "aami", data=tmp_path, views=2).report.notes[1:]
    about = {note.partition(": ")[0]: note.partition(": ")[2] for note in notes[1:]}
    assert about == {
        "noise": "120 beats of lead V1 left out of training: noise without beats",
        "scale": "120 beats of lead V1 left out of training: wrong scale: check the unit",
        "half": "60 beats of lead V1 left out of training: window has missing samples",
    }


@pytest.mark.slow
def test_a_student_is_taught_the_beats_then_the_views() -> None:
    """Generated records have a second lead as well."""
    splits = load_splits("inter-patient", "aami-svf", data="synthetic", views=2)
    recipe = Recipe()
    examples = taught(splits, recipe, recipe.student, 0)
    count = len(splits.train)
    assert splits.views is not None
    assert len(examples) == count + len(splits.views) == 2 * count
    assert np.array_equal(examples.inputs.window[:count].numpy(), splits.train.windows)
    assert np.array_equal(examples.inputs.window[count:].numpy(), splits.views.windows)


def test_a_teacher_is_refused_with_all_that_stands_against_it(tmp_path: Path) -> None:
    """Outputs of a teacher belong to each beat once; the usual recipe also has folds."""
    once = r"data\.views is 2, and a teacher's outputs are of each recorded beat once"
    place = tmp_path / "run"
    with pytest.raises(InputError, match=rf"'reference-8' .* as it is: {once}: .*views=1; or take"):
        train("reference-8", data="synthetic", teacher="auto", settings=["data.views=2"], out=place)
    with pytest.raises(
        InputError, match=rf"has folds, and a teacher is judged .*{once}.*distill --recipe"
    ):
        train(data="synthetic", teacher="auto", out=place)
    assert not place.exists()
