"""What the ONNX graphs share: nodes with readable names, normalisation, metadata, fixed bytes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ecgphoton.ecg.features import FLAT
from ecgphoton.student.architecture import SAMPLES, WIDTH, Architecture

OPSET, IR_VERSION = 18, 8
OUTPUTS = ("logits", "h_pool", "probability")
UNSAID_BEFORE = ("patient_features", "delay_beats")
"""Metadata that graphs of version 0.1 lack; they hold `rhythm` instead."""


class Graph:
    """Nodes and constants of a graph; every value is named after the node that makes it."""

    def __init__(self) -> None:
        import onnx
        from onnx import helper, numpy_helper

        self._onnx, self._helper, self._numpy = onnx, helper, numpy_helper
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: object, dtype: type | None = None) -> str:
        """Store an array under a name (once) and return the name."""
        if name not in self.constants:
            array = np.ascontiguousarray(np.array(value, dtype))
            self.constants[name] = self._numpy.from_array(array, name)
        return name

    def axes(self, *values: int) -> str:
        """Store a list of integers."""
        return self.constant("int_" + "_".join(map(str, values)), values, np.int64)

    def add(self, op: str, *inputs: str, name: str, **attributes: Any) -> str:  # noqa: ANN401
        """Append a node with one output called like the node."""
        self.nodes.append(self._helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def chain(self, value: str, *steps: tuple[str, ...]) -> str:
        """Append nodes, each with the value before it as first input.

        A step is (operator, name, further inputs ...); ``Cast TYPE`` converts to that type.
        """
        for step, name, *operands in steps:
            op, _, kind = step.partition(" ")
            attributes = {"to": self.type(kind)} if kind else {}
            value = self.add(op, value, *operands, name=name, **attributes)
        return value

    def type(self, name: str) -> int:
        """Return ONNX's number of a data type."""
        return int(self._onnx.TensorProto.DataType.Value(name))

    def slice(self, source: str, start: int, stop: int, name: str) -> str:
        """Take columns `start` to `stop` of a (batch, n) value."""
        bounds = self.axes(start), self.axes(stop), self.axes(1)
        return self.add("Slice", source, *bounds, name=name)

    def model(
        self, inputs: Mapping[str, int], classes: int, name: str, metadata: Mapping[str, str]
    ) -> bytes:
        """Check and serialise, with all that could vary from place to place left out."""
        widths = {"logits": classes, "h_pool": WIDTH, "probability": classes}
        make, real = self._helper.make_tensor_value_info, self.type("FLOAT")
        graph = self._helper.make_graph(
            self.nodes,
            name,
            [make(key, real, ["batch", width]) for key, width in inputs.items()],
            [make(key, real, ["batch", widths[key]]) for key in OUTPUTS],
            list(self.constants.values()),
        )
        model = self._helper.make_model(
            graph,
            opset_imports=[self._helper.make_opsetid("", OPSET)],
            producer_name="ecgphoton",
            ir_version=IR_VERSION,
        )
        self._helper.set_model_props(model, dict(sorted(metadata.items())))
        self._onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def metadata_of(
    architecture: Architecture,
    classes: Sequence[str],
    operating_point: Mapping[str, Any] | None,
    hashes: Mapping[str, str],
    **extra: object,
) -> dict[str, str]:
    """Return model metadata, every value a string (JSON where it is not plain text)."""
    return {
        "classes": json.dumps(list(classes)),
        "sampling_rate_hz": "360",
        "window_samples": str(SAMPLES),
        "operating_point": json.dumps(operating_point, sort_keys=True),
        "patient_features": json.dumps({t.name: list(t.features) for t in architecture.patient}),
        "delay_beats": str(architecture.delay),
        **{f"{name}_sha256": value for name, value in hashes.items()},
        **{name: str(value) for name, value in extra.items()},
    }


def normalised_window(graph: Graph, *, raw: bool) -> str:
    """Return the normalised window, computed from raw samples when asked for."""
    if not raw:
        return "window"
    axis = graph.axes(1)
    mean = graph.add("ReduceMean", "raw_window", axis, name="normalise.mean")
    centred = graph.add("Sub", "raw_window", mean, name="normalise.centred")
    size = graph.chain(
        centred, ("Abs", "normalise.size_abs"), ("ReduceMax", "normalise.size", axis)
    )
    least = graph.chain(
        "raw_window",
        ("Abs", "normalise.level_abs"),
        ("ReduceMax", "normalise.level", axis),
        ("Mul", "normalise.least", graph.constant("flat", np.float32(FLAT))),
    )
    flat = graph.add("LessOrEqual", size, least, name="normalise.flat")
    one, zero = graph.constant("one", np.float32(1)), graph.constant("zero", np.float32(0))
    divisor = graph.add("Where", flat, one, size, name="normalise.divisor")
    scaled = graph.add("Div", centred, divisor, name="normalise.scaled")
    window = graph.add("Where", flat, zero, scaled, name="normalise.window")
    low = graph.constant("minus_one", np.float32(-1))
    return graph.add("Clip", window, low, one, name="normalise.clipped")
