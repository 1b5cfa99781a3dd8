"""ONNX graphs of a student, built node by node: readable names, reproducible bytes.

This writer is an oracle: it repeats the order of `ecgphoton.student.propagate.walk` on purpose, so
that `verify` compares two independent statements of it. The other oracle is `checker`, the numpy
checker that is copied into every bundle.

The float graph is the student as trained. The integer graph is `QuantizedStudent` in integer
operators: code products in int64, one double multiplication and rounding a block, the activation a
`Gather` from a table over detector codes. It holds no quantize-dequantize pairs, which
onnxruntime rewrites into other arithmetic, so it gives the same bits in every runtime.
"""

from collections.abc import Mapping

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.export.onnx_builder import Graph, normalised_window
from ecgphoton.export.quantize import QuantizedStudent
from ecgphoton.program.blocks import TABLE_BITS, IntegerBlock, largest_code
from ecgphoton.student.architecture import WIDTH, Architecture, Branch
from ecgphoton.student.network import SegmentStudent


def input_widths(architecture: Architecture, *, raw: bool = False) -> dict[str, int]:
    """Names and widths of the inputs of a graph; `raw` asks for samples in any unit."""
    names = {"window": "raw_window" if raw else "window"}
    return {names.get(name, name): width for name, width in architecture.reads.items()}


def float_graph(
    student: SegmentStudent, metadata: Mapping[str, str] | None = None, *, raw: bool = False
) -> bytes:
    """Return the float graph: inputs `input_widths`, outputs `OUTPUTS`, dynamic batch.

    Parameters
    ----------
    raw
        Start from raw samples (n, 360) in any unit; demeaning and scaling are in the graph.

    Raises
    ------
    InputError
        If the activation has no ONNX form.
    """
    arch, graph, write = student.architecture, Graph(), student.architecture.response.onnx
    if write is None:
        raise InputError(f"activation {arch.activation} has no ONNX form; give it one, `onnx`")
    parts = (part.detach().numpy()[0] for part in student.stack())
    blocks = {name: block for name, *block in zip(arch.blocks, *parts, strict=True)}
    sources = {"window": normalised_window(graph, raw=raw), "residual": "residual"}

    def activation(value: str, name: str) -> str:
        gain = graph.constant(f"{name}.gain", blocks[name][2])
        amplified = graph.add("Mul", value, gain, name=f"{name}.amplified")
        with arch.response.usable("ONNX form"):
            found = write(graph, amplified, name)
            if not isinstance(found, str):
                raise TypeError(f"it returns {found!r}, and no name of a value")
            return found

    def layer(value: str, name: str) -> str:
        weight = graph.constant(f"{name}.weight", blocks[name][0])
        bias = graph.constant(f"{name}.bias", blocks[name][1])
        detected = graph.add("Gemm", value, weight, bias, name=f"{name}.detected", transB=1)
        return activation(detected, name)

    tokens = []
    for branch in arch.sliding:
        name, (weight, bias, _) = branch.name, blocks[branch.name]
        stop = branch.start + branch.positions + WIDTH - 1
        value = graph.chain(
            graph.slice(sources[branch.source], branch.start, stop, f"{name}.segment"),
            ("Unsqueeze", f"{name}.channel", graph.axes(1)),
            (
                "Conv",
                f"{name}.detected",
                graph.constant(f"{name}.weight", weight[:, None]),
                graph.constant(f"{name}.bias", bias),
            ),
        )
        # Not AveragePool: onnxruntime's adds up 357 numbers one by one and loses two digits.
        value = graph.chain(
            activation(value, name),
            (
                "Reshape",
                f"{name}.positions",
                graph.axes(-1, WIDTH, branch.tokens, branch.kernel),
            ),
        )
        mean = graph.add("ReduceMean", value, graph.axes(3), name=f"{name}.tokens", keepdims=0)
        tokens.append(mean)
    for name, four in _patient(graph, "rhythm", arch).items():
        token = graph.add("Unsqueeze", layer(four, name), graph.axes(2), name=f"{name}.token")
        tokens.append(token)
    value = graph.add("Concat", *tokens, name="tokens", axis=2)
    value = graph.add("Transpose", value, name="tokens.rows", perm=[0, 2, 1])
    value = graph.add("Reshape", value, graph.axes(-1, WIDTH), name="tokens.flat")
    for name in arch.blocks[-arch.layers :]:
        value = layer(value, name)
    value = graph.add("Reshape", value, graph.axes(-1, arch.tokens, WIDTH), name="features")
    graph.add("ReduceMean", value, graph.axes(1), name="h_pool", keepdims=0)
    weight, bias = (part.detach().numpy() for part in student.head())
    names = graph.constant("head.weight", weight), graph.constant("head.bias", bias)
    graph.add("Gemm", "h_pool", *names, name="logits", transB=1)
    graph.add("Softmax", "logits", name="probability", axis=-1)
    with arch.response.usable("ONNX form"):  # which alone can make the graph invalid
        widths = input_widths(arch, raw=raw)
        return graph.model(widths, arch.classes, "ecgphoton_float", metadata or {})


