"""Arguments of public functions are what they are annotated as, or refused by name."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from recordings import FS, ecg

import ecgphoton as ep
from ecgphoton.arguments import checked
from ecgphoton.calibration.calibrate import check_steps
from ecgphoton.errors import InputError, require
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.run.score import score
from ecgphoton.student.propagate import Inputs

pytestmark = pytest.mark.usefixtures("short_records")

MODEL = "reference-8"
WRONG = [
    ("annotate", {"record": 3}, "record"),
    ("annotate", {"record": "x", "picture": "no"}, "picture"),
    (
        "annotate",
        {"record": "x", "progress": None},
        "progress is None; it must be a function",
    ),
    ("calibrate", {"model": MODEL, "chips": "2"}, "chips"),
    ("evaluate", {"model": MODEL, "protocol": 1}, "protocol"),
    ("export", {"model": MODEL, "bits": "8"}, "bits"),
    ("export", {"model": MODEL, "architecture": "tree"}, "architecture"),
    ("fetch", {"jobs": 1.5}, "jobs"),
    ("report", {"model": 1.0}, "model"),
    ("runs", {"folder": "nowhere"}, "there is no folder nowhere"),
    ("score", {"records": ["x"], "start": "0"}, "start"),
    ("score", {"records": ["x"], "grouping": "ec58"}, "grouping"),
    ("simulate", {"model": MODEL, "progress": None}, "progress is None; it must be a"),
    ("calibrate", {"model": MODEL, "bench": 3}, "bench is of type int; it must be a text or a fun"),
    ("train", {"classes": 3}, "classes"),
    (
        "budget",
        {"model": MODEL, "data": "synthetic", "settings": ["receiver.kind=homodyne"]},
        "receiver.kind=homodyne has no powers; a budget needs one of balanced, hybrid, intensity",
    ),
    ("train", {"seed": "0"}, "seed"),
    ("train", {"resume": "r", "settings": ["training.epochs=9"]}, "settings is .* states its own"),
    ("train", {"resume": "r", "data": "synthetic"}, "data is 'synthetic', but the run"),
    (
        "simulate",
        {"model": MODEL, "limit": [("miss", 0.1), ("miss", 0.2)]},
        "limit miss is given twice",
    ),
    ("simulate", {"model": MODEL, "data": "synthetic", "dask": "x", "workers": 2}, "workers is 2"),
    ("verify", {"bundle": MODEL, "sax": 1}, "sax"),
    ("verify", {"bundle": MODEL, "beats": False, "data": "synthetic"}, "no beats are run"),
    ("calibrate", {"model": MODEL, "steps": "dark,swep"}, "there is no calibration step 'swep'"),
    ("calibrate", {"model": MODEL, "steps": "fit,dark"}, "steps fit,dark measure and choose no"),
    ("distill", {"teacher": "nothing.pt", "data": "synthetic"}, "teacher nothing.pt: "),
]
BEATS = (ep.SegmentStudent(), Inputs(torch.rand(2, 360)), [0, 1], ep.OperatingPoint(0.5, ()))
OTHER = [
    (lambda: ep.load(3), "named is of type int; it must be of type Path or a text or of type"),
    (lambda: ep.load_bundle(None), "folder is None; it must be of type Path or a text"),
    (lambda: ep.load_splits(data=["x"]), "data is of type list; it must be a text or "),
    (lambda: ep.read(b"x"), "path is b'x'; it must be a text or of type Path"),
    (lambda: ep.read("x.csv", fs="250"), "fs is '250'; it must be a number"),
    (lambda: ep.predict("inter-patient", None), "student is of type str; it must be of type Seg"),
    (lambda: ep.inputs_of(None, ep.SegmentStudent()), "beats is None; it must be of"),
    (lambda: ep.calibrate(None, "x"), "program is of type str; it must be of type MeshProgram"),
    (lambda: checked(simulate, {"settings": 3}), "settings is 3; it must be a list"),
    (lambda: checked(simulate, {"progress": 3}), "progress is of type int; it must be a function"),
    (lambda: ep.load_splits(split_seed=-1), "split_seed is -1; it must be at least 0"),
    (lambda: ep.simulate(*BEATS, records="101"), "records is '101'; it must be one row, with the"),
    (lambda: ep.load_splits(quality=np.zeros(2)), "quality is array.*; it must be one of"),
    (lambda: ep.SegmentStudent("inter-patient"), "architecture is of type str; it must be of type"),
    (lambda: ep.SegmentStudent(seed=1.5), "seed is 1.5; it must be a whole number"),
    (lambda: ep.SegmentStudent(sed=1), r"SegmentStudent\(\) takes no argument 'sed'; .* seed\?"),
    (lambda: ep.Annotator(fs=250, student=3), "student is of type int; it must be a text or "),
    (lambda: ep.Dataset.from_folder(3), "path is 3; it must be a text or of type Path"),
    (lambda: ep.Dataset.from_folder("x" * 300), "no file or folder can have a name as long as"),
    (lambda: ep.Dataset.from_folder("a\0b"), r"path is 'a\\x00b'; no text or path may hold"),
    (lambda: ep.load("x" * 300), "no file or folder can have a name as long as 'xxx"),
    (lambda: ep.run.score(records=[1]), "records holds 1; it must hold texts"),
    (lambda: ep.run.calibrate(MODEL, settings=np.ones(3)), "settings holds np.float64.1.0."),
    (lambda: ep.study.solve(MODEL, key="dac.bits", settings=[Path("x")]), "a profile has no 'x'"),
    (lambda: ep.study.certify(MODEL, epsilon=0.01), "epsilon is 0.01; it must be a list"),
    (lambda: ep.study.certify(MODEL, epsilon=["1"]), "epsilon is '1'; it must be a number"),
    (lambda: ep.SegmentStudent(seed=-1), r"seed is -1; it must be an integer in \[0, 2\^64\)"),
    (lambda: check_steps(["dark"]), "a step is 'dark'; it must be a `Step`"),
    (
        lambda: require(False, "x", np.zeros((9, 9, 9)), "small"),
        r"x is array\(\[\[\[0.{,260}small$",
    ),
    (lambda: ep.annotate([10**400], 360), "samples hold a number that no array can"),
    (lambda: ep.Dataset(10**400, records=()), "name is 1000.*; it must be a text"),
    (lambda: ep.Dataset("x", records="01"), "records is '01'; it must be of type tuple"),
    (lambda: ep.Recipe(data="synthetic"), "data is 'synthetic'; it must be of type Data"),
]
"""Values of another type for functions and classes of the package itself."""


@pytest.mark.parametrize(("call", "words"), OTHER)
def test_a_value_of_another_type_is_refused_by_name(call, words) -> None:
    """Texts for students, lists for folders, numbers for paths: what is wanted is said."""
    with pytest.raises(InputError, match=f"^{words}"):
        call()


def test_no_refusal_prints_a_whole_array() -> None:
    """Whatever is refused, and wherever: beginning and end of a long message are enough."""
    with pytest.raises(InputError, match=r"^driver.table is .* \.\.\. .*") as refused:
        HeaterDac.of_table(np.zeros((5000, 3)).tolist())
    assert len(str(refused.value)) < 1100


def test_a_text_is_taken_for_a_path() -> None:
    """What is annotated as a path is one when the function begins."""
    assert checked(score, {"test_folder": "x"}) == {"test_folder": Path("x")}


def test_the_tables_of_a_recipe_may_be_given_as_such() -> None:
    """As in its file: they become sections."""
    assert ep.Recipe(student={"layers": 2}).student == ep.Architecture(layers=2)


@pytest.mark.parametrize(("name", "given", "named"), WRONG)
def test_a_wrong_argument_is_refused_by_name(name, given, named, tmp_path, monkeypatch) -> None:
    """Another type, an unknown choice, a folder that is not there, an uncallable progress."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"^{named}"):
        getattr(ep.run, name)(**given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [InputError, TypeError])
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ep.run.simulate(chip=3), r"simulate\(\) takes no argument 'chip'; .* chips\?"),
        (lambda: ep.run.export(bit=3), r"export\(\) takes no argument 'bit'; did you mean bits\?"),
        (lambda: ep.load(name="x"), r"load\(\) takes no argument 'name'; did you mean named\?"),
        (lambda: ep.study.sweep(), r"sweep\(\): missing .*'over'"),
        (lambda: ep.run.simulate("a", "b"), r"simulate\(\): too many positional arguments"),
    ],
)
def test_a_wrong_call_names_function_and_argument(call, words, kind) -> None:
    """Such a call is invalid input and, as in all of Python, a TypeError."""
    with pytest.raises(kind, match=f"^{words}"):
        call()


