"""Back ends of annotation: torch, onnxruntime, or a simulated chip."""

from functools import partial
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
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.streams import BEATS
from ecgphoton.runs import TrainedStudent
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import predict
from ecgphoton.student.propagate import inputs_of

Backend = Literal["torch", "onnx", "integer", "chip"]


def classifier(
    trained: TrainedStudent,
    backend: Backend = "torch",
    *,
    chip: int = 0,
    profile: Profile | None = None,
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
        return _Chip(trained, chip, profile=profile, noise=noise)
    if backend == "torch":
        return partial(_in_torch, trained)
    return _in_onnx(trained, backend)


def _in_torch(trained: TrainedStudent, beats: BeatSet) -> NDArray[np.float32]:
    """Return the student's probabilities, computed on one thread: chunks are small."""
    with single_threaded():
        return predict(trained.student, beats, block=CHUNK)


class _Graph:
    """A graph in onnxruntime; a copy has a session of its own."""

    def __init__(self, graph: bytes, architecture: Architecture) -> None:
        from ecgphoton.export.runtime import runner

        self._made_from = graph, architecture
        self._run = runner(graph, "onnxruntime", ("probability",))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._made_from

    def __call__(self, beats: BeatSet) -> NDArray[np.float32]:
        inputs = arrays_of(inputs_of(beats, self._made_from[1]))
        return np.asarray(self._run(inputs)["probability"], np.float32)


def _in_onnx(trained: TrainedStudent, backend: Backend) -> Classify:
    from ecgphoton.export.onnx_graph import float_graph

    if trained.program is not None:
        graph = (trained.folder / (FLOAT if backend == "onnx" else INTEGER)).read_bytes()
    elif backend == "onnx":
        graph = float_graph(trained.student)
    else:
        raise InputError(
            f"{trained.folder} is no bundle and has no integer graph; `ecgphoton export` makes one"
        )
    return _Graph(graph, trained.student.architecture)


def _probability(logits: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(torch.softmax(logits, -1), np.float32)


class _Chip:
    """The probabilities of one simulated chip; its noise differs from beat to beat."""

    def __init__(self, trained: TrainedStudent, chip: int, **described: Any) -> None:  # noqa: ANN401 - as trial_of takes them
        self._carried, self._chip, self._blocks = trained.carried, chip, 0
        probe = synthetic_inputs(self._carried.architecture)
        label = np.zeros(len(probe), bool)
        self._trial = trial_of(self._carried, probe, label, OperatingPoint(0.5, ()), **described)
        self._drawn = self._trial.source.draw(self._trial.seed, chip, 1)

    def __call__(self, beats: BeatSet) -> NDArray[np.float32]:
        inputs, block = inputs_of(beats, self._carried.architecture), self._blocks
        self._blocks += -(-len(inputs) // BEATS)
        scores: NDArray[np.float32] = self._trial.score(
            self._drawn, self._chip, _probability, inputs=inputs, block=block
        )[0]
        return scores
