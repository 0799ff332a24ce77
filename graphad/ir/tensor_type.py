"""What is known of a value before it exists: its shape and its dtype.

A dimension is an `int`, or a `Dim`: a polynomial with integer coefficients over named sizes such as "batch".
Polynomials have one canonical form, so two dimensions are the same exactly when they compare equal, and `specialise`
turns them into integers by putting numbers in place of the names.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

import numpy as np

from graphad.errors import DTypeError, ShapeError

# A monomial is the sorted tuple of its factors: () is the constant 1, ("batch", "batch") is batch squared.
Monomial: TypeAlias = tuple[str, ...]
Sizes: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Dim:
    """An integer expression over named sizes; build it from names with `+`, `-`, `*` and exact `//`.

    >>> batch = Dim.named("batch")
    >>> 28 * batch + 1
    28*batch + 1
    >>> (28 * batch) // 7
    4*batch
    >>> (28 * batch).specialise({"batch": 3})
    84
    """

    terms: tuple[tuple[Monomial, int], ...]

    @staticmethod
    def named(name: str) -> Dim:
        """The size called ``name``, an identifier; anything else is a ShapeError."""
        if not name.isidentifier():
            raise ShapeError(f"a named size must be an identifier, such as 'batch'; got {name!r}")
        return Dim((((name,), 1),))

    @property
    def names(self) -> tuple[str, ...]:
        """The sizes that the expression mentions, sorted."""
        return tuple(sorted({name for monomial, _ in self.terms for name in monomial}))

    def specialise(self, sizes: Sizes) -> int | Dim:
        """Put integers for names; what ``sizes`` does not name stays."""
        total: int | Dim = 0
        for monomial, coefficient in self.terms:
            product: int | Dim = coefficient
            for name in monomial:
                product = product * (sizes[name] if name in sizes else Dim.named(name))
            total = total + product
        return total

    def __add__(self, other: int | Dim) -> int | Dim:
        return _from_terms([*self.terms, *_terms(other)]) if _is_size(other) else NotImplemented

    __radd__ = __add__

    def __neg__(self) -> int | Dim:
        return self * -1

    def __sub__(self, other: int | Dim) -> int | Dim:
        return self + other * -1 if _is_size(other) else NotImplemented

    def __rsub__(self, other: int | Dim) -> int | Dim:
        return other + self * -1 if _is_size(other) else NotImplemented

    def __mul__(self, other: int | Dim) -> int | Dim:
        if not _is_size(other):
            return NotImplemented
        return _from_terms([(tuple(sorted(m + n)), c * d) for m, c in self.terms for n, d in _terms(other)])

    __rmul__ = __mul__

    def __floordiv__(self, other: int | Dim) -> int | Dim:
        return exact_quotient(self, other) if _is_size(other) else NotImplemented

    def __rfloordiv__(self, other: int) -> int | Dim:
        return exact_quotient(other, self) if _is_size(other) else NotImplemented

    def __repr__(self) -> str:
        return " + ".join(_term_text(*term) for term in self.terms).replace("+ -", "- ")


Dimension: TypeAlias = int | Dim
Shape: TypeAlias = tuple[Dimension, ...]


def exact_quotient(dividend: Dimension, divisor: Dimension) -> Dimension:
    """``dividend / divisor`` where that is again an integer polynomial; otherwise a ShapeError.

    >>> exact_quotient(12, 4)
    3
    """
    if dividend == divisor != 0:
        return 1
    divisors = _terms(divisor)
    if len(divisors) != 1:
        raise ShapeError(f"the size {dividend} cannot be divided by {divisor}: give the size explicitly")
    (factors, number), quotient = divisors[0], []
    for monomial, coefficient in _terms(dividend):
        rest = list(monomial)
        if coefficient % number or any(factors.count(f) > rest.count(f) for f in factors):
            raise ShapeError(f"the size {dividend} is not divisible by {divisor}")
        for factor in factors:
            rest.remove(factor)
        quotient.append((tuple(rest), coefficient // number))
    return _from_terms(quotient)


def _terms(value: Dimension) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(value, Dim):
        return value.terms
    return (((), int(value)),) if value else ()


def _is_size(value: Any) -> TypeGuard[Dimension]:
    return isinstance(value, (int, np.integer, Dim)) and not isinstance(value, bool)


def _from_terms(terms: Iterable[tuple[Monomial, int]]) -> Dimension:
    collected: dict[Monomial, int] = {}
    for monomial, coefficient in terms:
        collected[monomial] = collected.get(monomial, 0) + coefficient
    kept = {monomial: coefficient for monomial, coefficient in collected.items() if coefficient}
    if not kept or tuple(kept) == ((),):
        return kept.get((), 0)
    return Dim(tuple(sorted(kept.items(), key=lambda term: (-len(term[0]), term[0]))))


def _term_text(monomial: Monomial, coefficient: int) -> str:
    if not monomial:
        return str(coefficient)
    product = "*".join(monomial)
    return {1: product, -1: f"-{product}"}.get(coefficient, f"{coefficient}*{product}")


# The dtypes of the house, in the order in which promotion prefers them. Complex numbers have no place in it.
BOOL = np.dtype(np.bool_)
INTEGERS = tuple(np.dtype(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"))
FLOATS = tuple(np.dtype(name) for name in ("float32", "float64"))
FLOAT32, FLOAT64 = FLOATS
INT64 = np.dtype(np.int64)


def dtype_of(dtype: Any) -> np.dtype[Any]:
    """The native numpy dtype meant by ``dtype``; a DTypeError for those that graphad does not compute with.

    >>> dtype_of("float32")
    dtype('float32')
    """
    try:
        named: np.dtype[Any] = np.dtype("" if dtype is None else dtype)  # numpy itself takes None for float64
        found = named.newbyteorder("=")
    except (TypeError, ValueError, SyntaxError) as error:
        raise DTypeError(f"{dtype!r} is not a dtype: use one such as 'float32' or 'int64'") from error
    if found in FLOATS or found in INTEGERS or found == BOOL:
        return found
    remedy = "split it into real and imaginary parts" if found.kind == "c" else "cast it, for example to float32"
    raise DTypeError(f"dtype {found} is not supported: {remedy} (float32, float64, integers and bool are)")


def dimension_of(size: Any) -> Dimension:
    """The dimension meant by an integer, a name, or a `Dim`; a ShapeError for anything else.

    >>> dimension_of("batch"), dimension_of(28)
    (batch, 28)
    """
    if isinstance(size, Dim):
        return size
    if isinstance(size, str):
        return Dim.named(size)
    if isinstance(size, (int, np.integer)) and not isinstance(size, bool) and 0 <= size < 2**63:
        return int(size)
    raise ShapeError(f"a size is an integer >= 0 or a name such as 'batch'; got {size!r}")


def shape_of(shape: Any) -> Shape:
    """The shape meant by one size or a sequence of sizes."""
    if isinstance(shape, (int, np.integer, str, Dim)):
        shape = (shape,)
    if not isinstance(shape, Sequence):
        raise ShapeError(f"a shape is a tuple of sizes such as ('batch', 28); got {shape!r}")
    return tuple(dimension_of(size) for size in shape)


@dataclass(frozen=True, slots=True)
class TensorType:
    """The shape and dtype of a value.

    >>> TensorType.of(("batch", 28), "float32")
    float32[batch, 28]
    """

    shape: Shape
    dtype: np.dtype[Any]

    @staticmethod
    def of(shape: Any, dtype: Any = FLOAT32) -> TensorType:
        """Build a type from what users write: sizes and names, and anything that names a dtype."""
        return TensorType(shape_of(shape), dtype_of(dtype))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Dimension:
        """The number of elements."""
        return product(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether values of this type can have a gradient."""
        return self.dtype.kind == "f"

    @property
    def is_static(self) -> bool:
        """Whether every size is an integer."""
        return not any(isinstance(size, Dim) for size in self.shape)

    @property
    def static_shape(self) -> tuple[int, ...]:
        """The shape as integers; a ShapeError while a named size is left."""
        return tuple(known(size) for size in self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of a value of this type, which must be static."""
        return math.prod(self.static_shape) * self.dtype.itemsize

    def specialise(self, sizes: Sizes) -> TensorType:
        """The same type with integers for the named sizes in ``sizes``."""
        return self if self.is_static else TensorType(specialise(self.shape, sizes), self.dtype)

    def __repr__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


def known(size: Dimension) -> int:
    """The size as an integer; a ShapeError while it still has names."""
    if isinstance(size, Dim):
        raise ShapeError(f"the size {size} is not known yet: specialise the graph first")
    return size


def product(sizes: Iterable[Dimension]) -> Dimension:
    """The product of dimensions; 1 for none.

    >>> product((Dim.named("batch"), 28, 28))
    784*batch
    """
    result: Dimension = 1
    for size in sizes:
        result = result * size
    return result


def specialise(value: Any, sizes: Sizes) -> Any:
    """Put integers for named sizes anywhere inside ``value``: a dimension, or tuples of them; the rest stays."""
    if isinstance(value, Dim):
        return _checked(value, value.specialise(sizes), sizes)
    if isinstance(value, tuple):
        parts = (specialise(part, sizes) for part in value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _checked(before: Dim, after: Dimension, sizes: Sizes) -> Dimension:
    if isinstance(after, int) and after < 0:
        given = ", ".join(f"{name}={sizes[name]}" for name in before.names)
        raise ShapeError(f"the size {before} would be negative for {given}")
    return after
