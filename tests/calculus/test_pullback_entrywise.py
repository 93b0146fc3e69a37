"""Each pullback rule against two routes that know no matrix rule: partial derivatives entry by entry, and jets.

With dJ = <G, dU>, three arrays must be one: the rule's formula, the contraction of G with dU_ab/dV_cd in index form,
and the derivative of <G, U> along each entry of V by forward differentiation. All in exact rationals where U is
rational, else in 50 digits; sizes are symbols in the formulas and rectangular numbers in the values.
"""

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import formula_values
import index_values
import mpmath
import numpy as np
import pytest
import sympy
from exact import Env, Jet, same_arrays
from formula_examples import ARRAYS, EXAMPLES, SIGMA, D, P, U, V, W, c, environment, n, p, r, random_formula, u

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Formula
from symbackprop.algebra.functions import EXP
from symbackprop.algebra.index import Fresh
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape
from symbackprop.calculus.entrywise import collapse, differentiate
from symbackprop.calculus.pullback import RULES, gathered, pullback
from symbackprop.calculus.sweep import uses
from symbackprop.errors import Unsupported
from symbackprop.model.layers import Assignment

Pull = Callable[[Formula, Formula, int], Formula]
OUT, AT = sympy.symbols("out_r out_c"), sympy.symbols("at_r at_c")


@pytest.fixture(autouse=True)
def _fifty_digits() -> Iterator[None]:
    with mpmath.workdps(50):
        yield


def cotangent(node: Formula, env: Env) -> f.Symbol:
    """G of the shape of the node, with values of its own."""
    rng = random.Random(1)
    height, width = (env.whole(size) for size in shape(node))
    env.arrays["G"] = [
        [Fraction(rng.randint(-9, 9), rng.choice((2, 3, 5))) for _ in range(width)] for _ in range(height)
    ]
    return f.Symbol("G", shape(node))


def by_jets(node: Formula, by: f.Symbol, env: Env) -> Any:
    """d <G, U> / dV_cd, one forward pass for each entry of V."""
    G, rows = env.array("G"), env.arrays[by.name]
    out = np.empty((len(rows), len(rows[0])), dtype=object)
    for at in np.ndindex(*out.shape):
        seeded = [[Jet(v, Fraction(int((a, b) == at))) for b, v in enumerate(row)] for a, row in enumerate(rows)]
        value = formula_values.value(node, Env(env.arrays | {by.name: seeded}, env.scalars, env.functions, env.losses))
        out[at] = sum(g * v.d for g, v in zip(G.ravel(), value.ravel(), strict=True) if isinstance(v, Jet))
    return out


def by_entries(node: Formula, by: f.Symbol, env: Env) -> tuple[Any, Any]:
    """sum_ab G_ab dU_ab/dV_cd in index form, as it is and with the sums that a delta decides carried out."""
    fresh = Fresh(env.scalars.__contains__)
    out = tuple(ONE if size == ONE else name for size, name in zip(shape(node), OUT, strict=True))
    at = tuple(ONE if size == ONE else name for size, name in zip(by.shape, AT, strict=True))
    total: ix.IndexExpr = ix.Mul(
        (ix.Generator(f.Symbol("G", shape(node)), out), differentiate(meaning(node, out, fresh).body, by, at, fresh))
    )
    for index, size in zip(out, shape(node), strict=True):
        if index != ONE:
            total = ix.Sum(total, index, ONE, size)
    axes = list(zip(AT, by.shape, strict=True))
    return tuple(index_values.entries(e, axes, env) for e in (total, collapse(total)))


def agree(node: Formula, by: f.Symbol, result: Formula, env: Env) -> None:
    """The result is right by both routes, as a formula and in its index form, and has V's shape for all sizes."""
    assert shape(result) == by.shape
    got = formula_values.value(result, env)
    assert same_arrays(got, by_jets(node, by, env)), "against jets"
    as_it_is, collapsed = by_entries(node, by, env)
    assert same_arrays(as_it_is, got), "against partial derivatives"
    assert same_arrays(collapsed, got), "against partial derivatives, collapsed"
    body = meaning(result, AT, Fresh(env.scalars.__contains__)).body
    assert same_arrays(index_values.entries(body, list(zip(AT, by.shape, strict=True)), env), got), "as index form"


