"""Speed of the chip simulator, as ratios of times taken in one run.

    python -m benchmarks.hwsim [--threads 2] [--beats 4096] [--run RUN]

A layer beside other simulators is in ``benchmarks.peers``. Nothing here is asserted by a test.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch

from ecgphoton.decision import OperatingPoint
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.sensitivity import surrogate
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.student.architecture import TOKENS, Architecture
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.student.propagate import Inputs

CHIPS, VECTORS = 1000, 1000
SIGMA = 0.02


def best(action, repeats=5):
    """Return the shortest of several times of an action, s (the least disturbed one)."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def ours(threads, chips=CHIPS):
    """One SVD layer with splitter and phase errors, chips in blocks of 500."""
    program = program_of(SegmentStudent(seed=0))
    profile = Profile({"splitter.sigma": SIGMA, "phase.offset": SIGMA})
    volts = torch.as_tensor(program.device.dac.volts_for(program.phases)[None, :1]).float()
    light, answer = torch.rand(4, VECTORS), torch.empty(chips * 4, VECTORS)
    made = Foundry(profile).chips(0, 0, chips, program)
    first = {name: part[:, :1].float() for name, part in made.normals.items()}
    one = replace(made, normals=first, scales=made.scales[:1])

    def some(at):
        rows = one[at : at + 500].matrices(volts).reshape(-1, 4)
        torch.mm(rows, light, out=answer[4 * at : 4 * at + len(rows)])

    pool = ThreadPoolExecutor(threads)

    def layer():
        with single_threaded():
            list(pool.map(some, range(0, chips, 500)))

    return layer


def peer_aihwkit():
    """Program a torch tile, then multiply, once a chip."""
    from aihwkit.nn import AnalogLinear
    from aihwkit.simulator.configs import TorchInferenceRPUConfig

    layer = AnalogLinear(4, 4, bias=False, rpu_config=TorchInferenceRPUConfig()).eval()
    light = torch.rand(VECTORS, 4)

    def chip():
        with torch.no_grad():
            layer.program_analog_weights()
            return layer(light)


def peer_neurophox():
    """One rectangular mesh built with new errors and applied, once a chip."""
    from neurophox.numpy import RMNumpy

    light = np.random.default_rng(0).random((VECTORS, 4)).astype(complex)

    def chip():
        light @ RMNumpy(4).matrix @ RMNumpy(4).matrix

    return chip


def peer_lightworks():
    """Two 4-mode Reck meshes decomposed and compiled with random splitters, once a chip."""
    import lightworks as lw
    from lightworks.interferometers import ErrorModel, Reck
    from lightworks.interferometers.dists import Gaussian

    unitary = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    light = np.random.default_rng(0).random((4, VECTORS))

    def chip():
        errors = ErrorModel()
        errors.bs_reflectivity = Gaussian(0.5, SIGMA)
        errors.phase_offset = Gaussian(0, SIGMA)
        circuit = Reck(errors).map(lw.Unitary(unitary))
        return circuit.U @ (circuit.U @ light)

    return chip


def peer_perceval():
    """Two meshes of 6 MZIs with random splitters, matrix computed, once a chip."""
    import perceval as pcvl
    from perceval.components import BS, PS

    rng = np.random.default_rng(0)
    light = rng.random((4, VECTORS))
    places = [0, 2, 1, 0, 2, 1] * 2

    def chip():
        circuit = pcvl.Circuit(4)
        for mode in places:
            circuit.add(mode, PS(rng.uniform(0, 6)))
            circuit.add(mode, BS(theta=np.pi / 2 + 2 * SIGMA * rng.standard_normal()))
            circuit.add(mode, PS(rng.uniform(0, 6)))
            circuit.add(mode, BS(theta=np.pi / 2 + 2 * SIGMA * rng.standard_normal()))
        return np.asarray(circuit.compute_unitary()) @ light

    return chip


def peer_qpg():
    """QPG-MIT meshes: one Clements network with new splitter errors, once a chip."""
    import meshes

    light = np.random.default_rng(0).random((4, VECTORS)).astype(complex)
    network = meshes.ClementsNetwork(N=4)

    def chip():
        network.p_splitter = np.random.default_rng().normal(0, SIGMA, network.p_splitter.shape)
        return network.matrix() @ (network.matrix() @ light)

    return chip


