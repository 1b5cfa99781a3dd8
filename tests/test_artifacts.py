"""Files are whole or absent, and say when they are not what they claim to be."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from ecgphoton import artifacts
from ecgphoton.errors import EcgphotonError, InputError, VerificationError
from ecgphoton.export.bundle_folder import write_folder
from ecgphoton.unfinished import sweep_temporary


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """An error in the middle of writing changes nothing in the folder."""
    path = tmp_path / "a.json"
    artifacts.write_json(path, {"a": 1})

    def half_written() -> None:
        with artifacts.atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        half_written()
    assert json.loads(path.read_text()) == {"a": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("mask", [0o077, 0o002])
def test_files_have_the_rights_that_the_user_chose(mask: int, tmp_path: Path) -> None:
    """Results about patients are for nobody else under umask 077, and a group's under 002."""
    before = os.umask(mask)
    try:
        artifacts.write_json(tmp_path / "a" / "a.json", {"a": 1})
        write_folder(tmp_path / "b", {"c.txt": b"c"}, {}, force=False)
    finally:
        os.umask(before)
    for path in tmp_path.rglob("*"):
        most = 0o777 if path.is_dir() else 0o666
        assert path.stat().st_mode & 0o777 == most & ~mask, path


def test_json_refuses_nan_both_ways(tmp_path: Path) -> None:
    """NaN is neither written nor read."""
    with pytest.raises(ValueError, match="Out of range float"):
        artifacts.write_json(tmp_path / "a.json", {"a": float("nan")})
    (tmp_path / "b.json").write_text('{"a": NaN}')
    with pytest.raises(InputError, match="NaN is not allowed"):
        artifacts.read_json(tmp_path / "b.json")


def test_same_content_same_bytes(tmp_path: Path) -> None:
    """A checkpoint's bytes depend on its content alone, not on the order of its keys."""
    arrays = {"b": np.arange(4.0), "a": np.ones((2, 2), np.float32)}
    artifacts.save_checkpoint(tmp_path / "x", arrays, {"k": 1, "j": [1, 2]})
    artifacts.save_checkpoint(tmp_path / "y", dict(reversed(arrays.items())), {"j": [1, 2], "k": 1})
    assert artifacts.sha256(tmp_path / "x") == artifacts.sha256(tmp_path / "y")
    read, metadata = artifacts.load_checkpoint(tmp_path / "x")
    assert metadata == {"k": 1, "j": [1, 2]}
    np.testing.assert_array_equal(read["b"], arrays["b"])


def test_checkpoints_refuse_nan(tmp_path: Path) -> None:
    """A checkpoint with NaN in it is refused by name."""
    artifacts.save_checkpoint(tmp_path / "x", {"bad": np.array([1.0, np.nan])}, {})
    with pytest.raises(VerificationError, match="'bad' holds NaN"):
        artifacts.load_checkpoint(tmp_path / "x")


def test_another_file_is_no_checkpoint(tmp_path: Path) -> None:
    """A text given in the place of a student is named as such, with what to give."""
    (tmp_path / "my.toml").write_text("[splitter]\nsigma = 0.03\n")
    with pytest.raises(InputError, match=r"no checkpoint: .*; give the folder of a run"):
        artifacts.load_checkpoint(tmp_path / "my.toml")


@pytest.mark.slow
@given(data=st.data())
def test_damaged_checkpoints_raise_documented_errors_only(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever bytes are changed, reading ends in an answer or one of our own errors."""
    path = tmp_path_factory.mktemp("fuzz") / "x"
    artifacts.save_checkpoint(path, {"a": np.arange(6.0).reshape(2, 3)}, {"k": "v"})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with contextlib.suppress(EcgphotonError):
        artifacts.load_checkpoint(path)


def manifest(tmp_path: Path) -> Path:
    """A folder with two files and a manifest."""
    artifacts.write_text(tmp_path / "a.txt", "hello")
    artifacts.write_text(tmp_path / "sub" / "b.txt", "world")
    artifacts.write_manifest(tmp_path, kind="test")
    return tmp_path


def test_a_manifest_notices_every_change(tmp_path: Path) -> None:
    """Changed, truncated and missing files are each named."""
    folder = manifest(tmp_path)
    assert artifacts.check_manifest(folder, kind="test") == []
    (folder / "a.txt").write_text("hellO")
    assert artifacts.check_manifest(folder, kind="test") == [
        "a.txt: SHA-256 differs from the manifest"
    ]
    (folder / "a.txt").write_text("hell")
    (folder / "sub" / "b.txt").unlink()
    assert len(artifacts.check_manifest(folder, kind="test")) == 2


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../evil"])
def test_a_manifest_may_not_leave_its_folder(tmp_path: Path, name: str) -> None:
    """A path outside the folder is refused before anything is opened."""
    folder = manifest(tmp_path)
    entry = {"bytes": 10**10, "sha256": "0" * 64}
    artifacts.write_json(folder / "manifest.json", {"kind": "test", "files": {name: entry}})
    with pytest.raises(InputError, match="outside the folder"):
        artifacts.read_manifest(folder, kind="test")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A symbolic link that leads elsewhere is refused."""
    folder = manifest(tmp_path / "in")
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="outside the folder"):
        artifacts.check_manifest(folder, kind="test")


