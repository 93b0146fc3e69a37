"""Formulas: what people write, kept as it was written.

A closed set of frozen, hashable nodes that evaluate nothing: order, brackets, transposes and signs stay, and a wrong
formula can be held as exactly as a right one. Everything is two-dimensional; a 1 x 1 array is a scalar. Sizes and
indices are SymPy expressions, and indices count from 1.

Operators follow NumPy: ``*`` and ``/`` are elementwise, ``@`` is the matrix product, ``.T`` the transpose.

>>> a, y = Symbol("a"), Symbol("y")
>>> (a - y) * a
Hadamard(factors=(Add(terms=(Symbol('a'), Negative(arg=Symbol('y')))), Symbol('a')))

A new node is added here, to ``NODES``, and to every walker; tests/algebra/test_coverage.py fails until that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import ClassVar, Self, TypeAlias

import sympy

Size: TypeAlias = sympy.Expr
Shape: TypeAlias = tuple[Size, Size]

ONE = sympy.Integer(1)
SCALAR: Shape = (ONE, ONE)


@dataclass(frozen=True)
class Function:
    """A scalar function that a ``Map`` applies to every entry.

    ``definition`` is a SymPy expression in ``argument``; None leaves the function opaque: only its name and its
    derivative's name are known. ``latex`` is its name in print, or a pattern with #1 for the argument. ``rate`` is the
    derivative as a formula in ``Symbol("z")`` where it has a form of its own: a claim that tests verify.
    """

    name: str
    latex: str
    definition: sympy.Expr | None = None
    rate: Formula | None = None

    argument: ClassVar[sympy.Symbol] = sympy.Symbol("z", real=True)

    def derivative(self, order: int = 1) -> sympy.Expr | None:
        """The derivative as an expression in ``argument``, derived; None for an opaque function.

        At a kink the value is the one that the definition's own pieces give (see the table of activations).

        >>> z = Function.argument
        >>> Function("tanh", r"\\tanh", sympy.tanh(z)).derivative()
        1 - tanh(z)**2
        """
        return None if self.definition is None else sympy.diff(self.definition, self.argument, order)


class Formula:
    """Base of all nodes. ``parts`` names the fields that hold formulas, in the order in which they are written."""

    parts: ClassVar[tuple[str, ...]] = ()

    @property
    def children(self) -> tuple[Formula, ...]:
        found: list[Formula] = []
        for name in self.parts:
            value = getattr(self, name)
            found.extend(value if isinstance(value, tuple) else (value,))
        return tuple(found)

    def with_children(self, children: tuple[Formula, ...]) -> Self:
        """The same node over other children, as many as before."""
        rest = iter(children)
        changes = {
            name: tuple(next(rest) for _ in value) if isinstance(value := getattr(self, name), tuple) else next(rest)
            for name in self.parts
        }
        return replace(self, **changes) if changes else self  # type: ignore[type-var]

    def __add__(self, other: Formula | int) -> Formula:
        terms = self.terms if isinstance(self, Add) else (self,)
        return Add((*terms, formula(other)))

    def __radd__(self, other: int) -> Formula:
        return formula(other) + self

    def __sub__(self, other: Formula | int) -> Formula:
        return self + Negative(formula(other))

    def __rsub__(self, other: int) -> Formula:
        return formula(other) - self

    def __mul__(self, other: Formula | int) -> Formula:
        factors = self.factors if isinstance(self, Hadamard) else (self,)
        return Hadamard((*factors, formula(other)))

    def __rmul__(self, other: int) -> Formula:
        return formula(other) * self

    def __matmul__(self, other: Formula) -> Formula:
        factors = self.factors if isinstance(self, Product) else (self,)
        return Product((*factors, other))

    def __truediv__(self, other: Formula | int) -> Formula:
        return Quotient(self, formula(other))

    def __rtruediv__(self, other: int) -> Formula:
        return formula(other) / self

    def __pow__(self, exponent: Formula | int | Fraction) -> Formula:
        return Power(self, formula(exponent))

    def __neg__(self) -> Formula:
        return Negative(self)

    @property
    def T(self) -> Formula:  # noqa: N802 (the name that NumPy and SymPy use)
        return Transpose(self)


def formula(value: Formula | int | Fraction) -> Formula:
    """A number as a formula; formulas pass through."""
    return value if isinstance(value, Formula) else Number(Fraction(value))


@dataclass(frozen=True)
class Number(Formula):
    """An exact rational constant."""

    value: Fraction


@dataclass(frozen=True)
class Scalar(Formula):
    """A scalar that is no array: a size used as a value (the m of 1/m), a penalty rate, a learning rate."""

    name: str


@dataclass(frozen=True, repr=False)
class Symbol(Formula):
    """A named array: ``Symbol("W", (n_1, n_0), 1)`` is W1. ``layer`` is a number, a symbolic l, or absent."""

    letter: str
    shape: Shape = SCALAR
    layer: sympy.Expr | None = None

    @cached_property
    def name(self) -> str:
        """The name in Python: the letter and the layer, ``W1``, ``Delta2``, ``W_{l+1}``."""
        if self.layer is None:
            return self.letter
        if self.layer.is_Integer:
            return f"{self.letter}{self.layer}"
        return f"{self.letter}_{{{str(self.layer).replace(' ', '')}}}"

    def __repr__(self) -> str:
        return f"Symbol({self.name!r})"


@dataclass(frozen=True)
class Ones(Formula):
    """An array of ones: ``b @ Ones((1, m))`` repeats b over the samples, ``D @ Ones((m, 1))`` sums D over them."""

    shape: Shape


@dataclass(frozen=True)
class Unit(Formula):
    """The column that is 1 at ``index`` and 0 elsewhere."""

    index: sympy.Expr
    size: Size


@dataclass(frozen=True)
class Negative(Formula):
    arg: Formula
    parts = ("arg",)


@dataclass(frozen=True)
class Add(Formula):
    """A sum of terms of one shape; a scalar term is added to every entry."""

    terms: tuple[Formula, ...]
    parts = ("terms",)


@dataclass(frozen=True)
class Product(Formula):
    """A matrix product, as many factors as were written side by side; 1 x 1 factors are scalars and go anywhere."""

    factors: tuple[Formula, ...]
    parts = ("factors",)


@dataclass(frozen=True)
class Hadamard(Formula):
    """An elementwise product; a scalar factor multiplies every entry."""

    factors: tuple[Formula, ...]
    parts = ("factors",)


@dataclass(frozen=True)
class Quotient(Formula):
    """An elementwise quotient."""

    numerator: Formula
    denominator: Formula
    parts = ("numerator", "denominator")


@dataclass(frozen=True)
class Power(Formula):
    """An elementwise power; the exponent is a scalar that does not depend on any array."""

    base: Formula
    exponent: Formula
    parts = ("base", "exponent")


@dataclass(frozen=True)
class Transpose(Formula):
    arg: Formula
    parts = ("arg",)


@dataclass(frozen=True)
class Map(Formula):
    """A scalar function, or its derivative of the given order, applied to every entry: sigma(Z), sigma'(Z)."""

    function: Function
    arg: Formula
    order: int = 0
    parts = ("arg",)


