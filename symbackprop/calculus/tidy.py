"""Formulas tidied as a lecturer writes them: constants in front, signs pulled out, no 1, no double transpose.

Every change here is an identity that needs no fact about a network. What holds only for certain functions or under an
assumption is elsewhere.
"""

from __future__ import annotations

from fractions import Fraction
from functools import singledispatch
from typing import TypeAlias

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula
from symbackprop.algebra.shape import shape
from symbackprop.errors import Unsupported

Coefficient: TypeAlias = sympy.Expr  # a rational function of sizes and rates: 1/m, 2, -lambda/2


def split(node: Formula) -> tuple[Coefficient, Formula | None]:
    """A tidied formula as coefficient times core; the core is None where nothing but the coefficient is left.

    >>> a = f.Symbol("a", (sympy.Symbol("n"), ONE))
    >>> split(tidy(f.Product((1 / f.Scalar("m"), -a))))
    (-1/m, Symbol('a'))
    """
    if isinstance(node, f.Number):
        return sympy.Rational(node.value.numerator, node.value.denominator), None
    if isinstance(node, f.Scalar):
        return sympy.Symbol(node.name), None
    if isinstance(node, f.Negative):
        c, core = split(node.arg)
        return -c, core
    if isinstance(node, f.Quotient):
        c, top = split(node.numerator)
        d, bottom = split(node.denominator)
        if d.is_zero:
            raise Unsupported("a quotient whose denominator is 0")
        if bottom is None:
            return c / d, top
        return c / d, f.Quotient(top if top is not None else _one(), bottom)
    if isinstance(node, f.Power):
        c, core = split(node.base)
        exponent = rational(node.exponent)
        if core is None and exponent is not None:
            return c ** sympy.Rational(exponent.numerator, exponent.denominator), None
        return sympy.S.One, node
    if isinstance(node, f.Product | f.Hadamard):
        c, cores = _split_all(node.factors)
        if not cores:
            return c, None
        return c, cores[0] if len(cores) == 1 else type(node)(tuple(cores))
    return sympy.S.One, node


def _split_all(factors: tuple[Formula, ...]) -> tuple[Coefficient, list[Formula]]:
    coefficient: Coefficient = sympy.S.One
    cores: list[Formula] = []
    for factor in factors:
        c, core = split(factor)
        coefficient = coefficient * c
        if core is not None:
            cores.append(core)
    return coefficient, cores


def _one() -> Formula:
    return f.Number(Fraction(1))


def rational(node: Formula) -> Fraction | None:
    """The value of a formula that is a rational number."""
    if isinstance(node, f.Number):
        return node.value
    if isinstance(node, f.Negative) and isinstance(node.arg, f.Number):
        return -node.arg.value
    return None


def constant(c: Coefficient) -> Formula:
    """A positive coefficient as a formula: 1/m, 2/m, lambda/2, 1/(2 m).

    >>> constant(2 / sympy.Symbol("m"))
    Quotient(numerator=Number(value=Fraction(2, 1)), denominator=Scalar(name='m'))
    """
    top, bottom = sympy.fraction(sympy.together(c))
    if bottom == 1:
        return _constant_product(top)
    return f.Quotient(_constant_product(top), _constant_product(bottom))


def _constant_product(c: sympy.Expr) -> Formula:
    number, rest = c.as_coeff_Mul()
    factors: list[Formula] = []
    if number != 1 or rest == 1:
        factors.append(f.Number(Fraction(int(number.p), int(number.q))))
    for factor in () if rest == 1 else sympy.Mul.make_args(rest):
        base, exponent = factor.as_base_exp()
        if isinstance(base, sympy.Symbol):
            written: Formula = f.Scalar(base.name)
        elif base.is_Rational:
            written = f.Number(Fraction(int(base.p), int(base.q)))
        elif base.is_Add:
            written = _constant_sum(base)
        else:
            raise Unsupported(f"the constant {c}")
        factors.append(written if exponent == 1 else written ** Fraction(int(exponent.p), int(exponent.q)))
    return factors[0] if len(factors) == 1 else f.Product(tuple(factors))


