"""Differentials of formulas: d(X Y) = dX Y + X dY, dJ = tr(...), for all changes of the arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.errors import NotationError
from symbackprop.marking import derivatives as dv
from symbackprop.notation import syntax as s
from symbackprop.notation.syntax import Node

if TYPE_CHECKING:
    from symbackprop.marking.scope import Scope


CONSTANTS = frozenset("abcABC")  # letters of what nobody varies, where no differential of it is written


class Differentials:
    """The part of the elaborator that works differentials out; ``constant`` names what none stands for in the line."""

    scope: Scope
    changing: dict[Symbol, Formula]
    constant: set[str]
    begins: Node | None

    if TYPE_CHECKING:

        def of(self, node: Node) -> Formula: ...
        def say(self, text: str) -> None: ...
        def checked(self, formula: Formula, node: Node) -> Formula: ...
        def _unfolded_fully(self, node: Formula) -> Formula: ...

        @property
        def definitions(self) -> Mapping[Symbol, Formula]: ...

    def total(self, arg: Node, node: Node) -> Formula:
        """dX as an array of its own; d of a formula, by all arrays of which a differential stands in the line."""
        of = self.checked(self.of(arg), node)
        if isinstance(of, Symbol) and of in self.changing:
            if node == self.begins:
                message = f"{of.name} has no definition here: what its differential is, is not known"
                raise NotationError(message, node.span[0], "SBP104", node.span[1])
            return self.changing[of]
        model = self.scope.model
        parts: list[Formula] = []
        for array, change in self.changing.items():
            if model is not None and of == model.cost:
                parts.append(f.Total(f.Hadamard((f.Derivative(of, array), change))))
                continue
            inner = dv.unfolded(of, self.definitions, array)
            if array in set(f.walk(inner)):
                parts.append(dv.differential(inner, array, change))
        fixed = {array for array in self._varying(of) if array not in self.changing}
        self.constant |= {array.name for array in fixed if model is not None or array.letter not in CONSTANTS}
        if known := sorted(array.name for array in fixed if model is None and array.letter in CONSTANTS):
            self.say(f"{', '.join(known)} does not change")
        if not parts:
            message = "no differential of what this depends on stands in the line"
            raise NotationError(message, node.span[0], "SBP104", node.span[1])
        return parts[0] if len(parts) == 1 else f.Add(tuple(parts))

    def _varying(self, of: Formula) -> set[Symbol]:
        """All that a formula depends on and that may change: the parameters of a network, or every array."""
        model = self.scope.model
        if model is not None and of == model.cost:
            return set(model.parameters)
        return {u for u in f.walk(self._unfolded_fully(of)) if isinstance(u, Symbol)}

    def changes(self, nodes: Sequence[Node]) -> None:
        """Take in the arrays whose differentials stand in a line."""
        self.begins = nodes[0]
        for root in nodes:
            for u in s.walk(root):
                if isinstance(u, s.Differential) and isinstance(u.arg, s.Name):
                    array = self.of(u.arg)
                    model = self.scope.model
                    known = array in model.parameters if model is not None else array not in self.scope.definitions
                    if isinstance(array, Symbol) and known and u.arg.letter not in self.scope.losses:
                        self.changing[array] = Symbol(f"d{array.letter}", array.shape, array.layer)
