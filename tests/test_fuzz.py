"""Every reader meets damaged files, byte by byte and part by part.

``ECGPHOTON_FUZZ=20000 python -m pytest tests/test_fuzz.py`` meets that many in all;
``ECGPHOTON_FUZZ_SEED`` draws others.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings, strategies as st

from ecgphoton import artifacts
from ecgphoton.errors import EcgphotonError

TOTAL = int(os.environ.get("ECGPHOTON_FUZZ", "1000"))
SEED = int(os.environ.get("ECGPHOTON_FUZZ_SEED", "7"))
SECONDS = 5  # longest any input may take
MEBIBYTES = 400  # most that the process may grow while it reads
BUNDLE = "reference-rhythm"


class HangError(BaseException):
    """An input took too long; no reader may swallow this."""


# --- the readers, each with the file it reads ---------------------------------------------------


def _recording(folder):
    from ecgphoton.ecg.annotations import read_annotations
    from ecgphoton.ecg.extract import extract
    from ecgphoton.ecg.reading import read_recording
    from ecgphoton.ecg.signal import open_signal

    with contextlib.suppress(EcgphotonError):
        extract(read_recording(folder, "s01"), source="mitdb")
    with contextlib.suppress(EcgphotonError):
        for _ in open_signal(folder / "s01").blocks():
            pass
    read_annotations(folder / "s01", "atr")
    extract(read_recording(folder, "s01"), source="mitdb")


def _checkpoint(folder):
    artifacts.load_checkpoint(folder / "checkpoint.safetensors")


def _student(folder):
    from ecgphoton.export.bundle import read_student
    from ecgphoton.runs import load_student

    with contextlib.suppress(EcgphotonError):
        read_student(folder / "checkpoint.safetensors")
    _ = load_student(folder).recipe


def _resume(folder):
    from ecgphoton.run.train import resume_point

    resume_point(folder)


def _mesh(folder):
    from ecgphoton.program.program_file import read_program

    read_program(folder / "mesh.json")


def _golden(folder):
    from ecgphoton.export.golden import read_golden

    read_golden(folder / "golden.npz", 8)


def _graph(name):
    def read(folder):
        from ecgphoton.export.runtime import runner, stored_metadata

        data = (folder / name).read_bytes()
        stored_metadata(data)
        run = runner(data, "onnxruntime")
        run({part: np.zeros((2, size), np.float32) for part, size in INPUTS.items()})

    return read


def _manifest(folder):
    from ecgphoton.export.bundle_folder import manifest_problems

    manifest_problems(folder)


def _recipe(folder):
    from ecgphoton.recipe import read

    read(str(folder / "recipe.toml"))


def _profile(folder):
    from ecgphoton.hwsim.profile import load_profile

    load_profile(folder / "profile.toml")


def _curve(folder):
    import torch

    from ecgphoton.hwsim.readout import read_curve

    read_curve(folder / "curve.csv")(torch.linspace(-9, 9, 99))


def _session(folder):
    from ecgphoton.calibration.bench import Session

    Session.load(folder / "session.npz")


def _table(folder):
    from ecgphoton.calibration.table import DriveTable

    global program
    if program is None:
        from ecgphoton.program.program_file import read_program

        program = read_program(folder / "mesh.json")
    DriveTable.load(folder / "table.npz", program)[0].predicted()


def _scores(folder):
    from ecgphoton.report.scores import read_scores

    read_scores(folder / "test_scores.npz")


def _sums(folder):
    from ecgphoton.ecg.database import verify

    verify(folder)


def _cache(folder):
    from ecgphoton.ecg.cache import _load

    _load(folder / "s01.beats", "s01")


program = None  # takes longer to make than a table to read
INPUTS = {"window": 360, "rhythm": 12}
GRAPHS = ("student.onnx", "student_integer.onnx")
READERS = {
    "WFDB header": ("s01.hea", _recording),
    "WFDB signal": ("s01.dat", _recording),
    "WFDB annotation": ("s01.atr", _recording),
    "checkpoint": ("checkpoint.safetensors", _checkpoint),
    "student": ("checkpoint.safetensors", _student),
    "training state": ("state.safetensors", _resume),
    "start of a run": ("start.json", _resume),
    "mesh program": ("mesh.json", _mesh),
    "golden": ("golden.npz", _golden),
    "float graph": (GRAPHS[0], _graph(GRAPHS[0])),
    "integer graph": (GRAPHS[1], _graph(GRAPHS[1])),
    "manifest": ("manifest.json", _manifest),
    "recipe": ("recipe.toml", _recipe),
    "profile": ("profile.toml", _profile),
    "device curve": ("curve.csv", _curve),
    "bench session": ("session.npz", _session),
    "drive table": ("table.npz", _table),
    "scores": ("test_scores.npz", _scores),
    "checksums": ("SHA256SUMS.txt", _sums),
    "beats cache": ("s01.beats", _cache),
}


# --- damage to bytes ----------------------------------------------------------------------------


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with one to four faults: flips, cuts, repeats, numbers made absurd."""
    body = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        at = int(rng.integers(0, max(1, len(body))))
        kind = int(rng.integers(0, 6))
        if kind == 0 and body:
            body[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1 and body:
            body[at] = int(rng.integers(0, 256))
        elif kind == 2:
            del body[at:]
        elif kind == 3:
            del body[at : at + int(rng.integers(1, 64))]
        elif kind == 4:
            body[at:at] = body[at : at + int(rng.integers(1, 64))]
        else:
            absurd = (b"-1", b"NaN", b"1e999", b"9" * 20, b"9" * 5000, b"[[[[", b"..", b"\x00")
            body[at : at + 2] = absurd[int(rng.integers(0, len(absurd)))]
    return bytes(body)


# --- damage to parts: the file stays one of its kind, what it says is hostile ---------------------

DEEP: list = []
for _ in range(60):
    DEEP = [DEEP]
HOSTILE = [None, True, -1, 0, 1, 10**30, 1e308, -1e308, 1e-320, 0.5, 2.5, "", "x" * 2000, [], {}]
HOSTILE += ["../../etc/passwd", "/etc/passwd", "a\0b", "\ud800", "C:\\x", [0] * 5000, {"a": {}}]
HOSTILE += [DEEP, [[]], [None], "CON", "tanh", "nan", [1e308] * 4]
WORDS = ["", "0", "-1", "1e400", "9" * 12, "9" * 5000, "../../etc/passwd", "/etc/passwd", "s01/2"]
WORDS += ["310", "311", "508", "8", "24", "32", "61", "212x99999", "16:99999999", "16x3+999999999"]
WORDS += ["0.0", "-200", "200(9999999999999)/mV", "1e-300", "1e300/uV", "NaN", "\xe9", "#", "\t"]
WORDS += [" " * 400, "a" * 400, "a" * 3000, "~", "s01.dat", "-" * 500 + "$", "257", "360/360(1)"]
OPERATORS = ["ConstantOfShape", "Expand", "Tile", "Range", "Loop", "Nope", "MatMul", "Gather"]


def hostile(draw):
    """Draw a hostile value; a copy, for it may be changed in its turn."""
    return json.loads(json.dumps(draw(st.sampled_from(HOSTILE))))


def changed(tree, draw):
    """Replace, drop, repeat or rename one to three values of a tree."""
    tree = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, 3))):
        above, key, node = None, None, tree
        while isinstance(node, dict | list) and node and (above is None or draw(st.integers(0, 4))):
            above, keys = node, sorted(node) if isinstance(node, dict) else range(len(node))
            key = draw(st.sampled_from(keys))
            node = above[key]
        kind = draw(st.integers(0, 5))
        if above is None:
            return hostile(draw)
        if kind == 0:
            del above[key]
        elif kind == 1 and isinstance(above, list):
            above.insert(key, node)
        elif kind == 1:
            above[str(hostile(draw))[:99]] = above.pop(key)
        else:
            above[key] = hostile(draw)
    return tree


