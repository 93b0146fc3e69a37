"""The normal form counts what does not depend on an index, and never makes two values one."""

from fractions import Fraction

import pytest
import sympy

from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Symbol
from symbackprop.calculus.normal import normal
from symbackprop.errors import Unsupported

n, i, j, k = sympy.symbols("n i j k")
three = sympy.Integer(3)
u, v = Symbol("u", (n, ONE)), Symbol("v", (ONE, ONE))
scalar = ix.Generator(v, (ONE, ONE))


def at(index):
    return ix.Generator(u, (index, ONE))


def times(number, node):
    return ix.Mul((ix.Constant(Fraction(number)), node))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (ix.Sum(scalar, i, ONE, three), times(3, scalar)),
        (ix.Sum(scalar, i, ONE, n), ix.Mul((ix.Value("n"), scalar))),
        (ix.Sum(at(i), i, ONE, n), ix.Sum(at(j), j, ONE, n)),
        (
            ix.Power(ix.Sum(at(i), i, ONE, n), ix.Constant(Fraction(2))),
            ix.Sum(ix.Sum(ix.Mul((at(i), at(j))), i, ONE, n), j, ONE, n),
        ),
        (
            ix.Sum(ix.Add((at(i), scalar)), i, ONE, n),
            ix.Add((ix.Sum(at(i), i, ONE, n), ix.Mul((ix.Value("n"), scalar)))),
        ),
    ],
)
def test_equal_values_have_one_normal_form(left, right):
    assert normal(left) == normal(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (ix.Sum(scalar, i, ONE, three), scalar),
        (ix.Sum(scalar, i, ONE, n), scalar),
        (ix.Sum(at(i), i, ONE, n), at(k)),
        (ix.Sum(ix.Mul((at(i), at(i))), i, ONE, n), ix.Power(ix.Sum(at(i), i, ONE, n), ix.Constant(Fraction(2)))),
        (ix.Sum(ix.Mul((at(i), at(k))), i, ONE, n), ix.Mul((at(k), at(k)))),
        (times(2, scalar), scalar),
    ],
)
def test_different_values_have_different_normal_forms(left, right):
    assert normal(left) != normal(right)


def test_what_expands_too_far_is_refused():
    wide = ix.Add(tuple(ix.Generator(Symbol(f"w{m}", (ONE, ONE)), (ONE, ONE)) for m in range(9)))
    with pytest.raises(Unsupported, match="more than"):
        normal(ix.Power(wide, ix.Constant(Fraction(5))))
