"""A bound index never captures a free one of the same name."""

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.formula import ONE, Symbol
from symbackprop.algebra.meaning import meaning
from symbackprop.proof.normal import Normaliser
from symbackprop.proof.ring import Ring

j, k, n = sympy.symbols("j k n")
A, u = Symbol("A", (n, n)), Symbol("u", (n, ONE))


def test_an_entry_at_j_of_a_sum_over_j():
    ring = Ring()
    normal = lambda node: Normaliser(ring, sizes={"n"}).of(meaning(node).body, {})  # noqa: E731
    captured = f.Entry(f.IndexSum(f.Product((f.Entry(u, j, ONE), A)), j, ONE, n), j, ONE)
    apart = f.Entry(f.IndexSum(f.Product((f.Entry(u, k, ONE), A)), k, ONE, n), j, ONE)
    assert normal(captured) == normal(apart)
    total = f.Product((f.Total(u), f.Entry(A, j, ONE)))
    assert normal(captured) == normal(total)
    body = meaning(captured).body
    assert isinstance(body, ix.Sum)
    assert body.index != j
