"""What the documentation tells people to type works, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import files_page
import pytest
from blocks import Session, blocks_of, command_lines, problem

from ecgphoton import registry
from ecgphoton.cli import main
from ecgphoton.ecg.database import locate
from ecgphoton.ecg.databases import DATASETS
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.ecg.records import LABELS
from ecgphoton.hwsim.effects import EFFECTS
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.recipe import Recipe, override
from ecgphoton.recipes import shipped
from ecgphoton.student.activations import ACTIVATIONS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CARDS = sorted((ROOT / "ecgphoton" / "models").glob("*/card.md"))
BLOCKS = {
    page.relative_to(ROOT).as_posix(): blocks_of(page.read_text(encoding="utf-8"))
    for page in (*PAGES, *CARDS)
}
FOLLOWED = [
    name for name, blocks in BLOCKS.items() if any(block.tag.startswith("run") for block in blocks)
]
SHELL = ("cd", "cp", "git", "head", "ls", "mkdir", "pip", "python3", "source")
"""Other programs that pages may call."""


def calls() -> Iterator[tuple[str, str]]:
    """Every command of every page, with the page."""
    for name, blocks in BLOCKS.items():
        for block in blocks:
            if block.language in ("", "bash") and block.tag not in ("output", "shown", "file"):
                yield from ((name, command) for command, _ in command_lines(block.text))


CALLS = list(dict.fromkeys(calls()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_says_what_a_test_does_with_it(page: Path) -> None:
    """No code block of any page is left out: each is run, checked, or said why not."""
    name = page.relative_to(ROOT).as_posix()
    wrong = [f"{name}:{b.line}: a block {problem(b)}" for b in BLOCKS[name] if problem(b)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.usefixtures("short_records")
def test_following_a_page_works(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block a page asks to run runs, in order, and prints what the page shows.

    Blocks for the database are followed where it is; all others see none. Trainings of 30 epochs
    take ten here, with short records: what is printed differs from the page in digits alone.
    """
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(registry, "_MODULES", dict(registry._MODULES))
    for named in (ACTIVATIONS, DATASETS, EFFECTS, FEATURES, LABELS, RECEIVERS):
        monkeypatch.setattr(named, "_values", dict(named._values))  # forget what a page adds
    session, database = Session(tmp_path), locate()
    for block in BLOCKS[name]:
        if block.tag == "run mitdb" and database is None:
            continue
        place = str(database) if block.tag == "run mitdb" else "nowhere"
        monkeypatch.setenv("ECGPHOTON_DATA", place)
        try:
            session.follow(replace(block, text=block.text.replace("epochs=30", "epochs=10")))
        except Exception as error:
            raise AssertionError(f"{name}:{block.line}: {error}") from error
    if name == "docs/tutorial.md":
        assert "| `sets.*.miss` |" in files_page.explained(tmp_path)  # every key has a meaning


@pytest.mark.parametrize(("page", "call"), CALLS, ids=[call for _, call in CALLS])
def test_every_documented_call_is_understood(page: str, call: str) -> None:
    """Every documented command exists and takes the options it is shown with."""
    words = shlex.split(re.sub(r"^(\w+=\S+ )+", "", call.partition(" > ")[0]))
    program = words.pop(0)
    if program == "ecgphoton":
        understood(page, words)
    elif program == "make":
        targets = [word for word in words if "=" not in word]
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for target in targets:
            assert re.search(rf"(?m)^{target}:", makefile), f"{page}: no target {target}"
    elif program == "pytest" or words[:2] == ["-m", "pytest"]:
        for word in words:
            assert "/" not in word or (ROOT / word).exists(), f"{page}: no {word}"
    elif program == "python":
        module = words[1].replace(".", "/") if words[0] == "-m" else words[0]
        found = [ROOT / module, ROOT / f"{module}.py"]
        assert any(path.exists() for path in found), f"{page}: no {module}"
    else:
        assert program in SHELL or program == "export", f"{page}: {program}?"


def understood(page: str, words: list[str]) -> None:
    """Look up a call's command, its options and what it names."""
    command: click.Command = main
    context = click.Context(command, info_name="ecgphoton")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{page}: there is no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    known = {
        option: parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help": None, "--version": None}
    for word, value in zip(words, [*words[1:], ""], strict=False):
        if word.startswith("-") and not re.fullmatch(r"-\d.*", word):
            option = word.split("=")[0]
            assert option in known, f"{page}: {command.name} has no option {option}"
        if word == "--set" and "--profile" in known:
            load_profile("ideal").with_settings(["receiver.kind=balanced", value])
        elif word == "--set":
            override(Recipe(), [value])
        if word == "--recipe" and value.islower():
            assert value in shipped() or value.endswith(".toml"), f"{page}: no recipe {value}"
        if word == "--profile" and value.islower() and not value.endswith(".toml"):
            load_profile(value)


def test_there_is_something_to_test() -> None:
    """The README's three commands are among the calls found."""
    said = [call for _, call in CALLS]
    for needed in ("ecgphoton train", "ecgphoton export --mesh", "ecgphoton simulate --noise 0.02"):
        assert needed in said


def test_the_project_names_no_machine() -> None:
    """No page, source or recipe carries an absolute path of somebody's machine."""
    pattern = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt)/\w")
    for path in (*PAGES, *CARDS, *(ROOT / "ecgphoton").rglob("*.py")):
        assert not pattern.search(path.read_text(encoding="utf-8")), path
