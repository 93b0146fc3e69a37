"""The relations that atoms obey. Each is an identity of real functions, true wherever both sides are defined."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from symbackprop.proof.arithmetic import MAX_POWER, Arithmetic
from symbackprop.proof.atoms import UNIT, UNITS, Atom, Coefficient, Monomial, Polynomial, degree, least, plain, single
from symbackprop.proof.canonical import Exponent


class Relations(Arithmetic):
    """``reduced`` applies them: to a product of powers of atoms, until none fits."""

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
                found = self._without(factors, atom, self.number_power(head.content, e))
            elif head.kind == "sin" and isinstance(e, int) and e >= 2:
                cos: Polynomial = {
                    frozenset({((self.head("cos", head.content, head.symmetries), atom[1]), 2)}): -1,
                    UNIT: 1,
                }
                found = self._without(factors, atom, self._mul(cos, single(atom, e - 2)))
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
            return self._mul(moved, single(atom, 1))
        if factors[atom] != 1:
            return self._without(factors, atom, single(atom, 1))
        return None

    def _step(self, factors: Mapping[Atom, Exponent], atom: Atom, e: Exponent) -> Polynomial | None:
        """A step is its own square; of two whose arguments differ by a constant, the harder one decides."""
        if e != 1:  # 1/step has a value where the step is 1, and is 1 there
            return self._without(factors, atom, single(atom, 1))
        shift, terms = atom[0].content
        for other in factors:
            if other[0].kind == "step" and other != atom and other[1] == atom[1]:
                other_shift, other_terms = other[0].content
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
            by = self._mul({frozenset({(a, 1)}): 1, frozenset({(s, 1)}): -1}, single(a, e - 2))
            return self._without(factors, atom, by)
        times = self._exponentials(factors, atom)
        if times is None:
            return None
        up, exponentials = times
        rest = dict(factors)
        for exponential, k in exponentials.items():
            rest[exponential] = plain(rest[exponential] - k)
            if not rest[exponential]:
                del rest[exponential]
        rest[atom] = plain(rest[atom] - 1)
        if not rest[atom]:
            del rest[atom]
        whole: Polynomial = {frozenset(exponentials.items()): 1}
        one_a, one_s = single(a, 1), single(s, 1)
        if up:  # e^z a = e^z - a, e^z s = a - s
            by = self.minus(one_a, one_s) if slope else self.minus(whole, one_a)
        elif slope:  # e^-z s = 1 - a - s
            by = self.add({UNIT: 1}, self.negative(one_a), self.negative(one_s))
        else:  # e^-z a = 1 - a
            by = self.minus({UNIT: 1}, one_a)
        return self._mul(self.reduced(rest), by)

    def _exponentials(self, factors: Mapping[Atom, Exponent], atom: Atom) -> tuple[bool, dict[Atom, Exponent]] | None:
        """The exponential of plus or minus the sigmoid's argument, where it divides the product; True for plus."""
        if not any(a[0].kind == "exp" for a in factors):
            return None
        for up in (True, False):
            argument = self.inside(atom)
            whole = self.exp(argument if up else self.negative(argument))
            if len(whole) != 1:
                return None
            ((mono, c),) = whole.items()
            if c == 1 and all(Fraction(factors.get(a, 0)) / e >= 1 for a, e in mono):
                return up, dict(mono)
        return None

    def _base(self, factors: Mapping[Atom, Exponent], atom: Atom, e: Exponent) -> Polynomial | None:
        """A power of a polynomial p that is kept as an atom: p^k is multiplied out, and lead/p = (1 - rest/p) / c."""
        if e >= 1 and (isinstance(e, Fraction) or e <= MAX_POWER):
            whole = int(e)
            p = self.power(self.inside(atom), whole)
            return self._without(factors, atom, self._mul(p, single(atom, e - whole)) if e != whole else p)
        if not isinstance(e, int):
            return None
        found = self._lead(atom)
        if found is None:
            return None
        c, units, lead = found
        if any(factors.get(a, 0) < k for a, k in lead):
            return None
        rest = dict(factors)
        for a, k in lead:
            rest[a] = plain(rest[a] - k)
            if not rest[a]:
                del rest[a]
        rest[atom] = e + 1
        if not rest[atom]:
            del rest[atom]
        others = {mono: k for mono, k in self.inside(atom).items() if mono != lead | units}
        by = self.minus({UNIT: 1}, self._mul(others, single(atom, -1)))
        by = self._mul(by, {frozenset((a, -k) for a, k in units): Fraction(1) / c})
        return self._mul(self.reduced(rest), by)

    def _lead(self, atom: Atom) -> tuple[Coefficient, Monomial, Monomial] | None:
        """The leading term of the polynomial in an atom, chosen once for all indices: coefficient, units and the rest.

        Units are what can be divided by, sizes and exponentials: they count as part of the coefficient. None where
        several terms lead, or the polynomial has only units: nothing is rewritten then.
        """
        head, at = atom
        if head not in self._leads:
            groups: dict[Any, list[Any]] = {}
            for term in head.content[1]:
                groups.setdefault(degree(u for u in term[1] if u[0].kind not in UNITS), []).append(term)
            top = max(groups, key=lambda d: (d[0], d[1]))
            alone = len(groups[top]) == 1 and top[0] > 0 and all(k > 0 for _, _, k in top[1])
            self._leads[head] = groups[top][0] if alone else None
        term = self._leads[head]
        if term is None:
            return None
        placed = [((h, least(h, tuple(at[k] for k in places))), e) for h, places, e in term[1]]
        units = frozenset(u for u in placed if u[0][0].kind in UNITS)
        return term[0], units, frozenset(placed) - units
