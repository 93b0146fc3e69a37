"""What a user holds after ``net.derive()``: the derivation, to read, to print and to compute with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Symbol
from symbackprop.algebra.index import Fresh
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.algebra.written import written
from symbackprop.calculus.derive import Backward
from symbackprop.calculus.entrywise import collapse
from symbackprop.calculus.expand import expanded
from symbackprop.calculus.generic import generic_layer
from symbackprop.calculus.steps import Step
from symbackprop.errors import NetworkError
from symbackprop.model.model import Assumption, Model
from symbackprop.notation.latex import LatexWriter
from symbackprop.notation.notation import Notation


class Derivation:
    """The derivation of every gradient of a network.

    Expressions are SymPy matrix expressions in the named intermediates of ``definitions``; each has the shape of the
    parameter that it belongs to.
    """

    def __init__(self, model: Model, backward: Backward, notation: Notation, title: str = "") -> None:
        self.model = model
        self.notation = notation
        self.title = title
        self._backward = backward
        self._formula = {symbol.name: formula for symbol, formula in backward.gradients.items()}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in the order in which a lecturer writes them; ``str(step.rule)`` is the rule's name."""
        return self._backward.steps

    @cached_property
    def generic_layer(self) -> tuple[Step, ...]:
        """The steps through layer l, for a symbolic l: from dJ/dz of layer l + 1 to the gradients of layer l."""
        return generic_layer(self.model).steps

    @cached_property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What was granted: facts used by a step, and where the loss and the activations can be differentiated."""
        used = {a for step in self.steps for a in step.assumptions}
        return tuple(a for a in self.model.assumptions if a in used or not a.replaces)

    @cached_property
    def formulas(self) -> Mapping[str, Formula]:
        """The gradients as formulas: exactly as they are printed."""
        return dict(self._formula)

    @cached_property
    def gradients(self) -> dict[str, Any]:
        """Each parameter's gradient in named form: {"W1": ..., "b1": ..., ...}."""
        return {name: to_sympy(self._formula[name]) for name in self._formula}

    def gradient(self, parameter: str, expand: bool = False) -> Any:
        """The gradient dJ/d(parameter); shape: that of the parameter.

        Named form uses the errors Delta_l of ``definitions``. With ``expand`` no error is left: only parameters, the
        input, the target and activations (and pre-activations where f' has no other form). Raises NetworkError for an
        unknown parameter, Unsupported where expanding would go through more than 30 layers.
        """
        return to_sympy(self.formula(parameter, expand))

    def formula(self, parameter: str, expand: bool = False) -> Formula:
        """The gradient as a formula, as it is printed."""
        if parameter not in self._formula:
            raise NetworkError(f"no parameter {parameter!r}: there are {_listing(self._formula)}")
        named = self._formula[parameter]
        return expanded(named, self._backward.errors) if expand else named

    @cached_property
    def definitions(self) -> dict[str, Any]:
        """What each intermediate stands for, in an order in which they can be computed: Z1, A1, ..., J, Delta_L, ..."""
        return {symbol.name: to_sympy(formula) for symbol, formula in self.defining_formulas.items()}

    @cached_property
    def defining_formulas(self) -> dict[Symbol, Formula]:
        """The definitions as formulas: forward equations, then the errors from the last layer to the first."""
        forward = {a.symbol: a.formula for a in self.model.assignments}
        return {**forward, **self._backward.errors}

    def entry(self, parameter: str, *indices: str | int | sympy.Symbol, expand: bool = False) -> Any:
        """One entry of a gradient in index notation, sums written out; indices count from 1.

        ``indices`` are names or numbers, row and column; one is enough for a bias. The result is a SymPy scalar whose
        array entries also count from 1, and which ``lambdify`` turns into code that counts from 0.
        """
        formula = self.formula(parameter, expand)
        rows, columns = shape(formula)
        at = [self._index(i, parameter) for i in indices]
        if len(at) == 1 and ONE in (rows, columns):
            at = [at[0], ONE] if columns == ONE else [ONE, at[0]]
        if len(at) != 2:
            raise NetworkError(f"an entry of {parameter} ({rows} x {columns}) takes two indices, not {len(at)}")
        for index, size, what in zip(at, (rows, columns), ("row", "column"), strict=True):
            if index.is_Integer and (index < 1 or (size.is_Integer and index > size)):
                raise NetworkError(
                    f"{what} {index} of {parameter} ({rows} x {columns}): indices count from 1 to {size}"
                )
        names = {str(i) for i in at} | self.model.taken
        form = meaning(formula, tuple(at), Fresh(names.__contains__), self.model.frame.samples)
        return to_sympy(written(collapse(form.body)))

    def _index(self, index: str | int | sympy.Symbol, parameter: str) -> sympy.Expr:
        if isinstance(index, bool) or not isinstance(index, str | int | sympy.Symbol):
            raise NetworkError(f"an index of {parameter} is a name or a number, not {index!r}")
        if isinstance(index, int):
            return sympy.Integer(index)
        name = str(index)
        if not name.isidentifier() or name in self.model.taken:
            raise NetworkError(f"{name!r} cannot be an index here: choose a letter that names no size, like j")
        return sympy.Symbol(name)

    @cached_property
    def writer(self) -> LatexWriter:
        """Writes formulas of this network in its notation."""
        return LatexWriter(self.notation, self.model.frame.samples, self.model.taken, self.model.prediction)

    @property
    def scalar(self) -> bool:
        """Whether every array of the network is a single number."""
        return self.model.frame.samples is None and all(size == ONE for size in self.model.sizes)

    def latex(self) -> str:
        """The whole derivation as LaTeX body text, in the network's notation; it needs amsmath and amssymb."""
        from symbackprop.report.derivation_report import derivation_document
        from symbackprop.report.tex import body

        return body(derivation_document(self))

    def write(self, path: str | Path) -> Path:
        """Write the report; the suffix says how: .tex, .html or .md.

        The file is replaced only once the new one is whole. Raises Unsupported for another suffix, OSError where the
        file cannot be written.
        """
        from symbackprop.report.write import write

        return write(self, Path(path))

    def __repr__(self) -> str:
        return f"<Derivation of {_listing(self._formula)} in {len(self.steps)} steps>"

    def _repr_latex_(self) -> str:
        sides = [f"{self.writer(f.Derivative(Symbol('J'), p))} &= {self.writer(g)}" for p, g in self._rows()]
        return "$$\\begin{aligned}" + r" \\ ".join(sides) + "\\end{aligned}$$"

    def _rows(self) -> Iterable[tuple[Symbol, Formula]]:
        return ((p, self._formula[p.name]) for p in self.model.parameters)


def _listing(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known if len(known) <= 8 else [*known[:4], "...", *known[-2:]])
