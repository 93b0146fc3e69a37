"""The arithmetic of polynomials in atoms: heads made once, templates, sums, products, powers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Mapping
from fractions import Fraction
from hashlib import blake2b
from itertools import count
from typing import Any

from symbackprop.errors import Unsupported
from symbackprop.proof.atoms import (
    RELATED,
    UNIT,
    Atom,
    Coefficient,
    Head,
    Monomial,
    Polynomial,
    Range,
    accumulate,
    common,
    content,
    is_positive,
    least,
    plain,
    primes,
    single,
    spelled,
)
from symbackprop.proof.budget import Budget
from symbackprop.proof.canonical import Canonical, Exponent, canonical

MAX_POWER = 64


MAX_SHARES = 8  # of a distribution whose entries are taken one by one


class Arithmetic(ABC):
    """Polynomials under a budget. What relations, functions and indices add is left to the classes below."""

    closed: dict[str, int]
    symmetric: frozenset[str]
    budget: Budget

    def __init__(
        self,
        closed: Mapping[str, int] | None = None,
        budget: Budget | None = None,
        symmetric: Collection[str] = frozenset(),
        lengths: Mapping[str, int] | None = None,
    ) -> None:
        self.closed = dict(closed or {})
        self.lengths = {name: n for name, n in (lengths or {}).items() if name in self.closed and n <= MAX_SHARES}
        self.symmetric = frozenset(symmetric)
        self.budget = budget or Budget()
        self.kinks: set[frozenset[tuple[Monomial, Coefficient]]] = set()  # where a relation of steps was used off them
        self._leads: dict[Head, Any] = {}
        self._heads: dict[tuple[str, Hashable], Head] = {}
        self._fresh = count()

    @property
    def count(self) -> int:
        """How many heads the ring holds."""
        return len(self._heads)

    def head(self, kind: str, content: Hashable, symmetries: tuple[tuple[int, ...], ...] = ()) -> Head:
        found = self._heads.get((kind, content))
        if found is None:
            digest = blake2b(spelled(content).encode(), digest_size=12).hexdigest()
            found = self._heads[kind, content] = Head(kind, content, f"{kind} {digest}", symmetries)
        return found

    def entry(self, name: str, at: tuple[str, ...]) -> Polynomial:
        last = self.lengths.get(name)
        if last is not None and at[self.closed[name]] == f"#{last}":  # the last share is what the others leave
            axis = self.closed[name]
            others = [self.entry(name, (*at[:axis], f"#{k}", *at[axis + 1 :])) for k in range(1, last)]
            return self.minus({UNIT: 1}, self.add(*others))
        if name in self.symmetric and len(at) == 2:
            head = self.head("entry", name, ((0, 1), (1, 0)))
            return {frozenset({((head, least(head, at)), 1)}): 1}
        return {frozenset({((self.head("entry", name), at), 1)}): 1}

    def size(self, name: str) -> Polynomial:
        """A size: a positive scalar."""
        return {frozenset({((self.head("size", name), ()), 1)}): 1}

    def scalar(self, name: str) -> Polynomial:
        """A rate or a parameter: a scalar of any sign."""
        return {frozenset({((self.head("scalar", name), ()), 1)}): 1}

    def constant(self, value: Coefficient) -> Polynomial:
        return {UNIT: plain(value)} if value else {}

    def named_constant(self, name: str) -> Polynomial:
        """A positive real number that is no rational: pi, e."""
        return {frozenset({((self.head("constant", name), ()), 1)}): 1}

    def delta(self, left: str, right: str, axis: Range) -> Polynomial:
        if left == right:
            return {UNIT: 1}
        if left.startswith("#") and right.startswith("#"):
            return {}
        head = self.head("delta", axis, ((0, 1), (1, 0)))
        return {frozenset({((head, (min(left, right), max(left, right))), 1)}): 1}

    def template(self, kind: str, p: Polynomial, extra: Hashable = None) -> tuple[Head, tuple[str, ...]]:
        """The atom of a kind whose template is a polynomial."""
        form = self._canonical([(c, [(h, at, e) for (h, at), e in mono]) for mono, c in p.items()], {})
        head = self.head(kind, (extra, form.terms), form.symmetries)
        return head, least(head, form.free)

    def atom(self, kind: str, p: Polynomial, extra: Hashable = None) -> Polynomial:
        return {frozenset({(self.template(kind, p, extra), 1)}): 1}

    def vector_function(
        self, name: Hashable, index: str, size: Range, vectors: Iterable[Polynomial], slots: tuple[str, ...]
    ) -> Polynomial:
        """An unknown function of vectors, each given by its entry at ``index``, derived by the entries ``slots``."""
        factors = [(*self.template("vector", p, place), 1) for place, p in enumerate(vectors)]
        factors += [(self.head("slot", ""), (slot,), 1) for slot in slots]
        term = [(h, tuple(0 if i == index else i for i in at), e) for h, at, e in factors]
        form = self._canonical([(1, term)], {0: size})
        head = self.head("unknown", (name, form.bound, form.terms), form.symmetries)
        return single((head, least(head, form.free)), 1)

    def inside(self, atom: Atom) -> Polynomial:
        """The polynomial in the template of an atom, at the atom's indices."""
        _, terms = atom[0].content
        self.budget.spend(len(terms) // 4, "opening a function")
        out: Polynomial = {}
        for c, factors in terms:
            mono = frozenset(((h, least(h, tuple(atom[1][k] for k in at))), e) for h, at, e in factors)
            out[mono] = c
        return out

    def _canonical(self, terms: list[Any], ranges: dict[int, Range]) -> Canonical:
        self.budget.spend(10 + len(terms), "naming indices")
        return canonical(terms, ranges, lambda what: self.budget.spend(self.budget.limit + 1, what))

    def add(self, *parts: Polynomial) -> Polynomial:
        out: Polynomial = {}
        for p in parts:
            for mono, c in p.items():
                accumulate(out, mono, c)
        return out

    def scaled(self, p: Polynomial, by: Coefficient) -> Polynomial:
        return {mono: plain(c * by) for mono, c in p.items()} if by else {}

    def negative(self, p: Polynomial) -> Polynomial:
        return {mono: -c for mono, c in p.items()}

    def minus(self, p: Polynomial, q: Polynomial) -> Polynomial:
        return self.add(p, self.negative(q))

    def mul(self, *factors: Polynomial) -> Polynomial:
        product = factors[0]
        for q in factors[1:]:
            product = self._mul(product, q)
        return product

    def _mul(self, p: Polynomial, q: Polynomial) -> Polynomial:
        if len(q) == 1 and UNIT in q:
            return p if q[UNIT] == 1 else self.scaled(p, q[UNIT])
        if len(p) == 1 and UNIT in p:
            return self._mul(q, p)
        self.budget.spend(len(p) * len(q), "multiplying out")
        out: Polynomial = {}
        for left, c in p.items():
            for right, d in q.items():
                factors = dict(left)
                related = False
                for atom, e in right:
                    total = factors.get(atom, 0) + e
                    if total:
                        factors[atom] = total
                    else:
                        del factors[atom]
                for atom in factors:
                    if atom[0].kind in RELATED:
                        related = True
                        break
                if related:
                    for mono, k in self.reduced(factors).items():
                        accumulate(out, mono, c * d * k)
                else:
                    accumulate(out, frozenset(factors.items()), c * d)
        return out

    def power(self, p: Polynomial, exponent: Exponent) -> Polynomial:
        """p to a rational power; a root is kept as an atom where its argument is not known to be positive."""
        exponent = plain(exponent)
        if exponent == 0:
            return {UNIT: 1}
        if isinstance(exponent, int) and exponent > 0:
            if len(p) > 1 and exponent > MAX_POWER:
                return self._based(p, exponent)
            out: Polynomial = {UNIT: 1}
            square = p
            while exponent:
                if exponent & 1:
                    out = self._mul(out, square)
                exponent >>= 1
                if exponent:
                    square = self._mul(square, square)
            return out
        if isinstance(exponent, int):
            return self.power(self.inverse(p), -exponent)
        return self._root(p, exponent)

    def _root(self, p: Polynomial, exponent: Exponent) -> Polynomial:
        """A power that is no integer: (u v)^r = u^r v^r where u is positive; sqrt(u^2) is not u."""
        if not p:
            if exponent < 0:
                raise Unsupported("a quotient by zero")
            return {}
        shared = frozenset((a, e) for a, e in common(p) if self.positive(a) or isinstance(e, Fraction))
        c = content(p)
        rest = self._mul(self.scaled(p, Fraction(1) / c), {frozenset((a, -e) for a, e in shared): 1})
        out = self._mul(self.number_power(c, exponent), self.reduced({a: plain(e * exponent) for a, e in shared}))
        if rest == {UNIT: 1}:
            return out
        if len(rest) == 1:
            ((mono, d),) = rest.items()
            if d == 1 and len(mono) == 1 and abs(next(iter(mono))[1]) == 1:
                ((atom, e),) = mono
                return self._mul(out, self.reduced({atom: e * exponent}))
        return self._mul(out, self._based(rest, exponent))

    def _based(self, p: Polynomial, exponent: Exponent) -> Polynomial:
        return {frozenset({(self.template("base", p), exponent)}): 1}

    def positive(self, atom: Atom) -> bool:
        """Whether an atom is positive wherever it is defined."""
        return is_positive(atom[0])

    def number_power(self, value: Coefficient, exponent: Exponent) -> Polynomial:
        """A positive rational to a rational power, by primes; integer parts of exponents go to the coefficient."""
        if value == 1 or exponent == 0:
            return {UNIT: 1}
        value = Fraction(value)
        if value < 0:
            raise Unsupported("a root of a negative number")
        coefficient: Coefficient = Fraction(1)
        factors: dict[Atom, Exponent] = {}
        for number, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, times in primes(number):
                total = Fraction(times * sign) * exponent
                whole = total.numerator // total.denominator
                if abs(whole) > 4096:
                    raise Unsupported(f"a power of {prime} with an exponent of {whole}")
                coefficient *= Fraction(prime) ** whole
                if total != whole:
                    factors[self.head("number", prime), ()] = total - whole
        return {frozenset(factors.items()): plain(coefficient)}

    @abstractmethod
    def reduced(self, factors: Mapping[Atom, Exponent]) -> Polynomial:
        """The product of powers of atoms, with every relation applied that fits."""

    @abstractmethod
    def inverse(self, p: Polynomial) -> Polynomial:
        """1/p."""

    @abstractmethod
    def exp(self, p: Polynomial) -> Polynomial:
        """e^p."""

    @abstractmethod
    def rename(self, p: Polynomial, names: Mapping[str, str]) -> Polynomial:
        """The polynomial with free indices renamed; two may become one."""
