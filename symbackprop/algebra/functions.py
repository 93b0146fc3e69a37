"""The elementary scalar functions: what formulas of losses and activations are made of.

Each is one ``Function`` with its SymPy definition; derivatives are derived from that, never stored.
"""

from __future__ import annotations

import sympy

from symbackprop.algebra.formula import Formula, Function, Map

_z = Function.argument

EXP = Function("exp", r"\exp", sympy.exp(_z))
LOG = Function("log", r"\log", sympy.log(_z))
SQRT = Function("sqrt", r"\sqrt", sympy.sqrt(_z))
TANH = Function("tanh", r"\tanh", sympy.tanh(_z))
SINH = Function("sinh", r"\sinh", sympy.sinh(_z))
COSH = Function("cosh", r"\cosh", sympy.cosh(_z))
SIN = Function("sin", r"\sin", sympy.sin(_z))
COS = Function("cos", r"\cos", sympy.cos(_z))
ERF = Function("erf", r"\operatorname{erf}", sympy.erf(_z))
# At 0 the three below take the value on the right of the bar: |0|' = 0, step(0) = 0, relu'(0) = 0.
ABS = Function("abs", r"\operatorname{abs}", sympy.Piecewise((_z, _z > 0), (-_z, _z < 0), (0, True)))
SIGN = Function("sign", r"\operatorname{sign}", sympy.Piecewise((1, _z > 0), (-1, _z < 0), (0, True)))
STEP = Function("step", r"\mathbb{1}", sympy.Piecewise((1, _z > 0), (0, True)))
POSITIVE_PART = Function("positive_part", r"\max", sympy.Piecewise((_z, _z > 0), (0, True)))

FUNCTIONS: dict[str, Function] = {
    f.name: f for f in (EXP, LOG, SQRT, TANH, SINH, COSH, SIN, COS, ERF, ABS, SIGN, STEP, POSITIVE_PART)
}


def exp(arg: Formula) -> Formula:
    return Map(EXP, arg)


def log(arg: Formula) -> Formula:
    return Map(LOG, arg)