@dataclass(frozen=True)
class Softmax(Formula):
    """exp(Z) over its sum along ``axis``, 0 down a sample's column, 1 along its row; with ``log``, the logarithm."""

    arg: Formula
    axis: int
    log: bool = False
    parts = ("arg",)


@dataclass(frozen=True)
class OpaqueLoss(Formula):
    """C(a, y), a loss of which nothing is known, for each sample; with ``gradient``, its gradient by a.

    The units of a sample lie along ``axis``. The value has one entry a sample, the gradient one for each prediction.
    """

    letter: str
    prediction: Formula
    target: Formula
    axis: int
    gradient: bool = False
    parts = ("prediction", "target")


@dataclass(frozen=True)
class Total(Formula):
    """The sum over an axis (0 over the rows, 1 over the columns), or over all entries (None)."""

    arg: Formula
    axis: int | None = None
    parts = ("arg",)


@dataclass(frozen=True)
class Norm(Formula):
    """An entrywise norm to a power: order 1 or 2, ``Norm(W, 2, 2)`` is the sum of the squares of all entries."""

    arg: Formula
    order: int = 2
    power: int = 1
    parts = ("arg",)


@dataclass(frozen=True)
class Diagonal(Formula):
    """The diagonal matrix of a row or a column."""

    arg: Formula
    parts = ("arg",)