def _constant_sum(e: sympy.Expr) -> Formula:
    terms = [t.as_coeff_Mul() for t in sympy.Add.make_args(e)]
    return f.Add(tuple(f.Negative(_constant_product(-c * r)) if c < 0 else _constant_product(c * r) for c, r in terms))


def negative(c: Coefficient) -> bool:
    return bool(c.as_coeff_Mul()[0].is_negative)


def join(c: Coefficient, core: Formula | None) -> Formula:
    """Coefficient times core, the sign outermost and the coefficient before the first factor."""
    if negative(c):
        if isinstance(core, f.Add) and _mixed(core):
            return join(-c, _opposite(core))
        if isinstance(core, f.Quotient) and isinstance(core.numerator, f.Add) and _mixed(core.numerator):
            return join(-c, f.Quotient(_opposite(core.numerator), core.denominator))
        return f.Negative(join(-c, core))
    if core is None:
        return constant(c)
    if c == 1:
        return core
    front = constant(c)
    if isinstance(core, f.Quotient) and isinstance(front, f.Number):
        return f.Quotient(join(c, None if core.numerator == _one() else core.numerator), core.denominator)
    if isinstance(core, f.Hadamard):
        return f.Hadamard((join(c, core.factors[0]), *core.factors[1:]))
    if isinstance(core, f.Product):
        return f.Product((front, *core.factors))
    return f.Product((front, core))


def _is_minus(term: Formula) -> bool:
    return isinstance(term, f.Negative)


def _mixed(node: f.Add) -> bool:
    return not all(map(_is_minus, node.terms)) and any(map(_is_minus, node.terms))


def _opposite(node: f.Add) -> f.Add:
    """-(a - y) as y - a: each sign turned; of two plain terms the positive one goes first."""
    terms = tuple(t.arg if isinstance(t, f.Negative) else f.Negative(t) for t in node.terms)
    if len(terms) == 2 and _is_minus(terms[0]) and not any(isinstance(split(t)[1], f.Quotient) for t in terms):
        terms = (terms[1], terms[0])
    return f.Add(terms)


def tidy(node: Formula) -> Formula:
    """The tidied formula, of equal value."""
    return f.rewrite(node, _tidy)


@singledispatch
def _tidy(node: Formula) -> Formula:
    """One node whose children are tidy already. Most nodes stay as they are."""
    return node


@_tidy.register
def _(node: f.Number) -> Formula:
    return f.Negative(f.Number(-node.value)) if node.value < 0 else node


@_tidy.register
def _(node: f.Negative) -> Formula:
    return join(*split(node))


@_tidy.register
def _(node: f.Ones) -> Formula:
    return _one() if node.shape == SCALAR else node


@_tidy.register
def _(node: f.Add) -> Formula:
    terms: list[Formula] = []
    for term in node.terms:
        if isinstance(term, f.Add):
            terms.extend(term.terms)
        elif isinstance(term, f.Negative) and isinstance(term.arg, f.Add):
            terms.extend(_tidy(f.Negative(t)) for t in term.arg.terms)
        elif term != f.Number(Fraction(0)):
            terms.append(term)
    if len(terms) == 1:
        return terms[0]
    return _common_factor(terms) if terms else f.Number(Fraction(0))


def _common_factor(terms: list[Formula]) -> Formula:
    """u/m + v/m as (1/m)(u + v); a sign that all terms share goes out, a positive term goes first otherwise."""
    parts = [split(term) for term in terms]
    sizes = {-c if negative(c) else c for c, _ in parts}
    if len(sizes) == 1:
        (size,) = sizes
        if size != 1 and all(core is not None for _, core in parts):
            sign = -1 if all(negative(c) for c, _ in parts) else 1
            return join(sign * size, f.Add(tuple(join(sign * c / size, core) for c, core in parts)))
    return f.Add(tuple(terms))


