"""Run ONNX graphs in onnxruntime (optimised or not) and in ONNX's own reference evaluator."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ecgphoton.errors import VerificationError
from ecgphoton.export.onnx_builder import OUTPUTS
from ecgphoton.mesh.arrays import AnyArray

Feed = Mapping[str, AnyArray]
Runner = Callable[[Feed], dict[str, AnyArray]]

BATCH = 512
LARGEST_VALUE = 2**16
"""Numbers of one value for one beat; an exported graph has up to 1,428."""
MOST_NODES = 10_000
ENGINES = ("onnxruntime", "onnxruntime-unoptimised", "onnx-reference")


def runner(model: bytes, engine: str, outputs: tuple[str, ...] = OUTPUTS) -> Runner:
    """Return a function that runs a graph on a feed of any length and gives outputs by name.

    Raises
    ------
    VerificationError
        If the graph asks for more than a student needs (files beside it, inner graphs, values
        without bounds), or the engine refuses it, or fails while running it.
    """
    try:
        _vet(model)
        run = _session(model, engine, list(outputs))
    except Exception as error:  # engines raise types of their own
        raise VerificationError(f"{engine} refuses the graph: {_first_line(error)}") from error

    def batched(feed: Feed) -> dict[str, AnyArray]:
        length = len(next(iter(feed.values())))
        try:
            parts = [
                run({name: value[at : at + BATCH] for name, value in feed.items()})
                for at in range(0, max(length, 1), BATCH)
            ]
        except Exception as error:
            raise VerificationError(f"{engine} fails: {_first_line(error)}") from error
        columns = zip(*parts, strict=True)
        return {name: np.concatenate(column) for name, column in zip(outputs, columns, strict=True)}

    return batched


def _vet(model: bytes) -> None:
    """Refuse a graph that reads files or has no bounds, before an engine makes room for it."""
    import onnx

    parsed = onnx.load_from_string(model)
    graph, attribute = parsed.graph, onnx.AttributeProto
    tensors = list(graph.initializer)
    for node in graph.node:
        for item in node.attribute:
            if item.type in (attribute.GRAPH, attribute.GRAPHS):
                raise ValueError(f"node {node.name!r} holds a graph of its own")
            tensors += [item.t, *item.tensors]
    if parsed.functions or graph.sparse_initializer or len(graph.node) > MOST_NODES:
        raise ValueError(f"it has functions, sparse numbers, or more than {MOST_NODES} nodes")
    for tensor in tensors:
        if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ValueError(f"its numbers {tensor.name!r} are in another file")
        if math.prod(tensor.dims) > len(model):
            raise ValueError(f"its numbers {tensor.name!r} claim to be {list(tensor.dims)}")
    # onnx's own inference of shapes ends the process on some graphs; onnxruntime's does not.
    del graph.output[:]
    graph.output.extend(
        onnx.ValueInfoProto(name=o) for node in graph.node for o in node.output if o
    )
    session = _onnxruntime(parsed.SerializeToString(), optimised=False)
    for value in (*session.get_inputs(), *session.get_outputs()):
        fixed = [size for size in value.shape if isinstance(size, int)]
        if not value.shape or len(value.shape) - len(fixed) > 1:
            raise ValueError(f"the size of {value.name!r} is not known before it runs")
        if not 0 < math.prod(fixed) <= LARGEST_VALUE:
            raise ValueError(f"{value.name!r} holds {math.prod(fixed)} numbers a beat")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _session(model: bytes, engine: str, outputs: list[str]) -> Callable[[Feed], list[AnyArray]]:
    if engine == "onnx-reference":
        import onnx
        from onnx.reference import ReferenceEvaluator

        evaluator = ReferenceEvaluator(onnx.load_from_string(model))
        return lambda feed: list(evaluator.run(outputs, dict(feed)))
    session = _onnxruntime(model, optimised=engine == "onnxruntime")
    return lambda feed: list(session.run(outputs, dict(feed)))


def _onnxruntime(model: bytes, *, optimised: bool) -> Any:  # noqa: ANN401 - it has no types
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimised else levels.ORT_DISABLE_ALL
    )
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model, sess_options=options, providers=["CPUExecutionProvider"]
    )


def stored_metadata(model: bytes) -> dict[str, str]:
    """Return the metadata of a graph.

    Raises
    ------
    VerificationError
        If the bytes are not a graph.
    """
    import onnx

    try:
        return {item.key: item.value for item in onnx.load_from_string(model).metadata_props}
    except Exception as error:  # protobuf raises types of its own
        raise VerificationError(f"not an ONNX file: {_first_line(error)}") from error


def exposed(model: bytes, names: list[str]) -> bytes:
    """Return a graph with inner values as further outputs."""
    import onnx

    graph = onnx.load_from_string(model)
    inferred = onnx.shape_inference.infer_shapes(graph, data_prop=True)
    known = {info.name: info for info in inferred.graph.value_info}
    already = {output.name for output in graph.graph.output}
    graph.graph.output.extend(known[name] for name in names if name not in already)
    return bytes(graph.SerializeToString())


def first_difference(model: bytes, engine: str, feed: Feed) -> str:
    """Name the first node whose value in `engine` is not that of the reference evaluator.

    Nodes become outputs one at a time, so that the engine optimises as little differently as it
    can.
    """
    import onnx

    nodes = {node.output[0]: node.op_type for node in onnx.load_from_string(model).graph.node}
    names = tuple(nodes)
    expected = runner(exposed(model, list(names)), "onnx-reference", names)(feed)
    for name, operator in nodes.items():
        try:
            found = runner(exposed(model, [name]), engine, (name,))(feed)[name]
        except VerificationError as error:
            return f"node {name} ({operator}): {error}"
        if not np.array_equal(found, expected[name]):
            worst = np.abs(found.astype(float) - expected[name].astype(float)).max()
            return f"node {name} ({operator}) differs by up to {worst:g}"
    return "no single node differs: the fault is in how the engine combines them"