def flat(node: Formula, env: Env) -> Formula:
    """The node over named arrays: each child that is no number or scalar becomes a symbol with the child's value."""
    names: dict[Formula, Formula] = {}
    for child in node.children:
        if any(isinstance(w, f.Symbol) for w in f.walk(child)):
            names.setdefault(child, f.Symbol(f"B{len(names)}", shape(child)))
            env.arrays[names[child].name] = formula_values.value(child, env).tolist()
    return node.with_children(tuple(names.get(child, child) for child in node.children))


def check_rule(example: Formula, pull: Pull = pullback) -> None:
    """One rule at one node: what arrives at each child, added up where a child is written twice."""
    env = environment()
    node = example if isinstance(example, f.IndexSum) else flat(example, env)
    G = cotangent(node, env)
    for by in {child for child in node.children if isinstance(child, f.Symbol)}:
        arrived = [pull(node, G, k) for k, child in enumerate(node.children) if child == by]
        agree(node, by, arrived[0] if len(arrived) == 1 else f.Add(tuple(arrived)), env)


NO_DERIVATIVE = ("OpaqueLoss, gradient", "OpaqueLoss, gradient, rows", "Derivative")
BY_RULE = {
    name: node
    for name, node in EXAMPLES.items()
    if node.children and name not in NO_DERIVATIVE and not isinstance(node, f.IndexSum | f.OpaqueLoss)
}


@pytest.mark.parametrize("name", BY_RULE)
def test_a_rule_is_right(name: str) -> None:
    check_rule(BY_RULE[name])


@pytest.mark.parametrize("name", ["OpaqueLoss", "OpaqueLoss, rows", "OpaqueLoss, one column"])
def test_an_opaque_loss_is_pulled_back_to_the_prediction_only(name: str) -> None:
    env, node = environment(), EXAMPLES[name]
    G = cotangent(node, env)
    agree(node, node.prediction, pullback(node, G, 0), env)
    with pytest.raises(Unsupported):
        pullback(node, G, 1)


@pytest.mark.parametrize("name", ["IndexSum", "IndexSum in part", "IndexSum of entries", "IndexSum of squares"])
def test_a_sum_over_an_index_gathers(name: str) -> None:
    i = sympy.Symbol("i_s")
    node = {
        "IndexSum": f.IndexSum(f.Product((f.Entry(u, i, ONE), V)), i, ONE, n),
        "IndexSum in part": f.IndexSum(f.Entry(u, i, ONE) * f.Entry(u, i - 1, ONE), i, ONE + 1, n),
        "IndexSum of entries": f.IndexSum(f.Entry(W, sympy.Integer(2), i + 1) * f.Entry(r, ONE, i), i, ONE, p),
        "IndexSum of squares": f.IndexSum(f.Entry(U, i, ONE) ** 2 * c, i, ONE, n),
    }[name]
    check_whole(node)


def check_whole(node: Formula) -> None:
    """Every rule in a formula, chained: what the sweep passes back to each array that it uses."""
    env = environment()
    G = cotangent(node, env)
    named = Assignment(f.Symbol("T", shape(node)), node)
    found = uses(named, G, lambda symbol: symbol in ARRAYS)
    assert {symbol for symbol, _ in found} == {w for w in f.walk(node) if isinstance(w, f.Symbol)}
    for symbol, use in found:
        agree(node, symbol, use.contribution, env)