@_tidy.register
def _(node: f.Product) -> Formula:
    c, cores = _split_all(node.factors)
    flat: list[Formula] = []
    for core in cores:
        flat.extend(core.factors if isinstance(core, f.Product) and not _scalar_chain(core) else (core,))
    identity = [isinstance(u, f.Diagonal) and isinstance(u.arg, f.Ones) for u in flat]
    if len(flat) > 1 and any(identity):
        kept = [u for u, one in zip(flat, identity, strict=True) if not one]
        flat = kept or flat[:1]
    if not flat:
        return join(c, None)
    scalars = [u for u in flat if shape(u) == SCALAR]
    if len(scalars) == len(flat) and any(isinstance(u, f.Hadamard) for u in flat):
        flat = [v for u in flat for v in (u.factors if isinstance(u, f.Hadamard) else (u,))]
    return join(c, flat[0] if len(flat) == 1 else f.Product(tuple(flat)))


def _scalar_chain(node: f.Product) -> bool:
    """u^T v and the like: a scalar made of arrays keeps its brackets inside a product."""
    return shape(node) == SCALAR and any(shape(u) != SCALAR for u in node.factors)


@_tidy.register
def _(node: f.Hadamard) -> Formula:
    c, cores = _split_all(node.factors)
    flat: list[Formula] = []
    for core in cores:
        flat.extend(core.factors if isinstance(core, f.Hadamard) else (core,))
    whole = shape(node)
    if whole == SCALAR:
        return _tidy(f.Product((constant(c) if not negative(c) else f.Negative(constant(-c)), *flat)))
    full = [u for u in flat if shape(u) == whole and not isinstance(u, f.Ones)]
    flat = [u for u in flat if not (isinstance(u, f.Ones) and full)]
    if not flat:
        return join(c, None)
    small = [u for u in flat if shape(u) == SCALAR]
    large = [u for u in flat if shape(u) != SCALAR]
    body = large[0] if len(large) == 1 else f.Hadamard(tuple(large))
    if small:
        body = (
            f.Product((*small, *large)) if len(large) == 1 else f.Hadamard((f.Product((*small, large[0])), *large[1:]))
        )
    return join(c, body)


@_tidy.register
def _(node: f.Quotient) -> Formula:
    return join(*split(node))


@_tidy.register
def _(node: f.Power) -> Formula:
    if node.exponent == f.Number(Fraction(1)):
        return node.base
    if node.exponent == f.Number(Fraction(0)):
        return _one()
    return join(*split(node))


@_tidy.register
def _(node: f.Transpose) -> Formula:
    arg = node.arg
    if shape(arg) == SCALAR:
        return arg
    c, core = split(arg)
    if c != 1:
        return join(c, _tidy(f.Transpose(core))) if core is not None else join(c, None)
    match arg:
        case f.Transpose():
            return arg.arg
        case f.Ones(shape=(rows, columns)):
            return f.Ones((columns, rows))
        case f.Diagonal():
            return arg
        case f.Product():
            return _tidy(f.Product(tuple(_tidy(f.Transpose(u)) for u in reversed(arg.factors))))
    return node


@_tidy.register
def _(node: f.Total) -> Formula:
    if shape(node.arg) == SCALAR:
        return node.arg
    c, core = split(node.arg)
    return node if c == 1 or core is None else join(c, _tidy(f.Total(core, node.axis)))


@_tidy.register
def _(node: f.Diagonal) -> Formula:
    c, core = split(node.arg)
    return node if c == 1 or core is None else join(c, f.Diagonal(core))


def spread(node: Formula) -> bool:
    """Whether a formula is a scalar repeated over an array."""
    return isinstance(node, f.Product) and any(isinstance(u, f.Ones) for u in node.factors)


def ones(rows: sympy.Expr, columns: sympy.Expr) -> Formula:
    return _one() if rows == ONE == columns else f.Ones((rows, columns))
