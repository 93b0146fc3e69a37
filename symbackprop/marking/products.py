r"""Which factors of a product belong together: matrix products and elementwise ones side by side, decided by shapes.

``A B \odot C`` is (A B) \odot C; where the shapes refuse that, the one bracketing that conforms. Two bracketings that
both conform are two readings, and an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Shape
from symbackprop.algebra.shape import shape

UNKNOWN = sympy.Symbol("?")  # a size that what stands around it will tell
MAX_FACTORS = 10

Tree: TypeAlias = "tuple[str, tuple[Tree, ...]] | int"


def same(left: sympy.Expr, right: sympy.Expr) -> bool:
    return left == right or UNKNOWN in (left, right)


@dataclass
class Bracketing:
    """All bracketings of factors that conform; ``joints`` are "" and "o" between neighbours.

    ``shapes`` are those by which it is decided, where they are not the factors' own: equal numbers are not one size.
    """

    factors: Sequence[Formula]
    joints: Sequence[str]
    shapes: Sequence[Shape] = ()
    _known: dict[tuple[int, int], dict[Tree, Shape]] = field(default_factory=dict)

    def readings(self) -> dict[Tree, Shape]:
        return self._span(0, len(self.factors) - 1)

    def default(self) -> Tree:
        """Every run of matrix products together, those multiplied elementwise."""
        runs: list[list[Tree]] = [[0]]
        for k, joint in enumerate(self.joints, start=1):
            if joint:
                runs.append([])
            runs[-1].append(k)
        parts: tuple[Tree, ...] = tuple(run[0] if len(run) == 1 else ("p", tuple(run)) for run in runs)
        return parts[0] if len(parts) == 1 else ("h", parts)

    def _span(self, low: int, high: int) -> dict[Tree, Shape]:
        if low == high:
            return {low: self.shapes[low] if self.shapes else shape(self.factors[low])}
        if (low, high) in self._known:
            return self._known[low, high]
        found: dict[Tree, Shape] = {}
        for split in range(low, high):
            kind = "h" if self.joints[split] else "p"
            for left, left_shape in self._span(low, split).items():
                for right, right_shape in self._span(split + 1, high).items():
                    joined = _joined(kind, left_shape, right_shape)
                    if joined is not None:
                        found[_flat(kind, left, right)] = joined
            if len(found) > 50:
                break
        self._known[low, high] = found
        return found

    def formula(self, tree: Tree) -> Formula:
        if isinstance(tree, int):
            return self.factors[tree]
        kind, parts = tree
        inner = tuple(self.formula(part) for part in parts)
        return f.Hadamard(inner) if kind == "h" else f.Product(inner)

    def shown(self, tree: Tree, words: Sequence[str]) -> str:
        """The reading with all its brackets."""
        if isinstance(tree, int):
            return words[tree]
        kind, parts = tree
        inner = [f"({self.shown(p, words)})" if not isinstance(p, int) else words[p] for p in parts]
        return (r" \odot " if kind == "h" else " ").join(inner)


def _joined(kind: str, left: Shape, right: Shape) -> Shape | None:
    if SCALAR in (left, right):
        return right if left == SCALAR else left
    if kind == "p":
        return (left[0], right[1]) if same(left[1], right[0]) else None
    return left if same(left[0], right[0]) and same(left[1], right[1]) else None


def _flat(kind: str, left: Tree, right: Tree) -> Tree:
    parts: list[Tree] = []
    for side in (left, right):
        parts += side[1] if not isinstance(side, int) and side[0] == kind else [side]
    return (kind, tuple(parts))


def settled(node: Formula, wanted: Shape) -> Formula:
    """The formula with the unknown size in it put in, where a wanted shape tells it."""
    here = shape(node)
    for mine, other in zip(here, wanted, strict=True):
        if mine == UNKNOWN and other != UNKNOWN:
            return with_size(node, other)
    return node


def with_size(node: Formula, size: sympy.Expr) -> Formula:
    """Unknown sizes of ones and unit vectors, in this node or below transposes, replaced."""

    def change(u: Formula) -> Formula:
        match u:
            case f.Ones(shape=(rows, columns)) if UNKNOWN in (rows, columns):
                return f.Ones((size if rows == UNKNOWN else rows, size if columns == UNKNOWN else columns))
            case f.Unit(index=index, size=n) if n == UNKNOWN:
                return f.Unit(index, size)
        return u

    return f.rewrite(node, change)


def neighbours_settled(factors: Sequence[Formula]) -> list[Formula]:
    """Factors of a matrix product, with ones and unit vectors of the size that conforms with their neighbours."""
    out = list(factors)
    wide = [k for k, u in enumerate(out) if shape(u) != SCALAR]
    for _ in wide:
        for left, right in pairwise(wide):
            a, b = shape(out[left])[1], shape(out[right])[0]
            if a == UNKNOWN and b != UNKNOWN:
                out[left] = with_size(out[left], b)
            elif b == UNKNOWN and a not in (UNKNOWN, ONE):
                out[right] = with_size(out[right], a)
    return out
