"""The reverse sweep over named intermediates. It knows no node type and no layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.calculus.pullback import RULES, Rule, gathered, pullback, rule_of
from symbackprop.model.layers import Assignment


@dataclass(frozen=True)
class Use:
    """One use of an array: what flows back to it through the equation that uses it, and by which rule."""

    through: Assignment
    contribution: Formula
    rule: Rule


@dataclass(frozen=True)
class Arrival:
    """All that flows back to one array, in the order in which the sweep met its uses."""

    symbol: Symbol
    uses: tuple[Use, ...]


QUIET = frozenset(RULES[node] for node in (f.Symbol, f.Add, f.Negative))


def uses(assignment: Assignment, cotangent: Formula, wanted: Callable[[Symbol], bool]) -> list[tuple[Symbol, Use]]:
    """What an equation passes back to the arrays that it uses: one entry for each array, sums within it carried out."""
    found: dict[Symbol, list[tuple[Formula, Rule]]] = {}

    def go(node: Formula, bar: Formula, above: tuple[Formula, ...], rule: Rule) -> None:
        if isinstance(node, Symbol):
            if wanted(node):
                for outer in reversed(above):
                    bar = gathered(outer, bar)
                found.setdefault(node, []).append((bar, rule))
            return
        for k, child in enumerate(node.children):
            if any(isinstance(u, Symbol) and wanted(u) for u in f.walk(child)):
                # A step is named after the first rule on the way that does more than pass the cotangent on.
                go(child, pullback(node, bar, k), (*above, node), rule_of(node) if rule in QUIET else rule)

    go(assignment.formula, cotangent, (), RULES[Symbol])
    out = []
    for symbol, parts in found.items():
        contribution = parts[0][0] if len(parts) == 1 else f.Add(tuple(bar for bar, _ in parts))
        name = assignment.rule(symbol)
        rule = Rule(name, "") if name else parts[0][1]
        out.append((symbol, Use(assignment, contribution, rule)))
    return out


def sweep(
    assignments: Sequence[Assignment],
    cotangents: dict[Symbol, Formula],
    wanted: Callable[[Symbol], bool],
    named: Callable[[Arrival], Formula],
) -> Iterator[Arrival]:
    """Each array with all that flows back to it, from the last equation to the first.

    ``cotangents`` starts the sweep; ``named`` is told of each arrival and answers under which name it flows on.
    An array arrives once every equation that uses it has been passed.
    """
    first_use: dict[Symbol, int] = {}
    for position, assignment in enumerate(assignments):
        for node in f.walk(assignment.formula):
            if isinstance(node, Symbol) and wanted(node):
                first_use.setdefault(node, position)
    defined = {assignment.symbol for assignment in assignments}
    pending: defaultdict[Symbol, list[Use]] = defaultdict(list)
    for position in range(len(assignments) - 1, -1, -1):
        assignment = assignments[position]
        bar = cotangents.pop(assignment.symbol, None)
        if bar is None:
            continue
        found = uses(assignment, bar, wanted)
        for symbol, use in sorted(found, key=lambda pair: pair[0] in defined):  # parameters first, as a lecturer does
            pending[symbol].append(use)
            if first_use[symbol] == position:
                arrival = Arrival(symbol, tuple(pending.pop(symbol)))
                cotangents[symbol] = named(arrival)
                yield arrival
