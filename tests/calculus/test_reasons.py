"""Each rule's reason, entry by entry, is the meaning of what the rule answers."""

from fractions import Fraction

import formula_values
import index_values
import mpmath
import numpy as np
import pytest
import sympy
from exact import Env

from symbackprop.algebra import formula as f
from symbackprop.calculus.pullback import LOG_SOFTMAX, REPETITION, RULES, pullback
from symbackprop.calculus.reasons import reasons

SIZES = {"n": 4, "k": 2, "m": 3, "l": 1}


def environment(names: dict[str, tuple[int, int]]) -> Env:
    rng = np.random.default_rng(3)
    arrays = {
        name: [[Fraction(int(v), 7) for v in row] for row in rng.integers(1, 20, size=shape)]
        for name, shape in names.items()
    }
    cube = [lambda x: x**3 / 5, lambda x: 3 * x**2 / 5]
    loss = (lambda a, y: sum(p * t for p, t in zip(a, y, strict=True)), lambda a, y: list(y))
    return Env(arrays, dict(SIZES), {"f": cube}, {"C": loss})


def answer(why, env):
    """What the rule answers for this array, by the witness."""
    node, children = why.through.formula, why.through.formula.children
    if node == why.wrt:
        return formula_values.value(why.cotangent, env)
    at = next(k for k, child in enumerate(children) if why.wrt in set(f.walk(child)))
    inner = pullback(node, why.cotangent, at)
    child = children[at]
    if child != why.wrt:  # one node further down, in a sum over an index
        inner = f.IndexSum(pullback(child, inner, child.children.index(why.wrt)), node.index, node.lower, node.upper)
    return formula_values.value(inner, env)


CASES = [(rule.name, why) for rule, whys in reasons().items() for why in whys]


@pytest.mark.parametrize(("name", "why"), CASES, ids=[f"{name}-{why.wrt.name}" for name, why in CASES])
def test_a_reason_is_what_the_rule_answers(name, why):
    symbols = {u for u in f.walk(why.through.formula) if isinstance(u, f.Symbol)} | {why.cotangent}
    sizes = {u.name: tuple(int(s.subs(SIZES)) for s in u.shape) for u in symbols}
    with mpmath.workdps(40):
        env = environment(sizes)
        env.arrays["U"] = formula_values.value(why.through.formula, env).tolist()
        want = answer(why, env)
        axes = [(i, n) for i, n in zip(why.indices, why.wrt.shape, strict=True) if isinstance(i, sympy.Symbol)]
        got = index_values.entries(why.entry, axes, env).reshape(want.shape)
        for g, w in zip(got.flat, want.flat, strict=True):
            assert abs(mpmath.mpf(str(float(g))) - mpmath.mpf(str(float(w)))) <= 1e-12 * max(1, abs(float(w)))


def test_every_rule_has_its_reason():
    named = set(RULES.values()) | {REPETITION, LOG_SOFTMAX}
    assert {rule.name for rule in reasons()} == {rule.name for rule in named} - {"identity"}