def _patient(graph: Graph, value: str, architecture: Architecture) -> dict[str, str]:
    """Return the four columns of `value` that each patient block reads, by block."""
    names = [token.name for token in architecture.patient]
    if len(names) == 1:
        return {names[0]: value}
    return {
        name: graph.slice(value, WIDTH * at, WIDTH * (at + 1), f"{name}.features")
        for at, name in enumerate(names)
    }


def integer_graph(
    student: QuantizedStudent, metadata: Mapping[str, str] | None = None, *, raw: bool = False
) -> bytes:
    """Return the integer graph: `QuantizedStudent` to the bit, same inputs and outputs."""
    arch, graph = student.architecture, Graph()
    n_x = largest_code(student.input_bits)
    blocks = {block.name: block for block in student.blocks}
    window = normalised_window(graph, raw=raw)
    codes = {
        name: _encode(graph, value, f"input.{name}", n_x)
        for name, value in {"window": window, "rhythm": "rhythm", "residual": "residual"}.items()
        if name in arch.reads
    }
    tokens = []
    for branch in arch.sliding:
        name = branch.name
        value = _detect(graph, _windows(graph, codes[branch.source], branch), blocks[name])
        shape = graph.axes(-1, branch.tokens, branch.kernel, WIDTH)
        value = graph.add("Reshape", value, shape, name=f"{name}.positions")
        value = graph.add("ReduceSum", value, graph.axes(2), name=f"{name}.sum", keepdims=0)
        tokens.append(_recode(graph, value, name, branch.kernel, n_x))
    for name, four in _patient(graph, codes.get("rhythm", ""), arch).items():
        value = _recode(graph, _detect(graph, four, blocks[name]), name, 1, n_x)
        tokens.append(graph.add("Unsqueeze", value, graph.axes(1), name=f"{name}.token"))
    value = graph.add("Concat", *tokens, name="tokens", axis=1)
    value = graph.add("Reshape", value, graph.axes(-1, WIDTH), name="tokens.flat")
    *inner, last = arch.blocks[-arch.layers :]
    for name in inner:
        value = _recode(graph, _detect(graph, value, blocks[name]), name, 1, n_x)
    value = _detect(graph, value, blocks[last])
    value = graph.add("Reshape", value, graph.axes(-1, arch.tokens, WIDTH), name="features")
    total = graph.add("ReduceSum", value, graph.axes(1), name="h_sum", keepdims=0)
    _read_out(graph, total, student)
    widths = input_widths(arch, raw=raw)
    return graph.model(widths, arch.classes, "ecgphoton_integer", metadata or {})


