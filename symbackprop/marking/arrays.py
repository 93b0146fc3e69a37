"""Letters that stand for arrays: by role and layer, at a sample, entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Symbol
from symbackprop.algebra.shape import shape, show
from symbackprop.errors import NotationError
from symbackprop.marking.scope import Family, LayerMissing, LayerOpen, Scope
from symbackprop.notation import syntax as s
from symbackprop.notation.index_reader import WHOLE
from symbackprop.notation.lexicon import is_word
from symbackprop.notation.syntax import Node

if TYPE_CHECKING:
    from symbackprop.marking.partials import Misfit


class Arrays:
    """The part of the elaborator that resolves names."""

    scope: Scope
    bound: list[str]
    indices: dict[str, sympy.Expr]
    layers: dict[str, int]
    exponents: frozenset[str]
    deriving: bool
    any_layer: int | None
    whole: bool
    unmarked: bool
    ends: dict[str, sympy.Expr]

    if TYPE_CHECKING:

        def of(self, node: Node) -> Formula: ...
        def loss(self, node: s.Name) -> Formula: ...
        def layer(self, expr: sympy.Expr) -> sympy.Expr: ...
        def meets(self, index: sympy.Expr, size: sympy.Expr, node: Node) -> None: ...
        def say(self, text: str) -> None: ...
        def misfit(self, message: str, node: Node, code: str = "SBP201") -> Misfit: ...
        def checked(self, formula: Formula, node: Node) -> Formula: ...

        @property
        def sample(self) -> sympy.Symbol: ...

    def name(self, node: s.Name) -> Formula:
        scope, letter = self.scope, node.letter
        if letter in self.bound and not node.entries and node.layer is None:
            return f.Scalar(letter)
        if letter in scope.losses:
            return self.loss(node)
        if letter in scope.families:
            return self.array(node, scope.families[letter])
        if len(node.entries) == 2 and letter.islower() and letter.upper() in scope.families:  # x_{ij} of X
            return self.array(node, scope.families[letter.upper()])
        if letter in scope.scalars or letter == "pi":
            if node.entries or node.sample is not None:
                raise NotationError(f"{letter} is a number: it has no entries", node.span[0], "SBP101", node.span[1])
            return scope.scalars.get(letter, f.Scalar("pi"))
        if scope.lexicon.free:
            if is_word(letter) and Symbol(letter) not in scope.definitions:
                raise scope.unknown(letter, node.span)
            if node.entries or node.sample is not None or node.layer is not None:
                raise NotationError(
                    f"{letter} has entries, and no shape is declared: declare it in [symbols]",
                    node.span[0],
                    "SBP102",
                    node.span[1],
                )
            number = letter in self.exponents and Symbol(letter) not in scope.definitions
            return f.Scalar(letter) if number else Symbol(letter)
        if sympy.Symbol(letter) in scope.sizes.values() or letter in scope.sizes:
            return f.scalar(scope.sizes.get(letter, sympy.Symbol(letter)))
        if node.layer is not None and letter == "n":
            return f.scalar(scope.size(sympy.Symbol(f"n_{{{node.layer}}}"), self.layer, node.span))
        if letter == "n" and len(node.entries) == 1:
            return f.scalar(scope.size(sympy.Symbol(f"n_{{{node.entries[0]}}}"), self.layer, node.span))
        if letter in self.indices or (len(letter) == 1 and letter in "ijk" and letter not in self.layers):
            return f.Scalar(letter)
        raise scope.unknown(letter, node.span)

    def array(self, node: s.Name, family: Family) -> Formula:
        base = self._of_layer(node, family)
        node = self._sample_below(node, family, base)
        base = self._per_sample(base, family)
        if node.sample is None and family.column and len(node.entries) == 2:  # an entry of the array of all
            return self.entries(base, node.entries, node)
        if node.sample is None and family.column and self.sample.name not in self.bound:
            self.unmarked = True
            if self.whole:
                return self.entries(base, node.entries, node)
        if node.sample is not None or family.column:
            samples = self.scope.samples
            if samples is None:
                if node.sample is not None:
                    raise NotationError(
                        f"{node.letter} has a sample, and the network has no batch: declare batch",
                        node.span[0],
                        "SBP102",
                        node.span[1],
                    )
                return self.entries(base, node.entries, node)
            sample = node.sample if node.sample is not None else self.sample
            if node.sample is None and sample.name not in self.bound:
                self.say(f"{node.letter} without a mark is that of any one sample, {sample}")
            self.meets(sample, samples, node)
            if node.entries:
                return self._entry_of_sample(base, node, sample)
            return f.Product((base.T if self.scope.rows else base, f.Unit(sample, samples)))
        if sympy.Integer(0) in node.entries and (found := self._zeroth(base, node, family)) is not None:
            return found
        if family.weights and len(node.entries) == 1 and shape(base) != SCALAR and ONE not in shape(base):
            return self._unit_weights(base, node)
        return self.entries(base, node.entries, node)

    def _zeroth(self, base: Formula, node: s.Name, family: Family) -> Formula | None:
        """w_{j0} is the bias of unit j, w_0 that of the only one, and x_0, or a_0, the 1 that it is multiplied by."""
        model = self.scope.model
        if model is None or len(node.entries) > 2:
            return None
        block = next((b for b in model.blocks if base in b.weights and b.biases), None)
        if block is not None:
            out, into = (ONE, node.entries[0]) if len(node.entries) == 1 else node.entries
            if model.frame.in_by_out and len(node.entries) == 2:
                out, into = into, out
            if into == 0 and (len(node.entries) == 2 or ONE in block.biases[0].shape):
                self.say(f"{node.letter} with the index 0 is the bias")
                return self.entries(block.biases[0], (out,), node)
        if family.what in ("input", "activation") and len(node.entries) == 1:
            self.say(f"{node.letter}_0 is 1")
            return f.formula(1)
        return None

    def _per_sample(self, base: Formula, family: Family) -> Formula:
        """The error as it is meant: of the loss of each sample, where differentials are declared to be so."""
        samples = self.scope.samples
        if family.what != "error" or samples is None or not self.scope.errors_of_samples or self.deriving:
            return base
        self.say("delta is that of the loss of each sample")
        return f.Product((f.scalar(samples), base))

    def _sample_below(self, node: s.Name, family: Family, base: Formula) -> s.Name:
        """x_n in a sum over the samples n is sample n of x; of two indices the one where samples lie in X."""
        samples, rows = self.scope.samples, self.scope.rows
        data = family.column or (len(node.entries) == 1 and family.what not in ("weights", "bias"))
        if node.sample is not None or not data or samples is None or not node.entries:
            return node
        if samples not in shape(base):
            return node
        units = shape(base)[1 if rows else 0]
        place = 0 if rows else len(node.entries) - 1
        index = node.entries[place]
        only = units == ONE and len(node.entries) == 1 and index.is_Symbol  # nobody counts one unit by a letter
        if not only and (not index.is_Symbol or self.ends.get(index.name) != samples or units == samples):
            return node
        return replace(node, sample=index, entries=node.entries[:place] + node.entries[place + 1 :])

    def _of_layer(self, node: s.Name, family: Family) -> Formula:
        letter, where = node.letter, node.span
        if node.layer is None:
            if family.plain is not None:
                return family.plain
            if self.deriving and family.what in ("activation", "preactivation"):
                last = max(family.layers)
                self.say(f"{letter} without a layer is that of the last one")
                return family.layers[last]
            if self.deriving and family.generic is not None:
                self.say(f"{letter} without a layer is that of the last one")
                return family.generic(sympy.Symbol("L"))
            if self.any_layer is not None and family.what in ("activation", "preactivation") and family.layers:
                return family.layers[self.any_layer]
            raise LayerOpen(f"which layer? {letter} carries none here", where[0], "SBP103", where[1])
        layer = self.layer(node.layer)
        if layer.is_Integer and int(layer) in family.layers:
            return family.layers[int(layer)]
        if family.generic is not None:
            return family.generic(layer)
        if not layer.is_Integer:
            raise NotationError(f"the layer {node.layer} has no number here", where[0], "SBP102", where[1])
        if int(layer) in family.layers:
            return family.layers[int(layer)]
        if family.plain is not None and not family.layers:
            raise NotationError(f"{letter} has no layers", where[0], "SBP102", where[1])
        shown = int(layer) + self.scope.first - 1
        known = [k + self.scope.first - 1 for k in sorted(family.layers)]
        first_and_last = f"{known[0]} to {known[-1]}" if known else "none"
        raise LayerMissing(
            f"{letter} has no layer {shown}: the network has {first_and_last} of them", where[0], "SBP102", where[1]
        )

    def _entry_of_sample(self, base: Formula, node: s.Name, sample: sympy.Expr) -> Formula:
        if len(node.entries) != 1:
            raise self.misfit(f"{node.letter} of one sample has one index", node, "SBP204")
        unit = node.entries[0]
        rows = self.scope.rows
        self.meets(unit, shape(base)[1 if rows else 0], node)
        return f.Entry(base, sample, unit) if rows else f.Entry(base, unit, sample)

    def _unit_weights(self, base: Formula, node: s.Name) -> Formula:
        """w_j: all weights of unit j, as a column."""
        in_by_out = self.scope.model is not None and self.scope.model.frame.in_by_out
        units = shape(base)[1 if in_by_out else 0]
        self.meets(node.entries[0], units, node)
        self.say(f"{node.letter}_{node.entries[0]} is the column of all weights of unit {node.entries[0]}")
        return f.Product((base if in_by_out else base.T, f.Unit(node.entries[0], units)))

    def entries(self, base: Formula, entries: Sequence[sympy.Expr], node: Node) -> Formula:
        """Entries of an array; one index is enough where the other axis has size 1."""
        if not entries:
            return base
        rows, columns = shape(base)
        if len(entries) == 2:
            row, column = entries
        elif len(entries) == 1:
            if columns == ONE:
                row, column = entries[0], ONE
            elif rows == ONE:
                row, column = ONE, entries[0]
            else:
                raise NotationError(
                    "one index on an array of two axes: is it a row, a column or a sample? write both indices",
                    node.span[0], "SBP103", node.span[1],
                )  # fmt: skip
        else:
            raise self.misfit("more than two indices", node, "SBP204")
        if WHOLE in (row, column):
            return self._line(base, row, column, node)
        self.meets(row, rows, node)
        self.meets(column, columns, node)
        return self.checked(f.Entry(base, row, column), node)

    def _line(self, base: Formula, row: sympy.Expr, column: sympy.Expr, node: Node) -> Formula:
        """A row W_{j:}, which is a row, or a column A_{:i}."""
        rows, columns = shape(base)
        if row == column == WHOLE:
            return base
        if row == WHOLE:
            self.meets(column, columns, node)
            return f.Product((base, f.Unit(column, columns)))
        self.meets(row, rows, node)
        return f.Product((f.Transpose(f.Unit(row, rows)), base))

    def of_sample(self, arg: Node, sample: sympy.Expr, node: Node) -> Formula:
        if isinstance(arg, s.Partial) and isinstance(arg.wrt, s.Name) and self.scope.samples is not None:
            word = self.scope.families.get(arg.wrt.letter)
            if word is not None and word.column:
                return self.of(replace(arg, wrt=replace(arg.wrt, sample=sample)))
        if isinstance(arg, s.Call) and arg.function.letter in self.scope.losses:
            return self.of(arg)
        base = self.of(arg)
        samples = self.scope.samples
        if samples is None:
            raise NotationError(
                "a sample, and the network has no batch: declare batch", node.span[0], "SBP102", node.span[1]
            )
        if shape(base)[0 if self.scope.rows else 1] != samples:
            raise self.misfit(f"a sample of {show(shape(base))}, which has no axis of samples", node)
        self.meets(sample, samples, node)
        return f.Product((base.T if self.scope.rows else base, f.Unit(sample, samples)))

    def kronecker(self, left: sympy.Expr, right: sympy.Expr, node: Node) -> Formula:
        samples = [e for e in (left, right) if e.is_Symbol and self.ends.get(e.name) == self.scope.samples is not None]
        if len(samples) == 1:
            message = (
                "delta with two indices is Kronecker's, and one of these counts samples: write the layer, or Delta"
            )
            raise NotationError(message, node.span[0], "SBP103", node.span[1])
        size = next((self.indices[e.name] for e in (left, right) if e.is_Symbol and e.name in self.indices), None)
        return f.Kronecker(left, right, size)
