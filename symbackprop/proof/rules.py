"""Every pullback rule proved once, for symbolic sizes, from the entrywise meaning of its node.

``INSTANCES`` holds one node or more for each rule, over arrays of symbolic sizes: what is proved of them holds for all.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Function, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.calculus.pullback import RULES, gathered, pullback, rule_of
from symbackprop.proof.entrywise_truth import contracted
from symbackprop.proof.equality import Equality
from symbackprop.proof.setting import Setting
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict, chain

_n, _p, _q, _i, _j, _k = sympy.symbols("n p q i j k")
P, Q, R = Symbol("P", (_n, _p)), Symbol("Q", (_p, _q)), Symbol("R", (_n, _p))
S = Symbol("S", (_q, _n))
u, v, w = Symbol("u", (_n, ONE)), Symbol("v", (ONE, _p)), Symbol("w", (_n, ONE))
c, d = Symbol("c"), Symbol("d")
F = Function("f", "f")

INSTANCES: tuple[Formula, ...] = (
    P,
    -P,
    P + R,
    P + c,
    P @ Q,
    S @ P @ Q,
    f.Product((c, P, Q)),
    f.Product((c, d)),
    f.Product((u.T, w)),
    f.Product((u.T, w, v)),
    f.Product((u, f.Ones((ONE, _q)))),
    f.Product((f.Ones((_q, ONE)), v)),
    P * R,
    f.Hadamard((c, P, R)),
    P / R,
    P / c,
    c / P,
    P ** f.Scalar("c_0"),
    P**3,
    P**-1,
    P ** Fraction(1, 2),
    P.T,
    f.Map(F, P),
    f.Map(F, P, 1),
    f.Softmax(P, 0),
    f.Softmax(P, 1),
    f.Softmax(P, 0, log=True),
    f.Softmax(P, 1, log=True),
    f.OpaqueLoss("C", P, R, 0),
    f.OpaqueLoss("C", P, R, 1),
    f.OpaqueLoss("C", u, w, 0),
    f.Total(P),
    f.Total(P, 0),
    f.Total(P, 1),
    f.Norm(P, 2, 2),
    f.Norm(P, 2, 1),
    f.Norm(P, 1, 1),
    f.Diagonal(u),
    f.Diagonal(v),
    f.Entry(P, _j, _k),
)

Pull = Callable[[Formula, Formula, int], Formula]


@cache
def prove_rules() -> dict[str, Verdict]:
    """A verdict for each rule by its name; the links are those of its instances, for each child.

    >>> prove_rules()["matrix product rule"].status.value, prove_rules()["matrix product rule"].scope
    ('proved', 'all sizes')
    """
    links: dict[str, list[Verdict]] = {}
    for node in INSTANCES:
        name = RULES[Symbol].name if isinstance(node, Symbol) else rule_of(node).name
        links.setdefault(name, []).extend(prove_rule(node))
    links[RULES[f.IndexSum].name] = [_sum_over_an_index()]
    return {name: chain(tuple(found)) for name, found in links.items()}


def prove_rule(node: Formula, pull: Pull = pullback) -> list[Verdict]:
    """One node: <C, dU> by the rule and by partial derivatives of the entries, for each array that it is made of."""
    cotangent = Symbol("C_bar", shape(node))
    if isinstance(node, Symbol):
        return [_judged(node, node, cotangent, cotangent)]
    found = []
    for by in dict.fromkeys(child for child in node.children if _array(child) is not None):
        if isinstance(node, f.OpaqueLoss) and by != node.prediction:
            continue  # the target is a constant
        arrived = [pull(node, cotangent, k) for k, child in enumerate(node.children) if child == by]
        symbol = _array(by)
        assert symbol is not None
        back = arrived[0] if len(arrived) == 1 else f.Add(tuple(arrived))
        found.append(_judged(node, symbol, cotangent, back if by == symbol else f.Transpose(back)))
    return found


def _array(child: Formula) -> Symbol | None:
    """The array that a child is, or is the transpose of."""
    if isinstance(child, f.Transpose):
        child = child.arg
    return child if isinstance(child, Symbol) else None


def _sum_over_an_index() -> Verdict:
    """U = sum_i P_i: the body's rules at each i, and their sum."""
    body = f.Entry(P, _i, _k) * R
    node = f.IndexSum(body, _i, ONE, _n)
    cotangent = Symbol("C_bar", shape(node))
    inner = pullback(body, pullback(node, cotangent, 0), 0)
    entry = pullback(f.Entry(P, _i, _k), inner, 0)
    return _judged(node, P, cotangent, gathered(node, entry))


def _judged(node: Formula, by: Symbol, cotangent: Symbol, back: Formula) -> Verdict:
    setting = Setting(free={}, sizes=frozenset({"n", "p", "q"}), scalars=frozenset({"c_0"}))
    proof = Equality(setting).equal(contracted(node, by, cotangent), back)
    if proof.equal:
        return Verdict(Status.PROVED, "as the partial derivatives of the entries give it")
    return Verdict(Status.UNDECIDED, proof.reason or "the normal forms differ", "SBP401")
