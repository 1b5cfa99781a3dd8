"""Recompute what this bundle's DAC codes perform, with numpy: ``python check_codes.py``."""
# ruff: noqa: T201, ANN001, ANN201, D103, B905
# mypy: ignore-errors

import json
import pathlib
import sys

import numpy as np

here = pathlib.Path(__file__).parent
mesh, manifest = (json.loads((here / n).read_text()) for n in ("mesh.json", "manifest.json"))
heater, column = mesh["heater"], mesh["heater"]["column_pitch"]


def given(code):  # phase that a shifter gives itself
    step = (heater["v_max"] - heater["v_min"]) / (2 ** heater["dac_bits"] - 1)
    volts = heater["v_min"] + code * step
    if heater["law"] == "table":
        return np.interp(volts, *np.array(heater["table"]).T)
    return np.pi * (volts / heater["v_pi"]) ** (2 if heater["law"] == "quadratic" else 1)


def shifters(optics):  # place and content of every heater of a block
    for part in optics["meshes"].values():
        for mzi in part["mzis"]:
            yield mzi["x"] + 0.75 * column, mzi["y"], mzi["theta"]
            yield mzi["x"] + 0.25 * column, mzi["y"], mzi["phi"]
        for port in part.get("outputs", ()):
            yield port["x"] + 0.25 * column, port["y"], port
    for one in optics["attenuators"]:
        yield one["x"] + 0.75 * column, one["y"], one["theta"]


def through(part, phase):  # light meets phi, a splitter, theta, a splitter, and the outputs last
    field, mixed = np.eye(4, dtype=complex), np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)
    for mzi in part["mzis"]:
        upper, lower = mzi["modes"]
        for name in ("phi", "theta"):
            field[upper] *= np.exp(1j * phase[mzi[name]["driver"]])
            field[[upper, lower]] = mixed @ field[[upper, lower]]
    for mode, port in enumerate(part.get("outputs", ())):
        field[mode] *= np.exp(1j * phase[port["driver"]])
    return field


errors = []
for block in mesh["blocks"]:
    optics = block["optics"]
    x, y, content = zip(*shifters(optics))
    own = np.array([given(one["code"]) for one in content])
    apart = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y))
    fall = np.exp(-np.maximum(apart - 120, 0) / max(heater["crosstalk"]["length"], 1e-9))
    coupled = heater["crosstalk"]["share"] * (fall - np.eye(len(own)))
    phase = dict(zip([one["driver"] for one in content], own + coupled @ own))
    field = np.eye(4)
    for name in ("V", "U"):
        if name in optics["meshes"]:
            field = through(optics["meshes"][name], phase) @ field
        if name == "V" and optics["attenuators"]:
            theta = np.array([phase[one["theta"]["driver"]] for one in optics["attenuators"]])
            field = (np.exp(1j * theta) - 1)[:, None] / 2 * field
    left = optics["scale"] * field.real - block["matrix"]
    errors.append(np.linalg.norm(left) / max(np.linalg.norm(block["matrix"]), 1e-12))
found, stated = max(errors), manifest["codes"]["matrix_error"]
same = abs(found - stated) <= 1e-6 * max(stated, 1e-12)
text = f"matrices of the DAC codes are off by at most {found:.4g}"
print(f"{text}, as stated" if same else f"differs: {text}, {stated:.4g} stated")
sys.exit(not same)
