"""What a formula may be beside a claim about the arrays of its network: an identity of functions, another layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from symbackprop.algebra.formula import ONE
from symbackprop.errors import NetworkError, NotationError, Position
from symbackprop.marking.infer import layout_of
from symbackprop.marking.scope import Scope
from symbackprop.marking.verdicts import right_if, unread
from symbackprop.model.model import Model
from symbackprop.notation import syntax as s
from symbackprop.notation.latex_tokens import Token
from symbackprop.notation.lexicon import FUNCTION_WORDS
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict


class OtherReadings:
    """The part of a page that tries what was not meant for the arrays as they are declared."""

    network: Any
    declared: dict[str, Any]
    beside = False  # whether this page serves one reading of a formula that was read in another way first

    if TYPE_CHECKING:

        def __init__(self, network: Any = None, declared: Mapping[str, Any] | None = None) -> None: ...
        def judge(self, latex: str, at: Position = ...) -> Verdict: ...
        def scope(self, latex: str) -> Scope: ...
        def _tree(self, tokens: Sequence[Token], scope: Scope) -> s.Chain: ...

    def _beside(self, network: Any, declared: Mapping[str, Any]) -> Self:
        """A page on which a formula is tried once more, and no further readings of it."""
        made = type(self)(network, declared)
        made.beside = True
        return made

    def _in_rows(self, before: Verdict, latex: str, at: Position) -> Verdict | None:
        """What is right of one example as a row, where samples are declared to be rows; else None."""
        network: Any = self.network
        if not is_dataclass(network) or getattr(network, "samples", "") != "rows" or getattr(network, "batch", 1):
            return None
        try:
            other = self._beside(replace(network, batch=1, notes=()), self.declared)  # type: ignore[type-var]
        except NetworkError:  # one example in numerator layout has its rows already
            return None
        found = other.judge(latex, at)
        better = found.status is Status.REFUTED and before.status is Status.UNREAD
        if found.status is not Status.PROVED and not better:
            return None
        said = "one example is a row, as samples are declared to be"
        return replace(found, hint=f"{found.hint}; {said}" if found.hint else f"read so: {said}")

    def _of_each_sample(self, found: Verdict, latex: str, at: Position) -> Verdict | None:
        """What is right where L is the loss of each sample, and nothing says so; else None."""
        scope = self.scope(latex)
        if scope.samples is None or scope.differentials == "per sample":
            return None
        for letter in ("L", "ell"):
            if scope.losses.get(letter) != "cost" or not re.search(rf"(?<![A-Za-z]){letter}(?![A-Za-z])", latex):
                continue
            notation = dict(self.declared.get("notation", {}))
            shown = r"\ell" if letter == "ell" else letter
            names = {**notation.get("names", {}), "sample_loss": shown}
            try:
                other = self._beside(self.network, {**self.declared, "notation": {**notation, "names": names}})
                right = other.judge(latex, at).status is Status.PROVED
            except NetworkError:
                continue
            if right:
                message = f'right if {letter} is the loss of each sample: declare sample_loss = "{shown}"'
                return right_if(message, found)
        return None

    def _in_its_layout(self, found: Verdict, latex: str, at: Position) -> Verdict | None:
        """What is right in the layout that it is written in, W^T x or X W, where the network has another; else None."""
        layout = layout_of([latex])
        network: Any = self.network
        if not is_dataclass(network):
            return None
        model: Model = self.network.model
        single = len(model.blocks) == 1 and model.sizes[-1] == ONE  # its w is a column for most
        misshapen = found.code in ("SBP201", "SBP202")
        if not layout and single and misshapen and re.search(r"(?<![A-Za-z])w(?![A-Za-z])", latex):
            layout = {"weights": "out x in" if model.frame.in_by_out else "in x out"}
        if all(getattr(network, k, v) == v for k, v in layout.items()):
            return self._in_numerator_layout(found, latex, at)
        try:
            other = self._beside(replace(network, notes=(), **layout), self.declared)  # type: ignore[type-var]
        except NetworkError:
            return None
        if other.judge(latex, at).status is not Status.PROVED:
            return None
        shown = " and ".join(f'{key} = "{value}"' for key, value in layout.items() if getattr(network, key) != value)
        message = f"right with {shown}, and the network is declared otherwise"
        return right_if(message, found)

    def _in_numerator_layout(self, found: Verdict, latex: str, at: Position) -> Verdict | None:
        """What is right with derivatives by columns as rows, where no layout is declared; else None."""
        notation = dict(self.declared.get("notation", {}))
        derivatives = latex.count(r"\partial") + latex.count(r"\nabla")
        if "layout" in notation or derivatives < 4 or getattr(self.network, "batch", None) is not None:
            return None
        other = self._beside(self.network, {**self.declared, "notation": {**notation, "layout": "numerator"}})
        if other.judge(latex, at).status is not Status.PROVED:
            return None
        return right_if('right with layout = "numerator", which is not declared', found)

    def _of_functions(
        self, pieces: Sequence[Sequence[Token]], scope: Scope, latex: str, at: Position
    ) -> Verdict | None:
        r"""sigma'(z) = sigma(z) (1 - sigma(z)), with a z of no layer: an identity of functions, where z is a number.

        None where it is none, or where nothing is known of sigma in the network.
        """
        try:
            nodes = [u for tokens in pieces for side in self._tree(tokens, scope).sides for u in s.walk(side)]
        except NotationError:
            return None
        names = [u for u in nodes if isinstance(u, s.Name)]
        called = {u.letter for u in nodes if isinstance(u, s.Func)}
        own = {letter for letter in called if letter in scope.lexicon.words and letter not in scope.functions}
        bare = all(u == s.Name(u.letter, span=u.span) and _is_argument(u.letter, scope) for u in names)
        inside = {id(v) for u in nodes if isinstance(u, s.Call | s.Partial | s.Choice) for v in s.walk(u)}
        first = self._tree(pieces[0], scope).sides[0]
        defines = isinstance(first, s.Call) and first.function.letter in own and isinstance(first.args[0], s.Name)
        defines = defines or (isinstance(first, s.Partial) and isinstance(first.wrt, s.Name) and first.total)
        if not defines and any(id(u) not in inside and _is_array(u.letter, scope) for u in names):
            return None
        derives = any(isinstance(u, s.Partial) for u in nodes)
        if not (called or derives) or not bare or len({u.letter for u in names}) != 1 or called - own - FUNCTION_WORDS:
            return None
        assert self.network is not None
        activations = {layer.activation.name: layer.activation for layer in self.network.model.layers}
        if "sigmoid" in activations and own == {"sigma"}:
            activations = {"sigmoid": activations["sigmoid"]}
        meant = [u for u in activations.values() if not u.over_units]
        meant = [u for u in meant if u.name != "identity"] or meant
        found: dict[str, Verdict] = {}
        for activation in meant if own else ():
            page = type(self)()
            functions = page.scope(latex).functions
            named = own - {"sigma"} if len(own) > 1 and activation.name != "generic" else own
            functions.update(dict.fromkeys(named, activation.function))  # sigma beside it is the sigmoid
            found[activation.name] = page.judge(latex, at)
        if not own:
            found["it"] = type(self)().judge(latex, at)
        if not found or any(u.status is Status.UNREAD for u in found.values()):
            return None
        if not own or len({u.status for u in found.values()}) == 1:
            return next(iter(found.values()))
        which = ", ".join(f"{u.status.value} for {name}" for name, u in found.items())
        letters = ", ".join(sorted(own))
        return unread(NotationError(f"which activation is {letters}? {which}: write g^{{[l]}}", at, "SBP103"), at)


def _is_argument(letter: str, scope: Scope) -> bool:
    """Whether a letter without marks may be the argument of a function in an identity of functions."""
    family = scope.families.get(letter)
    return letter in ("z", "x", "t", "u") or (family is not None and family.what == "preactivation")


def _is_array(letter: str, scope: Scope) -> bool:
    """Whether a letter without a layer is an array of the network: then its products are those of arrays."""
    family = scope.families.get(letter)
    return family is not None and family.plain is not None