DEEP = {
    "a layer": f.Map(SIGMA, W.T @ U.T + f.Product((f.Ones((W.shape[1], ONE)), u.T))),
    "softmax of a layer": f.Softmax(W.T @ U.T, 0),
    "a quotient of sums": f.Quotient(f.Total(U * V, 1), f.Total(P * P, 1) + 1),
    "one array in many places": U * V + (U @ U.T) @ V - f.Product((f.Total(U), V)),
    "a norm inside": f.Product((f.Norm(U - V, 2, 2), f.Total(P, 0))),
    "a diagonal inside": f.Diagonal(f.Total(U, 1)) @ V,
    "exp over its sum": f.Quotient(f.Map(EXP, r), f.Total(f.Map(EXP, r))),
    "a power of a square": (D @ D) ** 2 - D.T,
    "negatives and transposes": -((-(U.T)).T - (W @ D @ W.T @ V.T).T),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_whole_formula_is_right(name: str) -> None:
    check_whole(DEEP[name])


@pytest.mark.parametrize("seed", range(60))
def test_a_random_formula_is_right(seed: int) -> None:
    rng = random.Random(seed)
    node = random_formula(rng, rng.choice([(n, p), (p, n), (n, ONE), (ONE, p), f.SCALAR]), 3)
    env = environment()
    G = cotangent(node, env)
    for symbol, use in uses(Assignment(f.Symbol("T", shape(node)), node), G, lambda symbol: symbol in ARRAYS):
        assert shape(use.contribution) == symbol.shape
        assert same_arrays(formula_values.value(use.contribution, env), by_jets(node, symbol, env)), symbol


def test_every_rule_was_tried() -> None:
    tried = {type(node) for node in BY_RULE.values()} | {f.OpaqueLoss, f.IndexSum, f.Symbol}
    assert set(RULES) == tried
    assert all(pullback.registry[node].__doc__ for node in f.NODES)


def test_what_has_no_derivative_says_so() -> None:
    for name in NO_DERIVATIVE:
        with pytest.raises(Unsupported):
            pullback(EXAMPLES[name], EXAMPLES[name], 0)
    with pytest.raises(Unsupported):
        pullback(P**c, P, 1)
    for leaf in (U, c, f.Ones((n, p)), f.Number(Fraction(1)), f.Kronecker(ONE, ONE), f.Unit(ONE, n)):
        with pytest.raises(IndexError):
            pullback(leaf, leaf, 0)


def test_gathered_is_the_cotangent_itself_elsewhere() -> None:
    assert gathered(U + V, U) == U


MISTAKES: dict[str, tuple[str, Pull]] = {
    "sign lost": ("Negative", lambda node, bar, k: bar),
    "order of factors": ("Product, a square twice", lambda node, bar, k: f.Product((node.factors[1 - k].T, bar))),
    "transpose lost": (
        "Product, a square twice",
        lambda node, bar, k: pullback(node.factors[0] @ node.factors[0].T, bar, k),
    ),
    "factor lost": ("Hadamard", lambda node, bar, k: bar),
    "sum over a spread scalar lost": (
        "Add, a scalar array",
        lambda node, bar, k: f.Entry(bar, ONE, ONE) if k == 1 else bar,
    ),
    "quotient: sign": (
        "Quotient, itself above",
        lambda node, bar, k: -pullback(node, bar, k) if k else pullback(node, bar, k),
    ),
    "power: the exponent lost": ("Power, square", lambda node, bar, k: node.base * bar),
    "sigma for sigma'": ("Map, opaque", lambda node, bar, k: bar * node),
    "softmax: only its diagonal": ("Softmax", lambda node, bar, k: bar * node * (1 - node)),
    "softmax: the other axis": ("Softmax", lambda node, bar, k: pullback(f.Softmax(node.arg, 1), bar, k)),
    "norm: 2 lost": ("Norm", lambda node, bar, k: f.Product((bar, node.arg))),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_noticed(mistake: str) -> None:
    name, wrong = MISTAKES[mistake]
    check_rule(EXAMPLES[name])
    with pytest.raises(AssertionError, match="against jets"):
        check_rule(EXAMPLES[name], wrong)
