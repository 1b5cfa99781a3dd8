"""Files that are whole or absent: atomic writes, hashes, safetensors checkpoints, manifests."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import lzma
import os
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgphoton.errors import InputError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

MANIFEST = "manifest.json"
CHECKPOINT_FORMAT = "ecgphoton-checkpoint/1"
LARGEST_FILE = 64 * 2**20  # bytes; no artefact of this project comes near


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside `path`, renamed to it only if the block succeeds.

    Raises
    ------
    InputError
        If the folder cannot be written (read-only, missing rights, disk full).
    """
    final = Path(path)
    temporary: Path | None = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=final.parent, prefix=f".{final.name}.", suffix=final.suffix
        )
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o644)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(final)
    except OSError as error:
        raise InputError(
            f"cannot write {final}: {error.strerror or error}; free some space or choose "
            "another folder"
        ) from error
    finally:
        if temporary is not None and temporary.exists():
            temporary.unlink()


def sweep_temporary(folder: Path) -> None:
    """Remove what a killed process was writing into a folder when it died."""
    for path in folder.glob(".*.*"):
        if path.is_file():
            path.unlink()


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all."""
    write_bytes(path, text.encode())


def to_json(value: object) -> str:
    """JSON with sorted keys, two-space indent and a final newline; refuses NaN and infinity."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def write_json(path: Path | str, value: object) -> None:
    """Write `value` as JSON, whole or not at all."""
    write_text(path, to_json(value))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not allowed")


def read_json(path: Path | str) -> Any:  # noqa: ANN401 - JSON is any value
    """Read a JSON file; NaN, infinity and files of unreasonable size are refused.

    Raises
    ------
    InputError
        If the file is missing, too large or not JSON.
    """
    text = read_bytes(path)
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON: {error}") from error


def read_bytes(path: Path | str, limit: int = LARGEST_FILE) -> bytes:
    """Content of a regular file of at most `limit` bytes, or InputError."""
    path = Path(path)
    try:
        if not path.is_file():
            raise InputError(f"{path} is not a file; check the path")
        size = path.stat().st_size
        if size > limit:
            raise InputError(f"{path} has {size} bytes; at most {limit} are read")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def read_arrays(path: Path | str, what: str) -> dict[str, np.ndarray]:
    """Arrays of an npz file, nothing ever unpickled.

    Parameters
    ----------
    what
        What the file should be, for the error: ``a golden file``.

    Raises
    ------
    InputError
        If the file is missing or damaged, or unpacks to more than `LARGEST_FILE` bytes.
    """
    import zipfile
    import zlib

    import numpy as np

    stream = io.BytesIO(read_bytes(path))
    try:
        with zipfile.ZipFile(stream) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > LARGEST_FILE:
                raise InputError(f"{path} unpacks to {unpacked} bytes; {LARGEST_FILE} are read")
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except InputError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        NotImplementedError,
        RuntimeError,  # an entry said to be encrypted
        SyntaxError,  # a header that is no Python literal
        struct.error,
        OverflowError,
        MemoryError,
    ) as error:
        raise InputError(f"{path} is not {what}: {error}") from error


def sha256(data: bytes | Path) -> str:
    """Hexadecimal SHA-256 of bytes, or of a file's content."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, *, kind: str, extra: Mapping[str, object] | None = None) -> None:
    """Write `manifest.json` with size and SHA-256 of every other file below `folder`."""
    files = {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": sha256(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    write_json(folder / MANIFEST, {"kind": kind, "files": files, **(extra or {})})


def read_manifest(folder: Path, *, kind: str) -> dict[str, Any]:
    """Read and check the form of a manifest; every path must stay inside `folder`.

    Raises
    ------
    InputError
        If the manifest is missing, of another kind, or names a path outside the folder.
    """
    manifest = read_json(folder / MANIFEST)
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or manifest.get("kind") != kind:
        raise InputError(f"{folder / MANIFEST} is not a manifest of kind {kind!r}")
    root = folder.resolve()
    for name, entry in files.items():
        relative = Path(name)
        inside = not relative.is_absolute() and ".." not in relative.parts
        try:
            inside = inside and (folder / name).resolve().is_relative_to(root)
            (folder / name).is_file()
        except (OSError, ValueError) as error:
            raise InputError(
                f"{folder / MANIFEST} names {name[:80]!r}, which no file can be called ({error})"
            ) from error
        if not inside:
            raise InputError(f"{folder / MANIFEST} names {name!r}, which is outside the folder")
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("bytes"), int)
            or not isinstance(entry.get("sha256"), str)
        ):
            raise InputError(f"{folder / MANIFEST}: entry {name!r} lacks bytes or sha256")
    return dict(manifest)


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
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = read_bytes(path)
    try:
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])["__metadata__"]["ecgphoton"]
        metadata = json.loads(header, parse_constant=_refuse_constant)
        if metadata.pop("format") != CHECKPOINT_FORMAT:
            raise InputError(f"{path} is not of format {CHECKPOINT_FORMAT!r}")
        arrays = load(data)
    except InputError:
        raise
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        RecursionError,
        MemoryError,
    ) as error:
        raise InputError(f"{path} is not an ecgphoton checkpoint ({error})") from error
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise VerificationError(f"{path}: array {name!r} holds NaN or infinity")
    return arrays, metadata
