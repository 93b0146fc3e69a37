"""The elementary scalar functions: what formulas of losses and activations are made of.

Each is one ``Function`` with its SymPy definition. ``rate`` is the derivative as textbooks write it, a formula in
``Symbol("z")``: a claim, which tests/laws/test_functions.py verifies against the definition; where it is absent the
derivative is read off the definition.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import sympy

from symbackprop.algebra.formula import Formula, Function, Map, Symbol, formula

_z = Function.argument
_u = Symbol("z")


def _number(value: Fraction | int) -> sympy.Rational:
    return sympy.Rational(Fraction(value).numerator, Fraction(value).denominator)


def _shown(value: Fraction | int) -> str:
    exact = Fraction(value)
    sign = "-" if exact < 0 else ""
    exact = abs(exact)
    return sign + (str(exact) if exact.denominator == 1 else rf"\frac{{{exact.numerator}}}{{{exact.denominator}}}")


def interval(low: Fraction | int, high: Fraction | int) -> Function:
    """1 between the ends, 0 elsewhere and at the ends."""
    inside = sympy.And(_z > _number(low), _z < _number(high))
    latex = rf"\mathbf{{1}}\left[{_shown(low)} < #1 < {_shown(high)}\right]"
    return Function("interval", latex, sympy.Piecewise((1, inside), (0, True)))


def clip(low: Fraction | int, high: Fraction | int) -> Function:
    """z held between two ends; its derivative at an end is taken as 0."""
    a, b = _number(low), _number(high)
    latex = rf"\operatorname{{clip}}\left(#1, {_shown(low)}, {_shown(high)}\right)"
    definition = sympy.Piecewise((a, _z <= a), (b, _z >= b), (_z, True))
    return Function("clip", latex, definition, rate=Map(interval(low, high), _u))


def huber(d: Fraction | int) -> Function:
    """r^2/2 within d of 0, d (|r| - d/2) beyond (Huber 1964)."""
    at = _number(d)
    definition = sympy.Piecewise((_z**2 / 2, sympy.Abs(_z) <= at), (at * (sympy.Abs(_z) - at / 2), True))
    return Function("huber", r"\operatorname{huber}\left(#1\right)", definition, rate=Map(clip(-d, d), _u))


EXP = Function("exp", r"e^{#1}", sympy.exp(_z))
LOG = Function("log", r"\log", sympy.log(_z))
SQRT = Function("sqrt", r"\sqrt{#1}", sympy.sqrt(_z))
TANH = Function("tanh", r"\tanh", sympy.tanh(_z))
SINH = Function("sinh", r"\sinh", sympy.sinh(_z))
COSH = Function("cosh", r"\cosh", sympy.cosh(_z))
SIN = Function("sin", r"\sin", sympy.sin(_z))
COS = Function("cos", r"\cos", sympy.cos(_z))
ERF = Function("erf", r"\operatorname{erf}", sympy.erf(_z))
# At 0 the pieces say what is taken: sign(0) = 0, step(0) = 0, relu'(0) = 0.
SIGN = Function("sign", r"\operatorname{sign}", sympy.Piecewise((1, _z > 0), (-1, _z < 0), (0, True)), rate=formula(0))
STEP = Function("step", r"\mathbf{1}\left[#1 > 0\right]", sympy.Piecewise((1, _z > 0), (0, True)), rate=formula(0))
ABS = Function("abs", r"\left|#1\right|", sympy.Piecewise((_z, _z > 0), (-_z, _z < 0), (0, True)), rate=Map(SIGN, _u))
POSITIVE_PART = Function(
    "positive_part", r"\max\left(0, #1\right)", sympy.Piecewise((_z, _z > 0), (0, True)), rate=Map(STEP, _u)
)

FUNCTIONS: dict[str, Function] = {
    f.name: f for f in (EXP, LOG, SQRT, TANH, SINH, COSH, SIN, COS, ERF, ABS, SIGN, STEP, POSITIVE_PART)
}


# Notes use these; SymPy's sech and the like stand for 1/cosh, see without_reciprocals.
FURTHER: dict[str, Function] = {
    name: Function(name, rf"\operatorname{{{name}}}", definition)
    for name, definition in {
        "sech": sympy.sech(_z),
        "csch": sympy.csch(_z),
        "coth": sympy.coth(_z),
        "tan": sympy.tan(_z),
        "sec": sympy.sec(_z),
        "csc": sympy.csc(_z),
        "cot": sympy.cot(_z),
        "arctan": sympy.atan(_z),
    }.items()
}


# Made when they are asked for: SymPy's first sum imports a part of SymPy that takes as long as all of this package.


@cache
def sigmoid() -> Function:
    return Function("sigmoid", r"\sigma", 1 / (1 + sympy.exp(-_z)))


@cache
def softplus() -> Function:
    """log(1 + e^z), whose derivative is the sigmoid."""
    return Function("log1pexp", r"\log\left(1 + e^{#1}\right)", sympy.log(1 + sympy.exp(_z)), rate=Map(sigmoid(), _u))


@cache
def logit() -> Function:
    """The inverse of the sigmoid."""
    return Function("logit", r"\operatorname{logit}", sympy.log(_z / (1 - _z)))


@cache
def log_cosh() -> Function:
    return Function("log_cosh", r"\log\cosh", sympy.log(sympy.cosh(_z)), rate=Map(TANH, _u))


def without_reciprocals(e: sympy.Expr) -> sympy.Expr:
    """The expression with 1/cosh for sech and the like, so that fewer functions need to be known.

    >>> without_reciprocals(sympy.sech(_z) ** 2)
    cosh(z)**(-2)
    """
    for function, inverse in (
        (sympy.sech, sympy.cosh),
        (sympy.csch, sympy.sinh),
        (sympy.sec, sympy.cos),
        (sympy.csc, sympy.sin),
    ):
        e = e.replace(function, lambda u, inverse=inverse: 1 / inverse(u))
    for function, top, bottom in (
        (sympy.coth, sympy.cosh, sympy.sinh),
        (sympy.tan, sympy.sin, sympy.cos),
        (sympy.cot, sympy.cos, sympy.sin),
    ):
        e = e.replace(function, lambda u, top=top, bottom=bottom: top(u) / bottom(u))
    return e


def is_elementary(function: Function) -> bool:
    """Whether a derivative of the function is written as what it is: log' as 1/z, where sigma' stays sigma'."""
    return function.rate is not None or FUNCTIONS.get(function.name) == function


def is_indicator(function: Function) -> bool:
    return function == STEP or function.name == "interval"


def exp(arg: Formula) -> Formula:
    return Map(EXP, arg)


def log(arg: Formula) -> Formula:
    return Map(LOG, arg)
