"""What normal forms are made of: atoms, monomials and polynomials, as plain values.

An atom is a head and the indices at which it is taken. A head is an array, a function of a polynomial, a sum over
indices: what is inside is a template with numbered slots in place of indices.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any, TypeAlias

from symbackprop.proof.canonical import Exponent

Coefficient: TypeAlias = int | Fraction


@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """What atoms are entries of. One object for each content: heads are compared by identity.

    ``kind`` says what the content is; ``key`` sorts heads alike in every run; ``symmetries`` are the orders of the
    slots that leave the template as it is.
    """

    kind: str
    content: Any
    key: str
    symmetries: tuple[tuple[int, ...], ...] = ()

    def __repr__(self) -> str:
        return f"{self.kind}:{self.content if self.kind in PLAIN else self.key[-6:]}"


Atom: TypeAlias = tuple[Head, tuple[str, ...]]
Monomial: TypeAlias = frozenset[tuple[Atom, Exponent]]
Polynomial: TypeAlias = dict[Monomial, Coefficient]
Range: TypeAlias = Hashable  # of a bound index: a size by its name, a number, or a pair (from, to)

UNIT: Monomial = frozenset()
# Heads that are never opened, that obey a relation, and that are positive wherever they are defined.
PLAIN = frozenset({"entry", "size", "scalar", "delta", "number", "constant", "derivative", "unknown", "slot"})
RELATED = frozenset({"sigmoid", "slope", "step", "delta", "base", "number", "sin"})
UNITS = frozenset({"size", "exp", "number", "constant"})  # never 0, and powers of them obey no relation with sums
POSITIVE = frozenset({"size", "exp", "sigmoid", "slope", "softplus", "number", "constant"})


def one() -> Polynomial:
    return {UNIT: 1}


def accumulate(out: Polynomial, mono: Monomial, c: Coefficient) -> None:
    total = out.get(mono, 0) + c
    if total:
        out[mono] = total if isinstance(total, int) or total.denominator != 1 else total.numerator
    else:
        out.pop(mono, None)


def plain(value: Exponent) -> Exponent:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def single(atom: Atom, exponent: Exponent) -> Polynomial:
    return {frozenset({(atom, exponent)}): 1} if exponent else {UNIT: 1}


def least(head: Head, at: tuple[str, ...]) -> tuple[str, ...]:
    """The least of the orders of indices in which the atom is the same."""
    if not head.symmetries:
        return at
    return min(tuple(at[k] for k in order) for order in head.symmetries)


def order(mono: Monomial) -> list[tuple[str, Exponent, tuple[str, ...]]]:
    return sorted((h.key, e, at) for (h, at), e in mono)


def degree(factors: Iterable[tuple[Head, tuple[int, ...], Exponent]]) -> tuple[Exponent, tuple[Any, ...]]:
    """Sorts the terms of a template: by degree, and by what is in them."""
    found = list(factors)
    return sum((e for _, _, e in found), 0), tuple(sorted((h.key, at, e) for h, at, e in found))


def content(p: Polynomial) -> Fraction:
    """The positive rational by which the terms can be divided to be coprime integers."""
    numbers = [Fraction(c) for c in p.values()]
    return Fraction(gcd(*(c.numerator for c in numbers)), lcm(*(c.denominator for c in numbers)))


def common(p: Polynomial) -> Monomial:
    """The powers of atoms that divide every term."""
    monos = [dict(mono) for mono in p]
    shared = set(monos[0]).intersection(*monos[1:])
    found = {}
    for atom in shared:
        exponents = [mono[atom] for mono in monos]
        if all(e > 0 for e in exponents):
            found[atom] = min(exponents)
        elif all(e < 0 for e in exponents):
            found[atom] = max(exponents)
    return frozenset(found.items())


def is_positive(head: Head) -> bool:
    if head.kind == "sum":
        _, factors = head.content
        return all(is_positive(h) for h, _, _ in factors)
    return head.kind in POSITIVE


def primes(number: int) -> Iterable[tuple[int, int]]:
    """The prime factors below 1000 with how often they divide; what is left counts as one."""
    divisor = 2
    while divisor * divisor <= number and divisor < 1000:
        times = 0
        while number % divisor == 0:
            number //= divisor
            times += 1
        if times:
            yield divisor, times
        divisor += 1
    if number > 1:
        yield number, 1


def spelled(content: Hashable) -> str:
    """The content as text that is the same in every run: heads by their keys."""
    if isinstance(content, tuple):
        return "(" + ",".join(map(spelled, content)) + ")"
    return content.key if isinstance(content, Head) else f"{type(content).__name__} {content}"
