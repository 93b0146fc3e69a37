"""The value of a formula at a point, in numbers that know their error. It shares no code with the normal form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, singledispatch
from typing import TypeAlias

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import SCALAR, Formula, Function, Symbol
from symbackprop.algebra.functions import EXP, LOG, SIGN, without_reciprocals
from symbackprop.algebra.shape import runs, shape
from symbackprop.errors import Unsupported
from symbackprop.proof import numbers as nb
from symbackprop.proof.numbers import Dual, NoValue, Number, Real

Array: TypeAlias = list[list[Number]]

_z = Function.argument


@cache
def stand_in(name: str) -> Function:
    """What is taken for a function of which nothing is known: no identity that people use holds for it."""
    pace = 1 if name == "sigma" else sympy.Rational(6 + sum(map(ord, name)) % 11, 5)  # f and g are two functions
    return Function(name, r"\sigma", sympy.sin(pace * _z) + sympy.cos(2 * _z) / 3 + _z / 2)


def stand_ins(nodes: Iterable[Formula]) -> dict[str, str]:
    """What is taken for the functions in some formulas of which nothing is known."""
    found = {}
    for node in (u for root in nodes for u in f.walk(root)):
        if isinstance(node, f.Map) and node.function.definition is None:
            found[f"{node.function.name}(z)"] = str(stand_in(node.function.name).definition)
        if isinstance(node, f.OpaqueLoss):
            found[f"{node.letter}(a, y)"] = "sum_i (a_i^3/3 - i a_i y_i) + (a^T y)^2/2"
    return found


@dataclass
class Place:
    """Where formulas are evaluated: the value of each symbol, scalars and sizes by name, and the precision.

    With ``off_kinks`` a comparison of equal numbers has no value; else it has the one that its definition gives.
    """

    value: Callable[[Symbol], Array]
    scalars: Mapping[str, Real]
    bits: int
    off_kinks: bool = True
    indices: dict[str, int] = field(default_factory=dict)

    def number(self, e: sympy.Expr) -> int:
        """A size or an index as a number."""
        if isinstance(e, sympy.Integer):
            return int(e)
        known = {s: self.indices.get(s.name, self.scalars.get(s.name)) for s in e.free_symbols}
        missing = next((s for s, v in known.items() if v is None), None)
        if missing is not None:
            raise Unsupported(f"{missing} has no value here")
        found = e.xreplace({s: sympy.Integer(int(v)) for s, v in known.items()})  # type: ignore[arg-type]
        if not isinstance(found, sympy.Integer):
            raise Unsupported(f"{e} is no whole number here")
        return int(found)

    def size(self, node: Formula) -> tuple[int, int]:
        rows, columns = shape(node)
        return self.number(rows), self.number(columns)


def of_function(function: Function, order: int, x: Number, place: Place) -> Number:
    """f, or a derivative of f, at a number."""
    if isinstance(x, Dual):
        inner = of_function(function, order, x.value, place)
        slope = of_function(function, order + 1, x.value, place)
        assert not isinstance(inner, Dual)
        assert not isinstance(slope, Dual)
        return Dual(inner, slope * x.slope)
    if function.definition is None:
        function = stand_in(function.name)
    try:
        return compiled(function, order)(x, place)
    except (OverflowError, ZeroDivisionError) as error:
        raise NoValue("a number that is too large to hold") from error


_Code: TypeAlias = Callable[[Real, Place], Real]


@cache
def compiled(function: Function, order: int) -> _Code:
    """The definition of a function as a Python function of numbers; only what is listed here is ever called."""
    definition = function.definition if order == 0 else function.derivative(order)
    assert definition is not None
    return _code(without_reciprocals(definition))


def _code(e: sympy.Basic) -> _Code:
    if e == Function.argument:
        return lambda x, p: x
    if isinstance(e, sympy.Rational):
        value: Real = int(e.p) if e.q == 1 else Fraction(int(e.p), int(e.q))
        return lambda x, p: value
    if e is sympy.pi:
        return lambda x, p: nb.pi(p.bits)
    if e is sympy.E:
        return lambda x, p: nb.exp(1, p.bits)
    if isinstance(e, sympy.Symbol):
        return lambda x, p: p.scalars[e.name]
    parts = [_code(a) for a in e.args] if not isinstance(e, sympy.Piecewise | sympy.Pow) else []
    if isinstance(e, sympy.Add):
        return lambda x, p: _total(part(x, p) for part in parts)
    if isinstance(e, sympy.Mul):
        return lambda x, p: _product(part(x, p) for part in parts)
    if isinstance(e, sympy.Pow):
        return _power(e)
    if isinstance(e, sympy.Piecewise):
        return _pieces(e)
    if isinstance(e, sympy.Function) and len(parts) == 1:
        return _elementary(type(e).__name__, parts[0])
    raise Unsupported(f"{type(e).__name__} in the definition of a function")


def _total(values: object) -> Real:
    out: Real = 0
    for v in values:  # type: ignore[attr-defined]
        out = out + v
    return out


def _product(values: object) -> Real:
    out: Real = 1
    for v in values:  # type: ignore[attr-defined]
        out = out * v
    return out


def _power(e: sympy.Pow) -> _Code:
    base, exponent = e.args
    under = _code(base)
    if isinstance(exponent, sympy.Rational):
        times = Fraction(int(exponent.p), int(exponent.q))
        return lambda x, p: nb.power(under(x, p), times, p.bits)
    above = _code(exponent)
    return lambda x, p: nb.exp(above(x, p) * nb.log(under(x, p), p.bits), p.bits)


def _elementary(name: str, inner: _Code) -> _Code:
    simple = {"exp": nb.exp, "log": nb.log, "sin": nb.sin, "cos": nb.cos, "erf": nb.erf, "atan": nb.atan}
    if name in simple:
        function = simple[name]
        return lambda x, p: function(inner(x, p), p.bits)
    if name in ("tanh", "sinh", "cosh"):

        def hyperbolic(x: Real, p: Place) -> Real:
            u = inner(x, p)
            up, down = nb.exp(u, p.bits), nb.exp(-u, p.bits)
            if name == "tanh":
                return _real(nb.divide(up - down, up + down))
            return _real(nb.divide(up - down if name == "sinh" else up + down, 2))

        return hyperbolic
    if name == "Abs":
        return lambda x, p: _absolute(inner(x, p), p)
    if name == "sign":
        return lambda x, p: _sign(inner(x, p), p)
    raise Unsupported(f"the function {name} in a definition")


def _real(x: Number) -> Real:
    assert not isinstance(x, Dual)
    return x


def _absolute(u: Real, p: Place) -> Real:
    return u * _sign(u, p)


def _sign(u: Real, p: Place) -> int:
    found = nb.sign(u)
    if found == 0 and p.off_kinks:
        raise NoValue("a kink")
    return found


def _pieces(e: sympy.Piecewise) -> _Code:
    pieces = [(_code(value), _condition(condition)) for value, condition in e.args]

    def code(x: Real, p: Place) -> Real:
        for value, holds in pieces:
            if holds(x, p):
                return value(x, p)
        raise NoValue("no piece of a definition applies")

    return code


def _condition(c: sympy.Basic) -> Callable[[Real, Place], bool]:
    """A comparison."""
    if c == sympy.true or c == sympy.false:
        return lambda x, p: bool(c)
    if isinstance(c, sympy.And | sympy.Or | sympy.Not):
        parts = [_condition(a) for a in c.args]
        if isinstance(c, sympy.Not):
            return lambda x, p: not parts[0](x, p)
        every = all if isinstance(c, sympy.And) else any
        return lambda x, p: every([part(x, p) for part in parts])
    if isinstance(c, sympy.Eq | sympy.Ne):
        left, right = _code(c.args[0]), _code(c.args[1])
        wanted = isinstance(c, sympy.Eq)
        return lambda x, p: (_sign(left(x, p) - right(x, p), p) == 0) == wanted
    if isinstance(c, sympy.StrictGreaterThan | sympy.GreaterThan | sympy.StrictLessThan | sympy.LessThan):
        left, right = _code(c.args[0]), _code(c.args[1])
        above = 1 if isinstance(c, sympy.StrictGreaterThan | sympy.GreaterThan) else -1
        held = (above, 0) if isinstance(c, sympy.GreaterThan | sympy.LessThan) else (above,)
        return lambda x, p: _sign(left(x, p) - right(x, p), p) in held
    raise Unsupported(f"the condition {c} in the definition of a function")


@singledispatch
def value(node: Formula, p: Place) -> Array:
    """The rows of an array."""
    raise TypeError(f"evaluate knows no {type(node).__name__}")


def number(node: Formula, p: Place) -> Number:
    """The value of a 1 x 1 formula."""
    return value(node, p)[0][0]


@value.register
def _(node: f.Number, p: Place) -> Array:
    v = node.value
    return [[v.numerator if v.denominator == 1 else v]]


@value.register
def _(node: f.Scalar, p: Place) -> Array:
    if node.name == "pi":
        return [[nb.pi(p.bits)]]
    if node.name in p.indices:
        return [[p.indices[node.name]]]
    if node.name not in p.scalars:
        raise Unsupported(f"{node.name} has no value here")
    return [[p.scalars[node.name]]]


@value.register
def _(node: f.Symbol, p: Place) -> Array:
    return p.value(node)


@value.register
def _(node: f.Ones, p: Place) -> Array:
    rows, columns = p.size(node)
    return [[1] * columns for _ in range(rows)]


@value.register
def _(node: f.Unit, p: Place) -> Array:
    at = p.number(node.index)
    return [[int(k == at)] for k in range(1, p.number(node.size) + 1)]


@value.register
def _(node: f.Negative, p: Place) -> Array:
    return [[-x for x in row] for row in value(node.arg, p)]


def _spread(node: Formula, parts: tuple[Formula, ...], p: Place) -> list[Array]:
    """The parts of an elementwise node, scalars repeated to its shape."""
    rows, columns = p.size(node)
    out = []
    for part in parts:
        v = value(part, p)
        out.append([[v[0][0]] * columns for _ in range(rows)] if shape(part) == SCALAR else v)
    return out


@value.register
def _(node: f.Add, p: Place) -> Array:
    first, *others = _spread(node, node.terms, p)
    for other in others:
        first = [[x + y for x, y in zip(u, v, strict=True)] for u, v in zip(first, other, strict=True)]
    return first


@value.register
def _(node: f.Hadamard, p: Place) -> Array:
    first, *others = _spread(node, node.factors, p)
    for other in others:
        first = [[x * y for x, y in zip(u, v, strict=True)] for u, v in zip(first, other, strict=True)]
    return first


@value.register
def _(node: f.Quotient, p: Place) -> Array:
    top, bottom = _spread(node, (node.numerator, node.denominator), p)
    return [[nb.divide(x, y) for x, y in zip(u, v, strict=True)] for u, v in zip(top, bottom, strict=True)]


@value.register
def _(node: f.Power, p: Place) -> Array:
    exponent = number(node.exponent, p)
    if isinstance(exponent, Dual | nb.Ball):
        raise Unsupported("a power whose exponent is no rational number")
    times = Fraction(exponent)

    def raised(x: Number) -> Number:
        if isinstance(x, Dual):
            if times == 0:
                return 1
            return Dual(nb.power(x.value, times, p.bits), nb.power(x.value, times - 1, p.bits) * times * x.slope)
        return nb.power(x, times, p.bits)

    return [[raised(x) for x in row] for row in value(node.base, p)]


def product(left: Array, right: Array) -> Array:
    """The matrix product; exact zeros cost nothing."""
    columns = len(right[0])
    out: Array = []
    for row in left:
        totals: list[Number] = [0] * columns
        for x, other in zip(row, right, strict=True):
            if x.__class__ is int and x == 0:
                continue
            for c, y in enumerate(other):
                if y.__class__ is int and y == 0:
                    continue
                totals[c] = totals[c] + x * y
        out.append(totals)
    return out


@value.register
def _(node: f.Product, p: Place) -> Array:
    scalars, chains = runs(node.factors)
    factor: Number = 1
    for s in scalars:
        factor = factor * number(s, p)
    out: Array = [[1]]
    for chain in chains:
        first, *others = (value(u, p) for u in chain)
        for other in others:
            first = product(first, other)
        if len(first) == len(first[0]) == 1:
            factor = factor * first[0][0]
        else:
            out = first
    return [[x * factor for x in row] for row in out]


@value.register
def _(node: f.Transpose, p: Place) -> Array:
    return [list(column) for column in zip(*value(node.arg, p), strict=True)]


@value.register
def _(node: f.Map, p: Place) -> Array:
    return [[of_function(node.function, node.order, x, p) for x in row] for row in value(node.arg, p)]


@value.register
def _(node: f.Softmax, p: Place) -> Array:
    v = value(node.arg, p)
    if node.axis == 0:
        v = [list(column) for column in zip(*v, strict=True)]
    rows = [_softmax(row, node.log, p) for row in v]
    return [list(column) for column in zip(*rows, strict=True)] if node.axis == 0 else rows


def _softmax(row: list[Number], log: bool, p: Place) -> list[Number]:
    powers = [of_function(EXP, 0, x, p) for x in row]
    total: Number = 0
    for x in powers:
        total = total + x
    if log:
        shift = of_function(LOG, 0, total, p)
        return [x - shift for x in row]
    return [nb.divide(x, total) for x in powers]


@value.register
def _(node: f.OpaqueLoss, p: Place) -> Array:
    """In place of C the sum of a_i^3/3 - i a_i y_i, and half the square of a^T y: no identity holds for it."""
    a, y = _spread(replace(node, gradient=True), (node.prediction, node.target), p)
    if node.axis == 0:
        a, y = ([list(column) for column in zip(*u, strict=True)] for u in (a, y))
    out: Array = []
    for u, v in zip(a, y, strict=True):
        inner: Number = 0
        for x, t in zip(u, v, strict=True):
            inner = inner + x * t
        if node.gradient:
            out.append([x * x - k * t + inner * t for k, (x, t) in enumerate(zip(u, v, strict=True), start=1)])
        else:
            total = inner * inner * Fraction(1, 2)
            for k, (x, t) in enumerate(zip(u, v, strict=True), start=1):
                total = total + x * x * x * Fraction(1, 3) - x * t * k
            out.append([total])
    return [list(column) for column in zip(*out, strict=True)] if node.axis == 0 else out


@value.register
def _(node: f.Total, p: Place) -> Array:
    v = value(node.arg, p)
    if node.axis == 0:
        v = [list(column) for column in zip(*v, strict=True)]
    sums: list[Number] = []
    for row in v:
        total: Number = 0
        for x in row:
            total = total + x
        sums.append(total)
    if node.axis is None:
        whole: Number = 0
        for x in sums:
            whole = whole + x
        return [[whole]]
    return [sums] if node.axis == 0 else [[x] for x in sums]


@value.register
def _(node: f.Norm, p: Place) -> Array:
    total: Number = 0
    for row in value(node.arg, p):
        for x in row:
            total = total + (x * x if node.order == 2 else x * of_function(SIGN, 0, x, p))
    exponent = f.Number(Fraction(node.power, node.order))
    inner = Place(lambda _: [[total]], p.scalars, p.bits)
    return value(f.Power(Symbol("norm"), exponent), inner)


@value.register
def _(node: f.Diagonal, p: Place) -> Array:
    entries = [x for row in value(node.arg, p) for x in row]
    return [[x if i == j else 0 for j in range(len(entries))] for i, x in enumerate(entries)]


@value.register
def _(node: f.Entry, p: Place) -> Array:
    v = value(node.arg, p)
    i, j = p.number(node.row), p.number(node.column)
    if not (1 <= i <= len(v) and 1 <= j <= len(v[0])):
        raise NoValue("an index leaves its axis")
    return [[v[i - 1][j - 1]]]


@value.register
def _(node: f.IndexSum, p: Place) -> Array:
    low, high = p.number(node.lower), p.number(node.upper)
    out: Array | None = None
    before = p.indices.get(node.index.name)
    for k in range(low, high + 1):
        p.indices[node.index.name] = k
        v = value(node.body, p)
        out = v if out is None else [[x + y for x, y in zip(a, b, strict=True)] for a, b in zip(out, v, strict=True)]
    if before is None:
        p.indices.pop(node.index.name, None)
    else:
        p.indices[node.index.name] = before
    if out is None:
        rows, columns = p.size(node.body)
        return [[0] * columns for _ in range(rows)]
    return out


@value.register
def _(node: f.Kronecker, p: Place) -> Array:
    return [[int(p.number(node.left) == p.number(node.right))]]


@value.register
def _(node: f.Derivative, p: Place) -> Array:
    raise Unsupported("a derivative that is only named has no value: put in its formula")
