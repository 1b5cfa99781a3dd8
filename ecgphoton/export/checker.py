"""Recompute this bundle's matrices and golden codes with numpy alone: ``python check.py``."""

# ruff: noqa: T201, ANN001, ANN201, D103, B905
# mypy: ignore-errors
import json
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).parent
mesh = json.loads((here / "mesh.json").read_text())
gold = dict(np.load(here / "golden.npz"))
codes, bad = (
    {k: gold[k].astype(np.int64) for k in ("window", "rhythm", "residual") if k in gold},
    [],
)


def performs(part):  # Q = diag(exp(i output)) T_last ... T_0
    q, b = np.eye(4, dtype=complex), np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    for m in part["mzis"]:
        t = [np.diag([np.exp(1j * m[heater]["phase"]), 1]) for heater in ("theta", "phi")]
        q[m["modes"]] = b @ t[0] @ b @ t[1] @ q[m["modes"]]
    return np.exp(1j * np.array([port["phase"] for port in part["outputs"]]))[:, None] * q


def run(block, x, kernel, last=False):  # exact integers, one double product, ties to even
    n, acc = 2 ** (block["detector"]["bits"] - 1) - 1, block["accumulator"]
    a = x @ np.array(block["weight"]["codes"]).T * acc["input_factor"] + np.array(acc["offset"])
    d = np.clip(np.rint(a * acc["multiplier"]), -n, n).astype(int)
    bad.extend([block["name"]] if not np.array_equal(d, gold[block["name"] + ".detector"]) else [])
    s = np.array(block["table"])[d + n].reshape(len(x), -1, kernel, 4).sum(2)
    full = 2 ** (block["input"]["bits"] - 1) - 1
    return s if last else np.rint(s * (full / (kernel * mesh["table_full_scale"]))).astype(int)


for block in mesh["blocks"]:
    optics, stages = block["optics"], {k: performs(v) for k, v in block["optics"]["meshes"].items()}
    sigma = np.diag([item["transmission"] for item in optics["attenuators"]])
    field = stages["U"] @ sigma @ stages["V"] if "V" in stages else stages["U"]
    error = np.abs(optics["scale"] * field.real - block["matrix"]).max()
    bad.extend([f"{block['name']} matrix {error:.1e}"] if error > 1e-12 else [])
tokens = []
for block, pool in zip(mesh["blocks"], mesh["pooling"]):
    at = pool["start"] + np.arange(pool["tokens"] * pool["kernel"])[:, None] + np.arange(4)
    tokens.append(run(block, codes[pool["source"]][:, at], pool["kernel"]))
rest = mesh["blocks"][len(tokens) :]
if "rhythm" in codes:
    tokens.append(run(rest.pop(0), codes["rhythm"][:, None], 1))
x = np.concatenate(tokens, 1)
for block in rest:
    x = run(block, x, 1, last=block is rest[-1])
n, total = mesh["tokens"] * mesh["table_full_scale"], x.sum(1)
logits = (total @ np.array(mesh["head"]["weight"]).T + n * np.array(mesh["head"]["bias"])) / n
bad += [] if np.array_equal(logits.astype(np.float32), gold["logits"]) else ["logits"]
print("differs: " + ", ".join(bad) if bad else f"{len(x)} golden beats agree, every code")
sys.exit(bool(bad))
