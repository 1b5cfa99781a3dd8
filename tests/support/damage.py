"""Damage to files: bytes changed at random, and files of the right kind with hostile content."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import numpy as np
from hypothesis import strategies as st

# --- damage to bytes ----------------------------------------------------------------------------


ABSURD = (
    b"-1",
    b"NaN",
    b"1e999",
    b"9" * 20,
    b"9" * 5000,
    b"[[[[",
    b"..",
    b"\x00",
    b"\xb5V",
    b"~ 5\n",
    b",;\t",
)
"""What a number or a word of a file is replaced with."""


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
            body[at : at + 2] = ABSURD[int(rng.integers(0, len(ABSURD)))]
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
