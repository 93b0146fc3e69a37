"""The ring knows the identities that are true, none that is not, and gives one form whatever the order."""

import random
from fractions import Fraction

import mpmath
import pytest
import sympy

from symbackprop.algebra.formula import Function
from symbackprop.proof.atoms import UNIT
from symbackprop.proof.budget import Budget, BudgetEnded
from symbackprop.proof.clearing import vanishes
from symbackprop.proof.ring import Ring
from symbackprop.proof.scalar import applied

z = Function.argument
w, u, m, pi = sympy.symbols("w u m pi_")
sigma = 1 / (1 + sympy.exp(-z))


def form(expr, ring):
    """A scalar expression in z, w, u as a polynomial: w and u are any real numbers, m is a size."""

    def scalar(name):
        return ring.size(name) if name == "m" else ring.entry(name, ())

    return applied(ring, Function("f", "f", expr), 0, ring.entry("z", ()), scalar)


def sig(e):
    return 1 / (1 + sympy.exp(-e))


TRUE = [
    (1 - sigma, sig(-z)),
    (sympy.tanh(z), 2 * sig(2 * z) - 1),
    (sympy.diff(sympy.log(1 + sympy.exp(z)), z), sigma),
    (sympy.diff(sigma, z), sigma * (1 - sigma)),
    (sympy.diff(sigma, z, 2), sigma * (1 - sigma) * (1 - 2 * sigma)),
    (sympy.diff(sympy.tanh(z), z), 1 - sympy.tanh(z) ** 2),
    (sympy.exp(z + w), sympy.exp(z) * sympy.exp(w)),
    (sympy.exp(2 * z), sympy.exp(z) ** 2),
    (sympy.log(sympy.exp(z)), z),
    (sympy.exp(sympy.log(w)), w),
    (sympy.log(sigma), z - sympy.log(1 + sympy.exp(z))),
    (sympy.log(1 - sigma), -sympy.log(1 + sympy.exp(z))),
    (sympy.log(1 + sympy.exp(-z)), sympy.log(1 + sympy.exp(z)) - z),
    (sympy.cosh(z) ** 2 - sympy.sinh(z) ** 2, sympy.Integer(1)),
    (sympy.sinh(z) / sympy.cosh(z), sympy.tanh(z)),
    (1 / sympy.cosh(z) ** 2, 1 - sympy.tanh(z) ** 2),
    (sympy.exp(z) * sigma, sympy.exp(z) - sigma),
    (1 / sigma, 1 + sympy.exp(-z)),
    (w / sigma * sigma * (1 - sigma), w * (1 - sigma)),
    ((w - sigma) / (sigma * (1 - sigma)), w / sigma - (1 - w) / (1 - sigma)),
    (1 / w + 1 / (1 - w), 1 / (w * (1 - w))),
    (m * w / (m * w + u) + u / (m * w + u), sympy.Integer(1)),
    (w / (m * w + u), (1 - u / (m * w + u)) / m),
    (sympy.sqrt(m) ** 2, m),
    (sympy.sqrt(m * w**2) / sympy.sqrt(m), sympy.sqrt(w**2)),
    (sympy.Abs(z) ** 2, z**2),
    (sympy.Piecewise((z, z > 0), (0, True)) - sympy.Piecewise((-z, z < 0), (0, True)), z),
    (sympy.Piecewise((z, z > 0), (0, True)) * sympy.sign(z), sympy.Piecewise((z, z > 0), (0, True))),
    (z / (1 + sympy.Abs(z)) * (1 + sympy.Abs(z)), z),
    (sympy.sin(z) ** 2 + sympy.cos(z) ** 2, sympy.Integer(1)),
    (sympy.Rational(1, 2) * (1 + sympy.tanh(z / 2)), sigma),
    (sympy.log(m * w) - sympy.log(m), sympy.log(w)),
]
FALSE = [
    (sigma, sig(-z)),
    (sympy.tanh(z), 2 * sigma - 1),
    (sympy.exp(z + w), sympy.exp(z) + sympy.exp(w)),
    (sympy.sqrt(w**2), w),
    (sympy.sqrt(w**2 * u), w * sympy.sqrt(u)),
    (sympy.Abs(z), z),
    (sympy.log(1 + sympy.exp(z)), z),
    (sympy.log(w**2), sympy.log(w)),
    (sympy.sign(z), sympy.Integer(1)),
    (sympy.Piecewise((z, z > 0), (0, True)), sympy.Piecewise((z, z > 1), (0, True))),
    (sympy.diff(sigma, z), sigma),
    (sympy.exp(z) * sigma, sympy.exp(z) + sigma),
    (1 / w + 1 / (1 - w), 1 / w * (1 - w)),
    (m, 2 * m),
    (sympy.erf(z), sympy.tanh(z)),
]


def equal(left, right):
    ring = Ring()
    return vanishes(ring, ring.minus(form(left, ring), form(right, ring)))


@pytest.mark.parametrize(("left", "right"), TRUE, ids=str)
def test_a_true_identity_is_found(left, right):
    assert equal(left, right)


@pytest.mark.parametrize(("left", "right"), FALSE, ids=str)
def test_a_false_identity_is_not(left, right):
    assert not equal(left, right)


