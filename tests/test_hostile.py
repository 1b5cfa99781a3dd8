"""Files made to harm: what reaches outside, claims gigabytes, or says two things at once."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ecgphoton import artifacts
from ecgphoton.ecg.annotations import decode
from ecgphoton.errors import EcgphotonError, InputError
from ecgphoton.unfinished import sweep_temporary

KIND = "ecgphoton-bundle/1"
GOOD = {"bytes": 1, "sha256": artifacts.sha256(b"x")}
MEBIBYTE = 2**20


@pytest.fixture
def sealed(tmp_path):
    """Folder with a file outside, a file inside, and a manifest of given text."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (tmp_path / "secret").write_text("x")
    (folder / "inside").write_text("x")

    def seal(files: str | dict) -> Path:
        text = files if isinstance(files, str) else json.dumps(files)
        (folder / "manifest.json").write_text(f'{{"kind": "{KIND}", "files": {text}}}')
        return folder

    return seal


NAMES = ["../secret", "/etc/passwd", "a/../../secret", "..", ".", "", "a//b", "./inside", "a/./b"]
NAMES += ["C:\\Windows\\win.ini", "a\\..\\secret", "a:stream", "a\0b", "a\nb", "x" * 5000, "a/"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name)[:20])
def test_a_manifest_names_only_plain_files_below_its_folder(name: str, sealed) -> None:
    """Whatever leaves the folder on any system, or cannot be a name there, is refused."""
    folder = sealed({"inside": GOOD, name: GOOD})
    with pytest.raises(InputError, match=r"manifest\.json names"):
        artifacts.check_manifest(folder, kind=KIND)


def test_links_out_of_a_bundle_are_not_followed(sealed, tmp_path) -> None:
    """A link to a file or through a folder outside is refused, one inside is no file."""
    folder = sealed({"link": GOOD})
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="outside"):
        artifacts.check_manifest(folder, kind=KIND)
    (folder / "link").unlink()
    (folder / "link").symlink_to(folder / "inside")
    assert artifacts.check_manifest(folder, kind=KIND) == ["link: missing"]
    (folder / "up").symlink_to(tmp_path)
    with pytest.raises(InputError, match="outside"):
        artifacts.check_manifest(sealed({"up/secret": GOOD}), kind=KIND)


@pytest.mark.parametrize("names", ['"inside": {0}, "inside": {1}', '"b": {1}, "b": {0}'])
def test_a_name_given_twice_is_refused(names: str, sealed) -> None:
    """Two readers must not see two bundles in one manifest."""
    entries = json.dumps(GOOD), json.dumps({**GOOD, "bytes": 2})
    text = names.replace("{0}", entries[0]).replace("{1}", entries[1])
    with pytest.raises(InputError, match="occurs twice"):
        artifacts.check_manifest(sealed("{" + text + "}"), kind=KIND)


@pytest.mark.parametrize(("one", "other"), [("inside", "Inside"), ("caf\xe9", "cafe\u0301")])
def test_names_that_are_one_file_elsewhere_are_refused(one: str, other: str, sealed) -> None:
    """A bundle means the same where case and composition of letters do not count."""
    with pytest.raises(InputError, match="names both"):
        artifacts.check_manifest(sealed({one: GOOD, other: GOOD}), kind=KIND)


def test_ten_gigabytes_are_not_read(sealed, tmp_path, frugal) -> None:
    """Neither a size that is claimed nor one that is there (as a hole) is taken at its word."""
    folder, huge = sealed({"huge": {**GOOD, "bytes": 10 * 10**9}}), 10 * 10**9
    with (folder / "huge").open("wb") as file:
        file.truncate(huge)
    assert "are read" in artifacts.check_manifest(folder, kind=KIND)[0]
    for reader in (
        artifacts.read_json,
        artifacts.load_checkpoint,
        lambda path: artifacts.read_arrays(path, "a table"),
    ):
        with pytest.raises(InputError, match="at most"):
            reader(folder / "huge")


