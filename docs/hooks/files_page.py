"""Reference of the files that commands write, made from files a page's commands have written."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blocks import Session, blocks_of

WORDS = Path(__file__).with_name("files.toml")


@dataclass(frozen=True)
class Row:
    """One key, column or array of a file."""

    path: str
    kind: str
    example: str


def rows_of(path: Path, free: tuple[str, ...] = ()) -> list[Row]:
    """Return what is in a JSON, JSON-lines, CSV, npz or safetensors file, one row a key.

    Keys below a path in `free` are names of things (sets, records): one of them stands for all.
    """
    if path.suffix == ".json":
        return list(_walk(json.loads(path.read_text(encoding="utf-8")), "", free))
    if path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        found = {row.path: row for line in lines[:200] for row in _walk(line, "", free)}
        return list(found.values())
    if path.suffix == ".csv":
        table = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        return [Row(name, "column", value) for name, value in table[0].items()]
    if path.suffix == ".npz":
        import numpy as np

        with np.load(path) as arrays:
            return [
                Row(name, f"{arrays[name].dtype} {_shape(arrays[name].shape)}", "")
                for name in arrays.files
            ]
    from ecgphoton.artifacts import load_checkpoint

    arrays, metadata = load_checkpoint(path)
    rows = [Row(n, f"{a.dtype} {_shape(a.shape)}", "") for n, a in arrays.items()]
    return rows + list(_walk(metadata, "metadata", free))


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _walk(value: Any, path: str, free: tuple[str, ...]) -> Iterator[Row]:
    if isinstance(value, dict) and value and path not in free:
        for key, item in value.items():
            yield from _walk(item, f"{path}.{key}" if path else key, free)
    elif isinstance(value, dict) and value:
        yield from _walk(next(iter(value.values())), f"{path}.*", free)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from _walk(value[0], f"{path}[]", free)
    else:
        value = float(f"{value:.6g}") if isinstance(value, float) else value
        text = json.dumps(value, ensure_ascii=False)
        yield Row(path, _kind(value), text if len(text) <= 40 else text[:37] + "…")


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"list of {_kind(value[0])}" if value else "list"
    names = {bool: "bool", int: "integer", float: "number", str: "text", dict: "object"}
    return "null" if value is None else names[type(value)]


def explained(folder: Path) -> str:
    """Return the page: every file of `files.toml` as found in `folder`, with what its keys mean.

    Raises
    ------
    ValueError
        If a key is not explained, or one is explained that no file has.
    """
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    text = [
        "# Files\n\nWhat commands write, listed from the files that the [tutorial]"
        "(../tutorial.md) leaves behind. `*` stands for a name, `[]` for each item of a list. "
        "Shares are from 0 to 1.\n"
    ]
    problems, used = [], set[str]()
    for entry in words["file"]:
        keys, opaque = entry.get("keys", {}), tuple(entry.get("opaque", ()))
        if "room" in entry:
            text.append(f"\n## {entry['room']}\n")
        text.append(f"\n### `{entry['path']}`\n\n{entry['about']}\n\n")
        text.append("| key | type | example | meaning |\n|---|---|---|---|\n")
        rows = _folded(rows_of(folder / entry["path"], tuple(entry.get("free", ()))), opaque)
        for row in rows:
            last = row.path.split(".")[-1]
            meaning = keys.get(row.path) or words["common"].get(last)
            used |= {row.path, last}
            if meaning is None:
                problems.append(f"{entry['path']}: {row.path} is not explained")
            example = f"`{row.example}`".replace("|", "\\|") if row.example else ""
            text.append(f"| `{row.path}` | {row.kind} | {example} | {meaning} |\n")
        left = set(keys) - {row.path for row in rows}
        problems += [f"{entry['path']}: {key} is explained and not there" for key in sorted(left)]
    problems += [f"[common] {key} is used nowhere" for key in sorted(set(words["common"]) - used)]
    if problems:
        raise ValueError("docs/hooks/files.toml: " + "; ".join(problems))
    return "".join(text)


def _folded(rows: list[Row], opaque: tuple[str, ...]) -> list[Row]:
    """One row for everything below a path explained elsewhere, and for repeated paths."""
    found: dict[str, Row] = {}
    for row in rows:
        above = next((path for path in opaque if row.path.startswith(path)), None)
        made = row if above is None else Row(above, "object", "")
        found.setdefault(made.path, made)
    return list(found.values())


def example(page: Path) -> tempfile.TemporaryDirectory[str]:
    """Follow a page in a temporary folder and return it with all that was written."""
    folder = tempfile.TemporaryDirectory(prefix="ecgphoton-docs-")
    here = os.environ.get("ECGPHOTON_DATA")
    os.environ |= {"ECGPHOTON_DATA": "nowhere", "COLUMNS": "200"}
    try:
        session = Session(Path(folder.name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for block in blocks_of(page.read_text(encoding="utf-8")):
                if block.tag != "run mitdb":
                    session.follow(block)
    finally:
        os.environ.pop("ECGPHOTON_DATA")
        if here is not None:
            os.environ["ECGPHOTON_DATA"] = here
    return folder
