"""For which layers a formula is meant: numbers for its symbolic layers, and for letters that carry none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from symbackprop.marking.scope import Scope
from symbackprop.notation import syntax as s


def exponents(nodes: Sequence[s.Node]) -> Iterator[str]:
    """Letters that stand in exponents, and by which nothing is derived: numbers."""
    every = [u for node in nodes for u in s.walk(node)]
    derived = {v.letter for u in every if isinstance(u, s.Partial) for v in s.walk(u.wrt) if isinstance(v, s.Name)}
    for u in every:
        if isinstance(u, s.Raised):
            yield from (v.letter for v in s.walk(u.exponent) if isinstance(v, s.Name) and v.letter not in derived)


def layer_letters(nodes: Sequence[s.Node]) -> list[str]:
    found: dict[str, None] = {}
    for node in nodes:
        bound = {u.index for u in s.walk(node) if isinstance(u, s.Big)}
        for u in s.walk(node):
            layer = getattr(u, "layer", None)
            if layer is not None:
                found.update(dict.fromkeys(sorted(x.name for x in layer.free_symbols if x.name not in bound)))
    return list(found)


def layer_choices(nodes: Sequence[s.Node], scope: Scope) -> Iterator[dict[str, int]]:
    """Numbers for the symbolic layers, as they are written; L is the last."""
    if scope.model is None:
        yield {}
        return
    last = scope.last + scope.first - 1
    fixed = {"L": last}
    letters = [name for name in layer_letters(nodes) if name != "L"]
    for values in product(range(scope.first - 1, last + 1), repeat=min(len(letters), 2)):
        yield {**fixed, **dict(zip(letters, values, strict=False))}


def of_any_layer(nodes: Sequence[s.Node], scope: Scope) -> bool:
    """Whether only z and a occur, without layers: what is said of a function holds in every layer."""
    for node in nodes:
        for u in s.walk(node):
            if isinstance(u, s.Partial):
                return False
            family = scope.families.get(u.letter) if isinstance(u, s.Name) else None
            if family is not None and (family.what not in ("activation", "preactivation") or u.layer is not None):  # type: ignore[attr-defined]
                return False
    return any(isinstance(u, s.Call) for node in nodes for u in s.walk(node))


def varies(choice: Mapping[str, int], scope: Scope) -> bool:
    return scope.model is not None and any(name != "L" for name in choice)
