"""Closed forms: the elementwise part of a formula as one scalar expression, cancelled, in textbook order.

Everything that is not elementwise (a matrix product, an array, sigma'(z)) is an atom there; its inside has been closed
before. What is elementwise is rational in the atoms, and that is decided by SymPy's ``cancel``; never by ``simplify``.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import SCALAR, Formula, Function
from symbackprop.algebra.functions import POSITIVE_PART, STEP, is_elementary, is_indicator
from symbackprop.algebra.shape import shape
from symbackprop.algebra.sympy_border import from_sympy
from symbackprop.calculus.textbook import Role, closed, placeholder
from symbackprop.calculus.tidy import join, rational, split, spread, tidy

MAX_POWER = 8
SHORT = 12  # nodes of a closed form that no other can be much shorter than

ROLE_OF_LETTER = {
    "x": Role.ACTIVATION,
    "a": Role.ACTIVATION,
    "y": Role.TARGET,
    "z": Role.PREACTIVATION,
    "delta": Role.ERROR,
    "W": Role.WEIGHT,
    "b": Role.WEIGHT,
}


def role(atom: Formula) -> Role:
    """What an atom stands for, by its letter; products and derivatives carry the error."""
    if isinstance(atom, f.Symbol):
        return ROLE_OF_LETTER.get(atom.letter, ROLE_OF_LETTER.get(atom.letter.lower(), Role.CONSTANT))
    if isinstance(atom, f.Map):
        return Role.RATE if atom.order or is_indicator(atom.function) else Role.ACTIVATION
    if isinstance(atom, f.Softmax):
        return Role.ACTIVATION
    if isinstance(atom, f.Entry):
        return role(atom.arg)
    if isinstance(atom, f.Product):
        roles = {role(u) for u in _symbols(atom)}
        if Role.ACTIVATION in roles and Role.WEIGHT not in roles:
            return Role.ACTIVATION
    return Role.ERROR


def _symbols(node: Formula) -> list[Formula]:
    return [u for u in f.walk(node) if isinstance(u, f.Symbol)]


def close(node: Formula) -> Formula:
    """The closed form: every elementwise region cancelled and ordered, all else tidied.

    >>> n = sympy.Symbol("n")
    >>> a, y = f.Symbol("a", (n, sympy.S.One)), f.Symbol("y", (n, sympy.S.One))
    >>> close((-(y / a) + (1 - y) / (1 - a)) * a * (1 - a))
    Add(terms=(Symbol('a'), Negative(arg=Symbol('y'))))
    """
    return _close(tidy(unfold_elementary(node)))


def close_terms(node: Formula) -> Formula:
    """Each term of a sum closed by itself: -y/a + (1-y)/(1-a) stays a sum of two quotients."""
    node = tidy(unfold_elementary(node))
    c, core = split(node)
    if isinstance(core, f.Add):
        return tidy(f.Product((join(c, None), f.Add(tuple(close(term) for term in core.terms)))))
    return close(node)


def _close(node: Formula) -> Formula:
    if not _is_elementwise(node):
        children = tuple(_close(child) for child in node.children)
        return tidy(node.with_children(children)) if children != node.children else node
    c, core = split(node)
    whole = _whole(node)
    if not isinstance(core, f.Add | f.Hadamard) or _length(whole) < SHORT:
        return whole
    parts = type(core)(tuple(_close(child) for child in core.children))
    piecewise = tidy(f.Product((join(c, None), parts)))
    return piecewise if _length(piecewise) < _length(whole) else whole


def _small(exponent: Formula) -> bool:
    """A power that may be multiplied out; a larger one is an atom, whatever it is a power of."""
    value = rational(exponent)
    return value is not None and value.denominator == 1 and abs(value) <= MAX_POWER


def _length(node: Formula) -> int:
    return sum(1 for _ in f.walk(node))


def _whole(node: Formula) -> Formula:
    """An elementwise formula as one rational expression, cancelled."""
    atoms: dict[Formula, int] = {}
    expr = _scalar(node, atoms, shape(node))
    ordered = list(atoms)
    coefficient, core = closed(expr, tuple(role(u) for u in ordered))
    if coefficient == 0:
        return f.Number(Fraction(0))
    if core is not None:
        core = f.substitute(core, {f.Symbol(f"u{i}"): u for i, u in enumerate(ordered)})
    elif shape(node) != SCALAR:
        core = f.Ones(shape(node))
    return tidy(join(coefficient, core))


def _is_elementwise(node: Formula) -> bool:
    if isinstance(node, f.Product):
        _, core = split(node)
        return core is None or not isinstance(core, f.Product) or _all_scalars(core)
    return isinstance(node, f.Add | f.Negative | f.Hadamard | f.Quotient | f.Power | f.Number | f.Scalar)


def _all_scalars(node: Formula) -> bool:
    return all(shape(child) == SCALAR for child in node.children)


def _scalar(node: Formula, atoms: dict[Formula, int], whole: f.Shape) -> sympy.Expr:
    """The scalar expression of an elementwise formula; what is no elementwise node becomes an atom."""

    def go(u: Formula) -> sympy.Expr:
        match u:
            case f.Number(value):
                return sympy.Rational(value.numerator, value.denominator)
            case f.Scalar(name):
                return sympy.Symbol(name)
            case f.Negative(arg):
                return -go(arg)
            case f.Add(terms):
                return sympy.Add(*map(go, terms))
            case f.Hadamard(factors):
                return sympy.Mul(*map(go, factors))
            case f.Quotient(top, bottom):
                return go(top) / go(bottom)
            case f.Power(base, exponent) if _small(exponent):
                return go(base) ** int(rational(exponent) or 0)
            case f.Product() if _is_elementwise(u) or spread(u):
                constants = [v for v in u.factors if not isinstance(v, f.Ones)]
                if spread(u) and any(shape(v) != SCALAR for v in constants):
                    return atom(u)
                return sympy.Mul(*map(go, constants))
            case f.Ones() if shape(u) == whole:
                return sympy.S.One
        return atom(u)

    def atom(u: Formula) -> sympy.Expr:
        inner = tidy(u.with_children(tuple(_close(child) for child in u.children))) if u.children else u
        c, core = split(inner)
        if core is None:
            return c
        if isinstance(core, f.Ones) and shape(core) == whole:
            return c
        return c * placeholder(atoms.setdefault(core, len(atoms)))

    return go(node)


def rate(function: Function, arg: Formula) -> Formula | None:
    """f'(arg) as a formula in arg, derived from the definition; None for an opaque function."""
    derived = _rate(function)
    return None if derived is None else f.substitute(derived, {f.Symbol("z"): arg})


