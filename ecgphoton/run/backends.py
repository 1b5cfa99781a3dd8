"""Back ends of annotation: torch, onnxruntime, or a simulated chip."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from ecgphoton.decision import OperatingPoint
from ecgphoton.ecg.annotate import CHUNK, Classify
from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.errors import InputError
from ecgphoton.export.bundle_folder import FLOAT, INTEGER
from ecgphoton.export.golden import arrays_of, synthetic_inputs
from ecgphoton.hwsim.distributed import single_threaded
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.streams import BEATS
from ecgphoton.runs import TrainedStudent
from ecgphoton.student.network import predict
from ecgphoton.student.propagate import inputs_of

Backend = Literal["torch", "onnx", "integer", "chip"]


def classifier(
    trained: TrainedStudent,
    backend: Backend = "torch",
    *,
    chip: int = 0,
    profile: str | None = None,
    settings: Sequence[str] = (),
    noise: float | None = None,
) -> Classify:
    """Return a function from beats to class probabilities.

    Raises
    ------
    InputError
        If the backend is unknown or needs what the student does not have.
    """
    if backend not in get_args(Backend):
        raise InputError(f"backend {backend!r}; choose {', '.join(get_args(Backend))}")
    if chip < 0:
        raise InputError(f"chip is {chip}; chips are numbered from 0")
    if backend == "chip":
        return _on_chip(trained, chip, profile=profile, settings=settings, noise=noise)
    if backend == "torch":
        return _in_torch(trained)
    return _in_onnx(trained, backend)


def _in_torch(trained: TrainedStudent) -> Classify:
    """Return the student's probabilities, computed on one thread: chunks are small."""

    def classify(beats: BeatSet) -> NDArray[np.float32]:
        with single_threaded():
            return predict(trained.student, beats, block=CHUNK)

    return classify


def _in_onnx(trained: TrainedStudent, backend: Backend) -> Classify:
    from ecgphoton.export.onnx_graph import float_graph
    from ecgphoton.export.runtime import runner

    if trained.program is not None:
        model = (trained.folder / (FLOAT if backend == "onnx" else INTEGER)).read_bytes()
    elif backend == "onnx":
        model = float_graph(trained.student)
    else:
        raise InputError(
            f"{trained.folder} is no bundle and has no integer graph; `ecgphoton export` makes one"
        )
    run = runner(model, "onnxruntime", ("probability",))
    architecture = trained.student.architecture
    return lambda beats: np.asarray(
        run(arrays_of(inputs_of(beats, architecture)))["probability"], np.float32
    )


def _on_chip(trained: TrainedStudent, chip: int, **described: Any) -> Classify:  # noqa: ANN401 - as trial_of takes them
    """Return the probabilities of one simulated chip; its noise differs from beat to beat."""
    carried = trained.carried
    probe = synthetic_inputs(carried.architecture)
    label = np.zeros(len(probe), bool)
    trial = trial_of(carried, probe, label, OperatingPoint(0.5, ()), **described)
    drawn = trial.source.draw(trial.seed, chip, 1)
    blocks = 0

    def read(logits: torch.Tensor) -> NDArray[np.float32]:
        return np.asarray(torch.softmax(logits, -1), np.float32)

    def classify(beats: BeatSet) -> NDArray[np.float32]:
        nonlocal blocks
        inputs = inputs_of(beats, carried.architecture)
        scores: NDArray[np.float32] = trial.score(drawn, chip, read, inputs=inputs, block=blocks)[0]
        blocks += -(-len(inputs) // BEATS)
        return scores

    return classify
