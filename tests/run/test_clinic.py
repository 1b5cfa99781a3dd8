"""A clinic's own recordings are what every step of its journey reads, and nothing else."""

import json

import numpy as np
import pytest
from recordings import write_edf

from ecgphoton import run, runs
from ecgphoton.artifacts import write_text
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.errors import InputError

pytestmark = pytest.mark.slow

PATIENT = ("Mustermann", "Erika", "X4711", "2019-03-01", "20190301", "01.03.19")
NAMES = [f"p{number:02d}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """Twelve EDF recordings at 250 Hz with labels in tables, their protocol, and a run on them."""
    from scipy.signal import resample_poly

    place = tmp_path_factory.mktemp("clinic")
    (place / "records").mkdir()
    for number, name in enumerate(NAMES, 1):
        made = synthesise(patient(number), beats=60)
        write_edf(
            place / "records" / f"{name}.edf",
            resample_poly((made.digital[:, 0] - 1024) / 200, 25, 36),
        )
        rows = [f"{at / 360:.4f},{s}" for at, s in zip(made.samples, made.symbols, strict=True)]
        write_text(place / "records" / f"{name}.csv", "\n".join(["time,symbol", *rows]))
    sets = {"train": NAMES[:6], "validation": NAMES[6:9], "test": NAMES[9:]}
    lines = [f"{key} = {json.dumps(names)}" for key, names in sets.items()]
    lines += ['labels = "aami"', 'lead = "II"', 'annotator = "csv"']
    write_text(place / "protocol.toml", "\n".join(lines))
    run.train(
        data=str(place / "records"),
        protocol=str(place / "protocol.toml"),
        settings=["training.epochs=2"],
        seed=1,
        out=place / "run",
    )
    return place


def text_below(folder):
    """Everything that a folder says, as text."""
    return "".join(
        path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file()
    )


def test_the_run_lists_its_files_and_nothing_else(clinic):
    """Twenty-four files with their hashes; no name, number or date of a patient."""
    stored = runs.load_student(clinic / "run").metadata["provenance"]
    wanted = {f"{name}.{kind}" for name in NAMES for kind in ("edf", "csv")}
    assert set(stored["files"]) == wanted
    assert all(len(digest) == 64 for digest in stored["files"].values())
    assert not any(word in text_below(clinic / "run") for word in PATIENT)


def test_every_step_reads_the_clinics_beats(clinic, monkeypatch):
    """Evaluate, export and simulate use the recordings, with no database in reach."""
    monkeypatch.setenv("ECGPHOTON_DATA", "/no/such/folder")
    found = run.evaluate(clinic / "run")
    assert found.source == "records (own recordings)"
    assert set(found.metrics["sets"]) == {"validation", "test"}
    run.export(clinic / "run", out=clinic / "bundle")
    judged = run.simulate(clinic / "bundle", noise=0.02, chips=2, out=clinic / "chips")
    assert judged.source == "records (own recordings)"
    tuned = run.calibrate(
        clinic / "bundle", profile="ideal", steps="dark,correct", chips=1, out=clinic / "tuned"
    )
    assert tuned.source == "records (own recordings)"
    also = (clinic / "chips", clinic / "tuned")
    page = run.report(clinic / "run", also=also, out=clinic / "report.html")
    assert set(also) <= set(page.taken)
    assert not any(word in page.page.read_text() for word in PATIENT)
    scores = np.load(clinic / "run" / "test_scores.npz")
    assert set(scores["record"].tolist()) == set(NAMES[9:])
    assert not any(word in text_below(clinic / "chips") for word in PATIENT)


def test_a_changed_recording_stops_every_step(clinic, tmp_path):
    """A label that was changed after training is named by all that follows."""
    import shutil

    shutil.copytree(clinic / "records", tmp_path / "records")
    labels = tmp_path / "records" / "p10.csv"
    write_text(labels, labels.read_text() + "\n20.0,V")
    for step in (run.evaluate, run.simulate):
        with pytest.raises(InputError, match=r"p10\.csv has changed"):
            step(clinic / "run", data_dir=tmp_path / "records")


def test_a_report_draws_the_recordings_of_the_run_or_says_why_not(clinic, tmp_path):
    """A changed signal is not drawn, and a folder that is named is used or refused."""
    import shutil

    shutil.copytree(clinic / "records", tmp_path / "records")
    drawn = run.report(clinic / "run", data_dir=tmp_path / "records", out=tmp_path / "a.html")
    assert "25 mm/s" in drawn.page.read_text()
    for name in NAMES[9:]:
        signal = tmp_path / "records" / f"{name}.edf"
        content = signal.read_bytes()
        signal.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    page = run.report(clinic / "run", data_dir=tmp_path / "records", out=tmp_path / "b.html").page
    assert "25 mm/s" not in page.read_text()
    assert "or not the same files" in page.read_text()
    with pytest.raises(InputError, match="not a folder"):
        run.report(clinic / "run", data_dir=tmp_path / "nowhere", out=tmp_path / "c.html")
    with pytest.raises(InputError, match="records would not be read, because no scores"):
        run.report("inter-patient", data_dir=tmp_path / "records", out=tmp_path / "c.html")
