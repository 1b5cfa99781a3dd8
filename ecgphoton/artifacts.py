"""Files: atomic writes, hashes, safetensors checkpoints, manifests."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from ecgphoton.errors import InputError, VerificationError
from ecgphoton.intake import (
    LARGEST_FILE,
    expecting,
    parse_json,
    portable,
    read_arrays as read_arrays,
    read_bytes as read_bytes,
    read_json as read_json,
)
from ecgphoton.unfinished import UNFINISHED, locked, opened, sweep_temporary, to_make

if TYPE_CHECKING:
    import numpy as np

MANIFEST = "manifest.json"
RENEW = {  # commands that write folders of each kind again
    "ecgphoton-bundle": "`ecgphoton export RUN --mesh`",
    "ecgphoton-calibration": "ecgphoton calibrate BUNDLE",
    "ecgphoton-run": "ecgphoton train",
}
ESCAPES = "backslashreplace"  # for what UTF-8 cannot hold: bytes of names in another encoding
CHECKPOINT_FORMAT = "ecgphoton-checkpoint/1"
LARGEST_HEADER = 2**23  # bytes of a checkpoint that say what is in it


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside `path`, renamed to it only if the block succeeds.

    Where `path` is a link, it stays, and the file it leads to is replaced.

    Raises
    ------
    InputError
        If the folder cannot be written (read-only, missing rights, disk full), or `path` is there
        and is no file.
    """
    final = Path(os.path.realpath(path)) if Path(path).is_symlink() else Path(path)
    temporary: Path | None = None
    try:
        if final.is_symlink() or (final.exists() and not final.is_file()):
            raise FileExistsError("it is no file")  # but a device, a pipe, a link to itself
        final.parent.mkdir(parents=True, exist_ok=True)
        beside = final.with_name(f".{final.name}{UNFINISHED}{token_hex(4)}{final.suffix}")
        with beside.open("x") as mark:  # with the rights that the user's umask leaves
            temporary = beside
            locked(mark)  # keeps `sweep_temporary` of another command away
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        temporary.replace(final)
    except OSError as error:
        raise unwritten(final, error) from error
    finally:
        if temporary is not None and temporary.exists():
            temporary.unlink()


