"""Sums and products over indices and layers, matrices written out, traces, maxima."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Symbol
from symbackprop.algebra.functions import EXP, LOG, POSITIVE_PART
from symbackprop.algebra.shape import shape
from symbackprop.errors import NotationError
from symbackprop.marking.scope import Scope
from symbackprop.marking.words import in_words
from symbackprop.notation import syntax as s
from symbackprop.notation.syntax import Node

if TYPE_CHECKING:
    from symbackprop.marking.partials import Misfit

MAX_TERMS = 200  # of a sum whose bounds are numbers
MAX_SUMS = 5  # in one another
GREATEST = "max"  # how the names of maxima over entries begin


class Sums:
    """The part of the elaborator that resolves sums."""

    scope: Scope
    bound: list[str]
    indices: dict[str, sympy.Expr]
    layers: dict[str, int]
    unknown: list[str]
    ends: dict[str, sympy.Expr]

    if TYPE_CHECKING:

        def of(self, node: Node) -> Formula: ...
        def say(self, text: str) -> None: ...

        @property
        def sample(self) -> sympy.Symbol: ...

        def layer(self, expr: sympy.Expr) -> sympy.Expr: ...
        def meets(self, index: sympy.Expr, size: sympy.Expr, node: Node) -> None: ...
        def misfit(self, message: str, node: Node, code: str = "SBP201") -> Misfit: ...
        def checked(self, formula: Formula, node: Node) -> Formula: ...

    def greatest(self, body: Formula, index: str, node: Node) -> Formula:
        """A maximum over entries, as a number of which nothing is known: enough where it cancels."""
        if free_symbols(body) - {sympy.Symbol(index)}:
            message = "a maximum for each value of another index is not read"
            raise NotationError(message, node.span[0], "SBP104", node.span[1])
        found = Symbol(f"{GREATEST}[{in_words(body)}]")
        self.unknown.append("the maximum")
        return found

    def big(self, node: s.Big) -> Formula:
        if node.lower == 0 and node.kind == "sum" and self._from_zero(node):
            first = s.rewrite(node.body, lambda u: _at_zero(u, node.index))
            rest = replace(node, lower=sympy.Integer(1))
            return f.Add((self.checked(self.of(first), node), self.of(rest)))
        if any(self._is_layer(node.index, u) for u in s.walk(node.body)) or node.kind == "prod":
            return self.over_layers(node)
        if len(self.bound) >= MAX_SUMS:
            raise NotationError(f"more than {MAX_SUMS} sums in one another", node.span[0], "SBP105", node.span[1])
        name = node.index
        family = self.scope.families.get(name)
        if family is not None and family.what == "input" and self.scope.samples is not None and node.upper is None:
            self.say(f"the sum over {name} is one over the samples")  # letters without a mark are of that sample
            name = self.sample.name
        saved, outer = self.indices.pop(name, None), self.ends.pop(name, None)
        if node.upper is not None:
            self.ends[name] = self.scope.size(node.upper, self.layer, node.span)
        self.bound.append(name)
        try:
            body = self.of(node.body)
        finally:
            self.bound.pop()
            self.ends.pop(name, None)
        if outer is not None:
            self.ends[name] = outer
        size = self.indices.pop(name, None)
        if saved is not None:
            self.indices[name] = saved
        if node.kind == "max":
            return self.greatest(body, name, node)
        lower = sympy.Integer(1) if node.lower is None else self.scope.size(node.lower, self.layer, node.span)
        if node.upper is not None:
            upper = self.scope.size(node.upper, self.layer, node.span)
        elif size is not None:
            upper = size
        else:
            raise NotationError(
                f"over what does {node.index} run? write its bounds", node.span[0], "SBP103", node.span[1]
            )
        if size is not None and upper != size and not (upper.is_Integer and size.is_Integer and upper <= size):
            raise self.misfit(f"the sum runs to {upper} along an axis of {size}", node, "SBP204")
        if lower.is_Integer and lower < 1:
            raise self.misfit(f"the sum starts at {lower}: indices count from 1", node, "SBP204")
        if lower.is_Integer and upper.is_Integer and upper - lower > MAX_TERMS:
            raise NotationError(f"a sum of more than {MAX_TERMS} terms", node.span[0], "SBP105", node.span[1])
        index = sympy.Symbol(name)
        body = sized_deltas(body, index, size if size is not None else upper)
        if node.but is not None:
            whole = size if size is not None else upper
            self.meets(node.but, whole, node)
            other = f.Add((f.Number(Fraction(1)), f.Negative(f.Kronecker(index, node.but, whole))))
            body = f.Product((other, body))
        return f.IndexSum(body, index, lower, upper)

    def _from_zero(self, node: s.Big) -> bool:
        """Whether the sum takes a bias in, as the weight w_{j0} of x_0 = 1."""
        index = sympy.Symbol(node.index)
        names = [u for u in s.walk(node.body) if isinstance(u, s.Name) and index in u.entries]
        families = [self.scope.families.get(u.letter) for u in names]
        return self.scope.model is not None and any(u is not None and u.weights for u in families)

    def _is_layer(self, name: str, node: Node) -> bool:
        layer = getattr(node, "layer", None)
        return layer is not None and sympy.Symbol(name) in layer.free_symbols

    def over_layers(self, node: s.Big) -> Formula:
        """A sum or a product over the layers, written out; a product may run downward."""
        lower, upper = node.lower, node.upper
        if lower is None and upper is None and node.kind == "sum" and self.scope.model is not None:
            lower, upper = sympy.Integer(self.scope.first), sympy.Symbol("L")  # over all that have weights
        if lower is None or upper is None:
            raise NotationError("over which layers? write both bounds", node.span[0], "SBP103", node.span[1])
        ends = []
        for bound in (lower, upper):
            value = bound.xreplace({sympy.Symbol(k): sympy.Integer(v) for k, v in self.layers.items()})
            if not value.is_Integer:
                raise NotationError(f"the bound {bound} has no number here", node.span[0], "SBP104", node.span[1])
            ends.append(int(value))
        low, high = ends
        if abs(high - low) > MAX_TERMS:
            raise NotationError(f"more than {MAX_TERMS} terms", node.span[0], "SBP105", node.span[1])
        down = node.kind == "prod" and low > high
        values = list(range(low, high - 1, -1)) if down else list(range(low, high + 1))
        saved = self.layers.get(node.index)
        parts = []
        for value in values:
            self.layers[node.index] = value
            parts.append(self.of(node.body))
        self.layers.pop(node.index, None)
        if saved is not None:
            self.layers[node.index] = saved
        if not parts:
            return f.Number(Fraction(0 if node.kind == "sum" else 1))
        if len(parts) == 1:
            return parts[0]
        made = f.Add(tuple(parts)) if node.kind == "sum" else f.Product(tuple(parts))
        return self.checked(made, node)

    def grid(self, rows: tuple[tuple[Node, ...], ...], node: Node) -> Formula:
        height, width = sympy.Integer(len(rows)), sympy.Integer(len(rows[0]))
        terms: list[Formula] = []
        for i, row in enumerate(rows, start=1):
            for j, cell in enumerate(row, start=1):
                value = self.of(cell)
                if shape(value) != SCALAR:
                    raise NotationError(
                        "a matrix of blocks is not read: write its entries", cell.span[0], "SBP104", cell.span[1]
                    )
                if value == f.Number(Fraction(0)) and len(rows) * len(row) > 1 and terms:
                    continue
                factors: list[Formula] = [value]
                if height != ONE:
                    factors.append(f.Unit(sympy.Integer(i), height))
                if width != ONE:
                    factors.append(f.Transpose(f.Unit(sympy.Integer(j), width)))
                terms.append(f.Product(tuple(factors)) if len(factors) > 1 else value)
        return terms[0] if len(terms) == 1 else f.Add(tuple(terms))

    def trace(self, arg: Formula, node: Node) -> Formula:
        rows, columns = shape(self.checked(arg, node))
        if rows != columns:
            raise self.misfit(f"the trace of {rows} x {columns}, which is not square", node)
        if rows == ONE:
            return arg
        name = next(c for c in ("q", "p", "r", "h", "u", "v") if c not in self.indices and c not in self.bound)
        index = sympy.Symbol(f"{name}_0")
        return f.IndexSum(f.Entry(arg, index, index), index, ONE, rows)

    def maximum(self, args: Sequence[Formula], smaller: bool) -> Formula:
        """max(0, u), and max(u, v) = v + max(0, u - v); min(u, v) = v - max(0, v - u)."""
        left, right = args
        zero = f.Number(Fraction(0))
        if smaller:
            return f.Add((right, f.Negative(f.Map(POSITIVE_PART, f.Add((right, f.Negative(left)))))))
        if zero in (left, right):
            return f.Map(POSITIVE_PART, right if left == zero else left)
        return f.Add((right, f.Map(POSITIVE_PART, f.Add((left, f.Negative(right))))))

    def log_sum_exp(self, arg: Formula) -> Formula:
        return f.Map(LOG, f.Total(f.Map(EXP, arg)))


def _at_zero(node: Node, index: str) -> Node:
    if isinstance(node, s.Name) and sympy.Symbol(index) in node.entries:
        zero = sympy.Integer(0)
        return replace(node, entries=tuple(zero if str(e) == index else e for e in node.entries))
    return node


def free_symbols(node: Formula) -> set[sympy.Symbol]:
    """The indices of a formula that no sum binds."""
    found: set[sympy.Symbol] = set()
    match node:
        case f.Entry(_, row, column):
            found |= row.free_symbols | column.free_symbols
        case f.Kronecker(left, right):
            found |= left.free_symbols | right.free_symbols
        case f.Unit(index, _):
            found |= index.free_symbols
        case f.Scalar(name):
            found.add(sympy.Symbol(name))
    for child in node.children:
        found |= free_symbols(child)
    if isinstance(node, f.IndexSum):
        found -= {node.index}
    return found


def sized_deltas(node: Formula, index: sympy.Symbol, size: sympy.Expr) -> Formula:
    def change(u: Formula) -> Formula:
        if isinstance(u, f.Kronecker) and u.size is None and index in (u.left, u.right):
            return f.Kronecker(u.left, u.right, size)
        return u

    return f.rewrite(node, change)
