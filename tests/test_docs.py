"""What the documentation tells people to type works, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from ecgphoton.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
CARDS = sorted((ROOT / "ecgphoton" / "models").glob("*/card.md"))


def commands(page: Path) -> list[str]:
    """Lines of a page that call ecgphoton."""
    lines = page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        text = re.sub(r"^(\s{4,}|\$ |>\s+|#\s+)*(\w+=\S+ )*", "", line)
        if line != text.strip() and text.startswith("ecgphoton "):
            found.append(text.split("  #")[0].split(" | ")[0].strip())
    return found


CALLS = [(page, call) for page in (*PAGES, *CARDS) for call in commands(page)]


def test_there_is_something_to_test() -> None:
    """The README's three commands are among the calls found."""
    calls = [call for _, call in CALLS]
    for needed in ("ecgphoton train", "ecgphoton export --mesh", "ecgphoton simulate --noise 0.02"):
        assert needed in calls


@pytest.mark.parametrize(("page", "call"), CALLS, ids=[call for _, call in CALLS])
def test_every_documented_call_is_understood(page: Path, call: str) -> None:
    """Every documented command exists and takes the options it is shown with."""
    call = re.sub(r"\[[^\]]*\]|…|\.\.\.", "", call)
    command: click.Command = main
    words = shlex.split(call)[1:]
    context = click.Context(command, info_name="ecgphoton")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{page.name}: there is no command {name!r}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    known = {
        option: parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help": None, "--version": None}
    for word in words:
        if word.startswith("-") and not re.fullmatch(r"-\d.*", word):
            option = word.split("=")[0]
            assert option in known, f"{page.name}: {command.name} has no option {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link and picture of a page exists."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python example of the README runs as printed."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_the_project_names_no_machine() -> None:
    """No page, source or recipe carries an absolute path of somebody's machine."""
    pattern = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt)/\w")
    for path in (*PAGES, *CARDS, *(ROOT / "ecgphoton").rglob("*.py")):
        assert not pattern.search(path.read_text(encoding="utf-8")), path
