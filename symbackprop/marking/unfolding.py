"""What a network and a page define, put into what is derived: worked out, by a name, or through what is open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.errors import NotationError
from symbackprop.marking import derivatives as dv
from symbackprop.marking.sums import GREATEST
from symbackprop.notation import syntax as s
from symbackprop.notation.syntax import Node

if TYPE_CHECKING:
    from symbackprop.marking.scope import Scope


def is_open(symbol: Symbol) -> bool:
    """Whether a symbol stands for a derivative of which nothing is known, dL/dY."""
    return re.fullmatch(r"d\S+/d\S+", symbol.letter) is not None


class Unfolding:
    """The part of the elaborator that knows what names stand for."""

    scope: Scope
    local: dict[Symbol, Formula]
    mentioned: list[Symbol]
    from_derivation: bool
    granted: list[str]

    @property
    def definitions(self) -> dict[Symbol, Formula]:
        return {**self._named, **self.scope.errors, **self.local}

    @property
    def _named(self) -> dict[Symbol, Formula]:
        """What the network and the page define, without errors, which are derivatives."""
        model = self.scope.model
        forward = {a.symbol: a.formula for a in model.assignments} if model is not None else {}
        return {**forward, **self.scope.definitions}

    def _explicit(self, of: Formula, node: s.Partial) -> Formula:
        """What is derived, with first derivatives in it worked out: second ones are of what they are, not of names."""
        self._refuse_open(of, node)
        worked: dict[Formula, Formula] = {}
        for u in dict.fromkeys(u for u in f.walk(of) if isinstance(u, f.Derivative)):
            inside = self._unfolded_fully(u.of)
            if u.through is not None or not isinstance(u.wrt, Symbol) or isinstance(inside, Symbol):
                message = "a second derivative of what has no definition here"
                raise NotationError(message, node.span[0], "SBP104", node.span[1])
            if u.wrt in self.scope.gradients:
                worked[u] = self.scope.gradients[u.wrt]
                self.from_derivation = True
            else:
                worked[u] = dv.of_scalar(dv.unfolded(u.of, self.definitions, u.wrt), u.wrt)
        return f.substitute(of, worked) if worked else of

    def _refuse_open(self, of: Formula, node: Node) -> None:
        """Raises NotationError where something stands in a formula that is no constant, and has no definition."""
        for u in f.walk(dv.put_in(of, self.scope.definitions)):
            if not isinstance(u, Symbol) or u == of:
                continue
            if u.letter.startswith(f"{GREATEST}["):
                message = "the derivative of a maximum over entries is not read"
            elif is_open(u):
                message = "a second derivative of what has no definition here is not read"
            elif self.scope.losses.get(u.letter) == "own" and u not in self.scope.definitions:
                message = f"{u.letter} stands in what is derived, and has no definition here: define it before"
            else:
                continue
            raise NotationError(message, node.span[0], "SBP104", node.span[1])

    def _refolded(self, of: Formula, part: Formula, name: Symbol) -> Formula | None:
        """A formula in terms of what a name stands for; None where it depends on the letters of that in other ways."""
        target = self._unfolded_fully(part)
        leaves = {u for u in f.walk(target) if isinstance(u, Symbol)}
        for whole, what in ((of, part), (self._unfolded_fully(of), target)):
            inner = f.substitute(whole, {what: name})
            if inner != whole and not leaves & set(f.walk(self._unfolded_fully(inner, name))):
                return inner
        return None

    def _unfolded_fully(self, node: Formula, stop: Symbol | None = None) -> Formula:
        return dv.put_in(node, {u: formula for u, formula in self.definitions.items() if u != stop})

    def _in_terms_of(self, of: Formula, array: Symbol, node: s.Partial) -> Formula | None:
        """What is derived in terms of an array that the page names, where it was written without that name."""
        meaning = self.scope.definitions.get(array)
        if meaning is None or array in set(f.walk(dv.unfolded(of, self.definitions, array))):
            return None
        whole = self._unfolded_fully(of)
        leaves = {u for u in f.walk(self._unfolded_fully(meaning)) if isinstance(u, Symbol)}
        if not leaves & set(f.walk(whole)):
            return None
        in_terms = self._refolded(of, meaning, array)
        if in_terms is None:
            message = f"what is derived does not depend on {array.name} alone: write it in terms of {array.name}"
            raise NotationError(message, node.span[0], "SBP104", node.span[1])
        return in_terms

    def _through_page(self, of: Symbol, array: Symbol, part: Formula, node: Node) -> Formula:
        """dL/dX of an L without definition: by the chain rule through what the page defines last with X, Y = X W.

        dL/dY is an array of which nothing is known: L may be any function of Y. By what L was derived once, it stays
        derived: a later line may use Y for something else.
        """
        defined = self.scope.definitions
        uses = {u: dv.unfolded(formula, defined, array) for u, formula in defined.items() if u != array}
        uses = {u: v for u, v in uses.items() if not any(isinstance(w, Symbol) and is_open(w) for w in f.walk(v))}
        users = [u for u, formula in uses.items() if array in set(f.walk(formula))]
        known = self.scope.through.setdefault(of.letter, [])
        before = next((u for u in known if u != array and self._depends(array, u)), None)
        if before is not None:
            message = f"{of.letter} was derived by {before.letter} before {array.letter} was defined: define it first"
            raise NotationError(message, node.span[0], "SBP104", node.span[1])
        told = [u for u in users if u in known] or [u for u in users if u in self.mentioned]
        around = [
            v
            for v in users
            if v not in told and any(self._depends(v, u) for u in told) and self._avoids(v, told, array)
        ]
        if around and any(u in known for u in told):
            message = (
                f"{of.letter} was derived by {told[0].letter}, and {array.letter} enters {around[0].letter} past it"
            )
            raise NotationError(f"{message}: define it before", node.span[0], "SBP103", node.span[1])
        told = [] if around else told
        last = [u for u in told or users if not any(u != v and self._depends(v, u) for v in told or users)]
        if len(last) > 1 and not told:
            shown = " and ".join(u.letter for u in last)
            message = f"does {of.letter} depend on {array.letter} through {shown}? write its derivatives by them"
            raise NotationError(message, node.span[0], "SBP103", node.span[1])
        if array in known or not last:
            named = Symbol(f"d{of.letter}/d{array.letter}", array.shape)
            whole: Formula = named if array in defined else f.Derivative(of, array)
            known += [array] if array in defined and array not in known else []
        else:
            self.granted.append(
                f"{of.letter} depends on {array.letter} through {', '.join(u.letter for u in last)} alone"
            )
            parts = [dv.pulled_back(uses[u], array, Symbol(f"d{of.letter}/d{u.letter}", u.shape)) for u in last]
            whole = parts[0] if len(parts) == 1 else f.Add(tuple(parts))
            known += [u for u in last if u not in known]
        return whole if part == array else f.substitute(part, {array: whole})

    def _avoids(self, one: Symbol, names: Sequence[Symbol], array: Symbol) -> bool:
        """Whether one array of the page is made with another on a way that passes none of some names."""
        kept = {u: v for u, v in self.scope.definitions.items() if u not in names}
        return array in set(f.walk(dv.unfolded(kept[one], kept, array)))

    def _depends(self, one: Symbol, other: Symbol) -> bool:
        """Whether one array of the page is made with another."""
        formula = self.scope.definitions.get(one)
        return formula is not None and other in set(f.walk(dv.unfolded(formula, self.scope.definitions, other)))
