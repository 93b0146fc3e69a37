"""Gradients with the named errors put in: on request, and bounded."""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.calculus.tidy import tidy
from symbackprop.errors import Unsupported

MAX_LAYERS = 30
MAX_NODES = 20_000


def expanded(formula: Formula, errors: Mapping[Symbol, Formula], known: dict[Formula, Formula]) -> Formula:
    """The formula without errors: each Delta replaced by what it stands for, down from the last layer.

    ``known`` keeps the errors that were expanded before, and takes in those that are expanded now. Raises Unsupported
    where that goes through more than 30 layers, or grows beyond 20,000 nodes.
    """
    chain = _chain(formula, errors)
    if len(chain) > MAX_LAYERS:
        raise Unsupported(
            f"expanding goes through {len(chain)} layers, more than {MAX_LAYERS}: use the named form with definitions"
        )
    size = _size(formula, errors, {})
    if size > MAX_NODES:
        raise Unsupported(f"expanding makes a formula of {size} nodes, more than {MAX_NODES}: use the named form")
    for error in reversed(chain):
        if error not in known:
            known[error] = tidy(f.substitute(errors[error], known))
    return tidy(f.substitute(formula, known))


def _chain(formula: Formula, errors: Mapping[Symbol, Formula]) -> list[Symbol]:
    """The errors that a formula rests on, each before those that it rests on itself."""
    found: dict[Symbol, None] = {}
    waiting = [formula]
    while waiting:
        for node in f.walk(waiting.pop()):
            if isinstance(node, Symbol) and node in errors and node not in found:
                found[node] = None
                waiting.append(errors[node])
    return list(found)


def _size(formula: Formula, errors: Mapping[Symbol, Formula], known: dict[Symbol, int]) -> int:
    """The number of nodes after expanding, counted without expanding."""
    total = 0
    for node in f.walk(formula):
        if isinstance(node, Symbol) and node in errors:
            if node not in known:
                known[node] = _size(errors[node], errors, known)
            total += known[node]
        else:
            total += 1
    return total
