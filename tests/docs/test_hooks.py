"""The documentation site: generated pages are complete, links work on GitHub and on the site."""

from __future__ import annotations

import ast
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import api_pages
import click
import commands_page
import formulas
import links
import pytest
import schema_page
import settings_page
from blocks import Block, blocks_of, problem, shape

import ecgphoton
from ecgphoton.cli import main
from ecgphoton.hwsim.effects import numbers
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.recipe import Recipe

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
NAV = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere_on_github(name: str) -> None:
    """Every relative link and picture of a page is a file of the project."""
    page = ROOT / name
    for target in links.targets(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{name} links to {target}"


def headings(page: Path) -> set[str]:
    """Anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    lines = re.findall(r"(?m)^#+ (.*)$", text)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("name", [*NAMES, "CHANGELOG.md"])
def test_links_to_a_heading_find_it(name: str) -> None:
    """Every anchor of a link is a heading of the page that it leads to."""
    page = ROOT / name
    for _, _, target in links.LINK.findall(links.without_code(page.read_text(encoding="utf-8"))):
        path, _, anchor = target.partition("#")
        other = page.parent / path if path else page
        if anchor and "://" not in target and other.suffix == ".md":
            assert anchor in headings(other), f"{name} links to {target}"


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere_on_the_site(name: str) -> None:
    """After rewriting, every relative link is a page of the site or a file beside them."""
    site = links.place(name)
    assert site is not None
    made = {line.strip(" -") for line in NAV.splitlines()}
    text = links.rewrite((ROOT / name).read_text(encoding="utf-8"), name, site)
    for target in links.targets(text):
        if f'<img src="{target}' in text:
            continue
        path = (ROOT / "docs" / site).parent / target
        inside = path.resolve().relative_to(ROOT / "docs").as_posix()
        assert inside in made or path.exists(), f"{name} links to {target}"


def test_a_link_to_code_outside_the_reference_is_plain_text_on_the_site() -> None:
    """What the site does not show is no link there."""
    text = "[a test](../tests/test_docs.py) and [a recipe](../ecgphoton/recipe.py#L3)"
    moved = links.rewrite(text, "docs/page.md", "page.md")
    assert moved == "a test and [a recipe](reference/recipe.md#L3)"


def test_every_page_is_in_the_navigation() -> None:
    """No page of the documentation folder is unreachable."""
    for page in (ROOT / "docs").rglob("*.md"):
        assert f"- {page.relative_to(ROOT / 'docs').as_posix()}\n" in NAV + "\n", page


def test_the_map_shows_every_room() -> None:
    """The drawn map and the table of floors know all rooms of the package."""
    drawn = (ROOT / "docs" / "figures" / "map.svg").read_text(encoding="utf-8")
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in Path(ecgphoton.__file__).parent.iterdir():
        if path.name.startswith(("_", ".")) or path.suffix not in ("", ".py"):
            continue
        name = f"{path.name}/" if path.is_dir() else path.stem
        assert f">{name}<" in drawn, name
        assert f"`{name}`" in table, name


def test_the_command_reference_has_every_command_and_option() -> None:
    """Generated from the commands: none is missing, nor any option."""
    page = commands_page.page()
    for name in main.commands:
        assert f"\n## ecgphoton {name}" in page
    for option in main.commands["simulate"].params:
        if isinstance(option, click.Option):
            assert f"| `{option.opts[0]}`" in page.split("## ecgphoton simulate")[1]


def test_the_recipe_reference_has_every_key() -> None:
    """Generated from the declarations: every key, its default and the shipped recipes."""
    page = settings_page.recipe_page()
    for section in fields(Recipe):
        value = getattr(Recipe(), section.name)
        for key in fields(value) if is_dataclass(value) else ():
            assert f"| `{key.name}` | " in page.split(f"## [{section.name}]")[1]
    assert "| `layers` | `3` | from 2 to 16 | " in page
    assert "| `batch` | `512` | from 1 to 65536 beats | " in page
    assert "| `kind` | `one-cycle` | `one-cycle`, `plateau`, `constant` | " in page
    assert "| `next interval z` | 1 | In the patient" in page
    assert "### inter-patient" in page


def test_the_profile_reference_has_every_key() -> None:
    """Generated from the profile: every key with the shipped values."""
    page = settings_page.profile_page()
    assert all(f"\n| `{key}` | " in page for key in (*numbers(), *RECEIVERS))


def test_the_mesh_reference_has_every_key_of_the_schema() -> None:
    """Generated from the JSON Schema: every property of every definition."""
    import json

    from ecgphoton.program.program_file import schema_text

    schema, page = json.loads(schema_text()), schema_page.page()
    for part in (schema, *schema["$defs"].values()):
        for name in part.get("properties", {}):
            assert f"| `{name}`" in page


def test_the_python_reference_has_every_public_name_once() -> None:
    """Public names are documented on one page, all modules of a package on another."""
    pages = api_pages.pages()
    index = pages["reference/api/index.md"]
    for name in dir(ecgphoton):
        if not name.startswith("_"):
            assert re.search(rf"(?m)^::: ecgphoton\.[\w.]*{name}$", index), name
    assert set(pages) <= {line.strip(" -") for line in NAV.splitlines()}


def test_formulas_become_mathml() -> None:
    """Every formula of every page is understood, and put back where it was."""
    pytest.importorskip("latex2mathml")
    for page in PAGES:
        text, made = formulas.take_out(page.read_text(encoding="utf-8"))
        html = formulas.put_back(text, made)
        assert "```math" not in html
        assert html.count("<math") == len(made)
        assert not any("\\" in math for math in made.values())


def test_a_block_without_a_tag_is_noticed() -> None:
    """Fenced or indented, in any language: what has no tag is a problem, and why is asked for."""
    page = (
        "A\n\n    ecgphoton train\n\n```bash\nls\n```\n\n<!-- check: slow -->\n```bash\nls\n```\n"
    )
    assert [bool(problem(block)) for block in blocks_of(page)] == [True, True, False]
    assert problem(Block(1, "bash", "ls", "check"))
    assert problem(Block(1, "toml", "a = 1", "run"))


def test_shown_output_may_differ_in_numbers_only() -> None:
    """Digits, rules and the verdict do not count; words do."""
    one = "yield 85.0 % [70.2, 94.3]: FAIL (proven at 95 % confidence)"
    other = "yield 100.0 % [83.2, 100.0]: PASS (not yet decided at 95 % confidence)"
    assert shape(one) == shape(other) != shape(one.replace("yield", "share"))


def test_examples_of_docstrings_are_code_on_the_site() -> None:
    """They stand in a section of their own; elsewhere the site takes ``>>>`` for a quotation."""
    for path in (ROOT / "ecgphoton").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                before, example, _ = (ast.get_docstring(node) or "").partition(">>>")
                assert not example or before.endswith("Examples\n--------\n"), (path, node.name)