@dataclass(frozen=True)
class Entry(Formula):
    """One entry of an array, a scalar; indices count from 1."""

    arg: Formula
    row: sympy.Expr
    column: sympy.Expr
    parts = ("arg",)


@dataclass(frozen=True)
class IndexSum(Formula):
    """A sum of arrays of one shape over an index from ``lower`` to ``upper``, both included."""

    body: Formula
    index: sympy.Symbol
    lower: sympy.Expr
    upper: sympy.Expr
    parts = ("body",)


@dataclass(frozen=True)
class Kronecker(Formula):
    """1 where the two indices are equal, else 0. ``size`` is that of the axis along which both run, where known."""

    left: sympy.Expr
    right: sympy.Expr
    size: Size | None = None


@dataclass(frozen=True)
class Derivative(Formula):
    """The derivative of a scalar by an array, as a name: dJ/dW has the shape of W.

    With ``through`` it is the part of it that comes through one array that uses ``wrt``.
    """

    of: Formula
    wrt: Formula
    through: Symbol | None = None
    parts = ("of", "wrt")


NODES: tuple[type[Formula], ...] = (
    Number,
    Scalar,
    Symbol,
    Ones,
    Unit,
    Negative,
    Add,
    Product,
    Hadamard,
    Quotient,
    Power,
    Transpose,
    Map,
    Softmax,
    OpaqueLoss,
    Total,
    Norm,
    Diagonal,
    Entry,
    IndexSum,
    Kronecker,
    Derivative,
)


@dataclass(frozen=True)
class Equation:
    """A chain u = v = w, as written. Unlike SymPy's Eq it never collapses to True."""

    sides: tuple[Formula, ...]

    @property
    def left(self) -> Formula:
        return self.sides[0]

    @property
    def right(self) -> Formula:
        """The last side: what the chain arrives at."""
        return self.sides[-1]


def scalar(value: sympy.Expr | int | Fraction) -> Formula:
    """A size or a rate as a value: a number where it is known, a named scalar where it is symbolic."""
    if isinstance(value, Fraction):
        return Number(value)
    value = sympy.sympify(value) if isinstance(value, int) else value
    if value.is_Rational:
        return Number(Fraction(int(value.p), int(value.q)))
    if not isinstance(value, sympy.Symbol):
        raise TypeError(f"{value} is neither a number nor a symbol")
    return Scalar(value.name)


def walk(root: Formula) -> Iterator[Formula]:
    """Every node of a formula, the root first."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def rewrite(root: Formula, change: Callable[[Formula], Formula]) -> Formula:
    """The formula with ``change`` applied to every node, children before parents."""
    children = root.children
    if children:
        new = tuple(rewrite(child, change) for child in children)
        if any(a is not b for a, b in zip(new, children, strict=True)):
            root = root.with_children(new)
    return change(root)


def substitute(root: Formula, replacements: dict[Formula, Formula]) -> Formula:
    """The formula with whole subformulas replaced; what is put in is not searched again.

    >>> a, y, z = Symbol("a"), Symbol("y"), Symbol("z")
    >>> substitute(a - y, {a: z * a}) == z * a - y
    True
    """
    if root in replacements:
        return replacements[root]
    children = root.children
    new = tuple(substitute(child, replacements) for child in children)
    return root.with_children(new) if new != children else root


def depends_on(root: Formula, symbol: Symbol) -> bool:
    """Whether the array occurs in the formula."""
    return any(node == symbol for node in walk(root))