def _json(good, draw):
    return json.dumps(changed(json.loads(good), draw)).encode()


def _toml(good, draw):
    import tomllib

    import tomli_w

    tree = changed(tomllib.loads(good.decode()), draw)
    text = json.dumps(tree).replace("null", '"null"')
    try:
        return tomli_w.dumps(json.loads(text)).encode(errors="replace")
    except (TypeError, ValueError, AttributeError):
        key = draw(st.sampled_from(["a", "name", "student", "splitter"]))
        return (".".join([key] + ["b"] * draw(st.integers(1, 3000))) + " = 1").encode()


def _safetensors(good, draw):
    (size,) = struct.unpack("<Q", good[:8])
    header = json.loads(good[8 : 8 + size])
    if draw(st.booleans()):
        told = changed(json.loads(header["__metadata__"]["ecgphoton"]), draw)
        header["__metadata__"]["ecgphoton"] = json.dumps(told)
    else:
        header = changed(header, draw)
    text = json.dumps(header).encode()
    claims = [len(text)] * 6 + [0, len(text) + 1, 10**9, 2**31, 2**63, 2**64 - 1]
    return struct.pack("<Q", draw(st.sampled_from(claims))) + text + good[8 + size :]


def _npz(good, draw):
    with np.load(io.BytesIO(good)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    name = draw(st.sampled_from(sorted(arrays)))
    old = arrays.pop(name)
    put = [name, name, name, "../x", "", "x.codes", "header"]
    news = [np.zeros(0), np.array(np.nan), np.array("x" * 99), np.array([{}], object), old.ravel()]
    news += [np.zeros((3, 3, 3, 3, 3)), old.astype("c16") if old.dtype.kind in "if" else old[None]]
    news += [np.full(old.shape, np.inf), np.zeros(old.shape, "V0"), np.zeros(3, [("a", "i4")])]
    arrays[draw(st.sampled_from(put))] = draw(st.sampled_from([*news, None]))
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", draw(st.sampled_from(methods))) as archive:
        for entry, array in arrays.items():
            body = io.BytesIO()
            if array is None:  # claims more than there is
                shape = draw(st.sampled_from([(10**10,), (2**31, 2**31), (-1,), (0, 10**18)]))
                told = {"descr": "<f8", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(body, told)
            else:
                np.lib.format.write_array(body, array, allow_pickle=True)
            archive.writestr(f"{entry}.npy", body.getvalue())
    return out.getvalue()


def _onnx(good, draw):
    import onnx

    model = onnx.load_from_string(good)
    graph = model.graph
    for _ in range(draw(st.integers(1, 3))):
        node = graph.node[draw(st.integers(0, len(graph.node) - 1))]
        tensor = graph.initializer[draw(st.integers(0, len(graph.initializer) - 1))]
        number = draw(st.sampled_from([-1, 0, 1, 7, 10**6, 2**31, 2**62]))
        kind = draw(st.integers(0, 8))
        if kind == 0:
            node.op_type = draw(st.sampled_from(OPERATORS))
        elif kind == 1:
            node.input[0] = draw(st.sampled_from([tensor.name, "", graph.node[-1].output[0], "?"]))
        elif kind == 2:
            tensor.dims[:] = [number] * draw(st.integers(0, 3))
        elif kind == 3:
            tensor.data_location = onnx.TensorProto.EXTERNAL
            entry = tensor.external_data.add()
            entry.key, entry.value = "location", "../../../../../../etc/passwd"
        elif kind == 4:
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.array([number]), tensor.name))
        elif kind == 5:
            graph.input[0].type.tensor_type.shape.dim[-1].dim_value = number
        elif kind == 6:
            node.domain = draw(st.sampled_from(["ai.onnx.ml", "com.microsoft", "x"]))
        elif kind == 7:
            graph.node.remove(node)
        else:
            for item in node.attribute:
                item.i = number
                item.ints[:] = [number] * 2
    return model.SerializeToString()


