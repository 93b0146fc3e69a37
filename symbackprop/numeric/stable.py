"""What overflows or cancels as it is written, in a form that does not: by the last activation and what the loss asks.

A logarithm of a sigmoid of -1000 is -1000, not the logarithm of 0. Each entry is an identity of the activation, which
tests/numeric/test_stable.py holds against the definitions to many digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Function, Map, Symbol
from symbackprop.algebra.functions import LOG, TANH, sigmoid, softplus
from symbackprop.model.activations import ARGUMENT
from symbackprop.model.losses import LOSSES, PREDICTION, TARGET

Definitions = Mapping[Symbol, Formula]

_z = Function.argument

LOG_SIGMOID = Function("log_sigmoid", r"\log \sigma", -sympy.log(1 + sympy.exp(-_z)))
LOG_OTHER_SIGMOID = Function("log_one_minus_sigmoid", "", -sympy.log(1 + sympy.exp(_z)))
LOG_OTHER_TANH = Function("log_one_minus_tanh", "", sympy.log(1 - sympy.tanh(_z)))
LOG_SOFTPLUS = Function("log_softplus", "", sympy.log(sympy.log(1 + sympy.exp(_z))))
SOFTPLUS_RATIO = Function("sigmoid_over_softplus", "", 1 / (1 + sympy.exp(-_z)) / sympy.log(1 + sympy.exp(_z)))
X_LOG_X = Function("x_log_x", "", sympy.Piecewise((_z * sympy.log(_z), _z > 0), (0, True)))


@cache
def logarithms() -> dict[sympy.Expr, tuple[Function | None, Function | None]]:
    """For an activation's definition: log a and log (1 - a) as functions of z."""
    return {
        sigmoid().definition: (LOG_SIGMOID, LOG_OTHER_SIGMOID),
        softplus().definition: (LOG_SOFTPLUS, None),
        TANH.definition: (None, LOG_OTHER_TANH),
    }


@cache
def fused() -> dict[tuple[sympy.Expr, Formula], Formula]:
    """The term of a loss behind an activation, as one formula in z and y: sigmoid with y log a + (1-y) log(1-a)."""
    bernoulli = LOSSES["binary_cross_entropy"].term
    assert isinstance(bernoulli, Formula)
    return {(sigmoid().definition, bernoulli): TARGET * ARGUMENT - Map(softplus(), ARGUMENT)}


def stabilise(node: Formula, definitions: Definitions) -> Formula:
    """The formula with every part that has a stable form replaced by it."""
    for rule in (_fused, _log_of_quotient, _log_of_output, _log_of_rest, _rate_over_output):
        node = f.rewrite(node, lambda u, rule=rule: rule(u, definitions))  # type: ignore[misc]
    return node


def _argument(a: Formula, definitions: Definitions) -> tuple[sympy.Expr, Formula] | None:
    """An activation's definition and argument, for the name of its output."""
    defined = definitions.get(a) if isinstance(a, Symbol) else None
    if isinstance(defined, Map) and defined.order == 0:
        return defined.function.definition, defined.arg
    return None


def _fused(node: Formula, definitions: Definitions) -> Formula:
    """A whole term of a loss; the terms in the table have y as their first factor."""
    if not isinstance(node, f.Add):
        return node
    arrays = {u for u in f.walk(node) if isinstance(u, Symbol)}
    for (definition, term), form in fused().items():
        for a in arrays:
            found = _argument(a, definitions)
            if found is None or found[0] != definition:
                continue
            for y in arrays - {a}:
                if f.substitute(term, {PREDICTION: a, TARGET: y}) == node:
                    return f.substitute(form, {ARGUMENT: found[1], TARGET: y})
    return node


def _is_log(node: Formula) -> bool:
    return isinstance(node, Map) and node.function == LOG and node.order == 0


def _log_of_quotient(node: Formula, definitions: Definitions) -> Formula:
    """y log(y/a) = y log y - y log a, where 0 log 0 is 0."""
    if not isinstance(node, f.Hadamard):
        return node
    for u in node.factors:
        if isinstance(u, Map) and _is_log(u) and isinstance(u.arg, f.Quotient) and u.arg.numerator in node.factors:
            y, rest = u.arg.numerator, list(node.factors)
            rest.remove(u)
            rest.remove(y)
            difference = Map(X_LOG_X, y) - y * Map(LOG, u.arg.denominator)
            return f.Hadamard((difference, *rest)) if rest else difference
    return node


def _log_of_output(node: Formula, definitions: Definitions) -> Formula:
    """log a as a function of z."""
    if not isinstance(node, Map) or not _is_log(node):
        return node
    defined = definitions.get(node.arg) if isinstance(node.arg, Symbol) else None
    if isinstance(defined, f.Softmax) and not defined.log:
        return f.Softmax(defined.arg, defined.axis, log=True)
    return _by_table(node, node.arg, 0, definitions)


def _log_of_rest(node: Formula, definitions: Definitions) -> Formula:
    """log(1 - a) as a function of z."""
    if isinstance(node, Map) and _is_log(node) and isinstance(node.arg, f.Add):
        match node.arg.terms:
            case (f.Number(value=one), f.Negative(arg=a)) if one == 1:
                return _by_table(node, a, 1, definitions)
    return node


def _by_table(node: Formula, a: Formula, which: int, definitions: Definitions) -> Formula:
    found = _argument(a, definitions)
    function = logarithms().get(found[0], (None, None))[which] if found is not None else None
    return node if found is None or function is None else Map(function, found[1])


def _rate_over_output(node: Formula, definitions: Definitions) -> Formula:
    """sigma(z) / softplus(z), which is 0/0 far below 0."""
    if not isinstance(node, f.Quotient):
        return node
    top, bottom = _factors(node.numerator), _factors(node.denominator)
    for a in bottom:
        found = _argument(a, definitions)
        if found is None or found[0] != softplus().definition:
            continue
        rate = Map(sigmoid(), found[1])
        if rate in top:
            top[top.index(rate)] = Map(SOFTPLUS_RATIO, found[1])
            bottom.remove(a)
            return f.Quotient(_product(top), _product(bottom)) if bottom else _product(top)
    return node


def _factors(node: Formula) -> list[Formula]:
    return list(node.factors) if isinstance(node, f.Hadamard) else [node]


def _product(factors: list[Formula]) -> Formula:
    return factors[0] if len(factors) == 1 else f.Hadamard(tuple(factors))
