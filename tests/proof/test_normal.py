"""The normal form counts what does not depend on an index, and never makes two values one."""

from fractions import Fraction

import pytest
import sympy

from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Symbol
from symbackprop.proof.budget import Budget, BudgetEnded
from symbackprop.proof.normal import Normaliser
from symbackprop.proof.ring import Ring

n, i, j, k = sympy.symbols("n i j k")
three = sympy.Integer(3)
u, v = Symbol("u", (n, ONE)), Symbol("v", (ONE, ONE))
scalar = ix.Generator(v, (ONE, ONE))


def normal(node, ring=Ring()):  # noqa: B008 (one ring, so that forms can be compared)
    return Normaliser(ring, sizes={"n"}).of(node, {})


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


def test_what_expands_too_far_ends_its_budget():
    wide = ix.Add(tuple(ix.Generator(Symbol(f"w{m}", (ONE, ONE)), (ONE, ONE)) for m in range(9)))
    with pytest.raises(BudgetEnded, match="multiplying out"):
        normal(ix.Power(wide, ix.Constant(Fraction(8))), Ring(budget=Budget(5000)))


def generator(name, *places):
    return ix.Generator(Symbol(name, (sympy.Symbol("n"), ONE)), (*places, ONE))


def test_normal_form_renames_expands_and_cancels():
    i, j, k, n = sympy.symbols("i j k n")

    def total(body, index):
        return ix.Sum(body, index, ONE, n)

    u, v = (lambda at: generator("u", at)), (lambda at: generator("v", at))
    square = ix.Power(total(u(i), i), ix.Constant(Fraction(2)))
    assert normal(square) == normal(total(total(ix.Mul((u(k), u(j))), j), k))
    assert normal(square) != normal(total(ix.Mul((u(j), u(j))), j))
    assert normal(ix.Mul((v(k), ix.Add((u(i), u(j)))))) == normal(ix.Add((ix.Mul((u(j), v(k))), ix.Mul((v(k), u(i))))))
    assert normal(ix.Add((u(i), ix.Mul((ix.MINUS_ONE, u(i)))))) == {}
    assert normal(total(u(i), j)) == normal(ix.Mul((ix.Value("n"), u(i))))
    assert normal(total(total(ix.Mul((u(i), v(j))), i), j)) != normal(total(total(ix.Mul((u(i), v(i))), i), j))
