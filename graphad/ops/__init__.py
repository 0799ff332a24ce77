"""The operations, one class each, and their builders. Importing this room gives nodes their operators."""

from graphad.ir.node import Node
from graphad.ir.operators import bind_builders
from graphad.ops import arithmetic, build, composite, contraction, reduction, selection, slicing, transcendental
from graphad.ops.build import as_node


def _positive(x: Node) -> Node:
    return as_node(x)


bind_builders(
    {
        "add": arithmetic.add,
        "subtract": arithmetic.subtract,
        "multiply": arithmetic.multiply,
        "divide": arithmetic.divide,
        "negative": arithmetic.negative,
        "positive": _positive,
        "square": arithmetic.square,
        "sqrt": arithmetic.sqrt,
        "reciprocal": arithmetic.reciprocal,
        "power": transcendental.power,
        "exp": transcendental.exp,
        "log": transcendental.log,
        "log1p": transcendental.log1p,
        "expm1": transcendental.expm1,
        "tanh": transcendental.tanh,
        "sin": transcendental.sin,
        "cos": transcendental.cos,
        "absolute": selection.absolute,
        "sign": selection.sign,
        "maximum": selection.maximum,
        "minimum": selection.minimum,
        "where": selection.where,
        "isfinite": selection.isfinite,
        "equal": selection.equal,
        "not_equal": selection.not_equal,
        "less": selection.less,
        "less_equal": selection.less_equal,
        "greater": selection.greater,
        "greater_equal": selection.greater_equal,
        "logical_and": selection.logical_and,
        "logical_or": selection.logical_or,
        "logical_not": selection.logical_not,
        "sum": reduction.sum,
        "mean": reduction.mean,
        "max": reduction.max,
        "amax": reduction.max,
        "min": reduction.min,
        "amin": reduction.min,
        "argmax": reduction.argmax,
        "argmin": reduction.argmin,
        "matmul": contraction.matmul,
        "cast": build.cast,
        "getitem": slicing.getitem,
        "reshape": composite.reshape,
        "transpose": composite.transpose,
        "expand_dims": composite.expand_dims,
        "squeeze": composite.squeeze,
        "broadcast_to": composite.broadcast_to,
        "concatenate": composite.concatenate,
        "stack": composite.stack,
        "zeros_like": composite.zeros_like,
    }
)
