"""Scalar functions as array operations: the stable form of each, and its rate in what is computed already.

``FORMS`` is found by a function's definition, so that a function of a user's own that is silu is computed as silu.
Each form is an identity, which tests/numeric/test_elementary.py holds against the definition to many digits; what has
no entry is computed as its definition says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import sympy
from sympy.core.relational import Relational

from symbackprop.algebra import functions
from symbackprop.algebra.formula import Function
from symbackprop.model.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE
from symbackprop.numeric import stable
from symbackprop.numeric.graph import Graph, Node
from symbackprop.numeric.scalar_code import nodes_of, stabilised

HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Build:
    """Writes scalar expressions into a graph; ``number`` makes a node of a number."""

    graph: Graph

    def __call__(self, op: str, *args: int) -> int:
        return self.graph.apply(op, *args)

    def number(self, value: sympy.Expr | int) -> int:
        return self.graph.scalar(value)

    def plus(self, u: int, value: sympy.Expr | int) -> int:
        return self("add", u, self.number(value))

    def times(self, u: int, value: sympy.Expr | int) -> int:
        return self("multiply", u, self.number(value))

    def one_minus(self, u: int) -> int:
        return self("subtract", self.number(1), u)

    def where(self, condition: int, yes: int, no: int) -> int:
        return self("where", condition, yes, no)

    def above(self, u: int, value: sympy.Expr | int) -> int:
        return self("greater", u, self.number(value))


Form = Callable[[Build, int], int]


@dataclass(frozen=True)
class Forms:
    """f(z) and, where it has a form of its own, f'(z)."""

    value: Form
    rate: Form | None = None


def operation(name: str) -> Form:
    return lambda g, z: g(name, z)


def relu(g: Build, z: int) -> int:
    """max(z, 0)."""
    return g("maximum", z, g.number(0))


def step(g: Build, z: int) -> int:
    """[z > 0], which is [max(z, 0) > 0] where that is at hand."""
    held = g.graph.known(Node("maximum", (z, g.number(0)), g.graph.shape(z)))
    return g("as_float", g.above(z if held is None else held, 0))


def leaky_relu(g: Build, z: int) -> int:
    """max(z, z/100)."""
    return g("maximum", z, g.times(z, sympy.Rational(1, 100)))


def leaky_rate(g: Build, z: int) -> int:
    return g.where(g.above(z, 0), g.number(1), g.number(sympy.Rational(1, 100)))


def elu(g: Build, z: int) -> int:
    """max(z, e^min(z, 0) - 1): both agree in sign, and the exponential cannot overflow."""
    return g("maximum", z, g("expm1", g("minimum", z, g.number(0))))


def elu_rate(g: Build, z: int) -> int:
    """min(a, 0) + 1: 1 above 0, a + 1 = e^z below."""
    return g.plus(g("minimum", elu(g, z), g.number(0)), 1)


def selu(g: Build, z: int) -> int:
    """scale (max(z, 0) + alpha (e^min(z, 0) - 1))."""
    below = g.times(g("expm1", g("minimum", z, g.number(0))), SELU_ALPHA * SELU_SCALE)
    return g("add", g.times(relu(g, z), SELU_SCALE), below)


def selu_rate(g: Build, z: int) -> int:
    """scale for z > 0, else a + scale alpha."""
    return g.where(g.above(z, 0), g.number(SELU_SCALE), g.plus(selu(g, z), SELU_SCALE * SELU_ALPHA))


def softsign(g: Build, z: int) -> int:
    return g("divide", z, g.plus(g("absolute", z), 1))


def silu(g: Build, z: int) -> int:
    return g("multiply", z, g("sigmoid", z))


def silu_rate(g: Build, z: int) -> int:
    """s + a (1 - s), with s = sigma(z) and a = z s."""
    s = g("sigmoid", z)
    return g("add", s, g("multiply", silu(g, z), g.one_minus(s)))


def normal(g: Build, z: int) -> int:
    """Phi(z) = erfc(-z / sqrt 2) / 2, which keeps its digits far below 0."""
    return g.times(g("erfc", g.times(z, -1 / sympy.sqrt(2))), HALF)


def gelu(g: Build, z: int) -> int:
    return g("multiply", z, normal(g, z))


