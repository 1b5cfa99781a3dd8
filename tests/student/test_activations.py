"""An activation, a branch or a token is one value, and works on the whole way to a verdict."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecgphoton import registry
from ecgphoton.artifacts import load_checkpoint, read_json, save_checkpoint
from ecgphoton.decision import OperatingPoint, ThresholdPolicy
from ecgphoton.errors import InputError
from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.export.verify import verify
from ecgphoton.hwsim.certify import margin_bounds
from ecgphoton.hwsim.simulate import simulate, trial_of
from ecgphoton.program.program_file import from_dict
from ecgphoton.student.activations import ACTIVATIONS, RELU, TANH, Activation
from ecgphoton.student.architecture import BRANCHES, TOKENS, Architecture, Branch, Token
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.student.propagate import IdealDetector, walk
from ecgphoton.training.fit import fit
from ecgphoton.training.parts import Examples, Parts, Schedule, Shuffled

SOFTSIGN = ACTIVATIONS.add(
    Activation(
        "softsign",
        torch=lambda z: z / (1 + z.abs()),
        numpy=lambda z: z / (1 + np.abs(z)),
        onnx=lambda graph, z, block: graph.add("Softsign", z, name=f"{block}.softsign"),
    )
)
registry._MODULES.pop(__name__)  # workers cannot import a test module
POINT = OperatingPoint(0.5, ("validation",))
T_OF_THREE = tuple(Branch("T", "window", 240, 360, 3, 39) if b.name == "T" else b for b in BRANCHES)
CASES = {
    "an activation of another module": Architecture(activation="softsign", layers=2),
    "a T branch of three tokens": Architecture(branches=T_OF_THREE, layers=2),
    "branches and tokens of one's own": Architecture(
        branches=(Branch("late", "window", 200, 300, 4, 24), BRANCHES[4]),
        patient=(Token("own", ("interval z", "post/usual", "steepness", "interval")), TOKENS[0]),
        template=True,
        layers=2,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", CASES.values(), ids=CASES)
def test_the_whole_way(architecture: Architecture, tmp_path: Path) -> None:
    """One epoch of training, export, verification and simulation run; the files name its parts."""
    inputs = synthetic_inputs(architecture, beats=20)
    label = (inputs.window[:, 180:200].mean(1) > inputs.window[:, 180:200].mean()).long()
    examples = Examples(inputs, label, np.array(["s01"] * len(label)))
    fitted = fit(
        SegmentStudent(architecture, seed=1),
        examples,
        {"validation": examples},
        Schedule(epochs=1, min_epochs=1),
        ThresholdPolicy(),
        Parts(Shuffled(len(label))),
        seed=0,
    )
    student = fitted.model
    assert isinstance(student, SegmentStudent)
    metadata = {
        "architecture": asdict(architecture),
        "operating_point": POINT.to_dict(),
        "classes": ["normal", "abnormal"],
    }
    save_checkpoint(tmp_path / "checkpoint.safetensors", student.arrays(), metadata)
    export_bundle(tmp_path, tmp_path / "bundle", formats=("raw",))
    report = verify(tmp_path / "bundle", sax=False)
    assert report.ok, report.rows()
    bundle = load_bundle(tmp_path / "bundle")
    assert bundle.student.architecture == bundle.program.architecture == architecture
    assert np.array_equal(predict(bundle.student, inputs), predict(student, inputs))
    read = ((student, "analog"), (bundle.program, "analog"), (bundle.program, "digital"))
    for carried, readout in read:
        found = simulate(carried, inputs, label.numpy(), POINT, chips=4, readout=readout)
        assert np.isfinite(found.auc).all()
    low, high = margin_bounds(trial_of(student, inputs, label.numpy(), POINT), 0.01)
    ideal = trial_of(student, inputs, label.numpy(), POINT, noise=0.0).perfect()
    with np.errstate(divide="ignore"):
        margin = np.log(ideal / (1 - ideal))
    assert (low <= margin + 1e-4).all()
    assert (margin <= high + 1e-4).all()


def test_two_processes_know_it(tmp_path: Path) -> None:
    """A registered activation is sent to another process by its name, another by its forms."""
    assert pickle.loads(pickle.dumps(SOFTSIGN)) is SOFTSIGN
    other = Activation("slow tanh", torch=torch.tanh, numpy=np.tanh)
    z = torch.linspace(-4, 4, 33)
    assert torch.equal(pickle.loads(pickle.dumps(other))(z), other(z))


def test_names_are_unique_and_unknown_ones_refused() -> None:
    """The same value may be added twice; another of its name, and a name nobody added, may not."""
    assert ACTIVATIONS.add(SOFTSIGN) is SOFTSIGN
    registry._MODULES.pop(__name__)
    with pytest.raises(InputError, match="the activation 'tanh' exists already"):
        ACTIVATIONS.add(replace(RELU, name="tanh"))
    with pytest.raises(InputError, match=r"student\.activation is 'gelu'; it must be one of 'tanh"):
        Architecture(activation="gelu")


@pytest.mark.parametrize("activation", [TANH, RELU, SOFTSIGN], ids=lambda a: a.name)
def test_forms_agree(activation: Activation) -> None:
    """Torch, numpy and pooled forms are one function, and its slopes lie in their bounds."""
    z = torch.linspace(-5, 5, 1001, dtype=torch.float64, requires_grad=True)
    y = activation(z)
    assert np.abs(y.detach().numpy() - activation.numpy(z.detach().numpy())).max() < 1e-12
    (slope,) = torch.autograd.grad(y.sum(), z)
    low, high = activation.slope
    assert low - 1e-9 <= float(slope.min()) <= float(slope.max()) <= high + 1e-9
    student = SegmentStudent(Architecture(), seed=2)
    inputs = synthetic_inputs(student.architecture, beats=10)
    pooled = [
        walk(student.stack(), inputs, student.architecture, IdealDetector(form))
        for form in (activation, replace(activation, fused=None))
    ]
    torch.testing.assert_close(*pooled, atol=1e-6, rtol=0)


def test_bounds_of_an_activation_that_falls() -> None:
    """Bounds hold on an interval for an activation that is not monotone."""
    wave = Activation(
        "wave", torch=lambda z: (2 * z).sin(), numpy=lambda z: np.sin(2 * z), slope=(-2.0, 2.0)
    )
    draw = torch.Generator().manual_seed(0)
    low = torch.rand(200, generator=draw) * 4 - 2
    high = low + torch.rand(200, generator=draw)
    least, most = wave.bounds(low, high)
    for share in torch.linspace(0, 1, 11):
        y = wave(low + share * (high - low))
        assert (least - 1e-5 <= y).all()
        assert (y <= most + 1e-5).all()


def test_older_files_have_the_original_parts(tmp_path: Path) -> None:
    """A checkpoint without branches and tokens means the original ones."""
    old = asdict(Architecture(template=True))
    del old["branches"], old["patient"]
    assert Architecture.from_dict(old) == Architecture(template=True)
    pooled = asdict(CASES["a T branch of three tokens"])
    save_checkpoint(tmp_path / "c", {"x": np.zeros(1)}, {"architecture": pooled})
    stored = load_checkpoint(tmp_path / "c")[1]["architecture"]
    assert Architecture.from_dict(stored).sliding[2].tokens == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"branches": ()}, "at least one branch"),
        ({"branches": (BRANCHES[0], BRANCHES[0])}, "each used once"),
        ({"branches": (Branch("mlp1"),)}, "each used once"),
        ({"branches": (Branch("a b"),)}, "letters and digits"),
        ({"branches": (BRANCHES[0], Branch("x", "residual", 0, 120, 1, 117))}, "template = true"),
        ({"patient": TOKENS[:1] * 2}, "each used once"),
    ],
)
def test_parts_that_do_not_fit_are_refused(wrong: dict[str, object], message: str) -> None:
    """What would not be used, or could not be told apart, is refused."""
    with pytest.raises(InputError, match=message):
        Architecture(**wrong)  # type: ignore[arg-type]


def test_branches_that_read_too_far_are_refused() -> None:
    """A segment must hold the positions of its tokens, and lie in its source."""
    with pytest.raises(InputError, match="need samples up to 381"):
        Branch("T", "window", 240, 360, 3, 46)
    with pytest.raises(InputError, match="the residual has 120"):
        Branch("x", "residual", 0, 121, 1, 100)


HOST = """
import sys, hashlib
from pathlib import Path
import numpy as np, torch
if sys.argv[2] == "strange":
    torch.set_default_dtype(torch.float64)
    np.seterr(all="raise")
