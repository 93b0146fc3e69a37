"""Numbers for the two evaluators, ``formula_values`` and ``index_values``: Fractions, mpf, and jets over either.

Nothing of the package's own arithmetic is used: a formula or an index expression is only read, field by field.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy
from mpmath import mpf


class Jet:
    """v + d epsilon with epsilon^2 = 0, over Fractions (exact) or mpf: forward differentiation."""

    __slots__ = ("d", "v")

    def __init__(self, v: Any, d: Any = 0) -> None:
        self.v, self.d = v, d

    def __add__(self, other: Any) -> "Jet":
        o = jet(other)
        return Jet(self.v + o.v, self.d + o.d)

    def __mul__(self, other: Any) -> "Jet":
        o = jet(other)
        return Jet(self.v * o.v, self.d * o.v + self.v * o.d)

    def __neg__(self) -> "Jet":
        return Jet(-self.v, -self.d)

    def __sub__(self, other: Any) -> "Jet":
        return self + -jet(other)

    def __rsub__(self, other: Any) -> "Jet":
        return jet(other) - self

    __radd__, __rmul__ = __add__, __mul__


def jet(x: Any) -> Jet:
    return x if isinstance(x, Jet) else Jet(x)


def real(x: Any) -> mpf:
    """A number as mpf at the working precision."""
    return mpf(int(x.numerator)) / int(x.denominator) if hasattr(x, "numerator") else mpf(x)


def power(x: Any, e: Any) -> Any:
    """x^e for an e that does not depend on any array: exact where e is whole."""
    if isinstance(x, Jet):
        return Jet(power(x.v, e), e * power(x.v, e - 1) * x.d if x.d else 0)
    whole = Fraction(e)
    if whole.denominator == 1:
        return (Fraction(1, x) if isinstance(x, int) else 1 / x) ** -int(whole) if whole < 0 else x ** int(whole)
    return mpmath.power(real(x), real(e))


@cache
def _derivative(definition: sympy.Expr, z: sympy.Symbol, order: int) -> tuple[sympy.Expr, Callable[[mpf], mpf]]:
    expr = sympy.diff(definition, z, order) if order else definition
    return expr, sympy.lambdify(z, expr, "mpmath")


@dataclass
class Env:
    """Where letters get their values.

    ``arrays`` by the symbol's name, as 2-D arrays of numbers; ``scalars`` sizes, rates and indices by name;
    ``functions[name][order]`` the opaque scalar functions; ``losses[letter]`` the pair of C(a, y) and its gradient by
    a (a list), for one sample.
    """

    arrays: dict[str, Any]
    scalars: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, list[Callable[[Any], Any]]] = field(default_factory=dict)
    losses: dict[str, tuple[Callable[[list, list], Any], Callable[[list, list], list]]] = field(default_factory=dict)

    def bind(self, **values: Any) -> "Env":
        return replace(self, scalars=self.scalars | values)

    def whole(self, e: sympy.Expr) -> int:
        """The value of a size or an index."""
        value = sympy.sympify(e).xreplace({s: sympy.Integer(self.scalars[s.name]) for s in e.free_symbols})
        assert value.is_Integer, f"{e} is {value}"
        return int(value)

    def array(self, name: str) -> Any:
        rows = self.arrays[name]
        out = np.empty((len(rows), len(rows[0])), dtype=object)
        for i, row in enumerate(rows):
            for j, v in enumerate(row):
                out[i, j] = v
        return out

    def scalar(self, name: str) -> Any:
        return +mpmath.pi if name == "pi" else self.scalars[name]

    def apply(self, function: Any, order: int, x: Any) -> Any:
        """f^(order)(x); exact where the result is rational."""
        if isinstance(x, Jet):
            return Jet(self.apply(function, order, x.v), self.apply(function, order + 1, x.v) * x.d if x.d else 0)
        if function.definition is None:
            return self.functions[function.name][order](x)
        expr, numeric = _derivative(function.definition, function.argument, order)
        if isinstance(x, int | Fraction):
            exact = expr.subs(function.argument, sympy.Rational(Fraction(x).numerator, Fraction(x).denominator))
            if exact.is_Rational:
                return Fraction(int(exact.p), int(exact.q))
        return numeric(real(x))


def same(u: Any, v: Any) -> bool:
    """Equality of two numbers: exact for rationals, to 30 digits where either is an mpf (work at 40 or more)."""
    if isinstance(u, mpf) or isinstance(v, mpf):
        return bool(abs(real(u) - real(v)) <= mpf(10) ** -30 * max(1, abs(real(v))))
    return bool(u == v)


def same_arrays(u: Any, v: Any) -> bool:
    return u.shape == v.shape and all(map(same, u.ravel(), v.ravel()))


def evaluated(explicit: sympy.Matrix, env: Env) -> Any:
    """The entries of an explicit SymPy matrix by mpmath, with the opaque functions of the environment put in."""
    opaque: dict[str, Any] = {}
    for name, orders in env.functions.items():
        opaque |= {name + ("", "_prime", "_prime2")[n]: function for n, function in enumerate(orders)}
    for letter, (loss, gradient) in env.losses.items():
        opaque[letter] = lambda *v, loss=loss: loss(list(v[: len(v) // 2]), list(v[len(v) // 2 :]))
        opaque[f"grad_{letter}"] = lambda slot, *v, gradient=gradient: gradient(
            list(v[: len(v) // 2]), list(v[len(v) // 2 :])
        )[int(slot) - 1]
    names = sorted(explicit.free_symbols, key=str)
    function = sympy.lambdify(names, explicit.tolist(), [opaque, "mpmath"])
    known = {n: mpmath.matrix([[real(v) for v in row] for row in rows]) for n, rows in env.arrays.items()}
    known |= {n: v if isinstance(v, int) else real(v) for n, v in env.scalars.items()}
    out = np.empty(explicit.shape, dtype=object)
    for i, row in enumerate(function(*(known[str(n)] for n in names))):
        out[i, :] = row
    return out
