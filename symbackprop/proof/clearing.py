"""Whether a difference vanishes once its denominators are cleared.

The ring keeps 1/p as an atom, and two ways of writing a quotient of several denominators may differ there. Multiplied
by every denominator, what is equal is equal as a polynomial. Sums are opened first: two sums over the same ranges are
equal where their terms are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from symbackprop.proof.atoms import Atom, Monomial, Polynomial
from symbackprop.proof.canonical import Exponent
from symbackprop.proof.ring import Ring

MAX_ROUNDS = 24


def vanishes(ring: Ring, p: Polynomial) -> bool:
    """Whether p is 0 wherever it is defined; False also where that is not found.

    >>> ring = Ring()
    >>> a = ring.entry("a", ("i",))
    >>> one_less = ring.minus(ring.constant(1), a)
    >>> apart = ring.add(ring.inverse(a), ring.inverse(one_less))
    >>> vanishes(ring, ring.minus(apart, ring.inverse(ring.mul(a, one_less))))
    True
    """
    if not p:
        return True
    groups: defaultdict[Hashable, Polynomial] = defaultdict(dict)
    for mono, c in p.items():
        ranges, opened = _opened(ring, mono)
        groups[ranges] = ring.add(groups[ranges], {frozenset(opened.items()): c})
    return all(_cleared(ring, q) for q in groups.values())


def _opened(ring: Ring, mono: Monomial) -> tuple[Hashable, dict[Atom, Exponent]]:
    """A term as the ranges of its sums and the product under them."""
    ranges: list[Hashable] = []
    factors: dict[Atom, Exponent] = {}
    for atom, e in sorted(mono, key=lambda pair: (pair[0][0].key, pair[0][1])):
        if atom[0].kind == "sum" and e == 1:
            sizes, inner = ring.opened(atom, [f"?open{len(ranges) + k}" for k in range(9)])
            ranges += sizes
        else:
            inner = {atom: e}
        for one, k in inner.items():
            factors[one] = factors.get(one, 0) + k
    return tuple(ranges), {a: e for a, e in factors.items() if e}


def _cleared(ring: Ring, p: Polynomial) -> bool:
    for _ in range(MAX_ROUNDS):
        if not p:
            return True
        below = next((atom for mono in p for atom, e in mono if isinstance(e, int) and e < 0), None)
        if below is None:
            return False
        p = _times(ring, p, below)
    return False


def _times(ring: Ring, p: Polynomial, atom: Atom) -> Polynomial:
    """The polynomial times the lowest power of an atom in it; a denominator that is a polynomial is put in."""
    lowest = -min(dict(mono).get(atom, 0) for mono in p)
    value: Polynomial = ring.inside(atom) if atom[0].kind == "base" else {frozenset({(atom, 1)}): 1}
    out: Polynomial = {}
    for mono, c in p.items():
        rest = frozenset(pair for pair in mono if pair[0] != atom)
        times = ring.power(value, lowest + dict(mono).get(atom, 0))
        out = ring.add(out, ring.mul(times, ring.scaled(ring.reduced(dict(rest)), c)))
    return out
