"""The derivation: the reverse sweep told as a lecturer tells it, a step for each array that dJ flows back to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Equation, Formula, Symbol
from symbackprop.calculus.closed_form import cancellation, close, close_terms, inner_products, simple_rate
from symbackprop.calculus.pullback import Rule
from symbackprop.calculus.steps import Index, Step, Why
from symbackprop.calculus.sweep import Arrival, Use, sweep
from symbackprop.calculus.tidy import tidy
from symbackprop.model.activations import claimed_rate
from symbackprop.model.layers import Assignment
from symbackprop.model.losses import PREDICTION
from symbackprop.model.model import Assumption, Model

COST = Symbol("J")
TOTAL = Rule("sum over all uses", r"\bar v = \textstyle\sum_{\text{uses}} \bar v_{\text{use}}")


@dataclass(frozen=True)
class Backward:
    """What a sweep found: the steps, the gradient of each parameter, and each named error by its defining formula.

    ``values`` is the derivative by every array that the sweep met, in named form.
    """

    steps: tuple[Step, ...]
    gradients: dict[Symbol, Formula]
    errors: dict[Symbol, Formula]
    values: dict[Symbol, Formula]


def derive(model: Model, tick: Callable[[int, int], None] | None = None) -> Backward:
    """Backpropagation through a model; ``tick(done, of)`` is told how far it is, in steps."""
    writer = Writer(model.errors, model.assumptions, Index(model.frame.samples, model.taken))
    wanted = {*model.parameters, *(a.symbol for a in model.assignments)}
    expected = len(model.parameters) + len(model.assignments) - 1
    writer.start(model.cost, f.Number(Fraction(1)))
    arrivals = sweep(model.assignments, writer.cotangents, wanted.__contains__, writer.arrive)
    for done, _ in enumerate(arrivals, start=1):
        if tick is not None:
            tick(done, expected)
    gradients = {p: writer.value[p] for p in model.parameters}
    errors = {model.errors[z]: value for z, value in writer.value.items() if z in model.errors}
    return Backward(tuple(writer.steps), gradients, errors, dict(writer.value))


class Writer:
    """Turns arrivals into steps, and remembers under which name and with which value each derivative goes on."""

    def __init__(
        self,
        errors: dict[Symbol, Symbol],
        assumptions: tuple[Assumption, ...],
        index: Index,
    ) -> None:
        self.steps: list[Step] = []
        self.value: dict[Symbol, Formula] = {}
        self.cotangents: dict[Symbol, Formula] = {}
        self._made_by: dict[Symbol, int] = {}
        self._bar: dict[Symbol, Formula] = {}
        self._errors = errors
        self._assumptions = assumptions
        self._index = index

    def start(self, symbol: Symbol, cotangent: Formula) -> None:
        """Where the sweep begins: the cost with cotangent 1, or an array whose derivative is known by name."""
        self.cotangents[symbol] = cotangent
        self._bar[symbol] = cotangent

    def arrive(self, arrival: Arrival) -> Formula:
        """Write the steps for an array; the answer is the name under which its derivative flows on."""
        symbol, shared = arrival.symbol, len(arrival.uses) > 1
        parts = [self._use(symbol, use, shared) for use in arrival.uses]
        value = parts[0]
        if shared:
            value = tidy(f.Add(tuple(reversed(parts))))
            shares = tuple(f.Derivative(COST, symbol, use.through.symbol) for use in reversed(arrival.uses))
            numbers = tuple(step.number for step in self.steps[-len(parts) :])
            self._write(TOTAL, symbol, self._names(symbol), [f.Add(shares), value], numbers)
        self.value[symbol] = value
        self._made_by[symbol] = len(self.steps)
        self._bar[symbol] = self._errors.get(symbol, f.Derivative(COST, symbol))
        return self._bar[symbol]

    def _names(self, symbol: Symbol) -> list[Formula]:
        derivative = f.Derivative(COST, symbol)
        return [self._errors[symbol], derivative] if symbol in self._errors else [derivative]

    def _use(self, symbol: Symbol, use: Use, shared: bool) -> Formula:
        """The step for one use, from the rule to the closed form."""
        through, bar = use.through, self._bar[use.through.symbol]
        if isinstance(bar, f.Number):
            sides = [close_terms(use.contribution)]
        else:
            sides = list(self._lines(use, bar, symbol))
        granted: list[Assumption] = []
        for assumption in self._assumptions:
            new = close(f.substitute(sides[-1], dict(assumption.replaces))) if assumption.replaces else sides[-1]
            if new != sides[-1]:
                sides.append(new)
                granted.append(assumption)
        names: list[Formula] = [f.Derivative(COST, symbol, through.symbol)] if shared else self._names(symbol)
        premises = (self._made_by[through.symbol],) if through.symbol in self._made_by else ()
        cotangent = None if isinstance(bar, f.Number) else bar if isinstance(bar, Symbol) else through.symbol
        why = Why(through, symbol, cotangent, self._index, shared)
        self._write(use.rule, symbol, names, sides, premises, why, through, tuple(granted))
        return sides[-1]

    def _lines(self, use: Use, bar: Formula, symbol: Symbol) -> Iterator[Formula]:
        """The lines between a rule and its closed form; equal neighbours are left out later."""
        through = use.through
        line = use.contribution
        if not isinstance(through.formula, Symbol):
            line = f.substitute(line, {through.formula: through.symbol})
        line = tidy(line)
        yield line
        if isinstance(bar, f.Derivative):  # a lecturer goes on with what it is, not with its name
            line = tidy(f.substitute(line, {bar: self.value[through.symbol]}))
            yield line
        line = tidy(rates_known(line, through, symbol))
        yield line
        yield from cancellation(line)
        line = close(line)
        yield line
        yield inner_products(line)

    def _write(
        self,
        rule: Rule,
        symbol: Symbol,
        names: list[Formula],
        sides: list[Formula],
        premises: tuple[int, ...],
        why: Why | None = None,
        through: Assignment | None = None,
        granted: tuple[Assumption, ...] = (),
    ) -> None:
        chain = Equation(tuple(dict.fromkeys([*names, *sides])))
        self.steps.append(Step(len(self.steps) + 1, rule, chain, premises, why, symbol, through, granted))


def rates_known(line: Formula, through: Assignment, symbol: Symbol) -> Formula:
    """f'(z) by its form in the output, sigma'(z) = a (1 - a), or by the constant or indicator that it is."""

    def change(u: Formula) -> Formula:
        if not isinstance(u, f.Map) or u.order != 1 or u.arg != symbol:
            return u
        claimed = claimed_rate(u.function)
        if claimed is not None:
            return f.substitute(claimed, {PREDICTION: through.symbol, Symbol("z"): symbol})
        return simple_rate(u.function, u.arg) or u

    return f.rewrite(line, change)
