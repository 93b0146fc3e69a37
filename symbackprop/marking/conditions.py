"""Values by cases, and indicators of conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula
from symbackprop.algebra.functions import STEP, interval
from symbackprop.errors import NotationError
from symbackprop.marking.calls import folded
from symbackprop.notation import syntax as s
from symbackprop.notation.syntax import Node


class Conditions:
    """The part of the elaborator that resolves conditions."""

    if TYPE_CHECKING:

        def of(self, node: Node) -> Formula: ...
        def checked(self, formula: Formula, node: Node) -> Formula: ...
        def kronecker(self, left: sympy.Expr, right: sympy.Expr, node: Node) -> Formula: ...

    def choice(self, node: s.Choice) -> Formula:
        """[u > v] is step(u - v), and as step(0) = 0, [u >= v] is 1 - step(v - u)."""
        left, right = self.of(node.left), self.of(node.right)
        if node.beyond is not None:  # low < u < high
            low, high = folded(left), folded(self.of(node.beyond))
            if isinstance(low, f.Number) and isinstance(high, f.Number) and node.relation == node.second == "<":
                return f.Map(interval(low.value, high.value), self.checked(right, node))
            first, second = _simple(node)
            return f.Hadamard((self.choice(first), self.choice(second)))
        if node.relation in ("<", r"\ge"):
            left, right = right, left
        zero = f.Number(Fraction(0))
        inside = left if right == zero else f.Negative(right) if left == zero else f.Add((left, f.Negative(right)))
        step = f.Map(STEP, self.checked(inside, node))
        return step if node.relation in ("<", ">") else f.Add((f.Number(Fraction(1)), f.Negative(step)))

    def cases(self, node: s.Cases) -> Formula:
        """The first case that holds: a sum over the cases, each times its indicator and those of no case before it."""
        one = f.Number(Fraction(1))
        terms: list[Formula] = []
        left_over: list[Formula] = []
        for k, (value, condition) in enumerate(zip(node.values, node.conditions, strict=True)):
            found = self.of(value)
            last = k == len(node.values) - 1
            factors = [*left_over, found]
            if condition is not None and not last:
                holds = self.indicator(condition)
                factors = [*left_over, holds, found]
                left_over.append(f.Add((one, f.Negative(holds))))
            elif condition is not None:
                self.rest(node.conditions, condition)
            elif not last:
                raise NotationError("a case without a condition is the last", value.span[0], "SBP101", value.span[1])
            if found != f.Number(Fraction(0)):
                terms.append(f.Hadamard(tuple(factors)) if len(factors) > 1 else found)
        return terms[0] if len(terms) == 1 else f.Add(tuple(terms)) if terms else f.Number(Fraction(0))

    def rest(self, conditions: Sequence[s.Choice | None], last: s.Choice) -> None:
        """Raises NotationError where the last condition is not what the others leave over."""
        before = [u for u in conditions[:-1] if u is not None]
        ends = [v for u in before for v in _simple(u)]
        opposed = any(_ends(u) == _ends(last) and _points(u, last.left) != _points(last, last.left) for u in ends)
        if not (opposed and last.beyond is None) and not _between(before, last):
            message = "the last case is not all that the others leave over: write otherwise, or what is left"
            raise NotationError(message, last.span[0], "SBP103", last.span[1])

    def indicator(self, condition: s.Choice) -> Formula:
        """i = j as Kronecker's delta, u > v as a step."""
        if condition.relation in ("=", r"\neq"):
            left, right = (_as_index(u) for u in (condition.left, condition.right))
            if left is None or right is None:
                raise NotationError("an equality of indices, i = j", condition.span[0], "SBP104", condition.span[1])
            equal = self.kronecker(left, right, condition)
            return equal if condition.relation == "=" else f.Add((f.Number(Fraction(1)), f.Negative(equal)))
        return self.choice(condition)


def _points(condition: s.Choice, of: Node) -> str:
    """Whether a condition asks for more or for less of something, for equality, or for difference."""
    if condition.relation in ("=", r"\neq"):
        return condition.relation
    up = condition.relation in (">", r"\ge")
    return "more" if up == (condition.left == of) and condition.beyond is None else "less"


def _between(before: Sequence[s.Choice], last: s.Choice) -> bool:
    """Whether the last condition is an interval, and the ones before it are below and above it."""
    if last.beyond is None or len(before) != 2:
        return False
    middle = last.right
    outer = {
        (u.left if u.right == middle else u.right, _points(u, middle)) for u in before if middle in (u.left, u.right)
    }
    low, high = (last.left, last.beyond) if last.relation in ("<", r"\le") else (last.beyond, last.left)
    return outer == {(low, "less"), (high, "more")}


def _simple(condition: s.Choice) -> tuple[s.Choice, ...]:
    """The comparisons of which a condition is made: two for an interval."""
    if condition.beyond is None:
        return (condition,)
    second = replace(condition, left=condition.right, relation=condition.second, right=condition.beyond, beyond=None)
    return replace(condition, beyond=None), second


def _ends(condition: s.Choice) -> frozenset[Node]:
    return frozenset({condition.left, condition.right})


def _as_index(node: Node) -> sympy.Expr | None:
    if isinstance(node, s.Name) and not node.entries and node.layer is None:
        return sympy.Symbol(node.letter)
    return sympy.Integer(int(node.value)) if isinstance(node, s.Num) else None
