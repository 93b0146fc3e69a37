"""Whether two formulas are equal for all sizes: equal normal forms, definitions put in only as far as needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Function, Symbol
from symbackprop.algebra.index import IndexExpr
from symbackprop.algebra.shape import shape
from symbackprop.errors import Unsupported
from symbackprop.proof.atoms import PLAIN, Head, Polynomial
from symbackprop.proof.budget import Budget, BudgetEnded
from symbackprop.proof.clearing import vanishes
from symbackprop.proof.normal import Normaliser
from symbackprop.proof.ring import Ring
from symbackprop.proof.scalar import applied
from symbackprop.proof.setting import Setting

CLEAN = frozenset(
    {"entry", "size", "scalar", "exp", "sigmoid", "slope", "softplus", "log", "step", "number", "constant"}
)
ROW, COLUMN = sympy.Symbol("?row"), sympy.Symbol("?column")
MAX_HEADS = 20_000  # of one ring, before a new one is begun


@dataclass(frozen=True)
class Proof:
    """``equal`` is None where a budget ended or something is not supported, with the ``reason``.

    ``kinks``: the right side compares something with what it may be equal to, and the proof leaves that case out.
    """

    equal: bool | None
    reason: str = ""
    kinks: bool = False


def free_indices(node: Formula) -> tuple[sympy.Expr, sympy.Expr]:
    """Where the entry of a formula is taken: along an axis of size 1 there is one place."""
    rows, columns = shape(node)
    return (ONE if rows == ONE else ROW), (ONE if columns == ONE else COLUMN)


@dataclass
class Equality:
    """Compares formulas of one setting; what it learns of definitions is kept for the next claim.

    ``symmetric`` and ``constant`` are names of arrays that are taken to be symmetric, or to have equal entries.
    """

    setting: Setting
    limit: int = Budget.limit
    symmetric: frozenset[str] = frozenset()
    closed: Mapping[str, int] | None = None
    _rings: list[Ring] = field(default_factory=list)
    _normalisers: dict[tuple[frozenset[Symbol], bool], Normaliser] = field(default_factory=dict)
    _forms: dict[tuple[frozenset[Symbol], bool, Formula | IndexExpr], tuple[Polynomial, frozenset[object]]] = field(
        default_factory=dict
    )
    _kept: dict[Function, bool] = field(default_factory=dict)
    _met: list[frozenset[object]] = field(default_factory=lambda: [frozenset(), frozenset()])

    @cached_property
    def _named(self) -> dict[str, Symbol]:
        return {symbol.name: symbol for symbol in self.setting.definitions}

    @cached_property
    def _order(self) -> dict[str, int]:
        return {symbol.name: n for n, symbol in enumerate(self.setting.definitions)}

    @cached_property
    def _always(self) -> frozenset[Symbol]:
        """Outputs of functions: a and f(z) are one thing under two names."""
        definitions = self.setting.definitions.items()
        return frozenset(
            s for s, u in definitions if (isinstance(u, f.Map | f.Softmax) and isinstance(u.arg, Symbol)) or s == u
        )

    def equal(self, left: Formula | IndexExpr, right: Formula) -> Proof:
        """Whether the entries of the two, which have one shape, are equal for all sizes and all values.

        ``left`` may be given by its entry at ``ROW`` and ``COLUMN`` in index form.
        """
        ring = self._ring()
        ring.budget = Budget(self.limit)
        try:
            same = self._stages(ring, left, right)
        except (Unsupported, BudgetEnded) as error:
            return Proof(None, str(error))
        except RecursionError:
            return Proof(None, "the formula is nested too deeply")
        return Proof(same, kinks=same and bool(self._met[1] - self._met[0]))

    def _ring(self) -> Ring:
        if not self._rings or self._rings[0].count > MAX_HEADS:
            closed = self.setting.closed if self.closed is None else self.closed
            places, lengths = self._along(closed)
            self._rings[:] = [Ring(places, symmetric=self.symmetric, lengths=lengths)]
            self._normalisers.clear()
            self._forms.clear()
        return self._rings[0]

    def _along(self, closed: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
        """Which index of an entry runs along the axis that sums to 1, and how many there are, where that is a number.

        An axis of size 1 has no index.
        """
        places: dict[str, int] = {}
        lengths: dict[str, int] = {}
        for symbol in self.setting.free:
            axis = closed.get(symbol.name)
            if axis is None or symbol.shape[axis] == ONE:
                continue
            places[symbol.name] = axis if symbol.shape[1 - axis] != ONE else 0
            if symbol.shape[axis].is_Integer:
                lengths[symbol.name] = int(symbol.shape[axis])
        return places, lengths

    def _stages(self, ring: Ring, left: Formula | IndexExpr, right: Formula) -> bool:
        at = free_indices(right)
        unfolded = self._always
        sides = (left, right)
        forms = [self._form(ring, n, side, at, unfolded, False) for n, side in enumerate(sides)]
        while not self._same(ring, forms):
            more = self._next(forms) - unfolded
            if not more:
                break
            unfolded |= more
            for n, side in enumerate(sides):
                if any(symbol.name in names(forms[n]) for symbol in more):
                    forms[n] = self._form(ring, n, side, at, unfolded, False)
        else:
            return True
        # With definitions of functions put in, and sums written out; then with no name put in, where those hide it.
        more_to_define = _more_to_define(forms)
        for known, defined in ((unfolded, True), (frozenset[Symbol](), False), (frozenset[Symbol](), True)):
            if defined and not more_to_define:
                continue
            if self._same(ring, [self._form(ring, n, side, at, known, defined) for n, side in enumerate(sides)]):
                return True
        return False

    def _same(self, ring: Ring, forms: list[Polynomial]) -> bool:
        """Whether two forms are one, or are once denominators are cleared, where there are some."""
        if forms[0] == forms[1]:
            return True
        difference = ring.minus(*forms)
        below = any(head.kind == "base" for head in heads(difference)) or _quotients(difference)
        return below and vanishes(ring, difference)

    def _form(
        self,
        ring: Ring,
        number: int,
        side: Formula | IndexExpr,
        at: tuple[sympy.Expr, sympy.Expr],
        unfolded: frozenset[Symbol],
        defined: bool,
    ) -> Polynomial:
        """The normal form of a side; it is remembered, since the right side of a setting is met by every claim."""
        key = (unfolded, defined, side)
        if key not in self._forms:
            normaliser = self._normaliser(ring, unfolded, defined)
            ring.kinks.clear()
            form = normaliser.formula(side, at) if isinstance(side, Formula) else normaliser.of(side, {})
            self._forms[key] = form, frozenset(ring.kinks)
        form, self._met[number] = self._forms[key]
        return form

    def _next(self, forms: list[Polynomial]) -> set[Symbol]:
        """The names to be put in next: those that only one side has, else the last that both have."""
        here, there = ({n for n in names(p) if n in self._named} for p in forms)
        errors = {symbol.name for symbol in self.setting.error_of}
        if bool(here & errors) != bool(there & errors):  # one side has no error: all of them must go
            return set(self.setting.error_of)
        alone = sorted(here ^ there, key=self._order.__getitem__)
        if not alone:
            alone = sorted(here, key=self._order.__getitem__)[-1:]
        # What a name stands for may bring in what the other side has: the last ones go first.
        return {self._named[n] for n in alone[-max(1, len(alone) // 2) :]}

    def _normaliser(self, ring: Ring, unfolded: frozenset[Symbol], defined: bool) -> Normaliser:
        key = unfolded, defined
        if key not in self._normalisers:
            self._normalisers[key] = Normaliser(
                ring,
                self.setting.definitions,
                unfolded,
                self.setting.sizes,
                (lambda function: function.definition is None) if defined else self._is_kept,
                write_out=defined,
            )
        return self._normalisers[key]

    def _is_kept(self, function: Function) -> bool:
        """Whether a function stays an atom at first: its definition is long, or has roots or quotients in it."""
        if function not in self._kept:
            self._kept[function] = function.definition is None or not self._clean(function)
        return self._kept[function]

    def _clean(self, function: Function) -> bool:
        ring = Ring()
        try:
            found = [applied(ring, function, order, ring.entry("z", ()), ring.scalar) for order in (0, 1)]
        except (Unsupported, BudgetEnded):
            return False
        few = len(found[0]) <= 2 and len(found[1]) <= 3
        return few and all(head.kind in CLEAN for p in found for head in heads(p))


def _more_to_define(forms: list[Polynomial]) -> bool:
    """Whether a function that has a definition stands there by its name, or an entry at a number."""
    for p in forms:
        if any(i.startswith("#") for mono in p for (_, at), _ in mono for i in at):
            return True
        if any(head.kind == "function" and head.content[0][1] != "None" for head in heads(p)):
            return True
    return False


def _quotients(p: Polynomial) -> bool:
    """Whether a negative power of an array stands in a polynomial, or in a sum in it."""
    for mono in p:
        for (head, _), e in mono:
            if e < 0 and head.kind not in ("size", "exp", "sum"):
                return True
            if head.kind == "sum" and any(
                k < 0 and h.kind not in ("size", "exp", "sum") for h, _, k in head.content[1]
            ):
                return True
    return False


def heads(p: Polynomial) -> Iterator[Head]:
    """Every head in a polynomial, those inside templates too."""
    seen: set[Head] = set()
    stack = [atom[0] for mono in p for atom, _ in mono]
    while stack:
        head = stack.pop()
        if head in seen:
            continue
        seen.add(head)
        yield head
        stack.extend(_within(head))


def _within(head: Head) -> Iterator[Head]:
    if head.kind in PLAIN and head.kind != "unknown":
        return
    if head.kind == "sum":
        _, factors = head.content
        yield from (h for h, _, _ in factors)
        return
    terms = head.content[-1]
    for _, factors in terms:
        yield from (h for h, _, _ in factors)


def names(p: Polynomial) -> set[str]:
    """The names of the arrays in a polynomial."""
    return {str(head.content) for head in heads(p) if head.kind == "entry"}