def _npz(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def _npy(shape: tuple[int, ...], data: bytes = b"", descr: object = "<f8") -> bytes:
    body = io.BytesIO()
    told = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(body, told)
    return body.getvalue() + data


def _lying(path: Path) -> Path:
    """A gigabyte of zeros whose entry says that it has a hundred bytes."""
    _npz(path, {"a.npy": _npy((2**27,), bytes(2**28))})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\1\2", 24), (b"PK\3\4", 22)):
        place = data.index(mark) + at
        data[place : place + 4] = struct.pack("<I", 100)
    path.write_bytes(data)
    return path


BOMBS = {
    "zeros": lambda p: _npz(p, {"a.npy": _npy((2**24,), bytes(2**27))}),
    "many zeros": lambda p: _npz(p, {f"{i}.npy": bytes(2**23) for i in range(20)}),
    "a lying size": _lying,
    "a claimed shape": lambda p: _npz(p, {"a.npy": _npy((10**10,))}),
    "an empty shape": lambda p: _npz(p, {"a.npy": _npy((10**18,), descr="|V0")}),
    "a negative shape": lambda p: _npz(p, {"a.npy": _npy((-1,), bytes(64))}),
    "a packing never used": lambda p: _npz(p, {"a.npy": _npy((8,), bytes(64))}, zipfile.ZIP_BZIP2),
    "objects": lambda p: _npz(p, {"a.npy": _npy((1,), b"cos\nsystem\n", "|O")}),
    "an unfinished header": lambda p: _npz(p, {"a.npy": b"\x93NUMPY\1\0\6\0{'a':("}),
    "no array": lambda p: _npz(p, {"a.npy": b"hello"}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_archive_that_unpacks_to_too_much_is_refused(name: str, tmp_path, request) -> None:
    """Refused by what it declares, before room is made, or where it turns out to lie."""
    path = BOMBS[name](tmp_path / "a.npz")
    request.getfixturevalue("frugal")
    with pytest.raises(InputError):
        artifacts.read_arrays(path, "a table")


def test_two_entries_of_one_name_are_refused(tmp_path) -> None:
    """Which of them a reader takes would be its own choice."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", _npy((1,), bytes(8)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", _npy((1,), bytes(8)))
    with pytest.raises(InputError, match="one name"):
        artifacts.read_arrays(tmp_path / "a.npz", "a table")


@pytest.mark.parametrize("length", [0, 7, 2**31, 2**63, 2**64 - 1])
def test_a_checkpoint_with_a_hostile_header_is_refused(length: int, tmp_path, frugal) -> None:
    """The length of the header is the file's claim, too."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b'{"__metadata__": {}}')
    with pytest.raises(InputError):
        artifacts.load_checkpoint(path)


HEADERS = {
    "parent": "s01 1 360 100\n../../etc/passwd 16 200 11 0 0 0 0 MLII\n",
    "absolute": "s01 1 360 100\n/etc/passwd 8 200 11 0 0 0 0 MLII\n",
    "home": "s01 1 360 100\n~/x 8\n",
    "10 GB": "s01 1 360 9999999999\ns01.dat 212 200 11 0 0 0 0 MLII\n",
    "10 GB of 310": "s01 1 360 7500000000\ns01.dat 310 200 10 0 0 0 0 MLII\n",
    "10 GB of 311": "s01 1 360 7500000000\ns01.dat 311 200 10 0 0 0 0 MLII\n",
    "10 GB of FLAC": "s01 1 360 2000000000\ns01.dat 516 200 10 0 0 0 0 MLII\n",
    "unknown format": "s01 1 360 100\ns01.dat 777 200 10 0 0 0 0 MLII\n",
    "frames": "s01 1 360 100\ns01.dat 212x999999 200 11 0 0 0 0 MLII\n",
    "skew": "s01 1 360 100\ns01.dat 16:999999999 200 11 0 0 0 0 MLII\n",
    "offset": "s01 1 360 100\ns01.dat 16+999999999 200 11 0 0 0 0 MLII\n",
    "signals": "s01 9999 360 100\n" + "s01.dat 16 200 11 0 0 0 0 MLII\n" * 9999,
    "signals that are not there": "s01 9999 360 100\ns01.dat 16 200\n",
    "two formats": "s01 2 360 10\ns01.dat 16 200 11 0 0 0 0 MLII\ns01.dat 8 200 11 0 0 0 0 V1\n",
    "negative gain": "s01 1 360 100\ns01.dat 16 -200 11 0 0 0 0 MLII\n",
    "no gain left": "s01 1 360 100\ns01.dat 16 1e-300 11 0 0 0 0 MLII\n",
    "baseline": f"s01 1 360 100\ns01.dat 16 200({'9' * 400})/mV 11 0 0 0 0 MLII\n",
    "digits": f"s01 1 360 100\ns01.dat 16 200 11 {'9' * 5000} 0 0 0 MLII\n",
    "rate 0": "s01 1 0 100\ns01.dat 16 200 11 0 0 0 0 MLII\n",
    "rate": f"s01 1 {'9' * 400} 100\ns01.dat 16 200 11 0 0 0 0 MLII\n",
    "slow pattern": f"s01 1 360 100\ns01.dat{' ' * 10_000}x\n",
    "slow name": f"s01 1 360 100\n{'a' * 100_000}$ 16\n",
    "segments": "s01/2 1 360 100\nsome 50\nmore 50\n",
    "nothing": "",
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_hostile_header_is_refused(name: str, tmp_path, frugal) -> None:
    """One's own recording may have been made by anyone; it is refused soon and in words."""
    from ecgphoton.ecg.reading import open_signal, read_recording

    (tmp_path / "s01.hea").write_text(HEADERS[name])
    (tmp_path / "s01.dat").write_bytes(bytes(400))
    (tmp_path / "s01.atr").write_bytes(b"\x10\x04\0\0")
    with pytest.raises(InputError):
        read_recording(tmp_path, "s01")
    with pytest.raises(InputError):
        for _ in open_signal(tmp_path / "s01").blocks():
            pass


NOTES = (b"## ", b"## anything", b"## annotation type definitions")
NO_CLOCK = (b"## time resolution: 0", b"## time resolution: nan", b"## time resolution: 1e99")


def with_notes(note: bytes) -> bytes:
    """An annotation file of two beats with the same note twice at its beginning."""
    words = struct.pack("<HH", 22 << 10, 63 << 10 | len(note)) + note + b"\0" * (len(note) % 2)
    return words * 2 + struct.pack("<HHH", 1 << 10 | 300, 5 << 10 | 7, 0)


@pytest.mark.parametrize("note", NOTES)
def test_notes_that_stop_wfdb_do_not_stop_us(note: bytes) -> None:
    """A note at sample 0 is passed over, whatever it says; wfdb 4.3 never returns from some."""
    found = decode(with_notes(note), "s01.atr", 360.0).beats
    assert found.sample.tolist() == [300, 307]
    assert found.symbol.tolist() == ["N", "V"]


@pytest.mark.parametrize("note", NO_CLOCK)
def test_a_time_resolution_that_is_no_rate_is_refused(note: bytes) -> None:
    """Beats are not placed by the record's rate where the file names another clock."""
    with pytest.raises(InputError, match="time resolution"):
        decode(with_notes(note), "s01.atr", 360.0)


def test_annotations_are_read_as_wfdb_reads_them(tmp_path) -> None:
    """Far times, notes, fields and every symbol give what ``wfdb.rdann`` gives."""
    import wfdb

    from ecgphoton.ecg.records import BEAT_SYMBOLS

    rng = np.random.default_rng(3)
    known = [*sorted(BEAT_SYMBOLS), "+", "~", "|"]
    symbols = [known[i] for i in rng.integers(0, len(known), 500)]
    sample = np.cumsum(rng.choice([1, 300, 1023, 1024, 70_000, 3_000_000], 500))
    notes = ["" if i % 7 else "x" * (i % 11) for i in range(500)]
    wfdb.wrann("s01", "atr", sample, symbols, chan=np.arange(500) % 2, aux_note=notes,
               fs=360, write_dir=str(tmp_path))  # fmt: skip
    path = str(tmp_path / "s01")
    found = decode((tmp_path / "s01.atr").read_bytes(), "s01.atr", 360.0).beats
    wanted = wfdb.rdann(path, "atr")
    beat = np.isin(wanted.symbol, sorted(BEAT_SYMBOLS))
    assert found.sample.tolist() == wanted.sample[beat].tolist()
    assert found.symbol.tolist() == np.array(wanted.symbol)[beat].tolist()


def test_settings_nested_without_end_are_refused(tmp_path) -> None:
    """Also such that a TOML reader takes, but that cannot be shown."""
    from ecgphoton.hwsim.profile_file import load_profile
    from ecgphoton.recipe import override, read

    texts = [f"{'.'.join('a' * 3000)} = 1", f"a = {'[' * 3000}", f"a = {'9' * 5000}", "a = \0"]
    for text in [*texts, "a = 1\na = 2", "\ufeff=", "name = 'x'\n" * 2]:
        (tmp_path / "x.toml").write_text(text)
        for reader in (lambda path: read(str(path)), load_profile):
            with pytest.raises(InputError) as error:
                reader(tmp_path / "x.toml")
            assert len(str(error.value)) < 2000
    with pytest.raises(EcgphotonError):
        override(read("reference-8"), [f"training.epochs={'[' * 3000}"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path, frugal) -> None:
    """What is no regular file is refused, not read for ever."""
    from ecgphoton.hwsim.profile_file import load_profile
    from ecgphoton.recipe import read

    os.mkfifo(tmp_path / "x.toml")
    (tmp_path / "zero.toml").symlink_to("/dev/zero")
    for path in (tmp_path / "x.toml", tmp_path / "zero.toml"):
        for reader in (artifacts.read_json, load_profile, lambda p: read(str(p))):
            with pytest.raises(InputError):
                reader(path)


def test_only_own_unfinished_files_are_swept(tmp_path) -> None:
    """What a killed process was writing goes; hidden files of others stay."""
    names = (".env.local", ".bashrc.bak", ".start.json", ".a.unfinished-x")
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / ".chips.csv.unfinished-abcdefgh.csv").touch()
    sweep_temporary(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names)
