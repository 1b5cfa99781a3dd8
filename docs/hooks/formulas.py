"""Formulas as MathML, made when the site is built: no script draws them."""

from __future__ import annotations

import re

DISPLAY = re.compile(r"(?ms)^```math\n(.*?)^```$")
INLINE = re.compile(r"\$`([^`\n]+)`\$")
KEY = "formula{:04d}formula"


def take_out(text: str) -> tuple[str, dict[str, str]]:
    """Replace formulas in GitHub's notation by keys; return the text and the MathML of each key.

    Raises
    ------
    ValueError
        If a formula cannot be read.
    """
    from latex2mathml.converter import convert

    made: dict[str, str] = {}

    def put(tex: str, display: str) -> str:
        key = KEY.format(len(made))
        try:
            math = convert(" ".join(tex.split()), display=display)
        except Exception as error:
            raise ValueError(f"formula {tex!r} cannot be read: {error!r}") from error
        made[key] = f'<div class="formula">{math}</div>' if display == "block" else math
        return f"\n{key}\n" if display == "block" else key

    text = DISPLAY.sub(lambda match: put(match[1], "block"), text)
    return INLINE.sub(lambda match: put(match[1], "inline"), text), made


def put_back(html: str, made: dict[str, str]) -> str:
    """Put MathML where its keys are."""
    for key, math in made.items():
        html = html.replace(f"<p>{key}</p>", math).replace(key, math)
    return html