from ecgphoton.decision import OperatingPoint
from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.models import bundle
out = Path(sys.argv[1])
export_bundle(bundle("inter-patient"), out, formats=())
loaded = load_bundle(out)
label = np.arange(len(loaded.golden)) % 2
parts = [path.read_bytes() for path in sorted(out.iterdir())]
for carried in (loaded.student, loaded.program):
    found = simulate(carried, loaded.golden, label, OperatingPoint(0.5, ("v",)), chips=4)
    parts.append(found.auc.tobytes() + found.miss.tobytes())
print(hashlib.sha256(b"".join(parts)).hexdigest())
"""


@pytest.mark.slow
def test_the_host_program_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Torch's default type and numpy's error settings change no byte of export or simulation."""
    command = [sys.executable, "-c", HOST, str(tmp_path / "strange"), "strange"]
    strange = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    monkeypatch.setattr(sys, "argv", ["-c", str(tmp_path / "usual"), "usual"])
    exec(HOST, {})
    assert capsys.readouterr().out == strange != ""


def test_nan_is_refused_by_name() -> None:
    """Predictions, simulations and integer codes name the beats that hold NaN or infinity."""
    student = SegmentStudent(Architecture(), seed=0)
    inputs = synthetic_inputs(student.architecture, beats=10)
    inputs.window[7, 100] = float("nan")
    inputs.window[9, 0] = float("inf")
    label = np.arange(len(inputs)) % 2
    for call in (
        lambda: predict(student, inputs),
        lambda: simulate(student, inputs, label, POINT, chips=1),
    ):
        with pytest.raises(InputError, match=r"window of 2 of 90 beats .*\(beats 7, 9\)"):
            call()


def test_a_model_shows_itself_in_one_line() -> None:
    """``repr`` of a student says what it is made of, and no more."""
    text = repr(SegmentStudent(Architecture(patient=TOKENS[:1])))
    assert text.startswith("SegmentStudent(170 parameters, 9 tokens, tanh, blocks P QRS")
    assert len(text) < 120


def test_the_mesh_file_states_the_branches() -> None:
    """They are read back, and a file that lacks them is refused."""
    from ecgphoton.models import bundle

    stored = read_json(bundle("reference-8") / "mesh.json")
    assert from_dict(stored).architecture.branches == BRANCHES
    del stored["student"]["branches"]
    with pytest.raises(InputError, match="branches is missing"):
        from_dict(stored)
