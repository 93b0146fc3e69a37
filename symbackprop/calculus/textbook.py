"""Rational scalar expressions put as a textbook prints them: 1 - a, a - y, 2 (a - y) a (1 - a).

SymPy cancels and factors; the order and the signs, which it does not keep, are decided here. ``Role`` is what a symbol
stands for, in the order in which factors of a product are written: the error first, the activation after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula
from symbackprop.calculus.tidy import Coefficient, constant, negative
from symbackprop.errors import Unsupported


class Role(IntEnum):
    ERROR = 0  # what comes from above: delta, W^T delta, grad C
    WEIGHT = 1
    PREACTIVATION = 2
    ACTIVATION = 3
    TARGET = 4
    CONSTANT = 5
    RATE = 6  # f'(z), and indicators


def placeholder(i: int) -> sympy.Symbol:
    return sympy.Symbol(f"u{i}")


@lru_cache(maxsize=4096)
def closed(expr: sympy.Expr, roles: tuple[Role, ...]) -> tuple[Coefficient, Formula | None]:
    """A rational expression in ``placeholder(0)``, ... cancelled and ordered: its coefficient and its core.

    Symbols that are no placeholders (m, lambda) belong to the coefficient. The core speaks ``f.Symbol("u0")``, ...

    >>> a, y = placeholder(0), placeholder(1)
    >>> c, core = closed((y - a) / (a**2 - a) * a * (1 - a), (Role.ACTIVATION, Role.TARGET))
    >>> c, core
    (1, Add(terms=(Symbol('u0'), Negative(arg=Symbol('u1')))))
    """
    symbols = [placeholder(i) for i in range(len(roles))]
    role = dict(zip(symbols, roles, strict=True))
    cancelled = sympy.cancel(sympy.together(expr))
    if cancelled.has(sympy.nan, sympy.zoo, sympy.oo):
        raise Unsupported("a quotient whose denominator is 0")
    top, bottom = sympy.fraction(cancelled)
    c_top, top_factors = _factors(top, role)
    c_bottom, bottom_factors = _factors(bottom, role)
    numerator, denominator = (_product(fs) for fs in (top_factors, bottom_factors))
    coefficient = c_top / c_bottom
    if denominator is None:
        return coefficient, numerator
    return coefficient, f.Quotient(numerator or f.Number(Fraction(1)), denominator)


def _factors(e: sympy.Expr, role: dict[sympy.Symbol, Role]) -> tuple[Coefficient, list[Formula]]:
    """The factors of a polynomial, each with a positive first term, in textbook order."""
    coefficient, found = sympy.factor_list(e)
    keyed: list[tuple[tuple[int, ...], Formula]] = []
    for factor, exponent in _squares_joined(found):
        if not factor.free_symbols & role.keys():
            coefficient = coefficient * factor**exponent
            continue
        sign, written = _polynomial(factor, role)
        coefficient = coefficient * sign**exponent
        keyed.append((_place(factor, role), written if exponent == 1 else written ** int(exponent)))
    return coefficient, [u for _, u in sorted(keyed, key=lambda pair: pair[0])]


def _squares_joined(found: list[tuple[sympy.Expr, int]]) -> list[tuple[sympy.Expr, int]]:
    """(a - 1)(a + 1) as a^2 - 1: nobody writes tanh' in factors."""
    powers = dict(found)
    for factor, exponent in found:
        symbol = factor + 1
        if symbol.is_Symbol and powers.get(factor + 2) == exponent:
            del powers[factor], powers[factor + 2]
            powers[symbol**2 - 1] = exponent
    return list(powers.items())


def _place(factor: sympy.Expr, role: dict[sympy.Symbol, Role]) -> tuple[int, ...]:
    """Where a factor stands: what holds a target or an error first, then weights, a before 1 - a, f'(z) last."""
    roles = {role[s] for s in factor.free_symbols & role.keys()}
    index = min(int(s.name[1:]) for s in factor.free_symbols & role.keys())
    if Role.TARGET in roles or Role.ERROR in roles:
        return (0, 0 if Role.ERROR not in roles else 1, index)
    single = factor.is_Symbol
    return (min(roles), 0 if single else 1, index)


def _product(factors: Sequence[Formula]) -> Formula | None:
    if not factors:
        return None
    return factors[0] if len(factors) == 1 else f.Hadamard(tuple(factors))


def _polynomial(factor: sympy.Expr, role: dict[sympy.Symbol, Role]) -> tuple[int, Formula]:
    """A factor as a sum whose first term is positive, and the sign that this took."""
    terms = sorted(sympy.Add.make_args(sympy.expand(factor)), key=lambda t: _term_place(t, role))
    sign = -1 if negative(terms[0]) else 1
    written = tuple(_term(sign * t, role) for t in terms)
    return sign, written[0] if len(written) == 1 else f.Add(written)


def _term_place(term: sympy.Expr, role: dict[sympy.Symbol, Role]) -> tuple[int, ...]:
    """1 first, then errors, then activations, then what has only targets; lower degrees first."""
    present = term.free_symbols & role.keys()
    if not present:
        return (-1, 0, 0)
    roles = sorted(role[s] for s in present)
    degree = int(sum(sympy.degree(term, s) for s in present))
    order = -degree if roles[0] is Role.ERROR else degree
    return (roles[0], order, min(int(s.name[1:]) for s in present))


def _term(term: sympy.Expr, role: dict[sympy.Symbol, Role]) -> Formula:
    coefficient, powers = sympy.S.One, []
    for factor in sympy.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if base in role:
            powers.append((role[base], base.name, int(exponent)))
        else:
            coefficient = coefficient * factor
    factors = [f.Symbol(name) if e == 1 else f.Symbol(name) ** e for _, name, e in sorted(powers)]
    size = -coefficient if negative(coefficient) else coefficient
    if size != 1 or not factors:
        factors.insert(0, constant(size))
    written = factors[0] if len(factors) == 1 else f.Hadamard(tuple(factors))
    return f.Negative(written) if negative(coefficient) else written
