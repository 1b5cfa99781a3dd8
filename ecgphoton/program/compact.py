"""JSON with short lines for what belongs together."""

import json
from typing import Any


def compact_json(value: Any, *, line: int = 320, indent: str = "") -> str:  # noqa: ANN401
    """Return JSON with one line for what fits in `line` characters, and for lists of scalars.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    if len(text) <= line or not isinstance(value, dict | list):
        return text
    inner = list(value.values()) if isinstance(value, dict) else value
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in inner):
        return text
    deeper = indent + " "
    parts = [compact_json(item, line=line, indent=deeper) for item in inner]
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}:{part}" for key, part in zip(value, parts, strict=True)]
    body = f",\n{deeper}".join(parts)
    return f"{text[0]}\n{deeper}{body}\n{indent}{text[-1]}"
