"""Speed of simulated chips beside the student's own forward pass.

    python -m benchmarks.hwsim [STUDENT] [--beats 4096]

`benchmarks.peers` compares one layer of chips with the simulators of `PEERS`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import torch

from benchmarks._timing import in_turn, machine, show
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.montecarlo import run
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.sensitivity import surrogate
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.runs import load
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.student.propagate import Inputs

CHIPS, VECTORS = 1000, 1000
SIGMA = 0.02


def ours(chips=CHIPS):
    """One SVD layer with splitter and phase errors, chips in blocks of 500."""
    program = program_of(SegmentStudent(seed=0))
    profile = Profile({"splitter.sigma": SIGMA, "phase.offset": SIGMA})
    volts = torch.as_tensor(program.device.dac.volts_for(program.phases)[None, :1]).float()
    light, answer = torch.rand(4, VECTORS), torch.empty(chips * 4, VECTORS)
    made = Foundry(profile).chips(0, 0, chips, program)
    first = {name: part[:, :1].float() for name, part in made.normals.items()}
    one = replace(made, normals=first, scales=made.scales[:1])

    def layer():
        for at in range(0, chips, 500):
            rows = one[at : at + 500].matrices(volts).reshape(-1, 4)
            torch.mm(rows, light, out=answer[4 * at : 4 * at + len(rows)])

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


def noisy_trial(name, beats):
    """Return a student, and chips of it with static and per-shot noise on made-up beats."""
    model = load(name)
    draw = torch.Generator().manual_seed(0)
    window = (torch.randn(beats, 360, generator=draw).cumsum(1) * 0.3).sin()
    features = len(model.student.architecture.features)
    inputs = Inputs(window, torch.rand(beats, features, generator=draw) * 2 - 1)
    label = predict(model.student, inputs)[:, 1] > 0.5
    return model.student, trial_of(model.student, inputs, label, model.point, noise=SIGMA)


def main():
    """Print processor times per chip and beat."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("student", nargs="?", default="inter-patient")
    parser.add_argument("--beats", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    student, trial = noisy_trial(given.student, given.beats)
    chips = 8
    static = replace(trial, source=replace(trial.source, detector=0.0))
    runs = {
        "the student without chips": lambda: predict(student, trial.inputs),
        "static errors": lambda: list(run(static, chips)),
        "static errors and noise of every shot": lambda: list(run(trial, chips)),
        "the same, every sample drawn": lambda: list(run(replace(trial, sampled=True), chips)),
    }
    scale = {name: 1 / given.beats / (1 if name.endswith("chips") else chips) for name in runs}
    for order in (1, 2):
        guess = surrogate(trial, order=order)
        name = f"surrogate of order {order}, once set up"
        runs[name] = lambda guess=guess: guess.rates(64, SIGMA, SIGMA)
        scale[name] = 1 / given.beats / 64
    subject = f"{given.student}, {given.beats:,} beats: time per chip and beat"
    show(in_turn(subject, runs, rounds=given.rounds, scale=scale))


if __name__ == "__main__":
    main()
