"""The program of a derivation: the cost and the wanted gradients as one graph, each step with its formula."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Shape, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.calculus.closed_form import close
from symbackprop.calculus.derived import Derived, listing
from symbackprop.calculus.sweep import uses
from symbackprop.errors import NetworkError
from symbackprop.numeric.graph import Graph
from symbackprop.numeric.lower import Lowering
from symbackprop.numeric.stable import stabilise

WEIGHT = "sample_weight"


@dataclass(frozen=True)
class Step:
    """One named value: the name in code, the formula that it stands for, its node, and whether it is returned."""

    name: str
    formula: Formula
    node: int
    symbol: Symbol
    output: bool = False


@dataclass(frozen=True)
class Program:
    """Steps in the order of computation; ``arrays`` are the inputs by name, parameters first."""

    derived: Derived
    graph: Graph
    steps: tuple[Step, ...]
    wrt: tuple[str, ...]
    weighted: bool = False

    @cached_property
    def parameters(self) -> tuple[Symbol, ...]:
        return self.derived.model.parameters

    @cached_property
    def used(self) -> frozenset[str]:
        """The names of the inputs that the program reads."""
        return frozenset(str(self.graph.nodes[i].value) for i in self.order if self.graph.nodes[i].op == "input")

    @cached_property
    def segments(self) -> tuple[tuple[int, ...], ...]:
        """For each step the nodes that it needs and no step before it did, each after its arguments."""
        seen: set[int] = set()
        found = []
        for step in self.steps:
            segment: list[int] = []
            stack = [(step.node, False)]
            while stack:
                i, ready = stack.pop()
                if i in seen:
                    continue
                if ready:
                    seen.add(i)
                    segment.append(i)
                    continue
                stack.append((i, True))
                stack.extend((k, False) for k in reversed(self.graph.nodes[i].args) if k not in seen)
            found.append(tuple(segment))
        return tuple(found)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The nodes that are needed, step by step."""
        return tuple(i for segment in self.segments for i in segment)

    @cached_property
    def scalars(self) -> frozenset[sympy.Symbol]:
        """Sizes and rates whose values occur."""
        found: set[sympy.Symbol] = set()
        for i in self.order:
            value = self.graph.constant(i)
            if value is not None:
                found |= value.free_symbols
        return frozenset(found)

    @cached_property
    def sizes(self) -> tuple[sympy.Symbol, ...]:
        """The symbolic sizes of the network, n_0 first, the number of samples last."""
        model = self.derived.model
        named = [n for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Symbol]
        return tuple(dict.fromkeys(named))

    @cached_property
    def rates(self) -> tuple[str, ...]:
        """The scalars that a caller must give: rates and parameters of functions without a value."""
        return tuple(sorted(s.name for s in self.scalars - set(self.sizes)))

    @cached_property
    def cost_chooses(self) -> bool:
        """Whether the cost rests on a choice between pieces, which could hide that an input is not a number."""
        (cost,) = (step.node for step in self.steps if step.symbol == self.derived.model.cost)
        seen, waiting = set[int](), [cost]
        while waiting:
            i = waiting.pop()
            if i not in seen:
                seen.add(i)
                waiting.extend(self.graph.nodes[i].args)
        return any(self.graph.nodes[i].op in ("where", "as_float", "power") for i in seen)


