"""Concrete small networks: sizes, whole numbers for the parameters and the data, and every value there.

Points where wrong formulas happen to hold are avoided: no size is 1, no weight is 0, neighbouring sizes differ, the
targets are not the predictions, no pre-activation lies at a kink, and no gradient vanishes everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from random import Random

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.errors import Unsupported
from symbackprop.proof import numbers as nb
from symbackprop.proof.evaluate import Array, Place, value
from symbackprop.proof.numbers import Dual, NoValue, Real
from symbackprop.proof.setting import Draw, Setting

WIDE = 5  # entries beyond this place are 0 in an array whose size is given and large
MAX_ENTRIES = 400_000
ATTEMPTS = 40
# Sizes to try, in turn: the smallest first, then such that all differ while there are few.
SIZES = ((2, 3), (4, 3, 5, 2, 6, 7, 8), (3, 5, 2, 6, 4, 8, 7), (5, 2, 4, 3, 7, 6, 8))
SCHEMES = len(SIZES)


@dataclass(frozen=True, eq=False)
class Point:
    """Numbers for everything that is free in a setting; ``bits`` is the precision beyond exact arithmetic."""

    setting: Setting
    sizes: dict[str, int]
    rates: dict[str, Real]
    arrays: dict[Symbol, Array]
    bits: int
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "_values", dict(self.arrays))
        object.__setattr__(self, "_slopes", {})

    @cached_property
    def place(self) -> Place:
        return Place(self.value, {**self.rates, **self.sizes}, self.bits)

    def value(self, symbol: Symbol) -> Array:
        """The value of any named array."""
        known: dict[Symbol, Array] = self._values  # type: ignore[attr-defined]
        if symbol in known:
            return known[symbol]
        if symbol not in self.setting.definitions:
            raise Unsupported(f"{symbol.name} has no definition and no value")
        for earlier, definition in self.setting.definitions.items():  # in order, so that depth is no recursion
            if earlier not in known:
                known[earlier] = value(definition, self.place)
            if earlier == symbol:
                break
        return known[symbol]

    def of(self, node: Formula, indices: dict[str, int] | None = None) -> Array:
        """The value of a formula, at values of its free indices; functions have the values that they are defined by."""
        loose = replace(self.place, off_kinks=False, indices=dict(indices or {}))
        return value(node, loose)

    def slope(self, wrt: Symbol, row: int, column: int) -> Real:
        """dJ/d wrt[row, column], by dual numbers from the definition of the cost: no rule of matrices is used."""
        known: dict[tuple[Symbol, int, int], Real] = self._slopes  # type: ignore[attr-defined]
        at = wrt, row, column
        if at not in known:
            known[at] = self._slope(wrt, row, column)
        return known[at]

    def _slope(self, wrt: Symbol, row: int, column: int) -> Real:
        cost = self.setting.cost
        assert cost is not None
        seeded: Array = [list(line) for line in self.value(wrt)]
        inner = seeded[row][column]
        assert not isinstance(inner, Dual)
        seeded[row][column] = Dual(inner, 1)
        moved = {wrt: seeded}
        place = Place(lambda s: moved[s] if s in moved else self.value(s), self.place.scalars, self.bits)
        for symbol, definition in self.setting.forward.items():
            if symbol != wrt and any(u in moved for u in f.walk(definition) if isinstance(u, Symbol)):
                moved[symbol] = value(definition, place)
        found = moved[cost][0][0] if cost in moved else 0
        return found.slope if isinstance(found, Dual) else 0

    def closed(self, name: str, axis: int) -> Point:
        """The point with an array that sums to 1 along an axis."""

        def scaled(rows: Array) -> Array:
            lines = [list(c) for c in zip(*rows, strict=True)] if axis == 0 else rows
            out = [_distribution(len(line), Random(n)) for n, line in enumerate(lines)]
            return [list(c) for c in zip(*out, strict=True)] if axis == 0 else out

        return self._with({s: scaled(rows) if s.name == name else rows for s, rows in self.arrays.items()})

    def symmetric(self, symbol: Symbol) -> Point:
        """The point with a square array that equals its transpose."""
        rows = self.arrays[symbol]
        mirrored = [[rows[min(i, j)][max(i, j)] for j in range(len(rows))] for i in range(len(rows))]
        return self._with({**self.arrays, symbol: mirrored})

    def sharper(self) -> Point:
        """The same point in twice the precision."""
        return Point(self.setting, self.sizes, self.rates, self.arrays, 2 * self.bits, self.seed)

    def _with(self, arrays: dict[Symbol, Array]) -> Point:
        return Point(self.setting, self.sizes, self.rates, arrays, self.bits, self.seed)


def points(setting: Setting, scheme: int) -> Iterator[Point]:
    """Points of the sizes of a scheme, 0 being the smallest, that are defined and at which nothing vanishes."""
    sizes = _sizes(setting, scheme)
    found = 0
    depth = len(setting.forward)
    for attempt in range(ATTEMPTS):
        try:
            point = _drawn(setting, sizes, scheme, attempt, 128 + 2 * depth)
            if not _generic(point):
                continue
        except NoValue:
            continue
        yield point
        found += 1
        if found == 3:
            return


def _sizes(setting: Setting, scheme: int) -> dict[str, int]:
    """A number for each symbolic size: neighbours differ, and from scheme 1 on all differ while there are few."""
    names: list[str] = []
    for symbol in (*setting.free, *setting.forward):
        names += [n.name for n in reversed(symbol.shape) if n.is_Symbol and n.name not in names]
    names += sorted(setting.sizes - set(names))
    cycle = SIZES[scheme % len(SIZES)]
    sizes = {name: cycle[k % len(cycle)] for k, name in enumerate(names)}
    if scheme and names and list(sizes.values()).count(sizes[names[-1]]) > 1:
        sizes[names[-1]] = 9  # the number of samples equals no number of units
    return sizes


def _drawn(setting: Setting, sizes: dict[str, int], scheme: int, attempt: int, bits: int) -> Point:
    seed = 1000 * scheme + attempt
    random = Random(seed)
    primes = (3, 5, 7, 11, 13, 17, 19, 23)
    rates: dict[str, Real] = {
        name: Fraction(primes[(k + seed) % 8], 2 if seed < 2000 else 60)
        for k, name in enumerate(sorted(setting.scalars))
    }
    arrays = {}
    for symbol, draw in setting.free.items():
        rows, columns = (
            int(n.xreplace({s: sympy.Integer(sizes[s.name]) for s in n.free_symbols})) for n in symbol.shape
        )
        if rows * columns > MAX_ENTRIES:
            raise Unsupported(f"{symbol.name} has {rows * columns} entries: too many for a counterexample")
        for _ in range(20):
            arrays[symbol] = _entries(rows, columns, draw, random, (scheme, attempt), setting)
            if draw not in (Draw.WEIGHT, Draw.DATA) or _distinct(arrays[symbol]):
                break
    return Point(setting, sizes, rates, arrays, bits, seed)


def _distinct(rows: Array) -> bool:
    """Whether no two rows and no two columns are equal, but for the zeros of a large array."""
    lines = [tuple(row) for row in rows[:WIDE]]
    columns = list(zip(*(row[:WIDE] for row in rows[:WIDE]), strict=True))
    return len(set(lines)) == len(lines) and len(set(columns)) == len(columns)


def _entries(rows: int, columns: int, draw: Draw, random: Random, tried: tuple[int, int], setting: Setting) -> Array:
    if draw is Draw.DISTRIBUTION:
        lines = columns if setting.units == 0 else rows
        length = rows if setting.units == 0 else columns
        drawn = [_distribution(length, random) for _ in range(lines)]
        return [list(column) for column in zip(*drawn, strict=True)] if setting.units == 0 else drawn
    out: Array = []
    for i in range(rows):
        if draw is Draw.WEIGHT or draw is Draw.DATA:
            out.append([_number(draw, random, tried, setting) if i < WIDE and j < WIDE else 0 for j in range(columns)])
        else:
            out.append([_number(draw, random, tried, setting) for _ in range(columns)])
    return out


def _number(draw: Draw, random: Random, tried: tuple[int, int], setting: Setting) -> Real:
    """A small whole number where that is possible; predictions that must lie in an interval want smaller ones."""
    scheme, attempt = tried
    match draw:
        case Draw.WEIGHT:
            drawn = _entry(random, scheme, (-2, -1, 1, 2) if attempt < 20 else (-1, 1, 2, 3))
            if setting.interior:
                return Fraction(drawn) / 20
            deep = (len(setting.forward) > 12) + attempt // 10  # many layers must neither explode nor vanish
            return Fraction(drawn) / 2**deep if deep else drawn
        case Draw.BIAS:
            if setting.interior:
                return Fraction(random.choice((3, 4, 5)), 10)
            return _entry(random, scheme, (-1, 1, 1, 2) if len(setting.forward) > 12 else (-2, -1, 1, 2))
        case Draw.DATA:
            return _entry(random, scheme, (-3, -2, -1, 1, 2, 3))
        case Draw.TARGET:  # on both sides of the predictions, so that errors have both signs
            return random.choice((-2, -1, 1, 2, 3)) * random.choice((1, 1, 10))
        case Draw.CHANCE:
            return Fraction(random.choice((1, 2, 3, 4)), 5)
        case Draw.SIGN:
            return random.choice((-1, 1))
        case Draw.COUNT:
            return random.choice((1, 2, 3, 4))
    raise Unsupported(f"no number is drawn for {draw}")


def _entry(random: Random, scheme: int, small: tuple[int, ...]) -> int | Fraction:
    """A small whole number at the first points; at later ones a fraction, since claims can be made to hold at those."""
    drawn = random.choice(small)
    return drawn if scheme == 0 else drawn + Fraction(random.randint(-4, 4), random.choice((5, 7, 11)))


def _distribution(length: int, random: Random) -> list[nb.Number]:
    parts = [random.randint(1, 5) for _ in range(length)]
    return [Fraction(part, sum(parts)) for part in parts]


def _generic(point: Point) -> bool:
    """Whether the cost has a value and no gradient vanishes everywhere."""
    setting = point.setting
    if setting.cost is not None:
        point.value(setting.cost)
    for error in setting.definitions:
        if error in setting.error_of:
            entries = [x for row in point.value(error) for x in row]
            if not any(_nonzero(x) for x in entries):
                return False
    return True


def _nonzero(x: nb.Number) -> bool:
    assert not isinstance(x, Dual)
    return nb.differ(x, 0)