@lru_cache(maxsize=256)
def _rate(function: Function) -> Formula | None:
    if function.rate is not None:
        return function.rate
    derivative = function.derivative()
    return None if derivative is None else from_sympy(derivative, {"z": f.Symbol("z")})


def unfold_elementary(node: Formula) -> Formula:
    """Derivatives of elementary functions by what they are: log'(a) becomes 1/a. Activations keep their prime."""

    def change(u: Formula) -> Formula:
        if isinstance(u, f.Map) and u.order == 1 and is_elementary(u.function):
            known = rate(u.function, u.arg)
            return u if known is None else known
        return u

    return f.rewrite(f.rewrite(node, change), _positive)


def _positive(node: Formula) -> Formula:
    """max(0, u) times the indicator of u > 0 is max(0, u)."""
    if not isinstance(node, f.Hadamard | f.Product):
        return node
    parts = {u.arg for u in node.factors if isinstance(u, f.Map) and u.function == POSITIVE_PART and u.order == 0}
    kept = tuple(u for u in node.factors if not (isinstance(u, f.Map) and u.function == STEP and u.arg in parts))
    return node if kept == node.factors else type(node)(kept)


def simple_rate(function: Function, arg: Formula) -> Formula | None:
    """f'(arg) where it is a constant, for which nobody writes f'."""
    derivative = function.derivative()
    return rate(function, arg) if derivative is not None and derivative.is_number else None


def cancellation(node: Formula) -> list[Formula]:
    """The line on which a cancellation is seen: (-y/a + (1-y)/(1-a)) a (1-a) term by term, no fraction left."""
    c, core = split(node)
    factors = list(core.factors) if isinstance(core, f.Hadamard) else []
    sums = [u for u in factors if isinstance(u, f.Add) and _has_quotient(u)]
    if len(sums) != 1 or len(factors) < 2:
        return []
    rest = tuple(u for u in factors if u is not sums[0])
    terms = tuple(close(f.Hadamard((term, *rest))) for term in sums[0].terms)
    if any(map(_has_quotient, terms)):
        return []
    return [tidy(f.Product((join(c, None), f.Add(terms))))]


def _has_quotient(node: Formula) -> bool:
    return any(isinstance(split(u)[1], f.Quotient) for u in f.walk(node))


def inner_products(node: Formula) -> Formula:
    """1^T (u o v) of columns as u^T v."""

    def change(u: Formula) -> Formula:
        if isinstance(u, f.Product) and len(u.factors) == 2 and shape(u) == SCALAR:
            left, right = u.factors
            if isinstance(left, f.Ones) and isinstance(right, f.Hadamard) and len(right.factors) == 2:
                return f.Product((f.Transpose(right.factors[1]), right.factors[0]))
        return u

    return tidy(f.rewrite(node, change))