def program(derived: Derived, wrt: Iterable[str] | None = None, stable: bool = True, weighted: bool = False) -> Program:
    """The cost and the gradients by ``wrt``, all parameters unless it is given; "X" ("x") is the input.

    With ``weighted`` each sample's loss is multiplied by an entry of ``sample_weight``. Raises NetworkError for a name
    that is none, Unsupported for a function of which nothing is known.
    """
    model = derived.model
    wanted = gradient_names(derived, wrt)
    definitions = dict(derived.defining_formulas)
    gradients: dict[Symbol, Formula] = dict(derived.backward.gradients)
    if model.x.name in wanted:
        gradients[model.x] = _by_input(derived)
    if weighted:
        definitions = _weighted(derived, definitions)
    if stable:
        definitions[model.cost] = stabilise(definitions[model.cost], definitions)
        definitions |= {e: stabilise(definitions[e], definitions) for e in derived.backward.errors}
    at = Lowering(definitions, stable)
    named = {**derived.defining_formulas}
    errors = [e for z, e in model.errors.items() if e in derived.backward.errors]
    waiting = {s: g for s, g in gradients.items() if s.name in wanted}
    steps: list[Step] = []
    shown = derived.defining_formulas

    def take(symbol: Symbol) -> None:
        steps.append(Step(symbol.name, shown[symbol], at(symbol), symbol))

    needed = _needed(waiting.values(), named)
    known_errors = set(errors)
    resting: dict[Formula, list[Symbol]] = {}  # the gradients that rest on each error
    for symbol, gradient in waiting.items():
        for u in dict.fromkeys(f.walk(gradient)):
            if u in known_errors:
                resting.setdefault(u, []).append(symbol)
    for assignment in model.assignments:
        take(assignment.symbol)
    for error in sorted(errors, key=lambda e: -int(e.layer or 0)):
        if error not in needed:
            continue
        take(error)
        for symbol in resting.get(error, []):
            if symbol in waiting:
                steps.append(_gradient(symbol, waiting.pop(symbol), at))
    for symbol, gradient in waiting.items():
        steps.append(_gradient(symbol, gradient, at))
    return Program(derived, at.graph, tuple(steps), wanted, weighted)


def _gradient(symbol: Symbol, formula: Formula, at: Lowering) -> Step:
    match formula:
        case f.Total(arg=arg, axis=None) if shape(arg)[0] == ONE:  # an array of one entry, not a number
            return Step(f"d{symbol.name}", formula, at(f.Total(arg, 1)), symbol, output=True)
    return Step(f"d{symbol.name}", formula, at.full(formula), symbol, output=True)


def gradient_names(derived: Derived, wrt: Iterable[str] | None) -> tuple[str, ...]:
    """The gradients asked for, in the order of the network; all parameters where nothing is asked."""
    known = [p.name for p in derived.model.parameters]
    if wrt is None:
        return tuple(known)
    x = derived.model.x.name
    names = (wrt,) if isinstance(wrt, str) else tuple(dict.fromkeys(wrt))
    for name in names:
        if name not in (*known, x):
            raise NetworkError(f"wrt has {name!r}, which is no parameter: there are {listing([*known, x])}")
    return tuple(name for name in (*known, x) if name in names)


def _by_input(derived: Derived) -> Formula:
    """dJ/dX, by the rules that gave the other gradients."""
    model = derived.model
    total = []
    for assignment in model.assignments:
        if assignment.symbol in model.errors:
            bar = model.errors[assignment.symbol]
            total += [use.contribution for _, use in uses(assignment, bar, lambda s: s == model.x)]
    return close(total[0] if len(total) == 1 else f.Add(tuple(total)))


def _needed(gradients: Iterable[Formula], definitions: dict[Symbol, Formula]) -> set[Symbol]:
    """Every named array that the gradients rest on."""
    found: set[Symbol] = set()
    waiting = list(gradients)
    while waiting:
        for u in f.walk(waiting.pop()):
            if isinstance(u, Symbol) and u in definitions and u not in found:
                found.add(u)
                waiting.append(definitions[u])
    return found


def weight_symbol(derived: Derived) -> Symbol:
    """One weight a sample, laid as the samples are: a row for columns, a column for rows."""
    frame = derived.model.frame
    assert frame.samples is not None
    found: Shape = (ONE, frame.samples) if frame.unit_axis == 0 else (frame.samples, ONE)
    return Symbol(WEIGHT, found)


def _weighted(derived: Derived, definitions: dict[Symbol, Formula]) -> dict[Symbol, Formula]:
    """Each sample's share of the cost, and with it of the last error, times its weight; penalties stay."""
    model = derived.model
    if model.frame.samples is None:
        raise NetworkError("sample_weight needs a network with a batch: J of one example is no mean over samples")
    w = weight_symbol(derived)

    def spread(u: Formula) -> Formula:
        rows, columns = shape(u)
        if model.frame.unit_axis == 0:
            return u * (w if rows == ONE else f.Ones((rows, ONE)) @ w)
        return u * (w if columns == ONE else w @ f.Ones((ONE, columns)))

    def change(u: Formula) -> Formula:
        return f.Total(spread(u.arg)) if isinstance(u, f.Total) and u.axis is None else u

    last = max(derived.backward.errors, key=lambda e: int(e.layer or 0))
    return {
        **definitions,
        model.cost: f.rewrite(definitions[model.cost], change),
        last: spread(definitions[last]),
    }
