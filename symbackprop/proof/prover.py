"""The answer to a claim: shapes, a concrete network, the normal form, more networks, in this order.

A concrete small network comes before the normal form: it settles most wrong claims at once, with the certificate, and
keeps them away from normal forms, which cost most on what is not equal. Nothing is called proved that does not also
agree, to many bits, with the value at such a network: an equality of formulas that have no value there proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Symbol
from symbackprop.algebra.shape import shape, show
from symbackprop.errors import ShapeMismatch, Unsupported
from symbackprop.proof import numbers as nb
from symbackprop.proof.defined import may_be_undefined
from symbackprop.proof.equality import Equality
from symbackprop.proof.evaluate import Array, stand_ins
from symbackprop.proof.numbers import Dual, NoValue
from symbackprop.proof.points import SCHEMES, Point, points
from symbackprop.proof.setting import Setting
from symbackprop.proof.snippet import snippet
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Counterexample, Verdict

AT_KINKS = "nothing that the formula compares, or takes the sign or the absolute value of, lies at the kink"
UNDEFINED = "every quotient, root and logarithm in the formula has a value"
AGREED = 60  # bits to which two values must agree to count as equal numerically
SMALLEST = 2.0**-20  # what a value is compared with that is 0: the numbers of a point are of about 1


@dataclass(frozen=True)
class Difference:
    """Where two sides certainly differ."""

    point: Point
    indices: Mapping[str, int]
    row: int
    column: int
    claimed: nb.Real
    true: nb.Real


@dataclass
class Prover:
    """Judges equalities between formulas of one setting, and keeps what it learns of the setting.

    The first of the two sides is the one that is known, the second the one that is claimed.
    """

    setting: Setting
    _points: dict[int, tuple[list[Point], Iterator[Point]]] = field(default_factory=dict)
    _truths: dict[tuple[int, int, bool, Formula], Array] = field(default_factory=dict)
    _others: dict[str, Equality] = field(default_factory=dict)
    _targets: set[Symbol] = field(default_factory=set)  # by what the cost is derived in what is judged

    @cached_property
    def equality(self) -> Equality:
        return Equality(self.setting)

    def judge(self, known: Formula, claim: Formula, ranges: Mapping[str, f.Size] | None = None) -> Verdict:
        """Whether ``claim`` equals ``known``; ``ranges`` gives the sizes along which free indices run.

        A derivative of the cost in ``known`` is looked up in the derivation; a difference is certified against the
        definition of the cost.
        """
        ranges = ranges or {}
        truth, said = self.setting.known(known), self.setting.known(claim)
        if isinstance(known, Symbol) and known in self.setting.definitions and said == known:
            return self._proved("it is the same", truth, said, None)
        if isinstance(truth, Symbol) and truth in self.setting.definitions:
            truth = self.setting.definitions[truth]
        target = self._target(known)
        self._targets = {wrt for u in f.walk(known) if (wrt := self._target(u)) is not None}
        misfit = self._misshapen(truth, said)
        if misfit is not None:
            return misfit
        if truth == said:
            return self._proved("it is the formula that was derived", truth, said, target)
        try:
            return self._compared(truth, said, target, ranges)
        except Unsupported as error:
            return self._undecided(str(error))

    def _compared(self, truth: Formula, said: Formula, target: Symbol | None, ranges: Mapping[str, f.Size]) -> Verdict:
        found = self._difference(0, truth, said, target, ranges)
        if isinstance(found, Difference):
            return self._refuted(found, truth, said, target)
        proof = self.equality.equal(truth, said)
        if proof.equal and found is None:
            return self._proved("both sides have the same normal form", truth, said, target, proof.kinks)
        agreed = int(found is None)
        for scheme in range(1, SCHEMES):
            found = self._difference(scheme, truth, said, target, ranges)
            if isinstance(found, Difference):
                return self._refuted(found, truth, said, target)
            agreed += found is None
            if proof.equal and agreed:
                return self._proved("both sides have the same normal form", truth, said, target, proof.kinks)
        for scheme, number in product(range(SCHEMES), (1, 2)):  # the signs of a few points may all be alike
            found = self._difference(scheme, truth, said, target, ranges, number)
            if isinstance(found, Difference):
                return self._refuted(found, truth, said, target)
        if agreed == 0:  # equal normal forms say nothing of a formula that has no value
            return self._undecided("at no point that was tried do both sides have a certain value")
        if proof.reason:
            return self._undecided(f"{proof.reason}; the two agree at {agreed} points")
        return Verdict(
            Status.CONSISTENT,
            f"the two agree at {agreed} points to {AGREED} bits; no proof was found",
            "SBP402",
            assumptions=self.setting.granted,
            scope=self.setting.scope,
        )

    # Shapes

    def _misshapen(self, truth: Formula, said: Formula) -> Verdict | None:
        """A refutation by shapes alone."""
        wanted = shape(truth)
        try:
            given = shape(said)
        except ShapeMismatch as error:
            return self._by_shape("SBP201", f"it does not conform: {error}")
        except Unsupported as error:
            return self._undecided(str(error))
        if given == wanted:
            return None
        if given == wanted[::-1] and self.equality.equal(truth, f.Transpose(said)).equal:
            return self._by_shape(
                "SBP203",
                f"it is {show(given)}, the transpose of what is right, {show(wanted)}",
                "right in the other layout: transpose the whole, or declare the layout",
            )
        return self._by_shape("SBP202", f"it is {show(given)}, and should be {show(wanted)}")

    def _by_shape(self, code: str, message: str, hint: str = "") -> Verdict:
        return Verdict(Status.REFUTED, message, code, hint, scope=self.setting.scope)

    # Points

    def _target(self, known: Formula) -> Symbol | None:
        """The array by which the cost is derived, where that is what is claimed."""
        if isinstance(known, f.Derivative) and known.of == self.setting.cost and isinstance(known.wrt, Symbol):
            return known.wrt
        return self.setting.error_of.get(known) if isinstance(known, Symbol) else None

    def point(self, scheme: int, number: int) -> Point | None:
        """A point of a scheme of sizes, made when it is first wanted; None where no more are found."""
        made, more = self._points.setdefault(scheme, ([], points(self.setting, scheme)))
        while len(made) <= number:
            found = next(more, None)
            if found is None:
                return None
            made.append(found)
        return made[number]

    def _difference(
        self,
        scheme: int,
        truth: Formula,
        said: Formula,
        target: Symbol | None,
        ranges: Mapping[str, f.Size],
        number: int = 0,
    ) -> Difference | NoValue | None:
        """A certified difference at a point of a scheme; None where they agree, NoValue where nothing can be said."""
        found: Difference | NoValue | None = NoValue("no point")
        while (point := self.point(scheme, number)) is not None:
            for tried, sharpened in ((point, False), (point.sharper(), True)):
                try:
                    return self._at(tried, (scheme, number, sharpened), truth, said, target, ranges)
                except NoValue as error:
                    found = error
            number += 1
        return found

    def _at(
        self,
        point: Point,
        key: tuple[int, int, bool],
        truth: Formula,
        said: Formula,
        target: Symbol | None,
        ranges: Mapping[str, f.Size],
    ) -> Difference | None:
        for indices in _values(point, ranges):
            if ranges:
                right = point.of(truth, indices)
            else:
                known = self._truths.get((*key, truth))
                right = known if known is not None else self._truths.setdefault((*key, truth), point.of(truth))
            claimed = point.of(said, indices)
            scale = max((x for row in right for x in map(_size, row)), default=0.0)
            scale = max(scale, SMALLEST)
            for i, (row, other) in enumerate(zip(right, claimed, strict=True)):
                for j, (x, y) in enumerate(zip(row, other, strict=True)):
                    assert not isinstance(x, Dual)
                    assert not isinstance(y, Dual)
                    if nb.differ(x, y):
                        if target is not None and target in point.setting.gradients:
                            slope = point.slope(target, i, j)
                            if not nb.differ(slope, y):
                                if nb.differ(slope, x) and self.setting.cost is not None:
                                    name = f"d{self.setting.cost.name}/d{target.name}"
                                    raise Unsupported(f"the derivation of {name} is in doubt")
                                raise NoValue("rounding covers what is seen")
                            x = slope
                        return Difference(point, indices, i, j, y, x)
                    if not nb.negligible(x, y, AGREED, Fraction(scale)):
                        raise NoValue("rounding covers what is seen")
        return None

    # Answers

    def _proved(
        self, message: str, truth: Formula, said: Formula, target: Symbol | None, kinks: bool = False
    ) -> Verdict:
        """Proved, with what was granted: that targets sum to 1 where the derivation, or this proof, rests on it."""
        setting, granted = self.setting, self.setting.granted
        if kinks:
            granted = (*granted, AT_KINKS)
        if may_be_undefined(said, setting) and not may_be_undefined(truth, setting):
            granted = (*granted, UNDEFINED)
        if setting.labels and (
            self._targets or not self._under("nothing", "", 0).equal(truth, said).equal  # by definitions alone
        ):
            granted = (setting.labels, *granted)
        return Verdict(Status.PROVED, message, assumptions=granted, scope=setting.scope)

    def _undecided(self, reason: str) -> Verdict:
        return Verdict(Status.UNDECIDED, reason, "SBP401", assumptions=self.setting.granted, scope=self.setting.scope)

    def _refuted(self, found: Difference, truth: Formula, said: Formula, target: Symbol | None) -> Verdict:
        point = found.point
        wide = shape(truth)
        entry = tuple(k + 1 for k, n in zip((found.row, found.column), wide, strict=True) if n != ONE)
        if found.indices:
            entry = tuple(found.indices.values())
        claimed, true = nb.apart(found.claimed, found.true)
        example = Counterexample(
            sizes=point.sizes,
            rates={name: Fraction(rate) for name, rate in point.rates.items() if not isinstance(rate, nb.Ball)},
            arrays={s.name: tuple(tuple(Fraction(x) for x in row) for row in rows) for s, rows in point.arrays.items()},  # type: ignore[arg-type]
            entry=entry,
            claimed=claimed,
            true=true,
            stand_ins=stand_ins((truth, said, *self.setting.forward.values())),
            script=lambda: snippet(point, said, truth, target, (found.row + 1, found.column + 1)),
        )
        reason = self._assumption(point, truth, said, target, dict(found.indices))
        return Verdict(
            Status.REFUTED,
            "it differs from what is right" if reason is None else f"right only if {reason}",
            "SBP301" if reason is None else "SBP319",
            "" if reason is None else f"declare it, or write what holds without it: {reason}",
            example,
            self.setting.granted,
            self.setting.scope,
        )

    def _assumption(
        self, point: Point, truth: Formula, said: Formula, target: Symbol | None, at: dict[str, int]
    ) -> str | None:
        """An assumption under which the claim is right, where one of the usual ones does; tried in numbers first."""
        setting = self.setting
        for name, axis in setting.closable.items():
            under = self._under("closed", name, axis)
            if self._agree(point.closed(name, axis), truth, said, at) and under.equal(truth, said).equal:
                return f"the {'columns' if axis == 0 else 'rows'} of {name} sum to 1"
        used = {u for u in f.walk(said) if isinstance(u, Symbol)}
        for symbol in sorted(used, key=lambda s: s.name):
            rows, columns = symbol.shape
            if rows == columns != ONE and symbol in setting.free:
                under = self._under("symmetric", symbol.name, 0)
                if self._agree(point.symmetric(symbol), truth, said, at) and under.equal(truth, said).equal:
                    return f"{symbol.name} is symmetric"
        if setting.samples is not None and self._targets and not self._targets & set(setting.free):
            scaled = f.Product((f.scalar(setting.samples), truth))
            if self._agree(point, scaled, said, at) and self.equality.equal(scaled, said).equal:
                cost = setting.cost.name if setting.cost is not None else "J"
                named = sorted(symbol.name for symbol in self._targets)
                return f"d{cost}/d{named[0]} is meant for the loss of each sample"
        return None

    def _under(self, what: str, name: str, axis: int) -> Equality:
        """Equality under a further assumption, made once."""
        key = f"{what} {name}"
        if key not in self._others:
            closed = {**self.setting.closed, name: axis} if what == "closed" else {} if what == "nothing" else None
            symmetric = frozenset({name}) if what == "symmetric" else frozenset()
            self._others[key] = Equality(self.setting, closed=closed, symmetric=symmetric)
        return self._others[key]

    def _agree(self, point: Point, left: Formula, right: Formula, at: dict[str, int]) -> bool:
        """Whether no entry of the two certainly differs at a point."""
        try:
            pairs = zip(point.of(left, at), point.of(right, at), strict=True)
            return not any(nb.differ(x, y) for u, v in pairs for x, y in zip(u, v, strict=True))  # type: ignore[arg-type]
        except (NoValue, Unsupported):
            return False


def _size(x: nb.Number) -> float:
    """How large a number is, roughly."""
    assert not isinstance(x, Dual)
    return abs(nb.approximate(x))


def _values(point: Point, ranges: Mapping[str, f.Size]) -> Iterator[dict[str, int]]:
    """Every choice of values for the free indices."""
    sizes = [range(1, point.place.number(n) + 1) for n in ranges.values()]
    for chosen in product(*sizes):
        yield dict(zip(ranges, chosen, strict=True))
