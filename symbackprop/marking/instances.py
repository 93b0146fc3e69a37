"""For which layers a formula is meant: numbers for its symbolic layers, and for letters that carry none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import sympy

from symbackprop.algebra.formula import Symbol
from symbackprop.algebra.shape import shape
from symbackprop.marking.scope import Family, Scope
from symbackprop.notation import syntax as s

MAX_LETTERS = 4  # of indices whose layers are tried


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


def layers_below(node: s.Node, scope: Scope) -> s.Node:
    """W_2, \\delta_l: one number below a letter that must carry a layer, and carries none, is its layer."""
    if scope.last < 2 or scope.lexicon.layer == "_l":
        return node
    pairs = {str(e) for u in s.walk(node) if isinstance(u, s.Name) and len(u.entries) > 1 for e in u.entries}
    words = {"o": scope.last, "h": scope.last - 1} if scope.last == 2 and not pairs & {"o", "h"} else {}

    def change(u: s.Node) -> s.Node:
        if isinstance(u, s.Name) and _lacks_layer(u, scope) and len(u.entries) == 1:
            (entry,) = u.entries
            if str(entry) in words and scope.families[u.letter].what in ("error", "preactivation", "bias"):
                return replace(u, layer=sympy.Integer(words[str(entry)] + scope.first - 1), entries=())
            if entry.is_Integer or {symbol.name for symbol in entry.free_symbols} <= {"l", "L"}:
                return replace(u, layer=entry, entries=())
        return u

    return s.rewrite(node, change)


def _lacks_layer(name: s.Name, scope: Scope) -> bool:
    family = scope.families.get(name.letter)
    return name.layer is None and family is not None and bool(family.layers) and family.plain is None


def layers_by_index(nodes: Sequence[s.Node], scope: Scope) -> Iterator[tuple[dict[str, int], tuple[s.Node, ...]]]:
    """The formulas with layers on letters that carry none: every choice in which an index counts one layer's units.

    As Bishop writes them: in w_{kj} the units k stand one layer above the units j, x_i is the input, y_k the output.
    A letter h without an index is the hidden layer, where there is one.
    """
    assert scope.model is not None
    names = [u for node in nodes for u in s.walk(node) if isinstance(u, s.Name)]
    if not any(_lacks_layer(u, scope) for u in names):
        return
    letters: dict[str, None] = {}
    for u in names:
        for entry in u.entries:
            if u.letter in scope.families and entry.is_Symbol:
                letters.setdefault(str(entry))
    if len(letters) > MAX_LETTERS:
        return
    last = scope.last
    for values in product(range(last + 1), repeat=len(letters)):
        layer_of = dict(zip(letters, values, strict=True))
        fits = all(_fits(u, layer_of, scope) for u in names) and _deltas_fit(nodes, layer_of)
        if fits and _bounds_fit(nodes, layer_of, scope):
            yield layer_of, tuple(s.rewrite(node, lambda u, at=layer_of: _placed(u, at, scope)) for node in nodes)  # type: ignore[misc]


def _fits(name: s.Name, layer_of: Mapping[str, int], scope: Scope) -> bool:
    """Whether the indices of a name can count the units of the layers that are tried."""
    family = scope.families.get(name.letter)
    if family is None:
        return True
    layers = [layer_of.get(str(entry)) for entry in name.entries]
    if family.what == "weights" and len(layers) == 2:
        assert scope.model is not None
        out, into = reversed(layers) if scope.model.frame.in_by_out else layers
        if (out is not None and out < 1) or (out is not None and into is not None and out != into + 1):
            return False
        wanted = {out, None if into is None else into + 1} - {None}
        return name.layer is None or wanted <= {_number(name, scope)}
    wanted = {layer for layer in layers if layer is not None}
    if family.what == "input":
        return wanted <= {0}
    if family.what in ("target", "prediction"):
        return wanted <= {scope.last}
    if family.layers and name.layer is not None:
        return wanted <= {_number(name, scope)}
    return wanted <= set(family.layers) if family.layers else True


def _deltas_fit(nodes: Sequence[s.Node], layer_of: Mapping[str, int]) -> bool:
    """Whether the indices of every Kronecker delta count the units of one layer."""
    deltas = [u for node in nodes for u in s.walk(node) if isinstance(u, s.Kron)]
    pairs = [(layer_of.get(str(u.left)), layer_of.get(str(u.right))) for u in deltas]
    return all(left == right or left is None or right is None for left, right in pairs)


def _number(name: s.Name, scope: Scope) -> int | None:
    assert name.layer is not None
    written = name.layer.xreplace({sympy.Symbol("L"): sympy.Integer(scope.last + scope.first - 1)})
    return int(written) - scope.first + 1 if written.is_Integer else None


def _bounds_fit(nodes: Sequence[s.Node], layer_of: Mapping[str, int], scope: Scope) -> bool:
    """Whether sums that say where they end end with the units of the layer."""
    assert scope.model is not None
    for node in nodes:
        for u in s.walk(node):
            if isinstance(u, s.Big) and u.upper is not None and u.index in layer_of:
                size = scope.model.sizes[layer_of[u.index]]
                upper = scope.sizes.get(str(u.upper), u.upper)
                if upper != size and (upper in scope.model.sizes or upper.is_Integer):
                    return False
    return True


def _placed(node: s.Node, layer_of: Mapping[str, int], scope: Scope) -> s.Node:
    if not isinstance(node, s.Name) or not _lacks_layer(node, scope):
        return node
    assert scope.model is not None
    family = scope.families[node.letter]
    known = [layer_of[str(entry)] for entry in node.entries if str(entry) in layer_of]
    if family.what == "weights" and len(node.entries) == 2 and known:
        at = 1 if scope.model.frame.in_by_out else 0
        entry = str(node.entries[at])
        layer = layer_of[entry] if entry in layer_of else known[0] + 1
    elif known:
        layer = known[0]
    elif node.letter in ("h", "H") and not node.entries and scope.last == 2:
        layer = 1
    else:
        return node
    return replace(node, layer=sympy.Integer(layer + scope.first - 1))


def sample_letter(nodes: Sequence[s.Node], scope: Scope) -> str:
    """The index of the sample that is meant where nothing marks one: i, but where i counts units."""
    samples = scope.samples
    if samples is None:
        return "i"
    i = sympy.Symbol("i")
    every = [u for node in nodes for u in s.walk(node)]
    names = [u for u in every if isinstance(u, s.Name)]
    over_samples = any(
        isinstance(u, s.Big) and u.index == "i" and u.upper is not None and scope.sizes.get(str(u.upper)) == samples
        for u in every
    )
    if over_samples or any(u.sample == i for u in names):
        return "i"
    marks = [u.sample for u in every if isinstance(u, s.Name | s.OfSample) and u.sample is not None]
    written = {str(mark) for mark in marks if mark.is_Symbol}
    if len(written) == 1:
        return written.pop()
    for u in names:
        family = scope.families.get(u.letter)
        if family is not None and i in u.entries and _counts_units(u, family, scope):
            return next(
                letter for letter in ("s", "r", "q") if all(sympy.Symbol(letter) not in v.entries for v in names)
            )
    return "i"


def _counts_units(name: s.Name, family: Family, scope: Scope) -> bool:
    """Whether an index of a name can count units: there is more than one of them."""
    model = scope.model
    arrays = [*family.layers.values(), *([family.plain] if family.plain is not None else [])]
    if family.weights or family.what == "bias" or model is None:
        return any(n != 1 for array in arrays for n in shape(array))
    return any(shape(array)[1 if scope.rows else 0] != 1 for array in arrays)


def mentioned(nodes: Sequence[s.Node], scope: Scope) -> list[Symbol]:
    """What the page defines, and by which something is derived in a line."""
    by = [u.wrt for node in nodes for u in s.walk(node) if isinstance(u, s.Partial)]
    letters = {u.letter for wrt in by for u in s.walk(wrt) if isinstance(u, s.Name)}
    return [u for u in scope.definitions if u.letter in letters or u.letter.lower() in letters]


def in_part(nodes: Sequence[s.Node]) -> frozenset[str]:
    """Letters of what is derived in part and as a whole in one line: df/dx = \\partial f/\\partial x + ..."""
    every = [u for node in nodes for u in s.walk(node) if isinstance(u, s.Partial)]
    kinds = [(u.of.letter, u.total) for u in every if isinstance(u.of, s.Name)]
    return frozenset(letter for letter, total in kinds if total and (letter, False) in kinds)


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
