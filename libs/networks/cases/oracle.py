"""Computes the sizes of all values of ONNX files, and their multiply-adds, with the reference implementation of ONNX.

    python3 oracle.py FILE…        one JSON object, by file

Every file is run on zeros with onnx.reference, so that nothing of Alphaflops takes part.
"""

import json
import math
import sys

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator


def multiply_adds(node, shape):
    """Multiply-adds of one operator, from the sizes of its inputs and outputs."""
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    sizes = [shape.get(name) for name in node.input]
    out = shape.get(node.output[0])
    if node.op_type == "Conv":
        return math.prod(out) * math.prod(sizes[1][1:])
    if node.op_type == "ConvTranspose":
        return math.prod(sizes[0]) * math.prod(sizes[1][1:])
    if node.op_type == "MatMul":
        return math.prod(out) * sizes[0][-1]
    if node.op_type == "Gemm":
        return math.prod(out) * sizes[0][0 if attributes.get("transA", 0) else 1]
    if node.op_type == "Einsum":
        terms = attributes["equation"].decode().split("->")[0].split(",")
        axes = {name: size for term, each in zip(terms, sizes) for name, size in zip(term, each)}
        return math.prod(axes.values())
    return 0


def described(path):
    model = onnx.load(path)
    feeds = {
        each.name: np.zeros([axis.dim_value for axis in each.type.tensor_type.shape.dim], dtype=np.float32)
        for each in model.graph.input
    }
    values = ReferenceEvaluator(model).run(None, feeds, intermediate=True)
    shape = {name: list(value.shape) for name, value in values.items() if hasattr(value, "shape")}
    shape.update({each.name: list(each.dims) for each in model.graph.initializer})
    macs = sum(multiply_adds(node, shape) for node in model.graph.node)
    made = {name for node in model.graph.node for name in node.output}
    return {"shapes": {name: shape[name] for name in made if name in shape}, "macs": int(macs)}


print(json.dumps({path: described(path) for path in sys.argv[1:]}))
