"""Lines that define: a symbol that nothing declared, or a function of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Function, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.errors import NotationError, Position, ShapeMismatch, Unsupported
from symbackprop.marking.elaborate import Elaborator, Shorthand
from symbackprop.marking.scope import USUAL, Family, Scope
from symbackprop.marking.sums import GREATEST
from symbackprop.notation import syntax as s
from symbackprop.notation.lexicon import FUNCTION_WORDS, Word
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict


class Definitions:
    """The part of a page that takes definitions in."""

    defined: dict[str, Position]

    if TYPE_CHECKING:

        def _elaborators(self, nodes: Sequence[s.Node], scope: Scope) -> Iterator[Elaborator]: ...

    def _definition(self, left: s.Node, right: s.Node, scope: Scope) -> Verdict | None:
        """The verdict DEFINED, where a line introduces a symbol or a function."""
        if isinstance(left, s.Call) and len(left.args) == 1 and isinstance(left.args[0], s.Name):
            function = self._function(left, right, scope)
            if function is not None or left.function.letter in {*scope.lexicon.words, *scope.functions}:
                return function
        if isinstance(left, s.Call) and (left.function.letter in FUNCTION_WORDS or left.function.order):
            return None
        new = called = isinstance(left, s.Call) and left.function.letter not in scope.lexicon.words
        arguments: tuple[s.Node, ...] = ()
        if isinstance(left, s.Call) and new and all(isinstance(a, s.Name) for a in left.args):
            arguments = left.args
            left = s.Name(left.function.letter, span=left.span)
        elif scope.lexicon.free and isinstance(left, s.Func) and not left.order and left.letter not in scope.functions:
            left = s.Name(left.letter, span=left.span)
        if isinstance(left, s.UnitAt) and "e" not in scope.known():  # e_j = d_j - y_j, the errors
            left = s.Name("e", entries=(left.index,), span=left.span)
        if not isinstance(left, s.Name) or left.sample is not None or left.mark:
            return None
        letter = left.letter
        if left.entries and (letter in scope.known() or scope.lexicon.free):
            return None
        if letter == "n" and left.layer is not None:
            return None
        if any(isinstance(u, s.Name) and u.letter == letter and u.layer == left.layer for u in s.walk(right)):
            return None
        if scope.model is not None or not (scope.lexicon.free or letter in scope.families or letter in scope.losses):
            known = (*scope.families, *scope.scalars, *scope.functions, *scope.losses, *scope.sizes)
            if letter in known and letter not in self.defined:
                return None
            if letter in self.defined and left.layer is None:
                return None
            family = scope.families.get(letter)
            if left.layer is not None and not left.layer.is_Integer:
                return None
            number = 0 if left.layer is None else int(left.layer) - (scope.first - 1 if scope.model else 0)
            if family is not None and left.layer is not None and number in family.layers:
                return None
        if scope.lexicon.free and (letter in self.defined or letter in ("pi", "sigma")):
            return None
        if Symbol(letter) in scope.definitions:
            return None
        family = scope.families.get(letter)
        if family is not None and isinstance(family.plain, Symbol) and family.plain in scope.definitions:
            return None
        elaborator = next(self._elaborators((right,), scope))
        try:
            formula = elaborator.checked(elaborator.of(right), right)
        except Shorthand:
            return None
        ranges = elaborator.free_ranges([formula])
        if letter == "e" and left.entries and {str(entry) for entry in left.entries} != set(ranges):
            message = "e of which sample? mark the sample, or write the array of all"
            raise NotationError(message, left.span[0], "SBP103", left.span[1])
        if {str(entry) for entry in left.entries} != set(ranges) or not len(left.entries) == len(ranges) <= 2:
            return None
        if Symbol(letter) in set(f.walk(elaborator._unfolded_fully(formula))):
            return None  # it is what the formula is made of: nothing new, but a claim
        self._refuse_late(letter, scope, left)
        formula = _array_of_entries(formula, left.entries, ranges)
        if any(isinstance(u, Symbol) and u.letter.startswith(f"{GREATEST}[") for u in f.walk(formula)):
            raise Unsupported("a maximum over entries is read where it cancels, not where it is given a name")
        self._define(left, formula, scope)
        if arguments:
            scope.arguments[letter] = arguments
        if called and shape(formula) != SCALAR:
            word = scope.lexicon.words[letter]
            scope.lexicon.words[letter] = replace(word, called="own")  # type: ignore[index]
        if called and shape(formula) == SCALAR:  # E(w) = ...: E is derived as a loss is
            scope.losses[letter] = "own"
            scope.lexicon.words[letter] = Word("loss")  # type: ignore[index]
            scope.families.pop(letter, None)
        self.defined[letter] = left.span[0]
        close = [k for k in scope.known() if k != letter and _one_edit(k, letter)] if scope.model is not None else []
        hint = f"one edit away from {close[0]}: a slip?" if close else ""
        rows, columns = shape(formula)
        what = "a scalar" if (rows, columns) == SCALAR else f"{rows} x {columns}"
        return Verdict(Status.DEFINED, f"{letter} is defined here, {what}", hint=hint)

    def _refuse_late(self, letter: str, scope: Scope, left: s.Node) -> None:
        """Raises NotationError for a definition that comes after formulas that took the letter for something else."""
        composed = [formula for _, formula in scope.composed.values()]
        for u in (v for formula in (*scope.definitions.values(), *composed) for v in f.walk(formula)):
            late = isinstance(u, f.Scalar) and u.name == letter
            late = late or (isinstance(u, Symbol) and u.letter.startswith(f"d{letter}/d"))
            late = late or (isinstance(u, f.Map) and u.function.name == letter and u.function.definition is None)
            late = late or (isinstance(u, f.Derivative) and isinstance(u.wrt, Symbol) and u.wrt.letter == letter)
            if late:
                message = f"{letter} is used before it is defined: put its definition first"
                raise NotationError(message, left.span[0], "SBP103", left.span[1])

    def _define(self, left: s.Name, formula: Formula, scope: Scope) -> None:
        letter = left.letter
        family = scope.families.get(letter)
        if left.layer is not None and left.layer.is_Integer:
            number = int(left.layer) - scope.first + 1 if scope.model is not None else int(left.layer)
            symbol = Symbol(letter, shape(formula), sympy.Integer(number))
            family = family or Family(letter)
            scope.families[letter] = replace(family, layers={**family.layers, number: symbol})
        elif family is not None and isinstance(family.plain, Symbol) and family.plain.shape == shape(formula):
            symbol = family.plain
        else:
            symbol = Symbol(letter, shape(formula))
            if letter not in scope.losses and not scope.lexicon.free:
                scope.families[letter] = Family(letter, plain=symbol)
        scope.definitions[symbol] = formula
        if scope.lexicon.free and (word := scope.lexicon.find(letter)) is not None and word.kind == "function":
            scope.lexicon.words[letter] = Word("scalar")  # type: ignore[index]
        if not scope.lexicon.free and letter not in scope.losses:
            rank = sum(n != 1 for n in shape(formula))
            scope.lexicon.words[letter] = Word("array", left.layer is not None, rank)  # type: ignore[index]

    def _function(self, left: s.Call, right: s.Node, scope: Scope) -> Verdict | None:
        """g(z) = ...: a function of the page, from a scalar formula in its argument."""
        letter, argument = left.function.letter, left.args[0]
        word = scope.lexicon.words.get(letter)
        declared = word is not None and word.kind == "function" and scope.model is None
        known = scope.functions.get(letter)
        if letter in scope.composed:
            return None
        if left.function.order or (known is not None and known.definition is not None) or letter in FUNCTION_WORDS:
            return None
        new = (
            word is None
            and letter not in scope.losses
            and letter != "pi"
            and (letter != "sigma" or not scope.lexicon.free)
        )
        if not (declared or new):
            return None
        assert isinstance(argument, s.Name)
        if any(u.letter == letter for u in s.walk(right) if isinstance(u, s.Func)) or any(
            isinstance(u, s.Call) and u.function.letter == letter for u in s.walk(right)
        ):
            return None
        family = scope.families.get(argument.letter)
        if family is not None and isinstance(family.plain, Symbol) and family.plain.shape != SCALAR:
            try:
                if shape(Elaborator(scope, {}, frozenset()).of(right)) == SCALAR:
                    return None  # of an array as such, like a loss, and of no single number
            except (NotationError, ShapeMismatch, Unsupported):
                pass
        name = Symbol(argument.letter)
        inner = replace(scope, families={**scope.families, argument.letter: Family(argument.letter, plain=name)})
        try:
            formula = Elaborator(inner, {}, frozenset()).of(right)
        except (NotationError, ShapeMismatch, Unsupported):
            return None  # of an array, then
        parameters = {u for u in f.walk(formula) if isinstance(u, Symbol)} - {name}
        if shape(formula) != SCALAR or any(isinstance(u, f.Derivative) for u in f.walk(formula)):
            return None
        free = scope.lexicon.free and letter not in USUAL["loss"] and all(u.shape == SCALAR for u in parameters)
        if parameters and not free:
            return None
        self._refuse_late(letter, scope, left)
        opaque = any(isinstance(u, f.Map) and u.function.definition is None for u in f.walk(formula))
        if parameters or opaque:  # what else it depends on is what it is on the page
            if known is not None:
                return None
            scope.composed[letter] = name, formula
        else:
            expr = to_sympy(f.substitute(formula, {name: f.Scalar("z?")}))
            definition = expr.xreplace({sympy.Symbol("z?"): Function.argument})
            scope.functions[letter] = Function(letter, letter if len(letter) == 1 else rf"\{letter}", definition)
        scope.lexicon.words[letter] = Word("function")  # type: ignore[index]
        self.defined[letter] = left.span[0]
        return Verdict(Status.DEFINED, f"{letter} is defined here, a function")


def _array_of_entries(entry: Formula, at: Sequence[sympy.Expr], ranges: Mapping[str, sympy.Expr]) -> Formula:
    """The array of one or two indices whose entry is given."""
    units: list[Formula] = [f.Unit(index, ranges[str(index)]) for index in at]
    if not units:
        return entry
    out: Formula = f.Product((entry, units[0], *map(f.Transpose, units[1:])))
    for index in at:
        out = f.IndexSum(out, sympy.Symbol(str(index)), ONE, ranges[str(index)])
    return out


def _one_edit(known: str, letter: str) -> bool:
    if known == letter or min(len(known), len(letter)) < 2:
        return known.lower() == letter.lower() and known != letter
    if len(known) == len(letter):
        return sum(a != b for a, b in zip(known, letter, strict=True)) == 1
    short, long = sorted((known, letter), key=len)
    return len(long) - len(short) == 1 and any(long[:k] + long[k + 1 :] == short for k in range(len(long)))
