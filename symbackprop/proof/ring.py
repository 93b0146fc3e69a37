"""The ring in which formulas are compared: sums of products of atoms, in one normal form.

An atom is an entry of something: of an array (W at j, k), of a function of a polynomial (exp, log, the sigmoid, a step),
of a sum over indices that no factor outside shares. Such a sum is an atom of its own, with the free indices as its
only ones, so that powers of one sum are powers of one atom, and the names of its bound indices are settled once
(canonical.py). What is inside an atom is held as a template with numbered slots; two atoms are equal where template and
indices are.

Every rule here is an identity of real functions, true wherever both sides are defined:
sizes and exponentials are positive; e^(u+v) = e^u e^v; a^2 = a - s, e^z a = e^z - a, e^z s = a - s for the sigmoid a of z
with slope s, and 1/a = 1 + e^-z; step^2 = step; a bound delta takes its index away; targets that sum to 1 do.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from itertools import count
from math import gcd, lcm
from typing import TypeAlias

from symbackprop.errors import Unsupported
from symbackprop.proof.budget import Budget
from symbackprop.proof.canonical import Canonical, Exponent, canonical

Coefficient: TypeAlias = int | Fraction


@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """What atoms are entries of. One object for each content: heads are compared by identity.

    ``kind`` says what the content is; ``key`` sorts heads alike in every run; ``symmetries`` are the orders of the slots
    that leave the template as it is.
    """

    kind: str
    content: Hashable
    key: str
    symmetries: tuple[tuple[int, ...], ...] = ()

    def __repr__(self) -> str:
        return f"{self.kind}:{self.content if self.kind in PLAIN else self.key[-6:]}"


Atom: TypeAlias = tuple[Head, tuple[str, ...]]
Monomial: TypeAlias = frozenset[tuple[Atom, Exponent]]
Polynomial: TypeAlias = dict[Monomial, Coefficient]
Range: TypeAlias = Hashable  # of a bound index: a size by its name, a number, or a pair (from, to)

UNIT: Monomial = frozenset()
PLAIN = frozenset({"entry", "size", "scalar", "delta", "number", "constant", "derivative", "unknown", "slot"})  # none is opened
RELATED = frozenset({"sigmoid", "slope", "step", "delta", "base", "number", "sin"})  # heads that obey a relation
POSITIVE = frozenset({"size", "exp", "sigmoid", "slope", "softplus", "number", "constant"})
MAX_POWER = 64


class Ring:
    """The arithmetic of normal forms; ``closed`` names arrays with the axis (0 or 1) along which
    they sum to 1, ``symmetric`` those that equal their transpose.

    >>> ring = Ring()
    >>> a, b = ring.entry("a", ("i",)), ring.entry("b", ("i",))
    >>> ring.sum(ring.mul(a, b), "i", "n") == ring.sum(ring.rename(ring.mul(b, a), {"i": "k"}), "k", "n")
    True
    """

    def __init__(
        self,
        closed: Mapping[str, int] | None = None,
        budget: Budget | None = None,
        symmetric: Collection[str] = frozenset(),
    ) -> None:
        self.closed = dict(closed or {})
        self.symmetric = frozenset(symmetric)
        self.budget = budget or Budget()
        self._heads: dict[tuple[str, Hashable], Head] = {}
        self._fresh = count()

    @property
    def count(self) -> int:
        """How many heads the ring holds."""
        return len(self._heads)

    # Atoms

    def head(self, kind: str, content: Hashable, symmetries: tuple[tuple[int, ...], ...] = ()) -> Head:
        found = self._heads.get((kind, content))
        if found is None:
            digest = blake2b(_spelled(content).encode(), digest_size=12).hexdigest()
            found = self._heads[kind, content] = Head(kind, content, f"{kind} {digest}", symmetries)
        return found

    def entry(self, name: str, at: tuple[str, ...]) -> Polynomial:
        if name in self.symmetric and len(at) == 2:
            head = self.head("entry", name, ((0, 1), (1, 0)))
            return {frozenset({((head, _least(head, at)), 1)}): 1}
        return {frozenset({((self.head("entry", name), at), 1)}): 1}

    def size(self, name: str) -> Polynomial:
        """A size: a positive scalar."""
        return {frozenset({((self.head("size", name), ()), 1)}): 1}

    def scalar(self, name: str) -> Polynomial:
        """A rate or a parameter: a scalar of any sign."""
        return {frozenset({((self.head("scalar", name), ()), 1)}): 1}

    def constant(self, value: Coefficient) -> Polynomial:
        return {UNIT: _plain(value)} if value else {}

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
        return head, _least(head, form.free)

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
        return _single((head, _least(head, form.free)), 1)

    def inside(self, atom: Atom) -> Polynomial:
        """The polynomial in the template of an atom, at the atom's indices."""
        _, terms = atom[0].content  # type: ignore[misc]
        out: Polynomial = {}
        for c, factors in terms:
            mono = frozenset(((h, _least(h, tuple(atom[1][k] for k in at))), e) for h, at, e in factors)
            out[mono] = c
        return out

    def _canonical(self, terms: list, ranges: dict[int, Range]) -> Canonical:  # type: ignore[type-arg]
        return canonical(terms, ranges, lambda what: self.budget.spend(self.budget.limit + 1, what))

    # Arithmetic

    def add(self, *parts: Polynomial) -> Polynomial:
        out: Polynomial = {}
        for p in parts:
            for mono, c in p.items():
                _accumulate(out, mono, c)
        return out

    def scaled(self, p: Polynomial, by: Coefficient) -> Polynomial:
        return {mono: _plain(c * by) for mono, c in p.items()} if by else {}

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
                        _accumulate(out, mono, c * d * k)
                else:
                    _accumulate(out, frozenset(factors.items()), c * d)
        return out

    def power(self, p: Polynomial, exponent: Exponent) -> Polynomial:
        """p to a rational power; a root is kept as an atom where its argument is not known to be positive."""
        exponent = _plain(exponent)
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
        common = frozenset((a, e) for a, e in _common(p) if self.positive(a) or isinstance(e, Fraction))
        c = _content(p)
        rest = self._mul(self.scaled(p, Fraction(1) / c), {frozenset((a, -e) for a, e in common): 1})
        out = self._mul(self.number_power(c, exponent), self.reduced({a: _plain(e * exponent) for a, e in common}))
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
        return _positive(atom[0])

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
            for prime, times in _primes(number):
                total = Fraction(times * sign) * exponent
                whole = total.numerator // total.denominator
                if abs(whole) > 4096:
                    raise Unsupported(f"a power of {prime} with an exponent of {whole}")
                coefficient *= Fraction(prime) ** whole
                if total != whole:
                    factors[self.head("number", prime), ()] = total - whole
        return {frozenset(factors.items()): _plain(coefficient)}

    # Relations

    def reduced(self, factors: Mapping[Atom, Exponent]) -> Polynomial:
        """The product of powers of atoms, with every relation applied that fits."""
        for atom, e in factors.items():
            head = atom[0]
            if head.kind == "delta":
                found = self._joined(factors, atom)
            elif head.kind == "sigmoid" or head.kind == "slope":
                found = self._sigmoid(factors, atom, e)
            elif head.kind == "step":
                found = self._step(factors, atom, e)
            elif head.kind == "base":
                found = self._base(factors, atom, e)
            elif head.kind == "number" and not 0 < e < 1:
                found = self._without(factors, atom, self.number_power(head.content, e))  # type: ignore[arg-type]
            elif head.kind == "sin" and isinstance(e, int) and e >= 2:
                cos = {frozenset({((self.head("cos", head.content, head.symmetries), atom[1]), 2)}): -1, UNIT: 1}
                found = self._without(factors, atom, self._mul(cos, _single(atom, e - 2)))
            else:
                continue
            if found is not None:
                return found
        return {frozenset(factors.items()): 1}

    def _without(self, factors: Mapping[Atom, Exponent], atom: Atom, by: Polynomial) -> Polynomial:
        """The product with one atom replaced."""
        rest = {a: e for a, e in factors.items() if a != atom}
        return self._mul(self.reduced(rest), by)

    def _joined(self, factors: Mapping[Atom, Exponent], atom: Atom) -> Polynomial | None:
        """delta_ij f(j) = delta_ij f(i), and a delta is its own square."""
        keep, other = atom[1]  # in order: a number comes before every name
        rest = {a: e for a, e in factors.items() if a != atom}
        if any(other in at for _, at in rest):
            moved = self.rename({frozenset(rest.items()): 1}, {other: keep})
            return self._mul(moved, _single(atom, 1))
        if factors[atom] != 1:
            return self._without(factors, atom, _single(atom, 1))
        return None

    def _step(self, factors: Mapping[Atom, Exponent], atom: Atom, e: Exponent) -> Polynomial | None:
        """A step is its own square; of two whose arguments differ by a constant, the harder one decides."""
        if e != 1:  # 1/step has a value where the step is 1, and is 1 there
            return self._without(factors, atom, _single(atom, 1))
        shift, terms = atom[0].content  # type: ignore[misc]
        for other in factors:
            if other[0].kind == "step" and other != atom and other[1] == atom[1]:
                other_shift, other_terms = other[0].content  # type: ignore[misc]
                if other_terms == terms and other_shift > shift:
                    return self.reduced({a: k for a, k in factors.items() if a != other})
        return None

    def _sigmoid(self, factors: Mapping[Atom, Exponent], atom: Atom, e: Exponent) -> Polynomial | None:
        head, at = atom
        if not isinstance(e, int):
            return None
        slope = head.kind == "slope"
        a = self.head("sigmoid", head.content, head.symmetries), at
        s = self.head("slope", head.content, head.symmetries), at
        if e < 0:  # 1/a = 1 + e^-z, and 1/s = e^z + 2 + e^-z
            back = self.exp(self.negative(self.inside(atom)))
            by = self.add({UNIT: 2}, self.inverse(back), back) if slope else self.add({UNIT: 1}, back)
            return self._without(factors, atom, self.power(by, -e))
        if not slope and e >= 2:
            by = self._mul({frozenset({(a, 1)}): 1, frozenset({(s, 1)}): -1}, _single(a, e - 2))
            return self._without(factors, atom, by)
        times = self._exponentials(factors, atom)
        if times is None:
            return None
        up, exponentials = times
        rest = dict(factors)
        for exponential, k in exponentials.items():
            rest[exponential] = _plain(rest[exponential] - k)
            if not rest[exponential]:
                del rest[exponential]
        rest[atom] = _plain(rest[atom] - 1)
        if not rest[atom]:
            del rest[atom]
        whole = {frozenset(exponentials.items()): 1}
        one_a, one_s = _single(a, 1), _single(s, 1)
        if up:  # e^z a = e^z - a, e^z s = a - s
            by = self.minus(one_a, one_s) if slope else self.minus(whole, one_a)
        elif slope:  # e^-z s = 1 - a - s
            by = self.add({UNIT: 1}, self.negative(one_a), self.negative(one_s))
        else:  # e^-z a = 1 - a
            by = self.minus({UNIT: 1}, one_a)
        return self._mul(self.reduced(rest), by)

    def _exponentials(
        self, factors: Mapping[Atom, Exponent], atom: Atom
    ) -> tuple[bool, dict[Atom, Exponent]] | None:
        """The exponential of plus or minus the sigmoid's argument, where it divides the product; True for plus."""
        if not any(a[0].kind == "exp" for a in factors):
            return None
        for up in (True, False):
            argument = self.inside(atom)
            whole = self.exp(argument if up else self.negative(argument))
            if len(whole) != 1:
                return None
            ((mono, c),) = whole.items()
            if c == 1 and all(a in factors and e * factors[a] > 0 and abs(factors[a]) >= abs(e) for a, e in mono):
                return up, dict(mono)
        return None

    def _base(self, factors: Mapping[Atom, Exponent], atom: Atom, e: Exponent) -> Polynomial | None:
        p = self.inside(atom)
        if e >= 1 and (isinstance(e, Fraction) or e <= MAX_POWER):
            whole = int(e)
            by = self._mul(self.power(p, whole), _single(atom, e - whole)) if e != whole else self.power(p, whole)
            return self._without(factors, atom, by)
        if not isinstance(e, int):
            return None
        lead, c = max(p.items(), key=lambda term: _degree(term[0]))
        if any(a not in factors or k <= 0 or factors[a] < k for a, k in lead) or not lead:
            return None
        # lead/p = (1 - rest/p) / c
        rest = dict(factors)
        for a, k in lead:
            rest[a] = _plain(rest[a] - k)
            if not rest[a]:
                del rest[a]
        rest[atom] = e + 1
        if not rest[atom]:
            del rest[atom]
        others = {mono: k for mono, k in p.items() if mono != lead}
        by = self.minus({UNIT: 1}, self._mul(others, _single(atom, -1)))
        return self.scaled(self._mul(self.reduced(rest), by), Fraction(1) / c)

    def inverse(self, p: Polynomial) -> Polynomial:
        """1/p; raises Unsupported for 1/0."""
        if not p:
            raise Unsupported("a quotient by zero")
        if len(p) == 1 and self.stepped(p) is None:
            ((mono, c),) = p.items()
            return self.scaled(self.reduced({atom: -e for atom, e in mono}), Fraction(1) / c)
        stepped = self.stepped(p)
        if stepped is not None:  # where one of the two is 0 there is no value, and 0 does as well as any
            yes, no = ({} if not part else self.inverse(part) for part in self.split(p, stepped))
            one = _single(stepped, 1)
            return self.add(self._mul(one, yes), self._mul(self.minus({UNIT: 1}, one), no))
        logistic = self.one_plus(p)
        if logistic is not None:  # 1/(c M (1 + e^t)) = (1 - sigmoid(t)) / (c M)
            scale, argument = logistic
            return self._mul(self.inverse(scale), self.minus({UNIT: 1}, self.sigmoid(argument)))
        complement = self.one_minus_sigmoid(p)
        if complement is not None:
            c, atom = complement
            return self.scaled(self.add({UNIT: 1}, self.exp(self.inside(atom))), Fraction(1) / c)
        c = _content(p)
        common = _common(p)
        if common:
            rest = self._mul(p, {frozenset((a, -e) for a, e in common): 1})
            if len(rest) == len(p):
                return self._mul(self.inverse({common: 1}), self.inverse(rest))
        if _leading_sign(p, self) < 0:
            c = -c
        return self.scaled(self._based(self.scaled(p, Fraction(1) / c), -1), Fraction(1) / c)

    def stepped(self, p: Polynomial) -> Atom | None:
        """A step that stands in a term, outside every sum."""
        return next((atom for mono in p for atom, _ in mono if atom[0].kind == "step"), None)

    def split(self, p: Polynomial, step: Atom) -> tuple[Polynomial, Polynomial]:
        """The polynomial where a step is 1, and where it is 0."""
        yes: Polynomial = {}
        no: Polynomial = {}
        for mono, c in p.items():
            bare = frozenset(pair for pair in mono if pair[0] != step)
            _accumulate(yes, bare, c)
            if len(bare) == len(mono):
                _accumulate(no, mono, c)
        return yes, no

    def one_plus(self, p: Polynomial) -> tuple[Polynomial, Polynomial] | None:
        """(c M, t) where p = c M (1 + e^t), with M a product of positive atoms."""
        if len(p) != 2:
            return None
        (left, c), (right, d) = sorted(p.items(), key=lambda term: _order(term[0]))
        atoms = [atom for mono in (left, right) for atom, _ in mono]
        if c != d or not any(atom[0].kind == "exp" for atom in atoms) or not all(map(self.positive, atoms)):
            return None
        quotient = self._mul({right: 1}, self.inverse({left: 1}))
        return {left: c}, self.log(quotient)

    def one_minus_sigmoid(self, p: Polynomial) -> tuple[Coefficient, Atom] | None:
        """(c, a) where p = c (1 - a)."""
        if len(p) != 2 or UNIT not in p:
            return None
        c = p[UNIT]
        mono = next(m for m in p if m)
        if len(mono) != 1 or p[mono] != -c:
            return None
        ((atom, e),) = mono
        return (c, atom) if e == 1 and atom[0].kind == "sigmoid" else None

    # Functions

    def exp(self, p: Polynomial) -> Polynomial:
        """e^p, as the product of the exponentials of the terms."""
        out: Polynomial = {UNIT: 1}
        for mono, c in p.items():
            if len(mono) == 1:
                ((atom, e),) = mono
                if e == 1 and atom[0].kind == "log":
                    out = self._mul(out, self.power(self.inside(atom), c))
                    continue
                if e == 1 and atom[0].kind == "softplus":
                    out = self._mul(out, self.power(self.add({UNIT: 1}, self.exp(self.inside(atom))), c))
                    continue
            out = self._mul(out, {frozenset({(self.template("exp", {mono: 1}), c)}): 1})
        return out

    def log(self, p: Polynomial) -> Polynomial:
        """log p; of a product the sum of the logarithms, where all factors are defined."""
        if not p:
            raise Unsupported("the logarithm of zero")
        if len(p) == 1:
            ((mono, c),) = p.items()
            if c > 0:
                out = self._log_number(c)
                for atom, e in mono:
                    out = self.add(out, self.scaled(self._log_atom(atom), e))
                return out
            return self.atom("log", p)
        logistic = self.one_plus(p)
        if logistic is not None:
            scale, argument = logistic
            return self.add(self.log(scale), self.softplus(argument))
        complement = self.one_minus_sigmoid(p)
        if complement is not None and complement[0] > 0:
            c, atom = complement
            return self.minus(self._log_number(c), self.softplus(self.inside(atom)))
        c = _content(p)
        return self.add(self._log_number(c), self.atom("log", self.scaled(p, Fraction(1) / c)))

    def _log_number(self, value: Coefficient) -> Polynomial:
        out: Polynomial = {}
        value = Fraction(value)
        for number, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, times in _primes(number):
                out = self.add(out, self.scaled(self.atom("log", {UNIT: prime}), sign * times))
        return out

    def _log_atom(self, atom: Atom) -> Polynomial:
        match atom[0].kind:
            case "exp":
                return self.inside(atom)
            case "sigmoid":  # log a = z - softplus(z)
                z = self.inside(atom)
                return self.minus(z, self.softplus(z))
            case "slope":
                z = self.inside(atom)
                return self.minus(z, self.scaled(self.softplus(z), 2))
        return self.atom("log", _single(atom, 1))

    def sigmoid(self, p: Polynomial) -> Polynomial:
        """1/(1 + e^-p), for one of p and -p as an atom: sigma(-z) = 1 - sigma(z)."""
        if not p:
            return {UNIT: Fraction(1, 2)}
        if _leading_sign(p, self) < 0:
            return self.minus({UNIT: 1}, self.atom("sigmoid", self.negative(p)))
        return self.atom("sigmoid", p)

    def softplus(self, p: Polynomial) -> Polynomial:
        """log(1 + e^p), for one of p and -p as an atom: softplus(-z) = softplus(z) - z."""
        if not p:
            return self._log_number(2)
        if _leading_sign(p, self) < 0:
            return self.add(p, self.atom("softplus", self.negative(p)))
        return self.atom("softplus", p)

    def step(self, p: Polynomial, at_zero: int = 0) -> Polynomial:
        """1 where p > 0, else 0, off its kink; ``at_zero`` where p vanishes identically."""
        if not p:
            return self.constant(at_zero)
        if all(not mono for mono in p):
            return {UNIT: 1} if p[UNIT] > 0 else {}
        if len(p) == 1:
            ((mono, c),) = p.items()
            signed = frozenset((atom, e) for atom, e in mono if not self.positive(atom))
            if signed != mono:
                return self.step({signed: 1 if c > 0 else -1})
        varying = {mono: c for mono, c in p.items() if mono}
        c = _content(varying) * _leading_sign(varying, self)
        shift = Fraction(p.get(UNIT, 0)) / abs(c)
        if c < 0:  # step(-u - k) = 1 - step(u + k)
            return self.minus({UNIT: 1}, self.step(self.negative(p)))
        return self.atom("step", self.scaled(varying, Fraction(1) / c), shift)

    # Indices

    def rename(self, p: Polynomial, names: Mapping[str, str]) -> Polynomial:
        """The polynomial with free indices renamed; two may become one."""
        moved = {i for mono in p for (_, at), _ in mono for i in at}
        if not any(i in names for i in moved):
            return p
        kept = {names.get(i, i) for i in moved}
        out: Polynomial = {}
        joined = any(h.kind == "delta" for mono in p for (h, _), _ in mono)
        if len(kept) == len(moved) and not joined:
            for mono, c in p.items():
                new = frozenset(((h, _least(h, tuple(names.get(i, i) for i in at))), e) for (h, at), e in mono)
                _accumulate(out, new, c)
            return out
        for mono, c in p.items():
            product: Polynomial = {UNIT: c}
            for (h, at), e in mono:
                product = self._mul(product, self.power(self._at(h, tuple(names.get(i, i) for i in at)), e))
            out = self.add(out, product)
        return out

    def _at(self, head: Head, at: tuple[str, ...]) -> Polynomial:
        """An atom's head at other indices; where two of them are one, what is inside is made anew."""
        if head.kind == "delta":
            return self.delta(at[0], at[1], head.content)
        if head.kind in PLAIN or len(set(at)) == len(at):
            return _single((head, _least(head, at)), 1)
        apart = tuple(f"?{next(self._fresh)}" for _ in at)
        joined = dict(zip(apart, at, strict=True))
        if head.kind == "sum":
            ranges, factors = head.content  # type: ignore[misc]
            bound = [f"?{next(self._fresh)}" for _ in ranges]
            product: Polynomial = {UNIT: 1}
            for h, places, e in factors:
                names = tuple(at[k] if k >= 0 else bound[-k - 1] for k in places)
                product = self._mul(product, self.power(self._at(h, names), e))
            for i, size in zip(bound, ranges, strict=True):
                product = self.sum(product, i, size)
            return product
        return self.rebuilt(head, self.rename(self.inside((head, apart)), joined))

    def rebuilt(self, head: Head, p: Polynomial) -> Polynomial:
        """The function that a head stands for, of another polynomial."""
        match head.kind:
            case "exp":
                return self.exp(p)
            case "log":
                return self.log(p)
            case "sigmoid":
                return self.sigmoid(p)
            case "slope":
                a = self.sigmoid(p)
                return self.minus(a, self._mul(a, a))
            case "softplus":
                return self.softplus(p)
            case "step":
                shift, _ = head.content  # type: ignore[misc]
                return self.step(self.add(p, self.constant(shift)))
            case "base":
                return p
        extra, _ = head.content  # type: ignore[misc]
        return self.atom(head.kind, p, extra)

    def sum(self, p: Polynomial, index: str, size: Range) -> Polynomial:
        """The sum over an index; a term without it is taken as often as the range is long."""
        out: Polynomial = {}
        for mono, c in p.items():
            inside = {pair for pair in mono if index in pair[0][1]}
            outside = mono - inside
            total = self._summed(dict(inside), index, size) if inside else self.length(size)
            for more, d in self._mul({outside: c}, total).items():
                _accumulate(out, more, d)
        return out

    def length(self, size: Range) -> Polynomial:
        """How many values an index takes."""
        if isinstance(size, int):
            return self.constant(size)
        if isinstance(size, str):
            return self.size(size)
        assert isinstance(size, tuple)
        low, high = (self.constant(int(end)) if isinstance(end, int) else self.size(end) for end in size)
        return self.add(high, self.negative(low), {UNIT: 1})

    def _summed(self, factors: dict[Atom, Exponent], index: str, size: Range) -> Polynomial:
        """The sum of a product of atoms that all have the index."""
        for (head, at), e in factors.items():
            if head.kind == "delta" and head.content == size and e == 1:
                other = at[1] if at[0] == index else at[0]
                rest = {a: k for a, k in factors.items() if a != (head, at)}
                return self.rename({frozenset(rest.items()): 1}, {index: other})
        ranges: dict[str, Range] = {index: size}
        flat: dict[Atom, Exponent] = {}
        for atom, e in factors.items():
            head, at = atom
            if head.kind != "sum" or not isinstance(e, int) or e < 0:
                flat[atom] = flat.get(atom, 0) + e
                continue
            sizes, inner = head.content  # type: ignore[misc]
            self.budget.spend(e * len(inner), "joining sums")
            if e > MAX_POWER:
                raise Unsupported(f"a sum over a power above {MAX_POWER}")
            for _ in range(e):
                bound = [f"?{next(self._fresh)}" for _ in sizes]
                ranges.update(zip(bound, sizes, strict=True))
                for h, places, k in inner:
                    names = tuple(at[n] if n >= 0 else bound[-n - 1] for n in places)
                    one = h, _least(h, names)
                    flat[one] = _plain(flat.get(one, 0) + k)
                    if not flat[one]:
                        del flat[one]
        return self._closed(flat, ranges)

    def _closed(self, factors: dict[Atom, Exponent], ranges: dict[str, Range]) -> Polynomial:
        """A sum over several indices of a product of atoms: what can be carried out is, the rest is made an atom."""
        if any(e == 0 for e in factors.values()):
            factors = {a: e for a, e in factors.items() if e}
        inverses = {a for a, e in factors.items() if a[0].kind == "sum" and e < 0}
        for i, size in ranges.items():
            using = {a: e for a, e in factors.items() if i in a[1]}
            rest = {a: e for a, e in factors.items() if a not in using}
            left = {k: v for k, v in ranges.items() if k != i}
            if not using:
                return self._mul(self.length(size), self._closed(rest, left))
            if self._sums_to_one(using, i, size):
                return self._over(self.reduced(rest), left)
            if inverses:
                alone = self._atom_of(using, {i: size})
                if factors.get(alone, 0) < 0:
                    fewer = {a: e + (a == alone) for a, e in rest.items() if a != alone or e != -1}
                    return self._over(self.reduced(fewer), left)
        product: Polynomial = {UNIT: 1}
        for group, own in _connected(factors, ranges):
            product = self._mul(product, _single(self._atom_of(group, own), 1) if own else self.reduced(group))
        return product

    def opened(self, atom: Atom, names: Sequence[str]) -> tuple[tuple[Range, ...], dict[Atom, Exponent]]:
        """The ranges of a sum, and the product under it with the given names for its indices."""
        (head, at) = atom
        sizes, factors = head.content  # type: ignore[misc]
        if len(sizes) > len(names):
            raise Unsupported(f"a sum over more than {len(names)} indices")
        product: dict[Atom, Exponent] = {}
        for h, places, e in factors:
            one = h, _least(h, tuple(at[n] if n >= 0 else names[-n - 1] for n in places))
            product[one] = product.get(one, 0) + e
        return sizes, product

    def _over(self, p: Polynomial, ranges: Mapping[str, Range]) -> Polynomial:
        for i, size in ranges.items():
            p = self.sum(p, i, size)
        return p

    def _sums_to_one(self, using: Mapping[Atom, Exponent], index: str, size: Range) -> bool:
        if len(using) != 1:
            return False
        (((head, at), e),) = using.items()
        name = head.content
        if head.kind != "entry" or e != 1 or name not in self.closed or isinstance(size, tuple):
            return False
        return at[self.closed[name]] == index and at.count(index) == 1  # type: ignore[index]

    def _atom_of(self, factors: Mapping[Atom, Exponent], ranges: Mapping[str, Range]) -> Atom:
        """The sum of a connected product as an atom of its own."""
        numbers = {name: n for n, name in enumerate(ranges)}
        self.budget.spend(len(factors) ** 2, "naming the indices of a sum")
        term = [(h, tuple(numbers.get(i, i) for i in at), e) for (h, at), e in factors.items()]
        form = self._canonical([(1, term)], {numbers[name]: size for name, size in ranges.items()})
        head = self.head("sum", (form.bound, form.terms[0][1]), form.symmetries)
        return head, _least(head, form.free)


