"""Steps of training as notes write them: P := P - r E claims that E is dJ/dP (plus, for what is maximised)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.errors import NotationError
from symbackprop.marking.elaborate import Elaborator
from symbackprop.marking.partials import Target
from symbackprop.marking.scope import USUAL, Scope
from symbackprop.notation import syntax as s


def update_of(
    left: s.Node, right: s.Node, relation: str, elaborator: Elaborator, one: bool = False
) -> tuple[Formula, Formula] | None:
    """The true step and the claimed one, where an equality is an update; None where it is none.

    ``one``: the rate is 1 where no letter gives it, and a number in front belongs to the derivative.
    """
    if not isinstance(left, s.Name) or not isinstance(right, s.Plus):
        return None
    again = [u for u in s.walk(right) if isinstance(u, s.Name) and u.letter == left.letter]
    same = [u for u in again if (u.layer, u.entries) == (left.layer, left.entries)]
    if not same or not (relation == ":=" or left.mark == "new" or any(_leads(u, left) for u in right.terms)):
        return None
    if left.mark == "old" or any(u.mark == "new" for u in again):
        message = "a step tells the new value by the old one: write it so, W_{new} = W_{old} - ..."
        raise NotationError(message, left.span[0], "SBP104", right.span[1])
    part = elaborator.of(left)
    arrays = [u for u in f.walk(part) if isinstance(u, Symbol)]
    scope = elaborator.scope
    if len(arrays) != 1 or (scope.model is not None and arrays[0] not in scope.model.parameters):
        return None
    claim = elaborator.checked(elaborator.of(right), right)
    rate = _rate(right, elaborator, one)
    if rate is None:
        raise NotationError(
            "which is the rate of this step? write it as a number or a declared scalar", right.span[0], "SBP103"
        )
    gradient = _gradient(arrays[0], part, claim, left, elaborator)
    if gradient is None:
        raise NotationError(
            f"of which loss is this a step? define it before, or write its derivative by {left.letter}",
            right.span[0],
            "SBP103",
            right.span[1],
        )
    step: Formula = f.Product((rate, gradient))
    grows = scope.model is not None and scope.model.loss.maximise
    return f.Add((part, step if grows else f.Negative(step))), claim


STEP_LETTERS = frozenset({"t", "k", "n", "s", "i", "tau"})


def in_time(sides: Sequence[s.Node], scope: Scope) -> list[s.Node]:
    """W_{t+1} = W_t - r E, W^{(k+1)} = W^{(k)} - r E: the number of the step told by marks for new and old."""
    left = sides[0]
    out = [left]
    for right in sides[1:]:
        told, step = _told_apart(left, right, scope)
        out[0] = out[0] if told == left else told
        out.append(step)
    return out


def _told_apart(left: s.Node, right: s.Node, scope: Scope) -> tuple[s.Node, s.Node]:
    if not isinstance(left, s.Name):
        return left, right
    if scope.lexicon.free and left.mark == "new":  # w_t is a letter of its own there
        names = {f"{left.letter}_{step}" for step in STEP_LETTERS}
        plain = replace(left, mark="old")
        return left, s.rewrite(right, lambda v: replace(plain, span=v.span) if _is_old(v, names) else v)
    if not is_parameter(left, scope) and (scope.model is not None or left.letter not in scope.families):
        return left, right
    again = [u for u in s.walk(right) if isinstance(u, s.Name) and u.letter == left.letter]
    for place in ("entries", "layer", "sample"):
        here = None if left.mark == "new" else _step(left, place)
        for u in again:
            there = _step(u, place)
            if there is None or (here is None and left.mark != "new") or (here is not None and here - there != 1):
                continue
            if here is None and not there.is_Symbol:
                continue
            letters = {symbol.name for e in (here, there) if e is not None for symbol in e.free_symbols}
            after = left if here is None else _without_step(left, place, "new")
            before = _without_step(u, place, "old")
            same = (after.layer, after.entries, after.sample) == (before.layer, before.entries, before.sample)
            if len(letters) == 1 and letters <= STEP_LETTERS and same:
                return after, s.rewrite(right, lambda v, u=u, before=before: before if v == u else v)  # type: ignore[misc]
    return left, right


def _is_old(node: s.Node, names: Collection[str]) -> bool:
    return isinstance(node, s.Name) and node.letter in names


def _step(name: s.Name, place: str) -> sympy.Expr | None:
    """The last index, the layer or the sample of a name, in the place of which a number of a step may stand."""
    if place == "entries":
        return name.entries[-1] if name.entries else None
    found: sympy.Expr | None = getattr(name, place)
    return found


def _without_step(name: s.Name, place: str, mark: str) -> s.Name:
    if place == "entries":
        return replace(name, entries=name.entries[:-1], mark=mark)
    return replace(name, layer=None, mark=mark) if place == "layer" else replace(name, sample=None, mark=mark)


def change_of(node: s.Node, scope: Scope) -> s.Name | None:
    """The parameter whose change a side is: Delta W, where no layer marks the Delta."""
    if scope.model is None or not isinstance(node, s.Times) or len(node.factors) != 2:
        return None
    delta, parameter = node.factors
    if not isinstance(parameter, s.Name) or delta != s.Name("Delta", span=delta.span):
        return None
    family = scope.families.get(parameter.letter)
    known = set() if family is None else set(family.layers.values())
    return parameter if known & set(scope.model.parameters) else None


def is_parameter(name: s.Name, scope: Scope) -> bool:
    family = scope.families.get(name.letter)
    return family is not None and family.what in ("weights", "bias") and scope.model is not None


def keeps_state(left: s.Node, right: s.Node, relation: str, scope: Scope) -> bool:
    """v = b v + (1 - b) dJ/dW: a running value, told by the one before, which is no array of the network."""
    if not isinstance(left, s.Name) or not isinstance(right, s.Plus) or left.mark:
        return False
    family = scope.families.get(left.letter)
    if family is not None and scope.model is not None and family.what != left.letter:
        return False
    inside = {u.letter for formula in scope.definitions.values() for u in f.walk(formula) if isinstance(u, Symbol)}
    if left.letter in inside | {u.letter for u in scope.definitions}:
        return False
    own = [term for term in right.terms if any(u.letter == left.letter for u in s.walk(term) if isinstance(u, s.Name))]
    weighed = bool(own) and not any(isinstance(term, s.Name) for term in own)
    decays = any(isinstance(u, s.Name) and u.letter in scope.rates for term in own for u in s.walk(term))
    derived = any(isinstance(u, s.Partial) for u in s.walk(right))
    if weighed and (left.letter in scope.sizes or left.letter in scope.scalars) and derived:
        message = f"{left.letter} is a number here: write the running value with another letter"
        raise NotationError(message, left.span[0], "SBP103", left.span[1])
    return weighed and not decays and (derived or relation == ":=") and left.letter not in scope.losses


def steps_by(left: s.Node, right: s.Node, states: Collection[str], scope: Scope) -> bool:
    """W = W - r v with a running value v: of v only a recursion is known, or that it is one of this step."""
    if not isinstance(left, s.Name) or not isinstance(right, s.Plus):
        return False
    if scope.model is not None and not is_parameter(left, scope):
        return False
    names = [u for u in s.walk(right) if isinstance(u, s.Name)]
    running = any(u.letter in states or (u.mark and u.letter != left.letter) for u in names)
    return running and any(u.letter == left.letter for u in names)


def _leads(term: s.Node, left: s.Name) -> bool:
    """Whether a term is what a step begins with: W, or (1 - r lambda) W."""
    if isinstance(term, s.Times) and "o" not in term.joints:
        arrays = [u for u in term.factors if not isinstance(u, s.Num | s.Plus | s.Over)]
        return len(arrays) == 1 and _leads(arrays[0], left)
    return isinstance(term, s.Name) and (term.letter, term.layer, term.entries) == (
        left.letter,
        left.layer,
        left.entries,
    )


def _gradient(array: Symbol, part: Formula, claim: Formula, left: s.Name, elaborator: Elaborator) -> Formula | None:
    """dJ/dP; of a page without network, of the loss that the step itself names, or of the one that is declared."""
    scope = elaborator.scope
    if scope.model is not None:
        return f.substitute(part, {array: f.Derivative(scope.model.cost, array)})
    named = [u.of for u in f.walk(claim) if isinstance(u, f.Derivative) and u.wrt == array]
    own = [Symbol(letter) for letter, kind in scope.losses.items() if kind == "own"]
    own = own or [Symbol(letter) for letter in USUAL["loss"] if Symbol(letter) in scope.definitions]
    defined = [u for u in own if u in scope.definitions] or own
    of = named[0] if named else defined[0] if len(defined) == 1 else None
    if of is None:
        return None
    return elaborator._derived(of, Target(array, part), s.Partial(None, left, span=left.span))


def _rate(right: s.Plus, elaborator: Elaborator, one: bool = False) -> Formula | None:
    """The rate of a step: a letter for rates, else the only other scalar, else the number in front."""
    scope = elaborator.scope
    letters = [u.letter for u in s.walk(right) if isinstance(u, s.Name)]
    rates = [letter for letter in letters if letter in scope.rates]
    if rates:
        return elaborator.of(s.Name(rates[0]))
    penalty = {str(r) for r in (scope.model.l2, scope.model.l1) if r is not None} if scope.model is not None else set()
    taken = penalty | {str(n) for n in scope.sizes.values()} | set(scope.sizes)
    others = [letter for letter in letters if letter in scope.scalars and letter not in taken]
    if others:
        return scope.scalars[others[0]]
    for term in right.terms[1:]:
        inner = term.arg if isinstance(term, s.Minus) else term
        first = inner.factors[0] if isinstance(inner, s.Times) else inner
        derived = isinstance(inner, s.Times) and any(isinstance(u, s.Partial) for u in inner.factors)
        if scope.lexicon.free and derived and isinstance(first, s.Name):
            return elaborator.of(first)
        if one:
            return f.formula(1)
        if isinstance(first, s.Num):
            return f.Number(first.value)
        if isinstance(first, s.Over) and isinstance(first.top, s.Num) and isinstance(first.bottom, s.Num):
            return f.Number(first.top.value / (first.bottom.value or Fraction(1)))
        return f.Number(Fraction(1))
    return None
