"""Graphs made to harm meet no engine."""

from __future__ import annotations

import numpy as np
import pytest

from ecgphoton.errors import VerificationError


def _graph(*nodes, constants=(), inputs=(("window", ["batch", 360]),)) -> bytes:
    from onnx import TensorProto, helper

    made = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in inputs]
    out = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)]
    graph = helper.make_graph(list(nodes), "g", made, out, list(constants))
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def _graphs():
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node
    secret = TensorProto(name="w", data_type=1, dims=[360], data_location=TensorProto.EXTERNAL)
    secret.external_data.add(key="location", value="../../../../../../../etc/passwd")
    shape = numpy_helper.from_array(np.array([10**10]), "shape")
    huge = TensorProto(name="w", data_type=1, dims=[2**40])
    inner = helper.make_graph([], "inner", [], [])
    column = numpy_helper.from_array(np.ones((4000, 1), np.float32), "w")
    row = numpy_helper.from_array(np.ones((1, 4000), np.float32), "v")
    add = node("Add", ["window", "w"], ["logits"])
    return {
        "a file outside": _graph(add, constants=[secret]),
        "a file outside in a node": _graph(
            node("Constant", [], ["w"], value=secret), node("Add", ["window", "w"], ["logits"])
        ),
        "dimensions": _graph(add, constants=[huge]),
        "a made tensor": _graph(node("ConstantOfShape", ["shape"], ["logits"]), constants=[shape]),
        "a size that comes later": _graph(
            node("Shape", ["window"], ["s"]), node("Reshape", ["window", "s"], ["r"]),
            node("NonZero", ["r"], ["logits"])),
        "a product": _graph(node("MatMul", ["w", "v"], ["logits"]), constants=[column, row]),
        "batch by batch": _graph(
            node("Transpose", ["window"], ["t"]), node("MatMul", ["window", "t"], ["logits"])),
        "an inner graph": _graph(node("If", ["window"], ["logits"], then_branch=inner,
                                      else_branch=inner)),
        "another's operator": _graph(node("Evil", ["window"], ["logits"], domain="evil")),
        "a wide input": _graph(node("Relu", ["window"], ["logits"]),
                               inputs=[("window", ["batch", 2**40])]),
        "no graph": b"\x08",
    }  # fmt: skip


@pytest.mark.parametrize("engine", ["onnxruntime", "onnx-reference"])
@pytest.mark.parametrize("name", list(_graphs()))
def test_a_hostile_graph_meets_no_engine(name: str, engine: str, frugal) -> None:
    """Files beside a graph are never opened, and no value is larger than a student needs."""
    from ecgphoton.export.runtime import runner

    with pytest.raises(VerificationError):
        runner(_graphs()[name], engine, ("logits",))