def _connected(
    factors: Mapping[Atom, Exponent], ranges: Mapping[str, Range]
) -> Iterable[tuple[dict[Atom, Exponent], dict[str, Range]]]:
    """The factors in groups that share bound indices."""
    groups: list[tuple[dict[Atom, Exponent], set[str]]] = []
    for atom, e in factors.items():
        bound = {i for i in atom[1] if i in ranges}
        touching = [g for g in groups if g[1] & bound]
        groups = [g for g in groups if not g[1] & bound]
        merged: dict[Atom, Exponent] = {atom: e}
        for group, names in touching:
            merged.update(group)
            bound |= names
        groups.append((merged, bound))
    for group, names in groups:
        yield group, {i: ranges[i] for i in names}


def _positive(head: Head) -> bool:
    if head.kind == "sum":
        _, factors = head.content  # type: ignore[misc]
        return all(_positive(h) for h, _, _ in factors)
    return head.kind in POSITIVE


def _accumulate(out: Polynomial, mono: Monomial, c: Coefficient) -> None:
    total = out.get(mono, 0) + c
    if total:
        out[mono] = total if isinstance(total, int) or total.denominator != 1 else total.numerator
    else:
        out.pop(mono, None)


def _plain(value: Exponent) -> Exponent:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _single(atom: Atom, exponent: Exponent) -> Polynomial:
    return {frozenset({(atom, exponent)}): 1} if exponent else {UNIT: 1}


