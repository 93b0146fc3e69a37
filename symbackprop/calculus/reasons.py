"""Each pullback rule with its reason, entry by entry and for symbolic sizes: derived once, of a typical equation."""

from __future__ import annotations

from functools import cache

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Function, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.calculus.pullback import Rule, rule_of
from symbackprop.calculus.steps import Index, Why
from symbackprop.model.layers import Assignment

_n, _k, _m = sympy.symbols("n k m")
_i = sympy.Symbol("l")
_V, _W = Symbol("V", (_n, _m)), Symbol("W", (_n, _m))
_A, _B = Symbol("V", (_n, _k)), Symbol("W", (_k, _m))
_v, _z, _y = Symbol("v", (_n, ONE)), Symbol("z", (_n, ONE)), Symbol("y", (_n, ONE))
_f = Function("f", "f")

# A typical equation for each rule, and the arrays by which it is differentiated.
TYPICAL: tuple[tuple[Formula, tuple[Symbol, ...]], ...] = (
    (-_V, (_V,)),
    (_V + _W, (_V, _W)),
    (_A @ _B, (_A, _B)),
    (_v @ f.Ones((ONE, _m)), (_v,)),
    (_V * _W, (_V, _W)),
    (_V / _W, (_V, _W)),
    (_V**3, (_V,)),
    (_V.T, (_V,)),
    (f.Map(_f, _V), (_V,)),
    (f.Softmax(_z, 0), (_z,)),
    (f.Softmax(_z, 0, log=True), (_z,)),
    (f.OpaqueLoss("C", _v, _y, 0), (_v,)),
    (f.Total(_V), (_V,)),
    (f.Norm(_V, 2, 2), (_V,)),
    (f.Diagonal(_v), (_v,)),
    (f.Entry(_V, sympy.Integer(2), sympy.Integer(3)), (_V,)),
    (f.IndexSum(f.Product((f.Entry(_v, _i, ONE), _V)), _i, ONE, _n), (_V,)),
)


@cache
def reasons() -> dict[Rule, tuple[Why, ...]]:
    """The reason of each rule: for each array of its typical equation the derivative by an entry, and what it leaves.

    >>> [str(rule) for rule in reasons()][2:4]
    ['matrix product rule', 'repetition rule']
    """
    found: dict[Rule, tuple[Why, ...]] = {}
    for formula, arrays in TYPICAL:
        value = Symbol("U", shape(formula))
        through = Assignment(value, formula)
        bar = Symbol("G", value.shape)  # dJ/dU
        found[rule_of(formula)] = tuple(Why(through, array, bar, Index(_m, frozenset("nkm"))) for array in arrays)
    return found
