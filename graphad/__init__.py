"""graphad: declare a computation graph, differentiate it, compile it, run it, and look at it.

    import graphad as ga

A user declares inputs and parameters, builds nodes from them (unrolled over time if need be), asks for gradients,
which are nodes again, and compiles outputs and updates to a function of arrays.
"""

from graphad import data, errors, optim
from graphad.autodiff.checkpoint import checkpoint
from graphad.autodiff.custom import custom_gradient
from graphad.autodiff.forward import jvp
from graphad.autodiff.reverse import grad, vjp
from graphad.autodiff.second_order import hessian, hvp, jacobian
from graphad.check.gradients import check_gradients
from graphad.compiler.function import Function, compile
from graphad.compiler.keys import State
from graphad.ir.graph import Graph
from graphad.ir.node import Node
from graphad.ir.tensor_type import Dim, TensorType
from graphad.linting.linter import lint
from graphad.ops.activation import (
    elu,
    gelu,
    hard_sigmoid,
    hard_tanh,
    leaky_relu,
    mish,
    relu6,
    selu,
    silu,
    softsign,
)
from graphad.ops.arithmetic import (
    add,
    cbrt,
    divide,
    multiply,
    negative,
    positive,
    reciprocal,
    rsqrt,
    sqrt,
    square,
    subtract,
)
from graphad.ops.arranging import flip, repeat, roll, rot90, tile
from graphad.ops.bitwise import (
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    invert,
)
from graphad.ops.build import cast, constant
from graphad.ops.clipping import clip_by_global_norm, clip_by_value, clip_gradient
from graphad.ops.contraction import matmul
from graphad.ops.control import stop_gradient
from graphad.ops.convolution import conv1d, conv2d
from graphad.ops.diagonal import diag, diagonal, trace, tril, triu
from graphad.ops.division import (
    divmod,
    floor_divide,
    fmod,
    mod,
    remainder,
)
from graphad.ops.dropout import dropout
from graphad.ops.dynamic import dynamic_slice, dynamic_update_slice
from graphad.ops.einsum import einsum
from graphad.ops.error_function import (
    erf,
    erfc,
)
from graphad.ops.filled import arange, eye, full, full_like, meshgrid, ones, ones_like, zeros
from graphad.ops.gather import embedding, gather, ravel_multi_index, scatter_add, take
from graphad.ops.indexing import one_hot, take_along_axis
from graphad.ops.joining import array_split, column_stack, dstack, hstack, split, unstack, vstack
from graphad.ops.leaves import input, parameter
from graphad.ops.losses import (
    accuracy,
    binary_accuracy,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    l2_penalty,
    mae,
    mse,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
    top_k_accuracy,
)
from graphad.ops.normalisation import BatchNorm, batch_norm, batch_norm_training, l2_normalize, layer_norm, rms_norm
from graphad.ops.order import argsort, searchsorted, sort, topk
from graphad.ops.padding import pad
from graphad.ops.pooling import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from graphad.ops.products import cross, dot, inner, kron, multi_dot, outer, tensordot, vdot, vecdot
from graphad.ops.random import bernoulli, normal, permutation, randint, uniform
from graphad.ops.reduction import all, any, argmax, argmin, count_nonzero, max, mean, min, prod, ptp, sum
from graphad.ops.rounding import (
    ceil,
    floor,
    round,
    trunc,
)
from graphad.ops.scan import cumprod, cumsum
from graphad.ops.scatter import scatter
from graphad.ops.selection import (
    abs,
    absolute,
    clip,
    equal,
    fabs,
    fmax,
    fmin,
    greater,
    greater_equal,
    heaviside,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    not_equal,
    relu,
    sign,
    where,
)
from graphad.ops.shaping import (
    atleast_1d,
    atleast_2d,
    broadcast_arrays,
    broadcast_to,
    concatenate,
    copy,
    expand_dims,
    moveaxis,
    ravel,
    reshape,
    squeeze,
    stack,
    swapaxes,
    transpose,
    zeros_like,
)
from graphad.ops.softmax import log_softmax, logsumexp, softmax
from graphad.ops.statistics import average, median, nanmean, nansum, norm, std, var
from graphad.ops.transcendental import (
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    log_sigmoid,
    logaddexp,
    logaddexp2,
    power,
    sigmoid,
    softplus,
    tanh,
)
from graphad.ops.trigonometry import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cos,
    cosh,
    hypot,
    sin,
    sinh,
    tan,
)
from graphad.recurrence.bidirectional import bidirectional
from graphad.recurrence.cells import gru_cell, lstm_cell, rnn_cell
from graphad.recurrence.fold import FoldedGraph, fold
from graphad.recurrence.unroll import unroll
from graphad.render.drawing import Drawing, draw, draw_gradient
