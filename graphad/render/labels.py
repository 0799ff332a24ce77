"""What is written on boxes and arrows: titles, captions, tooltips. It is plain text; whoever writes it escapes it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphad.ir.leaves import Constant, SizeOf
from graphad.ir.node import COTANGENT, Node
from graphad.ir.op import Op
from graphad.ir.tensor_type import Shape
from graphad.ops.slicing import Span
from graphad.render.roles import is_number, is_transpose

_LONGEST_TITLE, _LONGEST_CAPTION, _LONGEST_LINE = 40, 32, 200
_TOLD_BY_THE_TYPE = frozenset({"shape", "dtype", "keepdims", "size"})
_GLYPHS = {
    r"^\top": "ᵀ", r"\odot": "×", r"\cdot": "•", r"\sum": "Σ", r"\sigma": "σ", r"\sqrt": "√", r"\hat": "^",
    "-": "−", r"\neq": "≠", r"\leq": "≤", r"\geq": "≥", "^2": "²", "^{−1}": "⁻¹",
}  # fmt: skip
"""How commands of LaTeX look in plain text. Those that are not here, such as ``\\tanh``, are words."""


def title(node: Node) -> str:
    """What the box is called: its name, the value of a constant, or its operation."""
    if node.label == node.op.name:
        return _constant_text(node.op) if node.op.traits.leaf else symbol(node.op)
    return shown(node.label, _LONGEST_TITLE)


def has_users_name(node: Node) -> bool:
    """Whether the title is a name that the user gave, or the cotangent of one."""
    while node.name is None and node.origin.made_by == COTANGENT and node.origin.twin is not None:
        node = node.origin.twin
    return bool(node.name)


def caption(node: Node) -> str:
    """The second line: what is done, as far as the title does not say so, and the attributes."""
    if node.op.traits.leaf:
        return ""
    name = "" if title(node) == node.op.name else node.op.name
    return shown(f"{name} {attributes(node)}".strip(), _LONGEST_CAPTION)


def tooltip(node: Node) -> str:
    """All there is to say: name and type, operation and attributes, step and line of the user's code, who made it."""
    origin = node.origin
    operation = node.op.name if node.op.traits.leaf else f"{node.op.name} {attributes(node)}".strip()
    by = f"made by {origin.made_by}" if origin.made_by else ""
    lines = (f"{node.label}: {node.type}", operation, origin.place, by)
    return "\n".join(shown(line, _LONGEST_LINE) for line in lines if line)


def arrow_text(source: Node, read: Node) -> str:
    """The type of what is read; and of its ``source``, if it was transposed or repeated on the way."""
    if source is read or is_number(source):
        return str(read.type)
    node, transposed = read, False
    while node is not source:
        transposed ^= is_transpose(node)
        (node,) = node.operands
    if sorted(map(str, source.shape)) == sorted(map(str, read.shape)):
        return f"{'ᵀ ' if transposed else ''}{read.type}"
    return f"{'ᵀ ' if transposed else ''}{source.type} → [{', '.join(map(str, read.shape))}]"


def symbol(op: Op) -> str:
    r"""The sign that mathematics has for the operation, in plain text; the operation's name, if that is a word too.

    >>> from graphad.ops.structure import Sum, Transpose
    >>> symbol(Sum((0,))), symbol(Transpose((1, 0)))
    ('Σ', 'ᵀ')
    """
    text = re.sub(r"\\math\w+|\{\}", "", op.latex)
    for command, glyph in _GLYPHS.items():
        text = text.replace(command, glyph)
    return op.name if re.search(r"[a-zA-Z0-9\\]", text) else text


def _constant_text(op: Op) -> str:
    if isinstance(op, SizeOf):
        return str(op.size)
    values = op.value if isinstance(op, Constant) else np.empty(0)
    same = values.size > 0 and bool(np.all(values == values.flat[0]))
    return str(values.flat[0]) if same else op.name


def shown(text: str, longest: int) -> str:
    r"""The text on one line, its control characters spelled out, and not too long.

    >>> shown("two\nlines", 40), shown("abcdefgh", 5)
    ('two\\nlines', 'abcd…')
    """
    printable = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: longest + 1])
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"


def attributes(node: Node) -> str:
    """The attributes of the operation that the result's type does not tell: ``axes 0, 1``, or ``[:, 3]``."""
    sizes: Shape = getattr(node.op, "shape", node.operands[0].shape if node.operands else ())
    fields = [field for field in dataclasses.fields(node.op) if field.repr and field.name not in _TOLD_BY_THE_TYPE]
    return "; ".join(_attribute(field.name, getattr(node.op, field.name), sizes) for field in fields)


def _attribute(name: str, value: Any, sizes: Shape) -> str:
    if _is_index(value):
        return _index(value, sizes)
    if isinstance(value, tuple):
        return f"{name} {', '.join(_index(part, sizes) if _is_index(part) else str(part) for part in value[:8])}"
    return f"{name} {value}"


def _is_index(value: Any) -> bool:
    return isinstance(value, tuple) and any(isinstance(part, Span) for part in value)


def _index(index: Sequence[int | Span], sizes: Shape) -> str:
    return f"[{', '.join(map(_index_part, index, sizes))}]"


def _index_part(part: int | Span, size: Any) -> str:
    if not isinstance(part, Span):
        return str(part)
    if part == Span(0, size):
        return ":"
    end = part.start + part.step * part.length
    return f"{part.start}:{end}" + ("" if part.step == 1 else f":{part.step}")