def gelu_rate(g: Build, z: int) -> int:
    """Phi(z) + z e^(-z^2/2) / sqrt(2 pi)."""
    density = g("exp", g.times(g("square", z), -HALF))
    return g("add", normal(g, z), g("multiply", z, g.times(density, 1 / sympy.sqrt(2 * sympy.pi))))


CUBIC = sympy.Rational(44715, 1000000)


def _gelu_tanh_inner(g: Build, z: int) -> int:
    k = sympy.sqrt(2 / sympy.pi)
    return g("tanh", g("multiply", z, g.plus(g.times(g("square", z), k * CUBIC), k)))


def gelu_tanh(g: Build, z: int) -> int:
    """(z/2) (1 + u) with u = tanh(z (k + k c z^2))."""
    return g("multiply", z, g.plus(g.times(_gelu_tanh_inner(g, z), HALF), HALF))


def gelu_tanh_rate(g: Build, z: int) -> int:
    """(1 + u)/2 + (z/2) (1 - u^2) (k + 3 k c z^2)."""
    k = sympy.sqrt(2 / sympy.pi)
    u = _gelu_tanh_inner(g, z)
    slope = g.plus(g.times(g("square", z), 3 * k * CUBIC / 2), k / 2)
    second = g("multiply", g("multiply", z, slope), g.one_minus(g("square", u)))
    return g("add", g.plus(g.times(u, HALF), HALF), second)


def mish(g: Build, z: int) -> int:
    return g("multiply", z, g("tanh", g("softplus", z)))


def mish_rate(g: Build, z: int) -> int:
    """t + z sigma(z) (1 - t^2) with t = tanh softplus z."""
    t = g("tanh", g("softplus", z))
    return g("add", t, g("multiply", g("multiply", z, g("sigmoid", z)), g.one_minus(g("square", t))))


def hardsigmoid(g: Build, z: int) -> int:
    line = g.plus(g.times(z, sympy.Rational(1, 6)), HALF)
    return g("minimum", g("maximum", line, g.number(0)), g.number(1))


def log_cosh(g: Build, z: int) -> int:
    """|z| + log(1 + e^(-2|z|)) - log 2: cosh itself overflows at 711."""
    size = g("absolute", z)
    return g.plus(g("add", size, g("log1p", g("exp", g.times(size, -2)))), -sympy.log(2))


def _log_sigmoid(g: Build, z: int) -> int:
    return g("negative", g("softplus", g("negative", z)))


def _log_other_sigmoid(g: Build, z: int) -> int:
    return g("negative", g("softplus", z))


def _log_other_tanh(g: Build, z: int) -> int:
    """1 - tanh z = 2 / (1 + e^(2z))."""
    return g("subtract", g.number(sympy.log(2)), g("softplus", g.times(z, 2)))


FAR_BELOW = sympy.Integer(-37)  # e^-37 vanishes beside 1 in double precision


def _log_softplus(g: Build, z: int) -> int:
    """z itself far below 0, where softplus z is e^z."""
    held = g("maximum", z, g.number(FAR_BELOW))
    return g("add", g("log", g("softplus", held)), g("minimum", g.plus(z, -FAR_BELOW), g.number(0)))


def _softplus_ratio(g: Build, z: int) -> int:
    """1 far below 0."""
    held = g("maximum", z, g.number(FAR_BELOW))
    return g("divide", g("sigmoid", held), g("softplus", held))


def _x_log_x(g: Build, y: int) -> int:
    """0 at 0."""
    return g("multiply", y, g("log", g.where(g.above(y, 0), y, g.number(1))))


def clip(low: sympy.Expr, high: sympy.Expr) -> Form:
    return lambda g, z: g("minimum", g("maximum", z, g.number(low)), g.number(high))


def between(low: sympy.Expr, high: sympy.Expr) -> Form:
    """[low < z < high], from clip(z) where that is at hand: it lies strictly between for the same z."""

    def form(g: Build, z: int) -> int:
        inner = g.graph.known(Node("maximum", (z, g.number(low)), g.graph.shape(z)))
        held = None if inner is None else g.graph.known(Node("minimum", (inner, g.number(high)), g.graph.shape(z)))
        u = z if held is None else held
        return g("as_float", g("logical_and", g.above(u, low), g("less", u, g.number(high))))

    return form


