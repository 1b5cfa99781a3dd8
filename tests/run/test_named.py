"""What is named is used once, or refused by the name that it was given."""

from __future__ import annotations

import errno
import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ecgphoton import registry, run
from ecgphoton.artifacts import load_checkpoint, save_checkpoint
from ecgphoton.cli import main
from ecgphoton.ecg.databases import dataset_of
from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects import number_of
from ecgphoton.student.activations import ACTIVATIONS

Call = Callable[..., Result]
SYNTHETIC = ("--data", "synthetic")
OUTSIDE = {
    "--limit miss is 10.0; it must be from 0 to 1": ("simulate", "--limit", "miss", "10"),
    "--limit miss=0.1: a name and a value are two words here; write --limit miss 0.1": (
        "simulate", "--limit", "miss=0.1",
    ),
    "--limit fpr=: a name and a value are two words here; write --limit fpr VALUE": (
        "calibrate", "--limit=fpr=", "0.1",
    ),
    "--limit yield is nan; it must be from 0 to 1": ("simulate", "--limit", "yield", "nan"),
    "splitter.sigma is nan; it must be": (
        "simulate", "--profile", "ideal", "--set", "splitter.sigma=nan",
    ),
    "--noise is 2.0; it must be from 0 to 1": ("simulate", "--noise", "2"),
    "--workers is 1025; it must be from 1 to 1024": ("simulate", "--workers", "1025"),
    "--dac-bits is 40; it must be from 2 to 24": ("export", "--dac-bits", "40"),
    "--bits is 17; it must be from 2 to 16 bits": ("export", "--bits", "17"),
    "--max-fpr is 5.0; it must be from 0 to 1": ("evaluate", "--max-fpr", "5"),
    "--max-miss is -1.0; it must be from 0 to 1": ("export", "--max-miss", "-1"),
}  # fmt: skip
TWICE = {
    "--chips is given twice, as 2 and as 3": ("simulate", "--chips", "2", "--chips", "3"),
    "--data or --on is given twice": ("evaluate", "--on", "auto"),
    "limit miss is given twice, as 0.1 and as 0.2": (
        "simulate", "--limit", "miss", "0.1", "--limit", "fpr", "0", "--limit", "miss", "0.2",
    ),
    "--beats or --no-beats is given twice": ("verify", "--beats", "--no-beats"),
    "--labels is given twice, as aami and as literal": (
        "train", "--labels", "aami", "--set", "data.labels=literal",
    ),
    "--protocol is given twice": (
        "train", "--protocol", "inter-patient", "--set", "data.protocol=reference",
    ),
    "splitter.sigma is given twice, as 0.1 and as 0.2": (
        "simulate", "--profile", "pessimistic", "--set", "splitter.sigma=0.1",
        "--set", "splitter.sigma=0.2",
    ),
}  # fmt: skip
BROKEN = {
    "recipe": ("[training]\nepochs = -3", "training.epochs is -3"),
    "profile": ("[receiver]\nkind = 'balenced'", "there is no receiver 'balenced'"),
}
METADATA = {
    "labels": None,
    "source": 3,
    "selection": {"sets": "validation"},
    "recipe": {"training": {"epochz": 3}},
    "provenance": [1],
    "data": [1],
    "architecture": [1],
}


def refused(done: Result) -> str:
    """Return the sentence of a command that refuses."""
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit)
    return done.output


@pytest.mark.parametrize("said", OUTSIDE)
def test_a_value_outside_its_range_is_refused_by_the_name_of_its_option(
    said: str, call: Call
) -> None:
    """Not by that of the setting which it becomes."""
    assert f": {said}" in refused(call(*OUTSIDE[said], *SYNTHETIC))


@pytest.mark.parametrize("said", TWICE)
def test_two_values_for_one_thing_are_refused(said: str, call: Call) -> None:
    """The last of two does not win without a word, nor does one option over another."""
    assert said in refused(call(*TWICE[said], *SYNTHETIC))


def test_options_that_may_be_repeated_are(call: Call) -> None:
    """Two limits and two settings; and options and settings that are given the same value twice."""
    twice = ("--set", "splitter.sigma=0", "--set", "splitter.sigma=0.0", "--chips", "1")
    limits = ("--limit", "miss", "1", "--limit", "fpr", "1", "--limit", "miss", "1.0")
    words = ("simulate", "--profile", "ideal", *twice, *limits, *SYNTHETIC, "--chips", "1")
    assert call(*words).exit_code in (0, 1)
    assert call("models", "--json", "--json").exit_code == 0
    same = ("--labels", "aami", "--set", 'data.labels="aami"', "--set", "data.labels=none")
    assert "given twice, as aami and as none" in refused(call("train", *same, *SYNTHETIC))