@pytest.mark.parametrize(("package", "name"), [
    (package, name) for package in (ep.run, ep.study) for name in package.HOMES
])  # fmt: skip
def test_an_empty_path_or_name_is_refused(package, name, tmp_path, monkeypatch) -> None:
    """Every function: an empty path is not the working folder, nor an empty name the default."""
    monkeypatch.chdir(tmp_path)
    function = getattr(package, name)
    parameters = inspect.signature(function).parameters.values()
    known = {"key": "noise", "over": "noise=0:0.02:2"}
    required = {
        one.name: known.get(one.name, "x") for one in parameters if one.default is one.empty
    }
    for one in parameters:
        kinds = str(one.annotation)
        if one.kind is not one.VAR_KEYWORD and ("str" in kinds or "Path" in kinds):
            empty = [""] if "Sequence" in kinds else ""
            with pytest.raises(InputError, match=f"^{one.name} is empty|''"):
                function(**{**required, one.name: empty})
    assert list(tmp_path.iterdir()) == []


def test_one_text_or_path_stands_for_several(tmp_path, wfdb_folder) -> None:
    """It is one record or setting, not as many as it has letters."""
    record = wfdb_folder / "s01"
    for one in (record, str(record)):
        assert len(ep.run.score(one, test="atr", start=0).records) == 1
    with pytest.raises(InputError, match="a profile has no 'nois' "):
        ep.run.simulate("inter-patient", profile="pessimistic", settings="nois", data="synthetic")


@pytest.mark.parametrize(("name", "parameter"), [
    ("train", "protocol"), ("train", "recipe"), ("train", "data"),
    ("evaluate", "protocol"), ("evaluate", "data"), ("export", "profile"), ("annotate", "profile"),
    ("verify", "data"),
])  # fmt: skip
def test_a_path_is_taken_where_a_text_names_a_file(name, parameter, tmp_path, monkeypatch) -> None:
    """What may be typed may be a path in Python: its file is read, here a damaged one."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "named.toml"
    file.write_text("damaged = ")
    np.savez(tmp_path / "x.npz", signal=ecg()[0], fs=FS)
    required = {
        "train": {"data": "synthetic"},
        "verify": {"bundle": MODEL},
        "annotate": {"model": MODEL, "record": "x"},
    }.get(name, {"model": MODEL})
    with pytest.raises(InputError, match=r"named\.toml"):
        getattr(ep.run, name)(**{**required, parameter: file})