def _header(good, draw):
    lines = good.decode().splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        words = lines[at].split(" ")
        words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(WORDS))
        lines[at : at + 1] = [" ".join(words)] * draw(st.sampled_from([1, 1, 1, 1, 0, 2, 300]))
        if not lines:
            break
    return "\n".join(lines).encode("latin-1")


def _annotation(good, draw):
    del good
    word = st.tuples(st.integers(0, 63), st.sampled_from([0, 1, 5, 300, 1023]))
    words = [code << 10 | low for code, low in draw(st.lists(word, max_size=12))]
    text = draw(st.sampled_from([b"", b"## time resolution: 0\0", b"## annotation type", b"x" * 6]))
    note = struct.pack("<HH", 22 << 10, 63 << 10 | len(text)) + text + b"\0" * (len(text) % 2)
    return note + struct.pack(f"<{len(words)}H", *words) + b"\0\0"


def _csv(good, draw):
    rows = [line.split(",") for line in good.decode().splitlines()]
    for _ in range(draw(st.integers(1, 4))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        cells = ["nan", "inf", "1e308", "-1e308", "1e-320", "", '"', "x", "1_0", "9" * 5000, "\0"]
        cells += ["1,2", "a" * 200_000]
        row[draw(st.integers(0, len(row) - 1))] = draw(st.sampled_from(cells))
    return "\n".join(",".join(row) for row in rows).encode()


BY_ENDING = {".json": _json, ".toml": _toml, ".safetensors": _safetensors, ".npz": _npz}
BY_ENDING |= {".onnx": _onnx, ".hea": _header, ".atr": _annotation, ".csv": _csv}


# --- the promises -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory, wfdb_folder):
    """Folder with one good file for every reader."""
    from ecgphoton import hwsim, models, recipes
    from ecgphoton.calibration.bench import Session
    from ecgphoton.calibration.table import DriveTable
    from ecgphoton.decision import OperatingPoint
    from ecgphoton.ecg.cache import _save
    from ecgphoton.ecg.database import FILES
    from ecgphoton.ecg.extract import extract
    from ecgphoton.ecg.reading import read_recording
    from ecgphoton.program.program_file import read_program
    from ecgphoton.recipe import Recipe
    from ecgphoton.training.parts import Control, EpochRecord

    def beside(module):
        return next(iter(module.__path__))

    folder = tmp_path_factory.mktemp("whole")
    shutil.copytree(f"{beside(models)}/{BUNDLE}/bundle", folder, dirs_exist_ok=True)
    shutil.copytree(wfdb_folder, folder, dirs_exist_ok=True)
    shutil.copy(f"{beside(recipes)}/{BUNDLE}.toml", folder / "recipe.toml")
    shutil.copy(f"{beside(hwsim)}/profiles/mems.toml", folder / "profile.toml")
    (folder / "curve.csv").write_text("in,out\n-2,-0.9\n-1,-0.7\n0,0\n1,0.7\n2,0.9\n")
    operation = {"codes": np.zeros((1, 1, 1, 36), np.int64), "vectors": np.eye(4)}
    operation |= {"kind": np.array("field"), "readings": np.zeros((1, 1, 1, 4, 4))}
    Session((1, 1, 36), 12, (operation,)).save(folder / "session.npz")
    DriveTable.start(read_program(folder / "mesh.json"), 2).save(folder / "table.npz")
    columns = {"probability": np.zeros((9, 2)), "label": np.zeros(9, int), "sample": np.arange(9)}
    columns |= {"record": np.full(9, "s01"), "symbol": np.full(9, "N")}
    np.savez(folder / "test_scores.npz", **columns)
    (folder / "SHA256SUMS.txt").write_text("".join(f"{'0' * 64} {name}\n" for name in FILES))
    _save(folder / "s01.beats", extract(read_recording(folder, "s01"), source="mitdb"))
    artifacts.write_json(folder / "start.json", {"seed": 0, "recipe": Recipe().to_dict()})
    record = EpochRecord(1, 0.5, 0.5, 0.01, OperatingPoint(0.5, ("validation",)), {"test": {}})
    told = {"history": [record.to_dict()], "control": Control().to_dict(), "rate": 0.01}
    artifacts.save_checkpoint(folder / "state.safetensors", {"model.a": np.zeros(3)}, told)
    return folder


@contextlib.contextmanager
def bounded():
    """Let no input take long, nor the process grow much."""

    def stop(*_):
        raise HangError(f"a reader took more than {SECONDS} s")

    def size(key):
        text = Path("/proc/self/status").read_text()
        return int(text.partition(key)[2].split()[0]) / 1024

    reset, before = Path("/proc/self/clear_refs"), None
    if reset.exists():
        reset.write_text("5")  # forget the largest size so far
        before = size("VmRSS:")
    previous = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, previous)
    if before is not None:
        assert size("VmHWM:") - before < MEBIBYTES