@pytest.mark.parametrize("kind", BROKEN)
def test_a_value_of_a_file_is_refused_with_the_name_of_the_file(
    kind: str, call: Call, tmp_path: Path
) -> None:
    """Whoever gives several files learns which one to correct."""
    text, said = BROKEN[kind]
    (tmp_path / "mine.toml").write_text(text)
    command = "train" if kind == "recipe" else "simulate"
    found = refused(call(command, f"--{kind}", str(tmp_path / "mine.toml"), *SYNTHETIC))
    assert f"{kind} {tmp_path / 'mine.toml'}: " in found
    assert said in found


@pytest.mark.parametrize("key", METADATA)
@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_a_checkpoint_of_other_content_is_refused_by_name(
    key: str, command: str, call: Call, tmp_path: Path
) -> None:
    """What it states about its student has another type or unknown keys: one sentence."""
    arrays, metadata = load_checkpoint("runs/r/checkpoint.safetensors")
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, arrays, {**metadata, key: METADATA[key]})
    assert str(path) in refused(call(command, str(path), *SYNTHETIC))
    del metadata[key]
    save_checkpoint(path, arrays, metadata)
    if key not in ("data", "provenance"):
        assert str(path) in refused(call(command, str(path), *SYNTHETIC))


def test_a_bundle_is_neither_written_into_nor_over_what_is_exported(call: Call) -> None:
    """Not even with --force, which replaces other bundles."""
    words = ("export", *SYNTHETIC, "--force", "--out")
    assert "to which nothing is added" in refused(call(*words, "bundles/b/inner"))
    again = call("export", "bundles/b", *words[1:], "bundles/../bundles/b")
    assert "is exported here, and would be replaced" in refused(again)
    assert not Path("bundles/b/inner").exists()


def test_a_form_is_added_to_those_of_the_mesh(call: Call, tmp_path: Path) -> None:
    """Neither --mesh nor --format is ignored where both are given."""
    words = ("--mesh", "--format", "raw", "--format", "csv", "--out", str(tmp_path / "b"))
    assert call("export", "runs/r", *words, *SYNTHETIC).exit_code == 0
    both = {"student_raw.onnx", "mesh.sax.json", "dac_codes.csv", "bill_of_materials.json"}
    assert both <= {path.name for path in (tmp_path / "b").iterdir()}


def test_a_mirror_is_refused_where_nothing_is_downloaded(tmp_path: Path) -> None:
    """--base-url has no effect beside --offline or --from-dir."""
    mirror = ("--base-url", "https://mirror.invalid", "--data-dir", str(tmp_path / "a"))
    for others in (("--offline",), ("--from-dir", str(tmp_path))):
        done = CliRunner().invoke(main, ["data", "fetch", *mirror, *others])
        assert "nothing is downloaded; leave one out" in refused(done)


@pytest.mark.slow
def test_ranges_from_beats_of_other_patients_say_so(call: Call, wfdb_folder: Path) -> None:
    """Only the beats that a student learnt from are called training beats."""
    Path("mine.toml").write_text('train = ["s01", "s02"]\nvalidation = ["s03"]\ntest = ["s04"]')
    quick = ("training.epochs=1", f"data.protocol={Path('mine.toml').absolute()}")
    made = run.train("reference-8", data=str(wfdb_folder), settings=quick, out=Path("mine"))
    own = run.export(made.folder, out=Path("own"))
    assert own.ranges_from.startswith("training beats (")
    arrays, metadata = load_checkpoint(made.folder / "checkpoint.safetensors")
    metadata["data"]["training"] = "of others"
    save_checkpoint("others", arrays, metadata)
    other = run.export("others", data=str(wfdb_folder), out=Path("other"))
    assert other.ranges_from.startswith("beats of ")


def test_a_working_folder_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no --out is given, the folder that could not be made is."""
    monkeypatch.chdir(tmp_path)

    def refuse(folder: Path, **_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(folder))

    monkeypatch.setattr(Path, "mkdir", refuse)
    done = CliRunner().invoke(main, ["demo", *SYNTHETIC])
    assert "error: cannot write demo: Read-only file system" in refused(done)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch):
    """Install an extension that raises when it is imported."""
    entry = importlib.metadata.EntryPoint("theirs", "nobody.has.this", registry.GROUP)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [entry])
    registry.lost.cache_clear()
    yield
    registry.lost.cache_clear()


@pytest.mark.parametrize(
    "ask", [lambda name: ACTIVATIONS[name], number_of, dataset_of], ids=["value", "number", "data"]
)
def test_an_extension_that_cannot_be_imported_is_named(ask, lost: None) -> None:
    """An unknown name is refused as ever; that an extension is lost is said beside it."""
    for _ in range(2):
        with pytest.raises(InputError, match=r"unknown.*the extension nobody\.has\.this cannot"):
            ask("unknown")
