"""Recompute this bundle's matrices and golden codes with numpy alone: ``python check.py``."""

import json
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).parent
mesh, gold, bad = json.loads((here / "mesh.json").read_text()), np.load(here / "golden.npz"), []


def performs(part):  # Q = diag(exp(i output)) T_last ... T_0
    q, b = np.eye(4, dtype=complex), np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    for mzi in part["mzis"]:
        theta, phi = (np.diag([np.exp(1j * mzi[k]["phase"]), 1]) for k in ("theta", "phi"))
        q[mzi["modes"]] = b @ theta @ b @ phi @ q[mzi["modes"]]
    outputs = [port["phase"] for port in part.get("outputs", ())] or [0.0] * 4
    return np.exp(1j * np.array(outputs))[:, None] * q


def run(block, x, kernel):  # exact integers, one double product, ties to even
    n, acc = 2 ** (block["detector"]["bits"] - 1) - 1, block["accumulator"]
    a = x @ np.array(block["weight"]["codes"]).T * acc["input_factor"] + np.array(acc["offset"])
    codes = np.clip(np.rint(a * acc["multiplier"]), -n, n).astype(int)
    bad.extend([block["name"]] * (not np.array_equal(codes, gold[block["name"] + ".detector"])))
    total = np.array(block["table"])[codes + n].reshape(len(x), -1, kernel, 4).sum(2)
    n_x = 2 ** (block["input"]["bits"] - 1) - 1
    return np.rint(total * (n_x / (kernel * mesh["table_full_scale"]))).astype(int), total


for block in mesh["blocks"]:
    optics, meshes = block["optics"], block["optics"]["meshes"]
    theta = np.array([attenuator["theta"]["phase"] for attenuator in optics["attenuators"]])
    u, *v = (performs(meshes[name]) for name in "UV" if name in meshes)
    field = u * ((np.exp(1j * theta) - 1) / 2) @ v[0] if v else u  # MZIs with one heater
    error = np.abs(optics["scale"] * field.real - block["matrix"]).max()
    bad += [f"{block['name']} matrix by {error:.1e}"] * bool(error > 1e-12)
tokens, rest = [], mesh["blocks"][len(mesh["pooling"]) :]
for block, pool in zip(mesh["blocks"], mesh["pooling"]):
    at = pool["start"] + np.arange(pool["tokens"] * pool["kernel"])[:, None] + np.arange(4)
    tokens.append(run(block, gold[pool["source"]].astype(int)[:, at], pool["kernel"])[0])
patient = [block for block in rest if block["role"] == "rhythm"]
for at, block in enumerate(patient):
    four = gold["rhythm"][:, 4 * at : 4 * at + 4].astype(int)
    tokens.append(run(block, four[:, None], 1)[0])
x = np.concatenate(tokens, 1)
for block in rest[len(patient) :]:
    x, total = run(block, x, 1)
n, head = mesh["tokens"] * mesh["table_full_scale"], mesh["head"]
logits = (total.sum(1) @ np.array(head["weight"]).T + n * np.array(head["bias"])) / n
bad += ["logits"] * (not np.array_equal(logits.astype(np.float32), gold["logits"]))
print("differs: " + ", ".join(bad) if bad else f"{len(x)} golden beats agree, every code")
sys.exit(bool(bad))