def peer_sax():
    """One SVD layer as a SAX circuit, evaluated with new splitters once a chip."""
    import sax

    from ecgphoton.mesh.device import Device
    from ecgphoton.mesh.netlist import SAX_MODELS, sax_block

    rng, device = np.random.default_rng(0), Device()
    netlist = sax_block(device, rng.uniform(0, 6, device.drivers))
    circuit, _ = sax.circuit(netlist, dict(SAX_MODELS))
    light = rng.random((4, VECTORS))

    def chip():
        changed = {
            mesh: {
                f"mzi{k}": {
                    part: {"coupling": 0.5 + SIGMA * rng.standard_normal()}
                    for part in ("splitter1", "splitter2")
                }
                for k in range(6)
            }
            for mesh in device.mesh_names
        }
        fields = circuit(**changed)
        matrix = [[complex(fields[f"in{j}", f"out{i}"]) for j in range(4)] for i in range(4)]
        return np.array(matrix) @ light

    return chip


PEERS = {
    "aihwkit": ("torch tile, programme + multiply", peer_aihwkit),
    "neurophox": ("numpy meshes", peer_neurophox),
    "lightworks": ("two Reck meshes", peer_lightworks),
    "perceval": ("two meshes of 6 MZIs", peer_perceval),
    "meshes": ("QPG-MIT, Clements", peer_qpg),
    "sax": ("a netlist, chip by chip", peer_sax),
}


def student_of(path):
    """Return a trained student if a run is given, else a random one with realistic gains."""
    if path is None:
        return SegmentStudent(Architecture(patient=TOKENS[:1]), seed=1).eval()
    from ecgphoton.runs import load_student

    return load_student(path).student


def student_table(beats, path):
    """Time the full student per chip and beat against the noiseless forward pass."""
    draw = torch.Generator().manual_seed(0)
    walk = torch.randn(beats, 360, generator=draw).cumsum(1) * 0.3
    inputs = Inputs(walk.sin(), torch.rand(beats, 4, generator=draw) * 2 - 1)
    student = student_of(path)
    label = predict(student, inputs)[:, 1] > 0.5
    point = OperatingPoint(0.5, ("validation",))
    chips = 8
    trials = {
        "static errors": ("noise", {"detector": 0.0}),
        "static and per-shot": ("noise", {}),
    }
    print(f"\nFull student, {beats:,} beats, {chips} chips: time per chip and beat")
    forward = best(lambda: predict(student, inputs)) / beats
    print(f"  {'noiseless forward pass':<24} {1e6 * forward:7.2f} us   1x")
    times = {}
    for name, (_, change) in trials.items():
        trial = trial_of(student, inputs, label, point, noise=SIGMA)
        trial = replace(trial, source=replace(trial.source, **change))
        times[name] = best(lambda trial=trial: list(run(trial, chips))) / beats / chips
        ratio = times[name] / forward
        print(f"  {name:<24} {1e6 * times[name]:7.2f} us   {ratio:.2f}x")
    slow = replace(trial, sampled=True)
    taken = best(lambda: list(run(slow, 4)), 2) / beats / 4
    print(f"  {'every sample drawn':<24} {1e6 * taken:7.2f} us   {taken / forward:.2f}x")
    for order in (1, 2):
        start = time.perf_counter()
        guess = surrogate(trial, order=order)
        ready = time.perf_counter() - start
        taken = best(lambda guess=guess: guess.rates(64, SIGMA, SIGMA)) / beats / 64
        gain = times["static and per-shot"] / taken
        error = guess.error(SIGMA, SIGMA)
        print(
            f"  {f'surrogate, order {order}':<24} {1e6 * taken:7.2f} us   {gain:.0f}x faster than "
            f"exact; error of miss and FPR {100 * error['rms']:.2f} points rms, "
            f"{100 * error['worst']:.2f} worst; {ready:.1f} s to set up"
        )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beats", type=int, default=4096)
    parser.add_argument("--run", default=None)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"python {platform.python_version()}, torch {torch.__version__}, {options.threads} threads,"
        f" load {load:.1f}"
    )
    student_table(options.beats, options.run)


if __name__ == "__main__":
    main()