def _encode(graph: Graph, value: str, name: str, n_x: int) -> str:
    """DAC: clip to [-1, 1], scale, round half to even."""
    low, high = graph.constant("minus_one", np.float32(-1)), graph.constant("one", np.float32(1))
    return graph.chain(
        value,
        ("Clip", f"{name}.clipped", low, high),
        ("Mul", f"{name}.scaled", graph.constant("n_x", np.float32(n_x))),
        ("Round", f"{name}.rounded"),
        ("Cast INT64", f"{name}.codes"),
    )


def _windows(graph: Graph, codes: str, branch: Branch) -> str:
    """(batch, samples) codes -> (batch * positions, 4), the samples under the kernel."""
    name, columns = branch.name, []
    for tap in range(WIDTH):
        start = branch.start + tap
        part = graph.slice(codes, start, start + branch.positions, f"{name}.tap{tap}")
        columns.append(graph.add("Unsqueeze", part, graph.axes(-1), name=f"{name}.column{tap}"))
    value = graph.add("Concat", *columns, name=f"{name}.windows", axis=-1)
    return graph.add("Reshape", value, graph.axes(-1, WIDTH), name=f"{name}.flat")


def _detect(graph: Graph, value: str, block: IntegerBlock) -> str:
    """Input codes (n, 4) -> activations (n, 4) from the table over detector codes."""
    name, limit = block.name, largest_code(block.adc_bits)
    entry = graph.chain(
        value,
        ("MatMul", f"{name}.product", _fixed(graph, f"{name}.weight", block.weight_codes.T)),
        ("Mul", f"{name}.aligned", _fixed(graph, "n_b", largest_code(block.bias_bits))),
        ("Add", f"{name}.accumulator", _fixed(graph, f"{name}.offset", block.offset)),
        ("Cast DOUBLE", f"{name}.double"),
        ("Mul", f"{name}.amplified", _real(graph, f"{name}.multiplier", block.multiplier)),
        ("Round", f"{name}.rounded"),
        (
            "Clip",
            f"{name}.saturated",
            _real(graph, "detector_low", -limit),
            _real(graph, "detector_high", limit),
        ),
        ("Cast INT64", f"{name}.detector"),
        ("Add", f"{name}.entry", _fixed(graph, "table_offset", limit)),
    )
    table = graph.constant(f"{name}.table", block.table, np.int16)
    value = graph.add("Gather", table, entry, name=f"{name}.activation")
    return graph.chain(value, ("Cast INT64", f"{name}.activation_codes"))


def _recode(graph: Graph, value: str, name: str, kernel: int, n_x: int) -> str:
    """Turn sums of `kernel` activations into input codes of the next block."""
    factor = n_x / (kernel * largest_code(TABLE_BITS))
    return graph.chain(
        value,
        ("Cast DOUBLE", f"{name}.sum_double"),
        ("Mul", f"{name}.mean", _real(graph, f"{name}.recode", factor)),
        ("Round", f"{name}.mean_rounded"),
        ("Cast INT64", f"{name}.output"),
    )


def _read_out(graph: Graph, total: str, student: QuantizedStudent) -> None:
    """Digital head in double precision, exact because its values lie on a 2^-20 grid."""
    total = graph.chain(total, ("Cast DOUBLE", "h_sum.double"))
    divisor = _real(graph, "divisor", student.divisor)
    graph.chain(total, ("Div", "h_pool.double", divisor), ("Cast FLOAT", "h_pool"))
    graph.chain(
        total,
        ("MatMul", "head.product", _real(graph, "head.weight", student.head_weight.T)),
        ("Add", "head.sum", _real(graph, "head.bias", student.divisor * student.head_bias)),
        ("Div", "logits.double", divisor),
        ("Cast FLOAT", "logits"),
    )
    graph.add("Softmax", "logits", name="probability", axis=-1)


def _fixed(graph: Graph, name: str, value: object) -> str:
    return graph.constant(name, value, np.int64)


def _real(graph: Graph, name: str, value: object) -> str:
    return graph.constant(name, value, np.float64)
