"""Events of the site builder: generated pages, links, formulas."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import api_pages
import commands_page
import files_page
import formulas
import links
import schema_page
import settings_page
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
REMOTE = re.compile(
    r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>"
)
"""What would make a browser ask another host."""
COMMENT = re.compile(r"(?m)^<!-- .*? -->\n")
_formulas: dict[str, dict[str, str]] = {}
_sources: dict[str, str] = {}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made, and those that lie outside the documentation folder."""
    made = {
        "reference/cli.md": commands_page.page(),
        "reference/recipe.md": settings_page.recipe_page(),
        "reference/profile.md": settings_page.profile_page(),
        "reference/mesh.md": schema_page.page(),
        **api_pages.pages(),
    }
    with files_page.example(ROOT / "docs" / "tutorial.md") as folder:
        made["reference/files.md"] = files_page.explained(Path(folder))
    for source, page in links.PAGES.items():
        made[page] = (ROOT / source).read_text(encoding="utf-8")
        _sources[page] = source
        if source == "LICENSE":
            made[page] = f"# License\n\n{made[page]}"
    for page, content in made.items():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links and formulas of a page into what the site can show."""
    del config, files
    uri = page.file.src_uri
    markdown = COMMENT.sub("", markdown)
    if page.file.generated_by is None or uri in _sources:
        markdown = links.rewrite(markdown, _sources.get(uri, f"docs/{uri}"), uri)
    markdown, _formulas[uri] = formulas.take_out(markdown)
    return markdown


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Put formulas where they belong."""
    del config, files
    return formulas.put_back(html, _formulas[page.file.src_uri])


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Refuse a page that would load anything from elsewhere."""
    del config
    found = REMOTE.search(output)
    if found and 'rel="canonical"' not in found[0]:
        raise PluginError(f"{page.file.src_uri} loads from elsewhere: {found[0]}")
    return output
