"""Kinks: where a scalar function's derivative jumps, found from the pieces of its definition."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.algebra.formula import Function
from symbackprop.errors import NetworkError

_z = Function.argument
_NEAR = sympy.Rational(1, 10**20)
_JUMP = sympy.Rational(1, 10**12)


@dataclass(frozen=True)
class Kink:
    """A point where the derivative jumps, and the value that is taken there."""

    at: sympy.Expr
    rate: sympy.Expr


def in_pieces(definition: sympy.Expr) -> sympy.Expr:
    """Maxima and minima as pieces, so that a derivative at the edge is that of the last piece: max(0, z)' = 0 at 0.

    >>> in_pieces(sympy.Max(0, _z))
    Piecewise((z, z > 0), (0, True))
    """

    def pieces(*args: sympy.Expr, sign: int) -> sympy.Expr:
        first, *rest = sorted(args, key=lambda u: u.is_number)
        if not rest:
            return first
        other = pieces(*rest, sign=sign)
        return sympy.Piecewise((first, first > other if sign > 0 else first < other), (other, True))

    definition = definition.replace(sympy.Max, lambda *args: pieces(*args, sign=1))
    return definition.replace(sympy.Min, lambda *args: pieces(*args, sign=-1))


def find_kinks(definition: sympy.Expr, name: str) -> tuple[Kink, ...]:
    """The points where the derivative jumps, with the value that the definition's own pieces give there.

    Raises NetworkError where an edge between pieces is not linear in z, or depends on a parameter: such kinks are to be
    declared.
    """
    derivative = sympy.diff(definition, _z)
    found = []
    for point in sorted(_edges(definition, name)):
        left, right = (derivative.subs(_z, point + side * _NEAR).evalf(40) for side in (-1, 1))
        if not (left - right).is_number or abs(left - right) > _JUMP:
            found.append(Kink(point, derivative.subs(_z, point)))
    return tuple(found)


def _edges(definition: sympy.Expr, name: str) -> set[sympy.Expr]:
    """Where a condition of a piece, or the argument of an absolute value or a sign, changes."""
    zeros = [u.args[0] for u in definition.atoms(sympy.Abs, sympy.sign, sympy.Heaviside)]
    zeros += [
        condition.lhs - condition.rhs
        for piece in definition.atoms(sympy.Piecewise)
        for _, part in piece.args
        for condition in part.atoms(sympy.core.relational.Relational)
    ]
    points = set()
    for zero in zeros:
        points |= set(_roots(zero, name))
    return points


def _roots(zero: sympy.Expr, name: str) -> list[sympy.Expr]:
    """The zeros of what decides between pieces, where they can be told: linear in z, or |z| against a number."""
    if not zero.has(_z):
        return []
    inner = list(zero.atoms(sympy.Abs))
    if len(inner) == 1 and not zero.xreplace({inner[0]: sympy.Dummy()}).has(_z):
        (absolute,) = inner
        edge = sympy.Dummy("edge")
        values = sympy.Poly(zero.xreplace({absolute: edge}), edge).all_roots() if zero.has(absolute) else []
        return [r for v in values for sign in (1, -1) for r in _linear(absolute.args[0] - sign * v, name)]
    if zero.has(sympy.Piecewise):
        return [r for piece in zero.atoms(sympy.Piecewise) for u, _ in piece.args for r in _linear(u, name)]
    return _linear(zero, name)


def _linear(zero: sympy.Expr, name: str) -> list[sympy.Expr]:
    if not zero.has(_z):
        return []
    slope = sympy.diff(zero, _z)
    if zero.is_polynomial(_z) and not slope.has(_z):
        at = sympy.cancel(-zero.subs(_z, 0) / slope)
        if at.is_number:
            return [at]
    elif zero.has(sympy.exp) and zero.subs(_z, 0) == 0 and (slope.is_positive or slope.is_negative):
        return [sympy.S.Zero]  # strictly monotonic, as 1 - e^z is
    raise NetworkError(
        f"the kinks of {name} cannot be found: declare them, as kinks=(Kink(at, rate), ...), or kinks=()"
    )