def check_room(folder: Path) -> None:
    """Raise InputError for a folder that cannot be written to; leave no empty one."""
    try:
        made = to_make(folder)
        folder.mkdir(parents=True, exist_ok=True)
        sweep_temporary(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritten(folder, error) from error
    with contextlib.suppress(OSError):  # another command may have put something there meanwhile
        for path in made:
            path.rmdir()


def unwritten(path: Path, error: OSError) -> InputError:
    """Return the error for a file or folder that cannot be written, by the name it was to have."""
    named = Path(*(part for part in path.parts if UNFINISHED not in part))
    file = next((one for one in (named, *named.parents) if one.is_file()), None)
    if file is not None and isinstance(error, FileExistsError | NotADirectoryError):
        return InputError(f"cannot write {named}: {file} is a file; choose another folder")
    return InputError(
        f"cannot write {named}: {error.strerror or error}; free some space or choose another folder"
    )


@contextlib.contextmanager
def atomic_files(folder: Path) -> Iterator[Path]:
    """Yield a folder whose files move into `folder` if the block succeeds.

    A link there stays, and the file it leads to is replaced, as by `atomic_path`.

    Raises
    ------
    InputError
        If the folder cannot be written (read-only, missing rights, disk full).
    """
    temporary = folder / f".files{UNFINISHED}{token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        with opened(temporary) as mark:
            locked(mark)
            yield temporary
            for path in sorted(temporary.iterdir()):  # still locked, so that nobody sweeps them
                if (final := folder / path.name).is_symlink():
                    with atomic_path(final) as beside:
                        shutil.copyfile(path, beside)
                else:
                    path.replace(final)
    except OSError as error:
        raise unwritten(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8; what cannot be encoded becomes escapes."""
    write_bytes(path, text.encode(errors=ESCAPES))


def to_json(value: object) -> str:
    """JSON with sorted keys, two-space indent and a final newline; refuses NaN and infinity."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def json_bytes(value: object) -> bytes:
    """Return `to_json` in UTF-8; bytes that are not UTF-8 become escapes."""
    return to_json(value).encode(errors=ESCAPES)


def write_json(path: Path | str, value: object) -> None:
    """Write `value` as JSON, atomically."""
    write_bytes(path, json_bytes(value))


def sha256(data: bytes | Path) -> str:
    """Hexadecimal SHA-256 of bytes, or of a file's content."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, *, kind: str, extra: Mapping[str, object] | None = None) -> None:
    """Write `manifest.json` with size and SHA-256 of every other file below `folder`."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    write_json(folder / MANIFEST, {"kind": kind, "files": files, **(extra or {})})


def write_arrays(path: Path | str, **arrays: np.ndarray) -> None:
    """Write arrays by name as an npz file, packed."""
    import numpy as np

    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def csv_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as CSV, the keys of the first one as header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def kind_of(folder: Path) -> str | None:
    """Return the kind that the manifest of a folder names, None where there is none."""
    with contextlib.suppress(InputError, KeyError, TypeError):
        return str(read_json(folder / MANIFEST)["kind"])
    return None


def read_manifest(folder: Path, *, kind: str) -> dict[str, Any]:
    """Read and check the form of a manifest; every path must stay inside `folder`.

    Raises
    ------
    InputError
        If the manifest is missing, of another kind, names a path outside the folder, or two that
        are one file where upper and lower case do not count.
    """
    manifest = read_json(folder / MANIFEST)
    stated = manifest if isinstance(manifest, dict) else {}
    files, found = stated.get("files"), stated.get("kind")
    if not isinstance(files, dict) or found != kind:
        name = kind.partition("/")[0]
        if isinstance(found, str) and found.partition("/")[0] == name:
            raise InputError(
                f"{folder} is of version {found!r}, and {kind!r} is read; make it again with "
                f"{RENEW.get(name, 'this version')}"
            )
        raise InputError(f"{folder / MANIFEST} is not a manifest of kind {kind!r}")
    root, alike = folder.resolve(), dict[str, str]()
    for name, entry in files.items():
        try:
            inside = (folder / name).resolve().is_relative_to(root)
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (folder / name).lstat()
            plain = portable(name) if inside else name
        except (OSError, ValueError) as error:
            raise InputError(
                f"{folder / MANIFEST} names {name[:80]!r}, which no file can be called ({error})"
            ) from error
        if not inside:
            raise InputError(f"{folder / MANIFEST} names {name!r}, which is outside the folder")
        if (other := alike.setdefault(plain, name)) != name:
            raise InputError(f"{folder / MANIFEST} names both {other!r} and {name!r}")
        about = entry if isinstance(entry, dict) else {}
        if type(about.get("bytes")) is not int or not isinstance(about.get("sha256"), str):
            raise InputError(f"{folder / MANIFEST}: entry {name!r} lacks bytes or sha256")
    return stated


def check_manifest(folder: Path, *, kind: str) -> list[str]:
    """Return what differs between a folder and its manifest, empty when nothing does."""
    manifest = read_manifest(folder, kind=kind)
    problems = []
    for name, entry in manifest["files"].items():
        path = folder / name
        if not path.is_file() or path.is_symlink():
            problems.append(f"{name}: missing")
        elif path.stat().st_size != entry["bytes"]:
            problems.append(f"{name}: {path.stat().st_size} bytes, manifest says {entry['bytes']}")
        elif entry["bytes"] > LARGEST_FILE:
            problems.append(f"{name}: {entry['bytes']} bytes; {LARGEST_FILE} are read")
        elif sha256(path) != entry["sha256"]:
            problems.append(f"{name}: SHA-256 differs from the manifest")
    return problems


def save_checkpoint(
    path: Path | str, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, object]
) -> None:
    """Write arrays and JSON metadata as one safetensors file (nothing is ever pickled)."""
    import numpy as np
    from safetensors.numpy import save

    # One metadata key: with more, the writer's key order changes from process to process.
    header = {"ecgphoton": to_json({"format": CHECKPOINT_FORMAT, **metadata})}
    contiguous = {name: np.asarray(arrays[name], order="C") for name in sorted(arrays)}
    write_bytes(path, save(contiguous, metadata=header))


def load_checkpoint(path: Path | str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_checkpoint` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged, or not one of ours.
    VerificationError
        If an array holds NaN or infinity.
    """
    import numpy as np
    from safetensors.numpy import load

    data = read_bytes(path)
    with expecting(path, "an ecgphoton checkpoint", "make it again"):
        length = int.from_bytes(data[:8], "little")
        if length > LARGEST_HEADER:
            raise InputError(
                f"{path} is no checkpoint: it does not begin as a safetensors file does; give the "
                "folder of a run or bundle"
            )
        metadata = parse_json(parse_json(data[8 : 8 + length])["__metadata__"]["ecgphoton"])
        if metadata.pop("format") != CHECKPOINT_FORMAT:
            raise InputError(f"{path} is not of format {CHECKPOINT_FORMAT!r}")
        arrays = load(data)
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise VerificationError(f"{path}: array {name!r} holds NaN or infinity")
    return arrays, metadata
