"""Index form: what formulas mean. Sums over bound indices of products of indexed generators.

A value of any rank is an ``IndexForm``: its free indices, each with a size, and the expression of one entry. Indices
are affine SymPy expressions in index symbols and sizes (i, i + u, t - 1), count from 1, and every sum carries its
range; coefficients are exact. Nothing here knows a matrix, a transpose or a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Self

import sympy

from symbackprop.algebra.formula import Function, Symbol


class IndexExpr:
    """Base of the nodes: a scalar that depends on indices. ``parts`` names the fields that hold nodes."""

    parts: ClassVar[tuple[str, ...]] = ()
    indexed: ClassVar[tuple[str, ...]] = ()  # fields that hold index expressions, or tuples of them

    @property
    def children(self) -> tuple[IndexExpr, ...]:
        found: list[IndexExpr] = []
        for name in self.parts:
            value = getattr(self, name)
            found.extend(value if isinstance(value, tuple) else (value,))
        return tuple(found)

    def with_children(self, children: tuple[IndexExpr, ...]) -> Self:
        rest = iter(children)
        changes: dict[str, Any] = {}
        for name in self.parts:
            value = getattr(self, name)
            changes[name] = tuple(next(rest) for _ in value) if isinstance(value, tuple) else next(rest)
        return replace(self, **changes) if changes else self  # type: ignore[type-var]


@dataclass(frozen=True)
class Constant(IndexExpr):
    value: Fraction


@dataclass(frozen=True)
class Value(IndexExpr):
    """A size or a rate, by name."""

    name: str


@dataclass(frozen=True)
class Generator(IndexExpr):
    """One entry of a named array."""

    symbol: Symbol
    indices: tuple[sympy.Expr, ...]
    indexed = ("indices",)


@dataclass(frozen=True)
class DerivativeEntry(IndexExpr):
    """One entry of a derivative that is kept as a name: dJ/dW_jk."""

    of: Symbol
    wrt: Symbol
    indices: tuple[sympy.Expr, ...]
    indexed = ("indices",)


@dataclass(frozen=True)
class Delta(IndexExpr):
    """Kronecker's delta: 1 where the indices are equal, else 0.

    ``size`` is that of the axis along which both indices run, None where that is not known.
    """

    left: sympy.Expr
    right: sympy.Expr
    size: sympy.Expr | None = None
    indexed = ("left", "right")


@dataclass(frozen=True)
class Add(IndexExpr):
    terms: tuple[IndexExpr, ...]
    parts = ("terms",)


@dataclass(frozen=True)
class Mul(IndexExpr):
    factors: tuple[IndexExpr, ...]
    parts = ("factors",)


@dataclass(frozen=True)
class Power(IndexExpr):
    base: IndexExpr
    exponent: IndexExpr
    parts = ("base", "exponent")


@dataclass(frozen=True)
class Apply(IndexExpr):
    """A scalar function, or its derivative of the given order, of a scalar."""

    function: Function
    arg: IndexExpr
    order: int = 0
    parts = ("arg",)


@dataclass(frozen=True)
class Sum(IndexExpr):
    """A sum over ``index`` from ``lower`` to ``upper``, both included."""

    body: IndexExpr
    index: sympy.Symbol
    lower: sympy.Expr
    upper: sympy.Expr
    parts = ("body",)
    indexed = ("lower", "upper")


@dataclass(frozen=True)
class Opaque(IndexExpr):
    """An unknown scalar function of two vectors, C(a, y), given entry by entry over ``index``, along ``axis``.

    ``slots`` are the entries of the first vector by which it is derived, in order: none for C itself.
    """

    letter: str
    prediction: IndexExpr
    target: IndexExpr
    index: sympy.Symbol
    size: sympy.Expr
    axis: int
    slots: tuple[sympy.Expr, ...] = ()
    parts = ("prediction", "target")
    indexed = ("slots",)


NODES: tuple[type[IndexExpr], ...] = (
    Constant, Value, Generator, DerivativeEntry, Delta, Add, Mul, Power, Apply, Sum, Opaque,
)  # fmt: skip

ZERO, ONE, MINUS_ONE = (Constant(Fraction(v)) for v in (0, 1, -1))


@dataclass(frozen=True)
class IndexForm:
    """An array of any rank: the entry ``body`` at the free indices ``axes``, each (index, size)."""

    axes: tuple[tuple[sympy.Symbol, sympy.Expr], ...]
    body: IndexExpr


def walk(root: IndexExpr) -> Iterator[IndexExpr]:
    """Every node, the root first."""
    yield root
    for child in root.children:
        yield from walk(child)


def replace_index(root: IndexExpr, index: sympy.Symbol, by: sympy.Expr) -> IndexExpr:
    """The expression with a free index replaced. The bridge makes bound indices unique: nothing is captured."""

    def go(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(go(v) for v in value)
        return value.xreplace({index: by})

    if isinstance(root, Sum) and root.index == index:
        return root
    if root.children:
        root = root.with_children(tuple(replace_index(child, index, by) for child in root.children))
    if root.indexed:
        root = replace(root, **{name: go(getattr(root, name)) for name in root.indexed})  # type: ignore[type-var]
    return root


class Fresh:
    """Names for indices, in a fixed order, none given twice: units i, j, k, ..., samples s, t, ...

    >>> fresh = Fresh()
    >>> fresh(), fresh(), fresh(sample=True)
    (i, j, s)
    """

    def __init__(self, taken: Callable[[str], bool] = lambda name: False) -> None:
        self._taken = taken
        self._used: set[str] = set()
        self._claimed: set[str] = set()

    def avoid(self, names: Iterable[str]) -> None:
        """Give none of these names."""
        self._used.update(names)

    def claim(self, index: sympy.Symbol) -> sympy.Symbol:
        """A bound index under its own name the first time that the name is bound, under a fresh one later."""
        if index.name in self._claimed:
            return self()
        self._claimed.add(index.name)
        return index

    def __call__(self, sample: bool = False) -> sympy.Symbol:
        letters = "stuv" if sample else "ijkpqrh"
        round_ = 0
        while True:
            for letter in letters:
                name = letter + (f"_{round_}" if round_ else "")
                if name not in self._used and not self._taken(name):
                    self._used.add(name)
                    return sympy.Symbol(name)
            round_ += 1
