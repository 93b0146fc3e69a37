"""What was written, before anyone asks what it means: the tree that the LaTeX reader makes.

It knows scripts, brackets and the order of factors, and no shapes: ``A B \\odot C`` is one product with its joints.
Every node keeps where it stands; that is no part of its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any, TypeAlias

import sympy

from symbackprop.errors import Position

Span: TypeAlias = tuple[Position, Position]
NOWHERE: Span = (Position(1, 1), Position(1, 1))


@dataclass(frozen=True)
class Node:
    """Base of the tree; ``span`` is where it stands in the source."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Num(Node):
    value: Fraction


@dataclass(frozen=True)
class Name(Node):
    """A letter with its marks: layer, sample, entries. ``mark`` is "new" or "old" in an update."""

    letter: str
    layer: sympy.Expr | None = None
    sample: sympy.Expr | None = None
    entries: tuple[sympy.Expr, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class Func(Node):
    """A function by name, with its own layer where it has one, derived ``order`` times; alone it is used pointwise."""

    letter: str
    order: int = 0
    layer: sympy.Expr | None = None


@dataclass(frozen=True)
class Call(Node):
    function: Func
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Plus(Node):
    terms: tuple[Node, ...]


@dataclass(frozen=True)
class Minus(Node):
    arg: Node


@dataclass(frozen=True)
class Times(Node):
    """Factors side by side; a joint is "" for the matrix product, "o" for the elementwise one."""

    factors: tuple[Node, ...]
    joints: tuple[str, ...]


@dataclass(frozen=True)
class Over(Node):
    top: Node
    bottom: Node


@dataclass(frozen=True)
class Raised(Node):
    base: Node
    exponent: Node


@dataclass(frozen=True)
class Turned(Node):
    """The transpose."""

    arg: Node


@dataclass(frozen=True)
class Partial(Node):
    """d of / d wrt; ``of`` is None where only dW was written: the cost. ``through`` is the array at a bar behind it.

    ``total``: written with d, and not with \\partial.
    """

    of: Node | None
    wrt: Node
    through: Node | None = None
    total: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class At(Node):
    """A formula with values put in for letters, behind a bar."""

    arg: Node
    values: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True)
class Differential(Node):
    """d(...), the change of what depends on arrays, and dX, that of such an array."""

    arg: Node


@dataclass(frozen=True)
class Big(Node):
    """A sum or a product over an index; a bound is None where none was written, ``but`` is left out."""

    kind: str
    body: Node
    index: str
    lower: sympy.Expr | None = None
    upper: sympy.Expr | None = None
    but: sympy.Expr | None = None


@dataclass(frozen=True)
class Grid(Node):
    """A matrix written out."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class NormOf(Node):
    """The norm of an array: "1", "2" or "F"."""

    arg: Node
    order: str = "2"


@dataclass(frozen=True)
class Picked(Node):
    """Entries of a bracket: [u]_i."""

    arg: Node
    entries: tuple[sympy.Expr, ...]


@dataclass(frozen=True)
class OfSample(Node):
    """A bracket at one sample: (u)^{(i)}."""

    arg: Node
    sample: sympy.Expr


@dataclass(frozen=True)
class Choice(Node):
    """The indicator of a comparison, or of two that follow each other, low < u <= high."""

    left: Node
    relation: str
    right: Node
    beyond: Node | None = None
    second: str = "<"


@dataclass(frozen=True)
class Cases(Node):
    """Values by cases; a condition is a comparison, None for all that is left."""

    values: tuple[Node, ...]
    conditions: tuple[Choice | None, ...]


@dataclass(frozen=True)
class OnesOf(Node):
    pass


@dataclass(frozen=True)
class UnitAt(Node):
    index: sympy.Expr


@dataclass(frozen=True)
class Kron(Node):
    left: sympy.Expr
    right: sympy.Expr


@dataclass(frozen=True)
class Identity(Node):
    pass


@dataclass(frozen=True)
class Asserted(Node):
    """u under a brace: with a shape that is asserted, or a formula that it equals."""

    arg: Node
    shape: tuple[sympy.Expr, sympy.Expr] | None = None
    equals: Node | None = None


@dataclass(frozen=True)
class Tuple(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Chain:
    """u = v = w; a relation is "=" or ":=" for each step."""

    sides: tuple[Node, ...]
    relations: tuple[str, ...]


def children(node: Node) -> Iterator[Node]:
    for slot in fields(node):
        value = getattr(node, slot.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield item
                elif isinstance(item, tuple):
                    yield from (inner for inner in item if isinstance(inner, Node))


def walk(node: Node) -> Iterator[Node]:
    """Every node, the root first."""
    stack = [node]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(reversed(list(children(here))))


def rewrite(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with ``change`` applied to every node, children before parents."""

    def inside(value: object) -> object:
        if isinstance(value, Node):
            return rewrite(value, change)
        if isinstance(value, tuple):
            return tuple(inside(item) for item in value)
        return value

    new: dict[str, Any] = {slot.name: inside(getattr(node, slot.name)) for slot in fields(node) if slot.name != "span"}
    return change(replace(node, **new))


def placed(node: Node, span: Span) -> Node:
    return replace(node, span=span)
