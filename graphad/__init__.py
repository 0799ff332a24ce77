"""graphad: declare a computation graph, differentiate it, compile it, run it, and look at it.

    import graphad as ga

A user declares inputs and parameters, builds nodes from them (unrolled over time if need be), asks for gradients,
which are nodes again, and compiles outputs and updates to a function of arrays.
"""

from graphad import data, errors, optim
from graphad.autodiff.forward import jvp
from graphad.autodiff.reverse import grad, vjp
from graphad.check import check_gradients
from graphad.compiler.function import Function, compile
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.tensor_type import Dim, TensorType
from graphad.ops.arithmetic import add, divide, multiply, negative, reciprocal, sqrt, square, subtract
from graphad.ops.build import cast, constant
from graphad.ops.contraction import matmul
from graphad.ops.control import stop_gradient
from graphad.ops.indexing import one_hot, take_along_axis
from graphad.ops.leaves import input, parameter
from graphad.ops.losses import accuracy, mse, softmax_cross_entropy
from graphad.ops.reduction import argmax, argmin, max, mean, min, sum
from graphad.ops.selection import (
    absolute,
    equal,
    greater,
    greater_equal,
    isfinite,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    not_equal,
    relu,
    sign,
    where,
)
from graphad.ops.shaping import broadcast_to, concatenate, expand_dims, reshape, squeeze, stack, transpose, zeros_like
from graphad.ops.softmax import log_softmax, logsumexp, softmax
from graphad.ops.transcendental import cos, exp, expm1, log, log1p, power, sigmoid, sin, softplus, tanh
from graphad.recurrence.fold import FoldedGraph, fold
from graphad.recurrence.unroll import unroll
from graphad.render.drawing import Drawing, draw, draw_gradient
