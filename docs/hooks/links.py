"""Links that work twice: on GitHub to the file, on the site to the page made of it."""

from __future__ import annotations

import posixpath
import re

PAGES = {
    "README.md": "project/readme.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "LICENSE": "project/license.md",
}
"""Files outside the documentation folder that are pages of the site."""
SOURCES = {
    "ecgphoton/__init__.py": "reference/api/index.md",
    "ecgphoton/cli.py": "reference/cli.md",
    "ecgphoton/recipe.py": "reference/recipe.md",
    "ecgphoton/hwsim/profile.py": "reference/profile.md",
    "ecgphoton/program/program.schema.json": "reference/mesh.md",
    "docs/hooks/files.toml": "reference/files.md",
}
"""Sources of truth and the reference pages generated from them."""
FOLDERS = {
    "ecgphoton/recipes": "reference/recipe.md",
    "ecgphoton/hwsim/profiles": "reference/profile.md",
}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
IMAGE_TAG = re.compile(r'(<img src=")([^"]+)(")')


def place(path: str) -> str | None:
    """Page of the site that shows a file of the project, None if there is none.

    `path` is relative to the project.
    """
    if path in PAGES:
        return PAGES[path]
    if path in SOURCES:
        return SOURCES[path]
    for folder, page in FOLDERS.items():
        if path == folder or path.startswith(folder + "/"):
            return page
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    parts = path.split("/")
    if parts[0] == "ecgphoton" and path.endswith(".py") and len(parts) > 2:
        return f"reference/api/{parts[1]}.md"
    return None


def targets(text: str) -> list[str]:
    """Relative link targets of a page, without anchors."""
    found = [match[3] for match in LINK.finditer(without_code(text))]
    found += [match[2] for match in IMAGE_TAG.finditer(text)]
    return [
        target.split("#")[0]
        for target in found
        if "://" not in target and not target.startswith(("#", "mailto:"))
    ]


def without_code(text: str) -> str:
    """Return a page's text without code blocks and code spans."""
    text = re.sub(r"(?ms)^( *)(```+).*?^\1\2 *$", "", text)
    return re.sub(r"`[^`\n]*`", "", text)


def rewrite(text: str, source: str, page: str) -> str:
    """Return a page's text with links that work on the site.

    Parameters
    ----------
    text
        Markdown as it is in the file.
    source
        Path of that file in the project.
    page
        Path of the page on the site.
    """

    def moved(target: str) -> str | None:
        if "://" in target or target.startswith(("#", "mailto:")):
            return target
        path, hash_, anchor = target.partition("#")
        named = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        found = place(named)
        if found is None:
            return None
        return posixpath.relpath(found, posixpath.dirname(page) or ".") + hash_ + anchor

    def link(match: re.Match[str]) -> str:
        mark, label, target = match.groups()
        new = moved(target)
        return label if new is None else f"{mark}[{label}]({new})"

    def image(match: re.Match[str]) -> str:
        # Raw HTML is not touched by the site builder: one more level up, as pages are folders.
        new = moved(match[2]) or match[2]
        up = "" if page.endswith("index.md") else "../"
        return match[1] + up + new + match[3]

    return IMAGE_TAG.sub(image, LINK.sub(link, text))