@pytest.mark.parametrize("seed", range(60))
def test_what_the_ring_calls_equal_has_equal_values(seed):
    """Random expressions from a small grammar: equal normal forms, equal values in 40 digits."""
    rng = random.Random(seed)
    leaves = [z, w, sympy.Integer(1), sympy.Integer(2), sigma, sympy.exp(z), sympy.tanh(z), sympy.exp(-z)]

    def grow(depth):
        if depth == 0:
            return rng.choice(leaves)
        a, b = grow(depth - 1), grow(depth - 1)
        return rng.choice((a + b, a - b, a * b, a * b, sig(a), sympy.log(1 + sympy.exp(a)), 1 / (2 + b**2)))

    made = [grow(2) for _ in range(6)]
    made += [sympy.expand(e) for e in made[:3]] + [e.subs(z, -z).subs(z, -z) for e in made[:3]]
    ring = Ring()
    point = {z: sympy.Rational(3, 7), w: sympy.Rational(-5, 11)}
    with mpmath.workdps(40):
        values = [sympy.N(e.xreplace(point), 40) for e in made]
    forms = [form(e, ring) for e in made]
    for i, p in enumerate(forms):
        for j, q in enumerate(forms[:i]):
            if p == q:
                assert abs(values[i] - values[j]) < sympy.Float("1e-30") * (1 + abs(values[i])), (made[i], made[j])


def test_names_of_bound_indices_and_the_order_of_sums_do_not_matter():
    ring = Ring()

    def chain(names):
        i, j, k = names
        factors = [ring.entry("W", (i, j)), ring.entry("W", (j, k)), ring.entry("a", (i,)), ring.entry("a", (k,))]
        random.Random(str(names)).shuffle(factors)
        product = ring.mul(*factors)
        for name in sorted(names, key=lambda n: random.Random(n + names[0]).random()):
            product = ring.sum(product, name, "n")
        return product

    first = chain(("i", "j", "k"))
    for names in (("k", "i", "j"), ("q", "p", "r"), ("j", "k", "i")):
        assert chain(names) == first
    assert len(first) == 1


def test_powers_of_one_sum_cost_nothing():
    """(1^T a)^9 and a norm to the 14th, whose bound indices tie in every order."""
    ring = Ring(budget=Budget(2000))
    total = ring.sum(ring.entry("a", ("i",)), "i", "n")
    assert len(ring.power(total, 9)) == 1
    square = ring.sum(ring.power(ring.entry("a", ("i",)), 2), "i", "n")
    root = ring.power(square, Fraction(1, 2))
    assert ring.power(root, 14) == ring.power(square, 7)
    inner = ring.sum(ring.entry("W", ("i", "s")), "i", "n")
    tied = ring.sum(ring.power(inner, 9), "s", "m")  # nine sums that share the sample
    assert len(tied) == 1


def test_a_closed_sum_is_1_and_only_along_its_axis():
    ring = Ring(closed={"Y": 0})
    y = ring.entry("Y", ("i", "s"))
    assert ring.sum(y, "i", "n") == {UNIT: 1}
    assert ring.sum(y, "s", "m") != {UNIT: 1}
    assert ring.sum(ring.power(y, 2), "i", "n") != {UNIT: 1}
    assert ring.sum(ring.mul(y, ring.entry("a", ("i",))), "i", "n") != ring.entry("a", ("i",))
    assert Ring().sum(y, "i", "n") != {UNIT: 1}


def test_softmax_sums_to_1_by_its_definition_alone():
    ring = Ring()

    def softmax(i):
        top = ring.exp(ring.entry("z", (i, "s")))
        return ring.mul(top, ring.inverse(ring.sum(ring.exp(ring.entry("z", ("k", "s"))), "k", "n")))

    assert ring.sum(softmax("i"), "i", "n") == {UNIT: 1}
    assert ring.sum(softmax("i"), "s", "m") != {UNIT: 1}
    weighted = ring.mul(softmax("i"), ring.entry("v", ("s",)))
    both = ring.sum(ring.sum(weighted, "s", "m"), "i", "n")
    assert both == ring.sum(ring.entry("v", ("s",)), "s", "m")
    shifted = ring.add(ring.entry("z", ("i", "s")), ring.entry("c", ("s",)))
    top = ring.exp(shifted)
    total = ring.sum(ring.rename(top, {"i": "k"}), "k", "n")
    assert ring.mul(top, ring.inverse(total)) == softmax("i")


def test_a_delta_takes_its_index_only_along_its_own_axis():
    ring = Ring()
    a = ring.entry("a", ("j",))
    assert ring.sum(ring.mul(ring.delta("i", "j", "n"), a), "j", "n") == ring.entry("a", ("i",))
    assert ring.sum(ring.mul(ring.delta("i", "j", "n"), a), "j", "m") != ring.entry("a", ("i",))
    assert ring.mul(ring.delta("i", "j", "n"), a) == ring.mul(ring.delta("j", "i", "n"), ring.entry("a", ("i",)))
    assert ring.sum(ring.sum(ring.delta("i", "j", "n"), "j", "n"), "i", "n") == ring.size("n")


def test_a_budget_ends_with_its_name():
    ring = Ring(budget=Budget(100))
    wide = ring.add(*(ring.entry(f"a{n}", ()) for n in range(12)))
    with pytest.raises(BudgetEnded, match="multiplying out"):
        ring.power(wide, 6)