def huber(at: sympy.Expr) -> Form:
    """c (r - c/2) with c = clip(r, -d, d), which is the rate."""

    def form(g: Build, r: int) -> int:
        c = clip(-at, at)(g, r)
        return g("multiply", c, g("subtract", r, g.times(c, HALF)))

    return form


@cache
def forms() -> dict[sympy.Expr, Forms]:
    """The forms by the function's definition."""
    elementary = {
        functions.EXP: Forms(operation("exp"), operation("exp")),
        functions.LOG: Forms(operation("log")),
        functions.SQRT: Forms(operation("sqrt")),
        functions.TANH: Forms(operation("tanh"), lambda g, z: g.one_minus(g("square", g("tanh", z)))),
        functions.SINH: Forms(operation("sinh"), operation("cosh")),
        functions.COSH: Forms(operation("cosh"), operation("sinh")),
        functions.SIN: Forms(operation("sin"), operation("cos")),
        functions.COS: Forms(operation("cos")),
        functions.ERF: Forms(operation("erf")),
        functions.ABS: Forms(operation("absolute"), operation("sign")),
        functions.SIGN: Forms(operation("sign")),
        functions.STEP: Forms(step),
        functions.POSITIVE_PART: Forms(relu, step),
        functions.sigmoid(): Forms(
            operation("sigmoid"), lambda g, z: g("multiply", g("sigmoid", z), g.one_minus(g("sigmoid", z)))
        ),
        functions.softplus(): Forms(operation("softplus"), operation("sigmoid")),
        functions.log_cosh(): Forms(log_cosh, operation("tanh")),
        stable.LOG_SIGMOID: Forms(_log_sigmoid),
        stable.LOG_OTHER_SIGMOID: Forms(_log_other_sigmoid),
        stable.LOG_OTHER_TANH: Forms(_log_other_tanh),
        stable.LOG_SOFTPLUS: Forms(_log_softplus),
        stable.SOFTPLUS_RATIO: Forms(_softplus_ratio),
        stable.X_LOG_X: Forms(_x_log_x),
    }
    named = {
        "leaky_relu": Forms(leaky_relu, leaky_rate),
        "elu": Forms(elu, elu_rate),
        "selu": Forms(selu, selu_rate),
        "softsign": Forms(softsign),
        "silu": Forms(silu, silu_rate),
        "gelu": Forms(gelu, gelu_rate),
        "gelu_tanh": Forms(gelu_tanh, gelu_tanh_rate),
        "mish": Forms(mish, mish_rate),
        "hardsigmoid": Forms(hardsigmoid),
    }
    return {
        **{function.definition: found for function, found in elementary.items()},
        **{ACTIVATIONS[name].function.definition: found for name, found in named.items()},
    }


def form(function: Function, order: int, held: bool = True) -> Form:
    """How a scalar function, or its derivative of an order, is computed."""
    definition = function.definition
    assert definition is not None
    if held or order == 0:
        known = forms().get(definition)
        found = (known.value, known.rate)[order] if known is not None and order < 2 else None
        found = found or (_family(definition) if order == 0 else None)
        if found is not None:
            return found
    written = stabilised(definition) if held else definition
    derivative = sympy.diff(written, Function.argument, order) if order else written
    return lambda g, z: nodes_of(derivative, g.graph, {Function.argument: z})


def _family(definition: sympy.Expr) -> Form | None:
    """A clip, an interval or Huber's function, by the ends in its pieces."""
    if not isinstance(definition, sympy.Piecewise):
        return None
    numbers = sorted(
        {side for _, c in definition.args for r in c.atoms(Relational) for side in r.args if side.is_Rational}
    )
    if not 1 <= len(numbers) <= 2:
        return None
    low, high = Fraction(str(numbers[0])), Fraction(str(numbers[-1]))
    families = (
        (functions.clip(low, high), clip(numbers[0], numbers[-1])),
        (functions.interval(low, high), between(numbers[0], numbers[-1])),
        (functions.huber(high), huber(numbers[-1])),
    )
    return next((found for family, found in families if family.definition == definition), None)
