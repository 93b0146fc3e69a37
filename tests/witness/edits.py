"""Random edits of formulas: what an edit is, and how one is applied at some place.

An edit is a function of a node, an ``Around`` and a source of random numbers that gives a node to stand there instead,
or None. Those in ``rewritings`` mean to keep the value and those in ``slips`` to change it; only the decider knows
whether they do.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from symbackprop import Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import SCALAR, Formula
from symbackprop.algebra.shape import shape
from symbackprop.errors import ShapeMismatch, Unsupported

TWO, HALF, UNITY = f.formula(2), f.formula(Fraction(1, 2)), f.formula(1)
MAX_NODES = 150


@dataclass
class Around:
    """The network in which a formula is edited: what stands for what."""

    net: Network
    pool: list[Formula] = field(default_factory=list)  # subformulas of true formulas, to be put in wrong places

    @cached_property
    def definitions(self) -> dict[Formula, Formula]:
        d = self.net.derive()
        return {s: u for s, u in d.defining_formulas.items() if s.name != "J"}

    @cached_property
    def named(self) -> dict[Formula, Formula]:
        return {u: s for s, u in self.definitions.items()}

    @cached_property
    def symbols(self) -> list[f.Symbol]:
        return [s for s in self.net.model.symbols.values() if s.name != "J"]

    @cached_property
    def counts(self) -> list[Formula]:
        """m and the numbers of units, as values."""
        model = self.net.model
        sizes = dict.fromkeys((model.frame.samples, *model.sizes))
        return [f.scalar(n) for n in sizes if n is not None]

    @cached_property
    def layers(self) -> dict[Formula, tuple[str, f.Symbol, f.Function]]:
        """By the output of each layer: the activation, Z and the function."""
        found: dict[Formula, tuple[str, f.Symbol, f.Function]] = {}
        for block, layer in zip(self.net.model.blocks, self.net.model.layers, strict=True):
            found[block.output] = (layer.activation.name, block.assignments[0].symbol, layer.activation.function)
        return found

    @cached_property
    def outputs(self) -> dict[Formula, Formula]:
        """A by Z."""
        return {z: a for a, (_, z, _) in self.layers.items()}


Edit = Callable[[Formula, Around, random.Random], Formula | None]


def entry(table: dict[str, Edit]) -> Callable[[Edit], Edit]:
    """A decorator that puts an edit in a table under its own name."""

    def enter(edit: Edit) -> Edit:
        table[edit.__name__] = edit
        return edit

    return enter


def size_of(node: Formula) -> f.Shape | None:
    try:
        return shape(node)
    except (ShapeMismatch, Unsupported, TypeError):
        return None


def all_arrays(parts: tuple[Formula, ...]) -> bool:
    return all(size_of(u) not in (None, SCALAR) for u in parts)


def negated(node: Formula) -> Formula:
    return node.arg if isinstance(node, f.Negative) else f.Negative(node)


def transposed(node: Formula) -> Formula:
    return node.arg if isinstance(node, f.Transpose) else f.Transpose(node)


def joined(build: Any, parts: list[Formula]) -> Formula:
    return parts[0] if len(parts) == 1 else build(tuple(parts))


def shuffled(parts: tuple[Formula, ...], rng: random.Random) -> tuple[Formula, ...]:
    return tuple(rng.sample(parts, len(parts)))


def places(root: Formula) -> Iterator[tuple[int, ...]]:
    """The way to every node but exponents."""
    yield ()
    for i, child in enumerate(root.children):
        if i == 1 and isinstance(root, f.Power):
            continue
        for rest in places(child):
            yield (i, *rest)


def at(root: Formula, place: tuple[int, ...]) -> Formula:
    for i in place:
        root = root.children[i]
    return root


def put(root: Formula, place: tuple[int, ...], new: Formula) -> Formula:
    if not place:
        return new
    children = list(root.children)
    children[place[0]] = put(children[place[0]], place[1:], new)
    return root.with_children(tuple(children))


def applied(table: dict[str, Edit], root: Formula, around: Around, rng: random.Random) -> tuple[str, Formula]:
    """One edit of the table at one place; no name where none of forty tries fits."""
    spots = list(places(root))
    names = list(table)
    for _ in range(40):
        chosen, place = rng.choice(names), rng.choice(spots)
        new = table[chosen](at(root, place), around, rng)
        if new is not None:
            edited = put(root, place, new)
            if edited != root and sum(1 for _ in f.walk(edited)) <= MAX_NODES:
                return chosen, edited
    return "", root
