"""Recompute matrices, DAC codes, golden codes and decisions with numpy: ``python check.py``."""

import hashlib
import json
import pathlib
import sys

import numpy as np

sys.dont_write_bytecode = True  # leaves nothing beside the files of the bundle
here = pathlib.Path(__file__).parent
mesh, manifest = (json.loads((here / n).read_text()) for n in ("mesh.json", "manifest.json"))
gold, heater = np.load(here / "golden.npz"), mesh["heater"]
files = [(here / name, about["sha256"]) for name, about in manifest["files"].items()]
bad = [f"{path.name} from the manifest" for path, stated in files
       if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != stated]  # fmt: skip


def drivers(optics):  # x, y and settings of every heater of a block, by number
    column, mzis = heater["column_pitch"], [*optics["attenuators"]]
    mzis += [mzi for part in optics["meshes"].values() for mzi in part["mzis"]]
    found = [(mzi["x"] + 0.75 * column, mzi["y"], mzi["theta"]) for mzi in mzis]
    found += [(mzi["x"] + 0.25 * column, mzi["y"], mzi["phi"]) for mzi in mzis if "phi" in mzi]
    outputs = optics["meshes"]["U"]["outputs"]
    found += [(port["x"] + 0.25 * column, port["y"], port) for port in outputs]
    return zip(*sorted(found, key=lambda one: one[2]["driver"]))


def phases(optics):  # those of the program, and those that the DAC codes give
    x, y, settings = drivers(optics)
    step = (heater["v_max"] - heater["v_min"]) / (2 ** heater["dac_bits"] - 1)
    volts = heater["v_min"] + step * np.array([one["code"] for one in settings])
    own = np.pi * (volts / heater["v_pi"]) ** (2 if heater["law"] == "quadratic" else 1)
    if heater["law"] == "table":
        own = np.interp(volts, *np.array(heater["table"]).T)
    warm = heater.get("crosstalk", {"share": 0, "length": 0})
    # the share of its phase that a heater gives to others
    apart = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    heat = warm["share"] * np.exp(-np.maximum(apart - 120, 0) / max(warm["length"], 1e-9))
    np.fill_diagonal(heat, 1)
    return np.array([one["phase"] for one in settings]), heat @ own


def performs(part, phase):  # Q = diag(exp(i output)) T_last ... T_0
    q, b = np.eye(4, dtype=complex), np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    for mzi in part["mzis"]:
        theta, phi = (np.diag([np.exp(1j * phase[mzi[k]["driver"]]), 1]) for k in ("theta", "phi"))
        q[mzi["modes"]] = b @ theta @ b @ phi @ q[mzi["modes"]]
    outputs = [phase[port["driver"]] for port in part.get("outputs", ())] or [0.0] * 4
    return np.exp(1j * np.array(outputs))[:, None] * q


def matrix(optics, phase):
    u, *v = (performs(optics["meshes"][n], phase) for n in "UV" if n in optics["meshes"])
    theta = phase[[one["theta"]["driver"] for one in optics["attenuators"]]]
    field = u * ((np.exp(1j * theta) - 1) / 2) @ v[0] if v else u  # MZIs with one heater
    return optics["scale"] * field.real


def run(block, x, kernel, stages):  # exact integers, one double product, ties to even
    n, acc = 2 ** (block["detector"]["bits"] - 1) - 1, block["accumulator"]
    a = x @ np.array(block["weight"]["codes"]).T * acc["input_factor"] + np.array(acc["offset"])
    codes = np.clip(np.rint(a * acc["multiplier"]), -n, n).astype(int)
    stages[block["name"] + ".detector"] = codes
    total = np.array(block["table"])[codes + n].reshape(len(x), -1, kernel, 4).sum(2)
    n_x = 2 ** (block["input"]["bits"] - 1) - 1
    return np.rint(total * (n_x / (kernel * mesh["table_full_scale"]))).astype(int), total


def student(codes):  # input codes to the stages that golden.npz holds
    tokens, stages, rest = [], {}, mesh["blocks"][len(mesh["pooling"]) :]
    for block, pool in zip(mesh["blocks"], mesh["pooling"]):
        at = pool["start"] + np.arange(pool["tokens"] * pool["kernel"])[:, None] + np.arange(4)
        x = codes[pool["source"]].astype(int)[:, at]
        tokens.append(run(block, x, pool["kernel"], stages)[0])
    patient = [block for block in rest if block["role"] == "rhythm"]
    for at, block in enumerate(patient):
        four = codes["rhythm"][:, 4 * at : 4 * at + 4].astype(int)
        tokens.append(run(block, four[:, None], 1, stages)[0])
    x = np.concatenate(tokens, 1)
    for block in rest[len(patient) :]:
        x, total = run(block, x, 1, stages)
    n, head = mesh["tokens"] * mesh["table_full_scale"], mesh["head"]
    logits = (total.sum(1) @ np.array(head["weight"]).T + n * np.array(head["bias"])) / n
    return stages | {"logits": logits.astype(np.float32)}


def decide(logits):  # the class of every beat
    if mesh["operating_point"] is None:
        return logits.argmax(1)
    probability = 1 / (1 + np.exp(logits[:, 0].astype(float) - logits[:, 1]))
    return (probability >= mesh["operating_point"]["threshold"]).astype(int)


off = []
for block in mesh["blocks"]:
    optics, wanted = block["optics"], np.array(block["matrix"])
    exact, coded = (matrix(optics, phase) - wanted for phase in phases(optics))
    error = np.abs(exact).max()
    bad += [f"{block['name']} matrix by {error:.1e}"] * bool(error > 1e-12)
    off.append(np.linalg.norm(coded) / max(np.linalg.norm(wanted), 1e-12))
codes = f"matrices of the DAC codes off by at most {max(off):.4g}"
stated = manifest["codes"]["matrix_error"]
bad += [f"{codes}, {stated:.4g} stated"] * (not abs(max(off) - stated) <= 1e-6 * max(stated, 1e-12))
bad += [name for name, x in student(gold).items() if not np.array_equal(x, gold[name])]
found = f"{codes}, as stated; {len(gold['logits'])} golden beats agree, every code"
if (here / "features.py").exists():  # not for features of another package
    sys.path.insert(0, str(here))
    import features

    raw, n_x = np.load(here / "golden_recording.npz"), 2 ** (block["input"]["bits"] - 1) - 1
    signal = np.where(raw["signal"] == -32768, np.nan, raw["signal"])
    read = features.inputs(mesh, signal, float(raw["rate"]), raw["samples"])
    for name, x in read.items():
        close = x.shape == raw[name].shape and np.abs(x - raw[name]).max() <= 1e-5
        bad += [f"features.py: {name}"] * (not close)
    codes = {name: np.rint(np.clip(x, -1, 1) * n_x) for name, x in read.items()}
    called = decide(student(codes)["logits"])
    bad += ["features.py: decisions"] * (not np.array_equal(called, raw["decision"]))
    found += f"; {len(called)} beats of a raw recording, features and decisions"
print("differs: " + ", ".join(bad) if bad else found)
sys.exit(bool(bad))
