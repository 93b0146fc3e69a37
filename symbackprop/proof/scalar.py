"""Scalar functions in the ring: read off their definitions, so that every relation follows from a definition.

exp, log and what is made of them come to one basis: tanh z = 2 sigmoid(2z) - 1, cosh z = (e^z + e^-z)/2. Pieces become
steps: off the kinks a comparison is 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import sympy

from symbackprop.algebra.formula import Function
from symbackprop.algebra.functions import without_reciprocals
from symbackprop.errors import Unsupported
from symbackprop.proof.atoms import UNIT, Polynomial
from symbackprop.proof.ring import Ring


def applied(
    ring: Ring, function: Function, order: int, arg: Polynomial, scalar: Callable[[str], Polynomial]
) -> Polynomial:
    """f(arg), or a derivative of f there, by the definition of f; ``scalar`` gives the parameters in it by name."""
    definition = function.definition if order == 0 else function.derivative(order)
    if definition is None:
        return opaque(ring, function, order, arg)
    return _Reader(ring, arg, scalar).read(without_reciprocals(definition))


def opaque(ring: Ring, function: Function, order: int, arg: Polynomial) -> Polynomial:
    """f(arg) as an atom of its own: nothing is known of f but its name and its definition."""
    return ring.atom("function", arg, (function.name, str(function.definition), order))


class _Reader:
    def __init__(self, ring: Ring, z: Polynomial, scalar: Callable[[str], Polynomial]) -> None:
        self._ring, self._z, self._scalar = ring, z, scalar

    def read(self, e: sympy.Basic) -> Polynomial:
        ring = self._ring
        if e == Function.argument:
            return self._z
        if isinstance(e, sympy.Rational):
            return ring.constant(Fraction(int(e.p), int(e.q)))
        if e is sympy.E:
            return ring.exp({UNIT: 1})
        if e is sympy.pi:
            return ring.named_constant("pi")
        if isinstance(e, sympy.Symbol):
            return self._scalar(e.name)
        if isinstance(e, sympy.Add):
            return ring.add(*map(self.read, e.args))
        if isinstance(e, sympy.Mul):
            return ring.mul(*map(self.read, e.args))
        if isinstance(e, sympy.Pow):
            return self._power(e)
        if isinstance(e, sympy.Piecewise):
            return self._pieces(e)
        if isinstance(e, sympy.Function) and len(e.args) == 1:
            return self._function(e, self.read(e.args[0]))
        raise Unsupported(f"{type(e).__name__} in the definition of a function")

    def _power(self, e: sympy.Pow) -> Polynomial:
        base, exponent = e.args
        if isinstance(exponent, sympy.Rational):
            return self._ring.power(self.read(base), Fraction(int(exponent.p), int(exponent.q)))
        return self._ring.exp(self._ring.mul(self.read(exponent), self._ring.log(self.read(base))))

    def _function(self, e: sympy.Function, u: Polynomial) -> Polynomial:
        ring = self._ring
        match e:
            case sympy.exp():
                return ring.exp(u)
            case sympy.log():
                return ring.log(u)
            case sympy.tanh():
                return ring.minus(ring.scaled(ring.sigmoid(ring.scaled(u, 2)), 2), {UNIT: 1})
            case sympy.sinh() | sympy.cosh():
                up, down = ring.exp(u), ring.exp(ring.negative(u))
                both = ring.add(up, down) if isinstance(e, sympy.cosh) else ring.minus(up, down)
                return ring.scaled(both, Fraction(1, 2))
            case sympy.Abs():
                return ring.mul(u, self._sign(u))
            case sympy.sign():
                return self._sign(u)
            case sympy.sin() | sympy.cos() | sympy.erf() | sympy.atan():
                return ring.atom(e.func.__name__, u)
        raise Unsupported(f"the function {e.func.__name__} in a definition")

    def _sign(self, u: Polynomial) -> Polynomial:
        if u and any(u):
            self._ring.note_kink(u)
        return self._ring.minus(self._ring.scaled(self._ring.step(u), 2), {UNIT: 1}) if u else {}

    def _pieces(self, e: sympy.Piecewise) -> Polynomial:
        """The first piece whose condition holds."""
        ring = self._ring
        out: Polynomial = {}
        left: Polynomial = {UNIT: 1}
        for value, condition in e.args:
            holds = self._holds(condition)
            here = ring.mul(left, holds)
            if here:
                out = ring.add(out, ring.mul(here, self.read(value)))
            left = ring.minus(left, here)
            if not left:
                break
        return out

    def _holds(self, condition: sympy.Basic) -> Polynomial:
        ring = self._ring
        match condition:
            case sympy.true:
                return {UNIT: 1}
            case sympy.false | sympy.Eq():
                return {}
            case sympy.Ne():
                return {UNIT: 1}
            case sympy.And():
                return ring.mul(*map(self._holds, condition.args))
            case sympy.Or():
                return ring.minus({UNIT: 1}, ring.mul(*(ring.minus({UNIT: 1}, self._holds(c)) for c in condition.args)))
            case sympy.Not():
                return ring.minus({UNIT: 1}, self._holds(condition.args[0]))
        strict = not isinstance(condition, sympy.GreaterThan | sympy.LessThan)
        if isinstance(condition, sympy.StrictGreaterThan | sympy.GreaterThan):
            return self._above(condition.args[0], condition.args[1], strict)
        if isinstance(condition, sympy.StrictLessThan | sympy.LessThan):
            return self._above(condition.args[1], condition.args[0], strict)
        raise Unsupported(f"the condition {condition} in the definition of a function")

    def _above(self, left: sympy.Expr, right: sympy.Expr, strict: bool) -> Polynomial:
        """Whether left > right; |u| > d is u > d or -u > d, for d that is not negative."""
        ring = self._ring
        for outer, other, more in ((left, right, True), (right, left, False)):
            if isinstance(outer, sympy.Abs) and isinstance(other, sympy.Rational) and other >= 0:
                u, d = self.read(outer.args[0]), self.read(other)
                within = ring.mul(ring.step(ring.add(u, d)), ring.step(ring.minus(d, u)))
                return ring.minus({UNIT: 1}, within) if more else within
        return ring.step(ring.minus(self.read(left), self.read(right)), int(not strict))
