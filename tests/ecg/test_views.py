"""Training beats in further leads of their records."""

from pathlib import Path

import numpy as np
import pytest
import wfdb
from recordings import write_wfdb

from ecgphoton.ecg.beats import BeatSet, Splits, load_splits
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.ecg.protocols import Protocol
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
    for number, name in enumerate(NAMES, 1):
        made = synthesise(patient(number), beats=120)
        wfdb.wrsamp(
            name,
            fs=360,
            units=["mV", "mV"],
            sig_name=LEADS[name],
            d_signal=made.digital.astype(np.int64),
            fmt=["16", "16"],
            adc_gain=[200, 200],
            baseline=[1024, 1024],
            write_dir=str(place),
        )
        wfdb.wrann(name, "atr", made.samples, list(made.symbols), write_dir=str(place))
    return place


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


def test_a_record_without_another_ecg_is_named(folder: Path) -> None:
    """A blood pressure is no view; of a third lead no record has one."""
    assert read(folder, 2).report.notes[-1] == "p3: no further ECG lead to train on"
    thrice = read(folder, 3)
    assert thrice.views is not None
    assert len(thrice.views) == len(read(folder, 2).views or ())
    assert set(thrice.report.notes[-3:]) == {
        f"{name}: no further ECG lead to train on" for name in NAMES[:3]
    }


def test_beats_that_validate_are_not_seen_in_another_lead(folder: Path) -> None:
    """A random share of the beats validates; training holds none of them in any lead."""
    splits = read(folder, 2, share=0.3)
    assert splits.views is not None

    def places(beats: BeatSet) -> set[tuple[str, int]]:
        return set(zip(beats.record.tolist(), beats.sample.tolist(), strict=True))

    assert places(splits.views) < places(splits.train)
    assert not places(splits.views) & places(splits.validation)


def test_what_is_wrong_with_another_lead_is_said(tmp_path: Path) -> None:
    """Noise, another unit or half a lead teach as they are, and a note says so."""
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
    about = {note.partition(": ")[0]: note.partition(": ")[2] for note in notes}
    assert about == {
        "noise": "120 of 120 beats in poor signal (120 noise without beats) of lead V1 are kept",
        "scale": "120 of 120 beats in poor signal (120 wrong scale: check the unit) of lead V1 are "
        "kept",
        "half": "60 of 120 training beats have no window in the further lead",
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


def test_a_teacher_and_views_are_refused(tmp_path: Path) -> None:
    """Outputs of a teacher belong to each beat once."""
    with pytest.raises(InputError, match=r"data\.views is 2, and a teacher's outputs are of each"):
        train(
            "reference-8",
            data="synthetic",
            teacher="cnn",
            settings=["data.views=2"],
            out=tmp_path / "run",
        )
    assert not (tmp_path / "run").exists()
