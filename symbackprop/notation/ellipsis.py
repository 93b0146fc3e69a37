r"""Sums with dots in them, w_1 x_1 + \dots + w_n x_n: what the terms at both ends have in common is the summand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import sympy

from symbackprop.notation import syntax as s
from symbackprop.notation.syntax import Node


@dataclass
class _Ends:
    """What runs from where to where, as far as the terms have told."""

    index: sympy.Symbol
    pair: tuple[sympy.Expr, sympy.Expr] | None = None

    def common(self, first: Any, last: Any) -> Any:
        """The summand: what both have, with the index where they differ. Raises ValueError where there is none."""
        if isinstance(first, sympy.Expr) and isinstance(last, sympy.Expr):
            if first == last:
                return first
            if self.pair not in (None, (first, last)) or not first.is_Integer:
                raise ValueError
            self.pair = first, last
            return self.index
        if isinstance(first, tuple) and isinstance(last, tuple) and len(first) == len(last):
            return tuple(self.common(u, v) for u, v in zip(first, last, strict=True))
        if isinstance(first, Node) and type(first) is type(last):
            names = [slot.name for slot in fields(first) if slot.name != "span"]
            return replace(first, **{name: self.common(getattr(first, name), getattr(last, name)) for name in names})
        if first != last:
            raise ValueError
        return first


def summed(before: Sequence[Node], last: Node, index: str, span: s.Span) -> Node | None:
    """The sum that dots between terms stand for; None where the terms do not tell it.

    ``index`` is a letter that stands nowhere else in the formula.
    """
    ends = _Ends(sympy.Symbol(index))
    try:
        body = ends.common(before[0], last)
        if ends.pair is None:
            return None
        for k, term in enumerate(before[1:], start=1):
            again = _Ends(ends.index)
            if again.common(before[0], term) != body or again.pair != (ends.pair[0], ends.pair[0] + k):
                return None
    except ValueError:
        return None
    return s.Big("sum", body, index, *ends.pair, span=span)
