"""The elementary functions keep their word: the claimed derivative is that of the definition."""

from fractions import Fraction

import formula_values
import mpmath
import pytest
import sympy
from exact import Env, real

from symbackprop.algebra import formula as f
from symbackprop.algebra import functions
from symbackprop.algebra.formula import Function

z = Function.argument
TABLE = [
    *functions.FUNCTIONS.values(),
    functions.sigmoid(),
    functions.softplus(),
    functions.log_cosh(),
    functions.clip(-1, 1),
    functions.clip(0, 6),
    functions.huber(1),
    functions.huber(Fraction(3, 2)),
    functions.interval(-3, 3),
]
CLAIMS = [function for function in TABLE if function.rate is not None]
POINTS = [mpmath.mpf(n) / 16 for n in (-101, -47, -23, -13, -5, -1, 1, 3, 9, 19, 37, 67, 103)]


def claimed(function: Function, x: mpmath.mpf) -> mpmath.mpf:
    assert function.rate is not None
    return real(formula_values.value(function.rate, Env({"z": [[x]]})).item())


def measured(function: Function, x: mpmath.mpf) -> mpmath.mpf:
    value = sympy.lambdify(z, function.definition, "mpmath")
    h = mpmath.mpf(10) ** -18
    return (value(x + h) - value(x - h)) / (2 * h)


@pytest.mark.parametrize("function", CLAIMS, ids=lambda u: u.name)
def test_a_claimed_rate_is_the_slope(function: Function) -> None:
    with mpmath.workdps(60):
        for x in POINTS:
            assert abs(claimed(function, x) - measured(function, x)) < mpmath.mpf(10) ** -25, x


def test_a_wrong_claim_is_noticed() -> None:
    wrong = Function("wrong", r"\wrong", sympy.exp(z), rate=f.Map(functions.sigmoid(), f.Symbol("z")))
    with mpmath.workdps(60):
        assert abs(claimed(wrong, POINTS[-1]) - measured(wrong, POINTS[-1])) > 1


def test_claims_are_there() -> None:
    assert {u.name for u in CLAIMS} >= {"abs", "positive_part", "huber", "clip", "log_cosh", "log1pexp"}


@pytest.mark.parametrize("function", TABLE, ids=lambda u: u.name)
def test_latex_is_a_name_or_a_pattern(function: Function) -> None:
    assert function.latex.startswith("\\") or "#1" in function.latex
    assert function.latex.count("{") == function.latex.count("}")