def meet(read, folder: Path, what: str) -> bool:
    """Read a folder that may be damaged; return whether it was refused in words."""
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(folder)
    except EcgphotonError as error:
        return bool(str(error))
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}"[:2000]) from error
    finally:
        signal.alarm(0)
    return False


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_refused_in_words_or_read(whole, name, tmp_path, monkeypatch) -> None:
    """Only the package's own errors, soon, in little memory; nothing is written anywhere."""
    file, read = READERS[name]
    folder = tmp_path / "damaged"
    shutil.copytree(whole, folder)
    monkeypatch.chdir(tmp_path)
    read(folder)  # undamaged, it can be read
    good, rng = (folder / file).read_bytes(), np.random.default_rng(SEED)
    before = sorted(path for path in tmp_path.rglob("*"))
    damage = BY_ENDING.get(Path(file).suffix)
    share = -(-TOTAL // len(READERS))
    met = refused = 0
    with bounded():
        for index in range(share if damage is None else share // 2):
            (folder / file).write_bytes(mutated(good, rng))
            refused += meet(read, folder, f"bytes {index} of {name}")
            met += 1

        @seed(SEED)
        @settings(max_examples=max(share - met, 1), deadline=None, database=None,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(st.data())
        def parts(data) -> None:
            nonlocal met, refused
            (folder / file).write_bytes(damage(good, data.draw))
            refused += meet(read, folder, f"parts of {name}")
            met += 1

        if damage is not None:
            parts()
    assert met >= share
    assert refused > 0 or name == "beats cache"  # a damaged cache is made anew
    assert sorted(path for path in tmp_path.rglob("*")) == before
