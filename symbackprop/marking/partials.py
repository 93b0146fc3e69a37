"""Derivatives as notes write them: of the cost by an array or an entry, Jacobians, the chain rule, by an expression.

The derivative of the cost by an array of the network stays a name, which proofs look up in what was derived. Every
other derivative is worked out here, entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.errors import NotationError, Position, ShapeMismatch
from symbackprop.marking import derivatives as dv
from symbackprop.marking.words import in_words
from symbackprop.notation import syntax as s
from symbackprop.notation.syntax import Node

if TYPE_CHECKING:
    from symbackprop.marking.scope import Scope


class Misfit(ShapeMismatch):
    """A shape error with its code and place: a refutation by shapes."""

    def __init__(self, message: str, code: str, span: tuple[Position, Position]) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.span = span


class Shorthand(NotationError):  # noqa: N818
    """d z / d W of a column by an array: no matrix, but the factor beside dJ/dz that notes mean by it.

    That holds for a side that is no more than this derivative; anywhere else it cannot be read.
    """

    def __init__(self, of: Formula, wrt: Symbol, node: Node) -> None:
        message = "a derivative with more than two axes stands alone on its side, for the factor beside dJ/dz"
        super().__init__(message, node.span[0], "SBP104", node.span[1])
        self.of = of
        self.wrt = wrt


@dataclass(frozen=True)
class Target:
    """What is derived by: an array of the page, and the part of it that is meant, in terms of the array."""

    array: Symbol
    part: Formula
    inner: Formula | None = None  # what is derived in terms of the array, where the array is an expression


class Partials:
    """The part of the elaborator that works derivatives out."""

    scope: Scope
    deriving: bool
    unknown: list[str]
    whole: bool
    local: dict[Symbol, Formula]
    direct: frozenset[str]

    if TYPE_CHECKING:

        def of(self, node: Node) -> Formula: ...
        def say(self, text: str) -> None: ...
        def checked(self, formula: Formula, node: Node) -> Formula: ...
        def run(self, nodes: Sequence[Node], node: Node) -> Formula: ...
        def sum_of_losses(self) -> Formula: ...
        def sample_loss(self, sample: sympy.Expr, node: Node) -> Formula: ...

        @property
        def sample(self) -> sympy.Symbol: ...

        @property
        def definitions(self) -> dict[Symbol, Formula]: ...
        @property
        def _named(self) -> dict[Symbol, Formula]: ...
        def _explicit(self, of: Formula, node: s.Partial) -> Formula: ...
        def _refolded(self, of: Formula, part: Formula, name: Symbol) -> Formula | None: ...
        def _in_terms_of(self, of: Formula, array: Symbol, node: s.Partial) -> Formula | None: ...
        def _through_page(self, of: Symbol, array: Symbol, part: Formula, node: Node) -> Formula: ...

    @contextmanager
    def _deriving(self) -> Iterator[None]:
        """While what is derived, or what is derived by, is read: letters without a layer are those of the last."""
        saved, self.deriving = self.deriving, True
        try:
            yield
        finally:
            self.deriving = saved

    def partial(self, node: s.Partial) -> Formula:
        of = self._explicit(self._of(node), node)
        target = self._target(node.wrt, of)
        if node.through is not None:
            through = self.of(node.through)
            if not isinstance(through, Symbol):
                raise NotationError("at a bar stands one array", node.span[0], "SBP101", node.span[1])
            return self._through(of, target.array, through, node)
        return self._derived(of, target, node)

    def _of(self, node: s.Partial) -> Formula:
        model = self.scope.model
        if node.of is None:
            if model is None:
                return self._own_cost(node)
            return model.cost
        kind = self.scope.losses.get(node.of.letter) if isinstance(node.of, s.Name) else None
        if isinstance(node.of, s.Name) and kind == "cost" and self._of_each_sample(node.of.letter, node.wrt):
            kind = "sample"
        if isinstance(node.of, s.Name) and kind == "sample" and node.of.sample is None:
            if self._whole(node.wrt):
                return self.sum_of_losses()
            sample = getattr(node.wrt, "sample", None)
            return self.sample_loss(sample if sample is not None else self.sample, node)
        function = node.of
        if isinstance(function, s.Func) and Symbol(function.letter) not in self.scope.definitions:
            at = node.wrt
            if (composed := self.scope.composed.get(function.letter)) is not None:
                at = s.Name(composed[0].letter, span=function.span)
            function = s.Call(function, (at,), span=function.span)  # df/dx
        with self._deriving():
            return self.checked(self.of(function), node.of)

    def _of_each_sample(self, loss: str, wrt: Node) -> bool:
        """Whether dL/dA is meant for the loss of each sample: for L, where differentials are declared so."""
        family = self.scope.families.get(wrt.letter) if isinstance(wrt, s.Name) else None
        data = family is not None and family.what not in ("weights", "bias")
        return data and loss in ("L", "ell") and self.scope.differentials == "per sample"

    def _kept(self, formula: Formula, stops: set[str] | None) -> Formula:
        """The formula with what the page defines put in, but for letters that are held still; as it stands for None."""
        if stops is None:
            return formula
        return dv.put_in(formula, {u: v for u, v in self.scope.definitions.items() if u.letter not in stops})

    def _holds(self, of: Symbol, array: Symbol) -> bool:
        """Whether a derivative holds still what else a function is made of: f(x, y), or beside a whole one, df/dx."""
        arguments = [u.letter for u in self.scope.arguments.get(of.letter, ()) if isinstance(u, s.Name)]
        several = len(arguments) > 1 and array.letter in arguments
        return several or of.letter in self.direct

    def _whole(self, wrt: Node) -> bool:
        """Whether a derivative is by all samples at once: then the losses of the samples are added up."""
        family = self.scope.families.get(wrt.letter) if isinstance(wrt, s.Name) else None
        column = family is not None and family.column and not self.whole
        data = family is not None and family.what not in ("weights", "bias") and not column
        return data and isinstance(wrt, s.Name) and wrt.sample is None and not wrt.entries

    def _own_cost(self, node: s.Partial) -> Formula:
        losses = [letter for letter, kind in self.scope.losses.items() if kind == "own"]
        defined = [letter for letter in losses if Symbol(letter) in self.scope.definitions] or losses
        costs = [letter for letter in defined if letter in ("J", "C", "E")]
        if len(costs) == 1:
            return Symbol(costs[0])
        if len(defined) != 1:
            raise NotationError("the derivative of what? no one loss is declared", node.span[0], "SBP103", node.span[1])
        return Symbol(defined[0])

    def _target(self, node: Node, of: Formula) -> Target:
        with self._deriving():
            part = self.checked(self.of(node), node)
        arrays = list(dict.fromkeys(u for u in f.walk(part) if isinstance(u, Symbol)))
        if len(arrays) == 1 and _is_part(part, arrays[0]):
            return Target(arrays[0], part)
        return self._of_expression(part, of, node)

    def _of_expression(self, part: Formula, of: Formula, node: Node) -> Target:
        """dy/d(wx + b): by the array that the network defines so, or by the expression put in as a name."""
        for symbol, definition in self._named.items():
            if definition == part or _flat(definition) == _flat(part):
                return Target(symbol, symbol)
        name = Symbol(f"[{in_words(part)}]", shape(part))
        inner = self._refolded(of, part, name)
        if inner is None:
            message = (
                "a derivative by an expression that is not all through which what is derived depends on its letters"
            )
            raise NotationError(f"{message}: name it", node.span[0], "SBP104", node.span[1])
        self.local[name] = part
        return Target(name, name, inner)

    def _derived(self, of: Formula, target: Target, node: s.Partial) -> Formula:
        found = self._derived_by_name(of, target, node)
        return f.substitute(found, {target.array: self.local[target.array]}) if target.array in self.local else found

    def _derived_by_name(self, of: Formula, target: Target, node: s.Partial) -> Formula:
        model, scope = self.scope.model, self.scope
        array, part = target.array, target.part
        if of == part:
            return f.Number(Fraction(1)) if shape(part) == SCALAR else f.Diagonal(f.Ones((shape(part)[0], ONE)))
        refolded = target.inner if target.inner is not None else self._in_terms_of(of, array, node)
        if model is not None and of == model.cost:
            gradient = self._of_cost(array, node) if refolded is None else dv.of_scalar(refolded, array)
            found = f.substitute(part, {array: gradient})
            if (
                scope.differentials == "per sample"
                and node.of is None
                and scope.samples is not None
                and self._is_data(array)
            ):
                found = f.Product((f.scalar(scope.samples), found))
                self.say(f"d{array.name} is that of the loss of each sample")
            column = shape(part)[1] == ONE != shape(part)[0] and array not in model.errors.values()
            if scope.layout == "numerator" and column:
                return f.Transpose(found)
            return found
        inner = dv.unfolded(of, self.definitions, array) if refolded is None else refolded
        if isinstance(of, Symbol) and of in self.scope.definitions and not node.total and self._holds(of, array):
            stops = [u.letter for u in self.scope.arguments.get(of.letter, ()) if isinstance(u, s.Name)]
            inner = self._kept(self.scope.definitions[of], {*stops} if len(stops) > 1 else None)
        if array not in set(f.walk(inner)) and isinstance(of, Symbol) and of not in self.definitions:
            if shape(of) == SCALAR:
                found = self._through_page(of, array, part, node)
                turned = scope.layout == "numerator" and shape(part)[1] == ONE != shape(part)[0]
                return f.Transpose(found) if turned else found
            return self._opaque(of, array, part, node)
        if shape(of) == SCALAR:
            gradient = dv.of_scalar(inner, array)
            found = f.substitute(part, {array: gradient})
            if scope.layout == "numerator" and shape(part)[1] == ONE != shape(part)[0]:
                found = f.Transpose(found)
        elif isinstance(part, f.Entry) and part.arg == array:
            found = dv.by_entry(inner, array, (part.row, part.column))
        elif part == array and shape(array) == SCALAR:
            found = dv.by_entry(inner, array, (ONE, ONE))
        elif part in (array, f.Transpose(array)):
            if ONE not in shape(array) and ONE in shape(of):
                raise Shorthand(of, array, node)
            try:
                found = dv.jacobian(inner, array)
            except ShapeMismatch as error:
                raise Misfit(str(error), "SBP201", node.span) from None
            found = found if scope.layout == "numerator" else f.Transpose(found)
        else:
            column, sample = self._one_sample(part, node)
            found = dv.jacobian(inner, array, (column, sample))
            found = found if scope.layout == "numerator" else f.Transpose(found)
        return found

    def _through(self, of: Formula, array: Symbol, through: Symbol, node: Node) -> Formula:
        """The part of dJ/dW that comes through one array which uses W, as it does in its own equation."""
        model = self.scope.model
        definition = self.definitions.get(through)
        if model is None or of != model.cost or definition is None or not f.depends_on(definition, array):
            raise NotationError(
                f"{array.name} does not enter {through.name} directly", node.span[0], "SBP104", node.span[1]
            )
        if through == model.cost:
            return dv.of_scalar(definition, array)
        return dv.pulled_back(definition, array, f.Derivative(model.cost, through))

    def shorthand(self, node: s.Partial) -> Shorthand | None:
        """dz/db = 1: the factor beside dJ/dz, where a column is derived by an array."""
        of = self._of(node)
        target = self._target(node.wrt, of)
        return Shorthand(of, target.array, node) if shape(of) != SCALAR and target.part == target.array else None

    def _one_sample(self, part: Formula, node: Node) -> tuple[bool, sympy.Expr]:
        """A column (or, with samples as rows, a row) of an array as what is derived by."""
        if isinstance(part, f.Product) and len(part.factors) == 2 and isinstance(part.factors[1], f.Unit):
            return isinstance(part.factors[0], f.Symbol), part.factors[1].index
        raise NotationError("a derivative by this part of an array is not read", node.span[0], "SBP104", node.span[1])

    def _opaque(self, of: Symbol, array: Symbol, part: Formula, node: Node) -> Formula:
        """The derivative of what has no definition here: an array of its own, of the shape that it must have."""
        (rows, columns), wanted = of.shape, shape(part)
        name = f"d{of.name}/d{array.name}"
        if wanted == SCALAR:
            at = (part.row, part.column) if isinstance(part, f.Entry) else ()
            self.unknown.append(name)
            return Symbol(f"{name}{list(at)}" if at else name, of.shape)
        if ONE not in (rows, columns) or ONE not in wanted:
            raise Shorthand(of, array, node)
        n, k = rows if rows != ONE else columns, wanted[0] if wanted[0] != ONE else wanted[1]
        self.unknown.append(name)
        return Symbol(name, (n, k) if self.scope.layout == "numerator" else (k, n))

    def _is_data(self, array: Symbol) -> bool:
        model = self.scope.model
        return model is not None and array not in model.parameters

    def _of_cost(self, array: Symbol, node: Node) -> Formula:
        """dJ/d array: a name where the sweep met it; else through every equation that uses it."""
        model = self.scope.model
        assert model is not None
        known = {*model.parameters, *(a.symbol for a in model.assignments)}
        if array in known:
            return f.Derivative(model.cost, array)
        if array in model.errors.values():
            raise NotationError("a derivative by an error", node.span[0], "SBP104", node.span[1])
        if array not in (model.x, model.y):
            return dv.of_scalar(dv.unfolded(model.cost, self.definitions, array), array)
        parts: list[Formula] = []
        for assignment in model.assignments:
            if not f.depends_on(assignment.formula, array):
                continue
            if assignment.symbol == model.cost:
                parts.append(dv.of_scalar(assignment.formula, array))
            else:
                bar = f.Derivative(model.cost, assignment.symbol)
                parts.append(dv.pulled_back(assignment.formula, array, bar))
        if not parts:
            raise NotationError(f"{array.name} is not used", node.span[0], "SBP104", node.span[1])
        return parts[0] if len(parts) == 1 else f.Add(tuple(parts))

    # Products of derivatives

    def elementwise(self, node: s.Partial) -> Formula:
        """A derivative beside an elementwise product: entry by entry where both are arrays of one shape."""
        of = self._explicit(self._of(node), node)
        target = self._target(node.wrt, of)
        if shape(of) == SCALAR or shape(target.part) == SCALAR:
            return self._derived(of, target, node)
        if shape(of) == shape(target.part):
            if target.part == target.array:
                self.say("a Jacobian beside an elementwise product is the derivative entry by entry")
                return dv.entrywise(dv.unfolded(of, self.definitions, target.array), target.array)
            return self._entrywise_of_sample(of, target, node)
        return self._derived(of, target, node)

    def _entrywise_of_sample(self, of: Formula, target: Target, node: s.Partial) -> Formula:
        arrays = [u for u in f.walk(of) if isinstance(u, Symbol)]
        if len(arrays) != 1:
            raise NotationError("this derivative is not read", node.span[0], "SBP104", node.span[1])
        whole = dv.entrywise(dv.unfolded(arrays[0], self.definitions, target.array), target.array)
        return f.substitute(target.part, {target.array: whole})

    def chain_rule(self, nodes: Sequence[Node], node: Node) -> Formula | None:
        """A product in which derivatives of arrays meet: the chain rule, in the order in which it was written.

        None where it is a product like any other.
        """
        if not any(isinstance(u, s.Partial) for u in nodes):
            return None
        places = [k for k, u in enumerate(nodes) if isinstance(u, s.Partial)]
        pairs: dict[int, tuple[Formula, Target]] = {}
        for k in places:
            part = nodes[k]
            assert isinstance(part, s.Partial)
            of = self._explicit(self._of(part), part)
            pairs[k] = (of, self._target(part.wrt, of))
        wide = [k for k in places if shape(pairs[k][0]) != SCALAR and shape(pairs[k][1].part) != SCALAR]
        if not wide:
            return None
        scalars = [u for k, u in enumerate(nodes) if k not in places and shape(self.of(u)) == SCALAR]
        others = [k for k, u in enumerate(nodes) if k not in places and u not in scalars]
        front = [self.of(u) for u in scalars]
        if not others:
            links = [pairs[k] for k in places]
            found = self._telescoped(links, node)
            if found is None:
                return None
        else:
            first, last = wide[0], wide[-1]
            if any(first < k for k in others) and all(k > last for k in others):
                order, rest, word = (
                    list(reversed(wide)),
                    [nodes[k] for k in range(len(nodes)) if k > last],
                    "right to left",
                )
            elif all(k < first for k in others):
                order, rest, word = wide, [nodes[k] for k in range(len(nodes)) if k < first], "left to right"
            else:
                return None
            rest = [u for u in rest if u not in scalars]
            if not any(shape(pairs[k][1].part)[1] != ONE or len(pairs) > 1 for k in wide):
                return None
            cotangent = self.run(rest, node) if len(rest) > 1 else self.of(rest[0])
            try:
                for k in order:
                    cotangent = self._passed(cotangent, *pairs[k], node)
            except _Unfit:
                return None
            self.say(f"the derivatives are multiplied by the chain rule, {word}")
            found = cotangent
        return f.Product((*front, found)) if front else found

    def _telescoped(self, links: list[tuple[Formula, Target]], node: Node) -> Formula | None:
        """dJ/da da/dz dz/dW, or the same from right to left."""
        if len(links) == 1:
            return None
        forward = all(a[1].part == b[0] for a, b in pairwise(links))
        backward = all(a[0] == b[1].part for a, b in pairwise(links))
        if not forward and not backward:
            ends = [shape(of) == SCALAR for of, _ in (links[0], links[-1])]
            if not any(ends):
                return None
            backward = ends[1] and not ends[0]
        order = list(reversed(links)) if backward and not forward else links
        of, target = order[0]
        if shape(of) != SCALAR:
            return None
        cotangent = self._column(self._derived(of, target, s.Partial(s.Name("J"), s.Name("?"), span=node.span)), target)
        try:
            for next_of, next_target in order[1:]:
                cotangent = self._passed(cotangent, next_of, next_target, node)
        except _Unfit:
            raise Misfit(
                "these derivatives do not chain: what one is derived by is not what the next derives",
                "SBP201",
                node.span,
            ) from None
        self.say(
            "the derivatives are multiplied by the chain rule, "
            + ("right to left" if order is not links else "left to right")
        )
        last = order[-1][1].part
        if self.scope.layout == "numerator" and shape(last)[1] == ONE != shape(last)[0]:
            return f.Transpose(cotangent)
        return cotangent

    def _column(self, gradient: Formula, target: Target) -> Formula:
        return f.Transpose(gradient) if shape(gradient) != shape(target.part) else gradient

    def _passed(self, cotangent: Formula, of: Formula, target: Target, node: Node) -> Formula:
        """A cotangent of one array through the equation that defines it, to the part of the next that is meant."""
        turned = shape(cotangent) != shape(of)
        if turned:
            cotangent = f.Transpose(cotangent)
        if shape(cotangent) != shape(of):
            raise _Unfit
        inner = dv.unfolded(of, self.definitions, target.array)
        whole = dv.pulled_back(inner, target.array, cotangent)
        found = f.substitute(target.part, {target.array: whole})
        column = shape(found)[1] == ONE
        return f.Transpose(found) if turned and column else found


class _Unfit(Exception):  # noqa: N818
    """A cotangent that has not the shape of what is derived."""


def _is_part(part: Formula, array: Symbol) -> bool:
    """Whether a formula only picks from an array: entries, columns, its transpose."""
    match part:
        case Symbol():
            return part == array
        case f.Entry(arg) | f.Transpose(arg):
            return _is_part(arg, array)
        case f.Product((first, f.Unit())):
            return _is_part(first, array)
    return False


def _flat(node: Formula) -> Formula:
    """Without nested sums and products, for comparing what was written."""

    def change(u: Formula) -> Formula:
        if isinstance(u, f.Add):
            return f.Add(tuple(v for t in u.terms for v in (t.terms if isinstance(t, f.Add) else (t,))))
        if isinstance(u, f.Product | f.Hadamard):
            parts = tuple(v for t in u.factors for v in (t.factors if isinstance(t, f.Product) else (t,)))
            return f.Product(parts) if isinstance(u, f.Product) or all(shape(p) == SCALAR for p in parts) else u
        return u

    return f.rewrite(node, change)
