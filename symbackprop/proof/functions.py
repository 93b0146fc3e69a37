"""Functions of polynomials in one basis: exponentials of single terms, one sigmoid and one step an argument."""

from __future__ import annotations

from fractions import Fraction

from symbackprop.errors import Unsupported
from symbackprop.proof.atoms import (
    UNIT,
    Atom,
    Coefficient,
    Polynomial,
    accumulate,
    common,
    content,
    order,
    primes,
    single,
)
from symbackprop.proof.canonical import Exponent
from symbackprop.proof.relations import Relations


class Functions(Relations):
    """Quotients, exponentials, logarithms, the sigmoid, softplus and the step."""

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
            one = single(stepped, 1)
            return self.add(self._mul(one, yes), self._mul(self.minus({UNIT: 1}, one), no))
        logistic = self.one_plus(p)
        if logistic is not None:  # 1/(c M (1 + e^t)) = (1 - sigmoid(t)) / (c M)
            scale, argument = logistic
            return self._mul(self.inverse(scale), self.minus({UNIT: 1}, self.sigmoid(argument)))
        complement = self.one_minus_sigmoid(p)
        if complement is not None:
            c, atom = complement
            return self.scaled(self.add({UNIT: 1}, self.exp(self.inside(atom))), Fraction(1) / c)
        c = content(p)
        shared = common(p)
        if shared:
            rest = self._mul(p, {frozenset((a, -e) for a, e in shared): 1})
            if len(rest) == len(p):
                return self._mul(self.inverse({shared: 1}), self.inverse(rest))
        if _leading_sign(p) < 0:
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
            accumulate(yes, bare, c)
            if len(bare) == len(mono):
                accumulate(no, mono, c)
        return yes, no

    def one_plus(self, p: Polynomial) -> tuple[Polynomial, Polynomial] | None:
        """(c M, t) where p = c M (1 + e^t), with M a product of positive atoms."""
        if len(p) != 2:
            return None
        (left, c), (right, d) = sorted(p.items(), key=lambda term: order(term[0]))
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
        common = _common(p)
        if common:  # log(1/p - 1) = log(1 - p) - log p
            rest = self.mul(p, {frozenset((atom, -e) for atom, e in common.items()): 1})
            return self.add(self.log(rest), *(self.scaled(self._log_atom(atom), e) for atom, e in common.items()))
        c = content(p)
        return self.add(self._log_number(c), self.atom("log", self.scaled(p, Fraction(1) / c)))

    def _log_number(self, value: Coefficient) -> Polynomial:
        out: Polynomial = {}
        value = Fraction(value)
        for number, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, times in primes(number):
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
        return self.atom("log", single(atom, 1))

    def sigmoid(self, p: Polynomial) -> Polynomial:
        """1/(1 + e^-p), for one of p and -p as an atom: sigma(-z) = 1 - sigma(z)."""
        if not p:
            return {UNIT: Fraction(1, 2)}
        if _leading_sign(p) < 0:
            return self.minus({UNIT: 1}, self.atom("sigmoid", self.negative(p)))
        return self.atom("sigmoid", p)

    def softplus(self, p: Polynomial) -> Polynomial:
        """log(1 + e^p), for one of p and -p as an atom: softplus(-z) = softplus(z) - z."""
        if not p:
            return self._log_number(2)
        if _leading_sign(p) < 0:
            return self.add(p, self.atom("softplus", self.negative(p)))
        return self.atom("softplus", p)

    def step(self, p: Polynomial, at_zero: int = 0) -> Polynomial:
        """1 where p > 0, else 0; ``at_zero`` where p is 0.

        Where that matters (step(-u) = 1 - step(u), and u >= 0 for u > 0) the argument is noted in ``kinks``.
        """
        if not p:
            return self.constant(at_zero)
        if all(not mono for mono in p):
            return {UNIT: 1} if p[UNIT] > 0 else {}
        if len(p) == 1:
            ((mono, c),) = p.items()
            signed = frozenset((atom, e) for atom, e in mono if not self.positive(atom))
            if signed != mono:
                return self.step({signed: 1 if c > 0 else -1}, at_zero)
        shared = frozenset((atom, e) for atom, e in common(p) if self.positive(atom))
        if shared:
            return self.step(self._mul(p, {frozenset((atom, -e) for atom, e in shared): 1}), at_zero)
        varying = {mono: c for mono, c in p.items() if mono}
        c = content(varying) * _leading_sign(varying)
        shift = Fraction(p.get(UNIT, 0)) / abs(c)
        if c < 0:  # step(-u - k) = 1 - step(u + k)
            return self.minus({UNIT: 1}, self.step(self.negative(p), 1 - at_zero))
        if at_zero:
            self.note_kink(p)
        return self.atom("step", self.scaled(varying, Fraction(1) / c), shift)

    def note_kink(self, p: Polynomial) -> None:
        """Remember that a value at p = 0 was left out of account."""
        self.kinks.add(frozenset(p.items()))


def _leading_sign(p: Polynomial) -> int:
    """The sign of the first coefficient, in an order of the terms that names of indices do not change."""
    if len(p) == 1:
        return 1 if next(iter(p.values())) > 0 else -1
    first = min(p.items(), key=lambda term: (sorted((h.key, e) for (h, _), e in term[0]), abs(term[1]), order(term[0])))
    return 1 if first[1] > 0 else -1


def _common(p: Polynomial) -> dict[Atom, Exponent]:
    """The powers of atoms that divide every term; of an atom that stands in denominators, the lowest of its powers."""
    terms = [dict(mono) for mono in p]
    lowest = {atom: min(term.get(atom, 0) for term in terms) for atom in {atom for term in terms for atom in term}}
    return {atom: e for atom, e in lowest.items() if e}