def _least(head: Head, at: tuple[str, ...]) -> tuple[str, ...]:
    """The least of the orders of indices in which the atom is the same."""
    if not head.symmetries:
        return at
    return min(tuple(at[k] for k in order) for order in head.symmetries)


def _order(mono: Monomial) -> list[tuple[str, Exponent, tuple[str, ...]]]:
    return sorted((h.key, e, at) for (h, at), e in mono)


def _degree(mono: Monomial) -> tuple[Exponent, list[tuple[str, tuple[str, ...], Exponent]]]:
    return sum((e for _, e in mono), 0), sorted((h.key, at, e) for (h, at), e in mono)


def _content(p: Polynomial) -> Fraction:
    """The positive rational by which the terms can be divided to be coprime integers."""
    numbers = [Fraction(c) for c in p.values()]
    return Fraction(gcd(*(c.numerator for c in numbers)), lcm(*(c.denominator for c in numbers)))


def _common(p: Polynomial) -> Monomial:
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


def _leading_sign(p: Polynomial, ring: Ring) -> int:
    """The sign of the first coefficient, in an order of the terms that names of indices do not change."""
    if len(p) == 1:
        return 1 if next(iter(p.values())) > 0 else -1
    first = min(p.items(), key=lambda term: (sorted((h.key, e) for (h, _), e in term[0]), abs(term[1]), _order(term[0])))
    return 1 if first[1] > 0 else -1


def _primes(number: int) -> Iterable[tuple[int, int]]:
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


def _spelled(content: Hashable) -> str:
    """The content as text that is the same in every run: heads by their keys."""
    if isinstance(content, tuple):
        return "(" + ",".join(map(_spelled, content)) + ")"
    return content.key if isinstance(content, Head) else f"{type(content).__name__} {content}"
