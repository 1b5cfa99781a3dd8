"""Reference of the mesh file, made from its JSON Schema."""

from __future__ import annotations

from typing import Any

ABOUT = """# Mesh file

Made from `mesh.schema.json`, which lies in every bundle.
Formulas and conventions: [bundle and its files](../formats.md#mesh-file), [physics](../physics.md).
Unknown keys are refused everywhere, and all keys are required unless marked.
"""


def page() -> str:
    """Return the page."""
    import json

    from ecgphoton.program.program_file import schema_text

    schema = json.loads(schema_text())
    text = [ABOUT, "\n## The file\n\n", _table(schema)]
    for name, definition in schema.get("$defs", {}).items():
        text.append(f"\n## {name}\n\n")
        if definition.get("type") == "object":
            text.append(_table(definition))
        else:
            text.append(_limits(definition) + "\n")
    return "".join(text)


def _table(schema: dict[str, Any]) -> str:
    rows = ["| key | value | unit or meaning |\n|---|---|---|\n"]
    rows += [
        f"| `{path}`{'' if needed else ' (optional)'} | {limits} | {said} |\n"
        for path, needed, limits, said in _walk(schema, "")
    ]
    return "".join(rows)


def _walk(schema: dict[str, Any], above: str) -> list[tuple[str, bool, str, str]]:
    found = []
    for name, part in schema.get("properties", {}).items():
        path, needed = f"{above}{name}", name in schema.get("required", ())
        said = str(part.get("description", ""))
        inner = part.get("items", {}) if part.get("type") == "array" else part
        found.append((path, needed, _limits(part), said))
        if "properties" in inner:
            found += _walk(inner, f"{path}{'[]' if inner is not part else ''}.")
    return found


def _limits(part: dict[str, Any]) -> str:
    """Return type and limits of one value in words."""
    if "$ref" in part:
        name = part["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name})"
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    for key in ("oneOf", "anyOf"):
        if key in part:
            return " or ".join(_limits(option) for option in part[key])
    kind = str(part.get("type", "any"))
    if kind == "array":
        low, high = part.get("minItems"), part.get("maxItems")
        count = f"{low} × " if low == high and low else f"at least {low} × " if low else ""
        return f"list: {count}{_limits(part.get('items', {}))}"
    if kind == "object" and "properties" in part:
        return "object"
    if kind == "object" and isinstance(part.get("additionalProperties"), dict):
        return f"object of {_limits(part['additionalProperties'])}"
    low = part.get("minimum", part.get("exclusiveMinimum"))
    high = part.get("maximum", part.get("exclusiveMaximum"))
    words = [kind]
    if low is not None:
        words.append(f"{'above' if 'exclusiveMinimum' in part else 'from'} {low:g}")
    if high is not None:
        words.append(f"{'below' if 'exclusiveMaximum' in part else 'to'} {high:g}")
    if "pattern" in part:
        pattern = part["pattern"].replace("|", "\\|")
        words.append(f"matching `{pattern}`")
    return " ".join(words)