def test_large_files_are_not_read(tmp_path: Path) -> None:
    """A file of absurd size is refused without being read."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(InputError, match="at most"):
        artifacts.read_bytes(path)


def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    """Writing below a file says what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write .* choose another folder"):
        artifacts.write_text(tmp_path / "file" / "x.txt", "")


def test_an_archive_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    """An npz that unpacks to more than is ever written is refused before it is unpacked."""
    import zipfile

    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", bytes(artifacts.LARGEST_FILE + 1))
    with pytest.raises(InputError, match="unpacks to"):
        artifacts.read_arrays(path, "a table")


def test_a_manifest_that_points_outside_is_refused(tmp_path: Path) -> None:
    """Absolute names, steps upwards and links out of the folder are refused."""
    entry = {"bytes": 10 * 2**30, "sha256": "0" * 64}
    (tmp_path / "bundle").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "bundle" / "link").symlink_to(tmp_path / "secret")
    for name in ("/etc/passwd", "../secret", "a/../../secret", "link"):
        manifest = {"kind": "k", "files": {name: entry}}
        artifacts.write_json(tmp_path / "bundle" / artifacts.MANIFEST, manifest)
        with pytest.raises(InputError, match="outside"):
            artifacts.check_manifest(tmp_path / "bundle", kind="k")


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "\ud800"])
def test_a_manifest_with_an_impossible_name_is_refused(name: str, tmp_path: Path) -> None:
    """Names that no file system takes are refused in words."""
    manifest = {"kind": "k", "files": {name: {"bytes": 1, "sha256": "0" * 64}}}
    (tmp_path / artifacts.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="no file can be called"):
        artifacts.check_manifest(tmp_path, kind="k")


def test_a_sparse_giant_is_not_hashed(tmp_path: Path) -> None:
    """A file of 10 GB that a manifest truly describes is a problem, told at once."""
    size = 10 * 2**30
    with (tmp_path / "giant").open("wb") as file:
        file.truncate(size)
    entry = {"bytes": size, "sha256": "0" * 64}
    artifacts.write_json(tmp_path / artifacts.MANIFEST, {"kind": "k", "files": {"giant": entry}})
    assert "are read" in artifacts.check_manifest(tmp_path, kind="k")[0]


def test_room_is_found_beside_another_command(tmp_path, monkeypatch) -> None:
    """A missing folder is no trouble and stays missing; what another command makes is kept."""
    artifacts.check_room(tmp_path / "runs" / "a")
    assert not (tmp_path / "runs").exists()
    real = artifacts.tempfile.TemporaryFile

    def meanwhile(**where):
        (tmp_path / "runs" / "b").mkdir()
        return real(**where)

    monkeypatch.setattr(artifacts.tempfile, "TemporaryFile", meanwhile)
    artifacts.check_room(tmp_path / "runs" / "a")
    assert (tmp_path / "runs" / "b").is_dir()


def test_what_another_command_is_writing_is_not_swept(tmp_path: Path) -> None:
    """A temporary file or folder goes only when its process is gone."""
    with (
        artifacts.atomic_path(tmp_path / "chips.csv") as temporary,
        artifacts.atomic_files(tmp_path) as place,
    ):
        sweep_temporary(tmp_path)
        temporary.write_text("chip")
        (place / "100.eph").write_text("beats")
    assert {path.name for path in tmp_path.iterdir()} == {"chips.csv", "100.eph"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes to kill there")
def test_what_a_killed_annotation_left_goes_with_the_next(tmp_path: Path) -> None:
    """It may leave hidden files and folders; the next call in the folder removes them."""
    code = (
        "import os, signal, sys; from pathlib import Path; from ecgphoton import artifacts\n"
        "folder = Path(sys.argv[1])\n"
        "with artifacts.atomic_files(folder) as place, artifacts.atomic_path(folder / 'a.csv'):\n"
        "    (place / '100.eph').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    artifacts.check_room(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_or_device_stays_and_a_link_is_followed(tmp_path: Path) -> None:
    """``--out /dev/null`` does not become a file, and a link keeps its place."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="pipe: it is no file"):
        artifacts.write_text(pipe, "page")
    assert pipe.is_fifo()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="loop: it is no file"):
        artifacts.write_text(tmp_path / "loop", "page")
    link.symlink_to("page")
    artifacts.write_text(link, "page")
    assert link.is_symlink()
    assert (tmp_path / "page").read_text() == "page"
    with artifacts.atomic_files(tmp_path) as folder:
        (folder / "link").write_text("other")
        (folder / "new").write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "page").read_text() == "other"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "link", "loop", "new", "page", "pipe",
    ]  # fmt: skip
