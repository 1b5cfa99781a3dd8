"""The folder of a bundle: written atomically, with a manifest that holds its own digest."""

import glob
import shutil
import tempfile
import time
from pathlib import Path
from secrets import token_hex
from typing import Any

from ecgphoton import artifacts
from ecgphoton.errors import InputError

KIND = "ecgphoton-bundle/2"
CHECKPOINT, FLOAT, INTEGER = "checkpoint.safetensors", "student.onnx", "student_integer.onnx"
MESH, GOLDEN, CHECK = "mesh.json", "golden.npz", "check.py"
FEATURES, RECORDING = "features.py", "golden_recording.npz"
STALE = 600  # seconds after which an unfinished export is considered abandoned
RAW_FLOAT, RAW_INTEGER = "student_raw.onnx", "student_integer_raw.onnx"


def sealed(manifest: dict[str, Any]) -> dict[str, Any]:
    """Add a digest of the manifest's own content, so that it cannot be changed unnoticed."""
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return content | {"digest": artifacts.sha256(artifacts.json_bytes(content))}


def write_folder(out: Path, files: dict[str, bytes], extra: dict[str, Any], *, force: bool) -> None:
    """Write a bundle atomically.

    Raises
    ------
    InputError
        If `out` exists and may not be replaced, or cannot be written.
    """
    check_place(out, force=force)
    temporary = out.with_name(f".{out.name}.{token_hex(4)}")
    try:
        temporary.mkdir(parents=True)  # with the rights that the user's umask leaves
        for name, data in files.items():
            (temporary / name).parent.mkdir(exist_ok=True)
            (temporary / name).write_bytes(data)
        artifacts.write_manifest(temporary, kind=KIND, extra=extra)
        manifest = artifacts.read_json(temporary / artifacts.MANIFEST)
        artifacts.write_json(temporary / artifacts.MANIFEST, sealed(manifest))
        if out.exists():
            old = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
            out.replace(old)
            temporary.replace(out)
            shutil.rmtree(old)
        else:
            temporary.replace(out)
    except OSError as error:
        raise artifacts.unwritten(out, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_place(out: Path, *, force: bool) -> None:
    """Refuse a folder for a bundle.

    Raises
    ------
    InputError
        If it exists and may not be replaced.
    """
    _sweep(out)
    replaceable = not out.is_symlink() and _replaceable(out)
    if out.is_symlink() or (out.exists() and not (force and replaceable)):
        added = " and holds files that are not of a bundle" if out.is_dir() else " and is a file"
        more = ", or add --force to replace it" if replaceable else ""
        raise InputError(
            f"{out} already exists{'' if replaceable else added}; choose another --out{more}"
        )


def _sweep(out: Path) -> None:
    """Remove temporary folders that interrupted exports of `out` have left."""
    for path in out.parent.glob(f".{glob.escape(out.name)}.????????"):
        if path.is_dir() and not path.is_symlink() and time.time() - path.stat().st_mtime > STALE:
            # The old bundle is here during a replacement; restore it if there is no new one.
            if not out.exists() and (path / artifacts.MANIFEST).is_file():
                path.replace(out)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _replaceable(out: Path) -> bool:
    """Only an empty folder may be replaced, or a bundle to which nothing was added."""
    if not out.is_dir():
        return False
    if not any(out.iterdir()):
        return True
    try:
        manifest = artifacts.read_json(out / artifacts.MANIFEST)
        return is_bundle(manifest["kind"]) and not added_to(out, manifest)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def added_to(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Return the files of a bundle that its manifest does not name."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return sorted(there - {*manifest["files"], artifacts.MANIFEST})


def is_bundle(kind: object) -> bool:
    """Tell whether the kind that a manifest names is that of a bundle, of any version."""
    return isinstance(kind, str) and kind.partition("/")[0] == KIND.partition("/")[0]


def bundle_at(folder: Path | str) -> Path:
    """Return the folder of a bundle.

    Raises
    ------
    InputError
        If it has no manifest, or one of another version; the message has what renews it.
    """
    folder = Path(folder)
    if not (folder / artifacts.MANIFEST).is_file():
        raise InputError(f"{folder} is not a bundle: it has no {artifacts.MANIFEST}")
    kind = artifacts.kind_of(folder)  # None where it is damaged: whoever reads it says how
    if is_bundle(kind) and kind != KIND:
        artifacts.read_manifest(folder, kind=KIND)
    return folder


def manifest_problems(folder: Path) -> list[str]:
    """Return what differs between a bundle and its manifest, empty when nothing does.

    Raises
    ------
    InputError
        If there is no manifest, or it is not one of a bundle.
    """
    manifest = artifacts.read_manifest(folder, kind=KIND)
    problems = artifacts.check_manifest(folder, kind=KIND)
    if artifacts.read_bytes(folder / artifacts.MANIFEST) != artifacts.json_bytes(sealed(manifest)):
        problems.append(f"{artifacts.MANIFEST}: its digest does not fit its content")
    needed = (CHECKPOINT, FLOAT, INTEGER, MESH, GOLDEN, CHECK)
    problems += [f"{name}: not in the manifest" for name in needed if name not in manifest["files"]]
    return problems
