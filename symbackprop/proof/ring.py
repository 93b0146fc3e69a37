"""The ring in which formulas are compared: sums of products of atoms, in one normal form.

An atom is an entry of something: of an array (W at j, k), of a function of a polynomial (exp, log, the sigmoid, a
step), of a sum over indices that no factor outside shares. Such a sum is an atom of its own, with the free indices as
its only ones, so that powers of one sum are powers of one atom, and the names of its bound indices are settled once
(canonical.py). What is inside an atom is held as a template with numbered slots; two atoms are equal where template and
indices are.

Every rule here is an identity of real functions, true wherever both sides are defined:
sizes and exponentials are positive; e^(u+v) = e^u e^v; a^2 = a - s, e^z a = e^z - a, e^z s = a - s for the sigmoid a of
z with slope s, and 1/a = 1 + e^-z; step^2 = step; a bound delta takes its index away; targets that sum to 1 do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from symbackprop.errors import Unsupported
from symbackprop.proof.arithmetic import MAX_POWER
from symbackprop.proof.atoms import (
    PLAIN,
    UNIT,
    Atom,
    Head,
    Polynomial,
    Range,
    accumulate,
    least,
    plain,
    single,
)
from symbackprop.proof.canonical import Exponent
from symbackprop.proof.functions import Functions


class Ring(Functions):
    """The arithmetic of normal forms; ``closed`` names arrays with the place of the index along which
    they sum to 1, ``lengths`` how many there are along it where that is a number, ``symmetric`` those that equal
    their transpose.

    >>> ring = Ring()
    >>> a, b = ring.entry("a", ("i",)), ring.entry("b", ("i",))
    >>> ring.sum(ring.mul(a, b), "i", "n") == ring.sum(ring.rename(ring.mul(b, a), {"i": "k"}), "k", "n")
    True
    """

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
                new = frozenset(((h, least(h, tuple(names.get(i, i) for i in at))), e) for (h, at), e in mono)
                accumulate(out, new, c)
            return out
        self.budget.spend(len(p), "joining indices")
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
            return single((head, least(head, at)), 1)
        apart = tuple(f"?{next(self._fresh)}" for _ in at)
        joined = dict(zip(apart, at, strict=True))
        if head.kind == "sum":
            ranges, factors = head.content
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
                shift, _ = head.content
                return self.step(self.add(p, self.constant(shift)))
            case "base":
                return p
        extra, _ = head.content
        return self.atom(head.kind, p, extra)

    def sum(self, p: Polynomial, index: str, size: Range) -> Polynomial:
        """The sum over an index; a term without it is taken as often as the range is long."""
        out: Polynomial = {}
        for mono, c in p.items():
            inside = {pair for pair in mono if index in pair[0][1]}
            outside = mono - inside
            total = self._summed(dict(inside), index, size) if inside else self.length(size)
            for more, d in self._mul({outside: c}, total).items():
                accumulate(out, more, d)
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
            sizes, inner = head.content
            self.budget.spend(e * len(inner), "joining sums")
            if e > MAX_POWER:
                raise Unsupported(f"a sum over a power above {MAX_POWER}")
            for _ in range(e):
                bound = [f"?{next(self._fresh)}" for _ in sizes]
                ranges.update(zip(bound, sizes, strict=True))
                for h, places, k in inner:
                    names = tuple(at[n] if n >= 0 else bound[-n - 1] for n in places)
                    one = h, least(h, names)
                    flat[one] = plain(flat.get(one, 0) + k)
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
            product = self._mul(product, single(self._atom_of(group, own), 1) if own else self.reduced(group))
        return product

    def opened(self, atom: Atom, names: Sequence[str]) -> tuple[tuple[Range, ...], dict[Atom, Exponent]]:
        """The ranges of a sum, and the product under it with the given names for its indices."""
        (head, at) = atom
        sizes, factors = head.content
        if len(sizes) > len(names):
            raise Unsupported(f"a sum over more than {len(names)} indices")
        product: dict[Atom, Exponent] = {}
        for h, places, e in factors:
            one = h, least(h, tuple(at[n] if n >= 0 else names[-n - 1] for n in places))
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
        return at[self.closed[name]] == index and at.count(index) == 1

    def _atom_of(self, factors: Mapping[Atom, Exponent], ranges: Mapping[str, Range]) -> Atom:
        """The sum of a connected product as an atom of its own."""
        numbers = {name: n for n, name in enumerate(ranges)}
        self.budget.spend(len(factors) ** 2, "naming the indices of a sum")
        term = [(h, tuple(numbers.get(i, i) for i in at), e) for (h, at), e in factors.items()]
        form = self._canonical([(1, term)], {numbers[name]: size for name, size in ranges.items()})
        head = self.head("sum", (form.bound, form.terms[0][1]), form.symmetries)
        return head, least(head, form.free)


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
