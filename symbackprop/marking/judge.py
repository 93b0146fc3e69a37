"""One equality of a page judged: both sides in formulas, the setting that they live in, and what the prover says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import SCALAR, Formula, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.errors import ShapeMismatch, Unsupported
from symbackprop.marking import derivatives as dv
from symbackprop.marking.partials import Shorthand
from symbackprop.marking.products import UNKNOWN, settled
from symbackprop.marking.scope import Scope
from symbackprop.proof.prover import Prover
from symbackprop.proof.setting import Draw, Setting
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import WORST_FIRST, Verdict

MAX_ENTRIES = 100
MAX_INDICES = 6


@dataclass
class Judge:
    """Compares formulas of one page; ``network`` is the prover of its network, where it has one."""

    scope: Scope
    network: Prover | None = None
    extended: dict[frozenset[str], Prover] = field(default_factory=dict)

    def compare(self, left: Formula, right: Formula, ranges: Mapping[str, sympy.Expr]) -> Verdict:
        """Whether the right side equals the left one; the side with a definition is the one that is known."""
        if len(ranges) > MAX_INDICES:
            return Verdict(Status.UNREAD, f"more than {MAX_INDICES} free indices", "SBP105")
        try:
            left, right = self._sized(left, right)
            left, right = self._unfolded(left), self._unfolded(right)
            if _written_out(left, right):
                return self._entry_by_entry(left, right, ranges)
            return self._compared(left, right, ranges)
        except ShapeMismatch as error:
            return Verdict(Status.REFUTED, f"it does not conform: {error}", "SBP201")
        except (Unsupported, RecursionError) as error:
            reason = str(error) if isinstance(error, Unsupported) else "the formula is nested too deeply"
            return Verdict(Status.UNDECIDED, reason, "SBP401")
        except (ArithmeticError, LookupError, ValueError) as error:  # of the prover, on formulas that nobody writes
            return Verdict(Status.UNDECIDED, f"the proof failed ({type(error).__name__}: {error})", "SBP401")

    def _compared(self, left: Formula, right: Formula, ranges: Mapping[str, sympy.Expr]) -> Verdict:
        if self.network is None or self._strangers(left, right):
            return self._by_symbols(left, right, ranges)
        if self._known(right) and not self._known(left):
            left, right = right, left
        return self._of_network(left, right).judge(left, right, dict(ranges))

    def _of_network(self, left: Formula, right: Formula) -> Prover:
        """The network's prover, with further scalars, like a rate, where there are some."""
        assert self.network is not None
        base = self.network.setting
        known = {*base.scalars, *base.sizes, "pi"}
        more = frozenset(u.name for side in (left, right) for u in f.walk(side) if isinstance(u, f.Scalar)) - known
        if not more:
            return self.network
        if more not in self.extended:
            self.extended[more] = Prover(replace(base, scalars=base.scalars | more))
        return self.extended[more]

    def _entry_by_entry(self, left: Formula, right: Formula, ranges: Mapping[str, sympy.Expr]) -> Verdict:
        """Matrices written out: each entry is judged, since their sizes are numbers."""
        rows, columns = shape(left)
        if (
            shape(right) != (rows, columns)
            or not (rows.is_Integer and columns.is_Integer)
            or rows * columns > MAX_ENTRIES
        ):
            return self._compared(left, right, ranges)
        found = []
        for i in range(1, int(rows) + 1):
            for j in range(1, int(columns) + 1):
                at = sympy.Integer(i), sympy.Integer(j)
                found.append(self._compared(f.Entry(left, *at), f.Entry(right, *at), ranges))
                if found[-1].status is Status.REFUTED:
                    return replace(found[-1], message=f"{found[-1].message}, in entry ({i}, {j})")
        return worst(found, WORST_FIRST)

    def _known(self, node: Formula) -> bool:
        """Whether a side is what a claim is about: a derivative of the cost, or something with a definition."""
        assert self.network is not None
        setting = self.network.setting
        match node:
            case f.Entry(arg) | f.Transpose(arg):
                return self._known(arg)
            case f.Product((first, f.Unit())):
                return self._known(first)
            case f.Derivative():
                return True
            case Symbol():
                return node in setting.definitions
        return False

    def _sized(self, left: Formula, right: Formula) -> tuple[Formula, Formula]:
        here, there = shape(left), shape(right)
        if UNKNOWN in here and UNKNOWN not in there:
            left = settled(left, there)
        elif UNKNOWN in there and UNKNOWN not in here:
            right = settled(right, here)
        for side in (left, right):
            if any(isinstance(u, f.Ones | f.Unit) and UNKNOWN in shape(u) for u in f.walk(side)):
                raise Unsupported("ones, or a unit vector, of a size that nothing tells")
        return left, right

    def _unfolded(self, node: Formula) -> Formula:
        """Everything that the page defined put in; a network's own names stay."""
        definitions = self.scope.definitions
        if not definitions:
            return node
        count = 0

        def change(u: Formula) -> Formula:
            nonlocal count
            count += 1
            if count > dv.MAX_NODES:
                raise Unsupported("what the page defined makes the formula too large")
            if isinstance(u, Symbol) and u in definitions:
                return f.rewrite(definitions[u], change)
            return u

        return f.rewrite(node, change)

    def _strangers(self, left: Formula, right: Formula) -> bool:
        """Whether arrays occur that the network does not have."""
        assert self.network is not None
        setting = self.network.setting
        known = {*setting.free, *setting.definitions}
        return any(isinstance(u, Symbol) and u not in known for side in (left, right) for u in f.walk(side))

    def _by_symbols(self, left: Formula, right: Formula, ranges: Mapping[str, sympy.Expr]) -> Verdict:
        known = set() if self.network is None else set(self.network.setting.gradients)
        derived = [u for side in (left, right) for u in f.walk(side) if isinstance(u, f.Derivative)]
        unknown = [u.of for u in derived if u.wrt not in known]
        left, right = _derivatives_named(left, known), _derivatives_named(right, known)
        found = Verdict(Status.UNDECIDED, "", "SBP401")
        for draw in (Draw.DATA, Draw.CHANCE):
            found = self._prover(left, right, draw).judge(left, right, dict(ranges))
            if found.status is not Status.UNDECIDED:
                break
        if unknown and found.status is not Status.PROVED:  # equal names are equal; other names may be
            name = unknown[0].name if isinstance(unknown[0], Symbol) else "what is derived"
            reason = f"{name} has no definition here: what its derivatives are is not known"
            return Verdict(Status.UNDECIDED, reason, "SBP401", f"write the line that defines {name} before")
        return found

    def _prover(self, left: Formula, right: Formula, draw: Draw) -> Prover:
        arrays: dict[Symbol, Draw] = {}
        scalars: set[str] = set()
        sizes: set[str] = set()
        for side in (left, right):
            for u in f.walk(side):
                if isinstance(u, Symbol):
                    arrays[u] = draw
                if isinstance(u, Symbol | f.Ones):
                    sizes |= {n.name for e in u.shape for n in e.free_symbols}
                if isinstance(u, f.Kronecker | f.Unit) and u.size is not None:
                    sizes |= {n.name for n in u.size.free_symbols}
                if isinstance(u, f.Scalar) and u.name != "pi":
                    scalars.add(u.name)
        if self.network is not None:
            base = self.network.setting
            extra = {s: d for s, d in arrays.items() if s not in base.free and s not in base.definitions}
            return Prover(
                replace(
                    base, free={**base.free, **extra}, sizes=base.sizes | sizes, scalars=base.scalars | scalars - sizes
                )
            )
        return Prover(Setting(free=arrays, sizes=frozenset(sizes), scalars=frozenset(scalars - sizes), granted=()))

    def shorthand(self, short: Shorthand, claim: Formula, ranges: Mapping[str, sympy.Expr]) -> Verdict:
        """d z / d W = E: that the pullback of any cotangent c through z is c E."""
        cotangent = Symbol("c", shape(short.of))
        definitions = dict(self.scope.definitions)
        if self.scope.model is not None:
            forward = {a.symbol: a.formula for a in self.scope.model.assignments}
            definitions = {**forward, **self.scope.errors, **definitions}
        inner = dv.unfolded(short.of, definitions, short.wrt)
        true = dv.pulled_back(inner, short.wrt, cotangent)
        said: Formula = f.Product((cotangent, claim))
        try:
            if shape(said) != shape(true):
                turned = f.Product((f.Transpose(claim), cotangent))
                said = turned if shape(turned) == shape(true) else said
        except ShapeMismatch:
            turned = f.Product((claim, f.Transpose(cotangent)))
            said = turned
        found = self.compare(true, said, ranges)
        if found.status is Status.PROVED:
            name = short.of.name if isinstance(short.of, Symbol) else "u"
            text = f"as the factor beside dJ/d{name}: d{name}/d{short.wrt.name} has more than two axes"
            return replace(found, message=f"{found.message}, {text}")
        return found


def _derivatives_named(node: Formula, known: Collection[Formula]) -> Formula:
    """Derivatives of what has no definition, as arrays of their own; ``known`` are arrays by which J was derived."""

    def change(u: Formula) -> Formula:
        named = isinstance(u, f.Derivative) and u.wrt not in known
        if named and isinstance(u, f.Derivative) and isinstance(u.of, Symbol) and isinstance(u.wrt, Symbol):
            return Symbol(f"d{u.of.name}/d{u.wrt.name}", u.wrt.shape)
        return u

    return f.rewrite(node, change)


def _written_out(left: Formula, right: Formula) -> bool:
    """Whether a matrix is written out, entry by entry, in one of the sides."""
    units = (u for side in (left, right) for u in f.walk(side) if isinstance(u, f.Unit))
    return shape(left) != SCALAR and any(u.index.is_Integer and u.size.is_Integer for u in units)


def worst(verdicts: Sequence[Verdict], order: Sequence[Status]) -> Verdict:
    return min(verdicts, key=lambda v: order.index(v.status))
