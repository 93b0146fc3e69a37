"""What a user holds after ``net.derive()``: the derivation, to read, to print and to compute with."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE
from symbackprop.algebra.index import Fresh
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.algebra.written import written
from symbackprop.calculus.counts import Costs, costs, parameter_count
from symbackprop.calculus.derived import Derived, listing
from symbackprop.calculus.entrywise import collapse
from symbackprop.calculus.training import updates, with_gradient
from symbackprop.errors import NetworkError
from symbackprop.model.notes import Note
from symbackprop.notation.latex import LatexWriter, aligned
from symbackprop.notation.notation import Notation
from symbackprop.numeric.gradient_check import GradientCheck
from symbackprop.proof.facts import Fact, facts
from symbackprop.proof.steps import Proofs, prove

if TYPE_CHECKING:
    from symbackprop.numeric.compiled import Compiled


@dataclass(frozen=True, repr=False)
class Derivation(Derived):
    """The derivation of every gradient of a network.

    Expressions are SymPy matrix expressions in the named intermediates of ``definitions``; each has the shape of the
    parameter that it belongs to.

    >>> from symbackprop import Dense, Network
    >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
    >>> d
    <Derivation of W1, b1 in 4 steps>
    >>> d.definitions["Delta1"]
    1/m*(A1 - Y)
    """

    notation: Notation = field(default_factory=Notation)
    title: str = ""
    notes: tuple[Note, ...] = ()

    @cached_property
    def gradients(self) -> dict[str, Any]:
        """Each parameter's gradient in named form: {"W1": ..., "b1": ..., ...}."""
        return {name: to_sympy(formula) for name, formula in self.formulas.items()}

    def gradient(self, parameter: str, expand: bool = False) -> Any:
        """The gradient dJ/d(parameter); shape: that of the parameter.

        Named form uses the errors Delta_l of ``definitions``. With ``expand`` no error is left: only parameters, the
        input, the target and activations (and pre-activations where f' has no other form). Raises NetworkError for an
        unknown parameter, Unsupported where expanding would go through more than 30 layers.

        >>> from symbackprop import Dense, Network
        >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
        >>> d.gradient("W1"), d.gradient("W1", expand=True)
        (Delta1*X.T, 1/m*(A1 - Y)*X.T)
        """
        return to_sympy(self.formula(parameter, expand))

    @cached_property
    def definitions(self) -> dict[str, Any]:
        """What each intermediate stands for, in an order in which they can be computed: Z1, A1, ..., J, Delta_L, ..."""
        return {symbol.name: to_sympy(formula) for symbol, formula in self.defining_formulas.items()}

    def entry(self, parameter: str, *indices: str | int | sympy.Symbol, expand: bool = False) -> Any:
        """One entry of a gradient in index notation, sums written out; indices count from 1.

        ``indices`` are names or numbers, row and column; one is enough for a bias. The result is a SymPy scalar whose
        array entries also count from 1, and which ``lambdify`` turns into code that counts from 0. Raises NetworkError
        for an index that leaves its axis or that names a size.

        >>> from symbackprop import Dense, Network
        >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
        >>> d.entry("W1", "j", "k")
        Sum(Delta1[j, s]*X[k, s], (s, 1, m))
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
        return to_sympy(_with_entries(written(collapse(form.body))))

    def _index(self, index: str | int | sympy.Symbol, parameter: str) -> sympy.Expr:
        if isinstance(index, bool) or not isinstance(index, str | int | sympy.Symbol):
            raise NetworkError(f"an index of {parameter} is a name or a number, not {index!r}")
        if isinstance(index, int):
            return sympy.Integer(index)
        name = str(index)
        if not name.isidentifier() or keyword.iskeyword(name) or name in self.model.taken or name in self.model.symbols:
            raise NetworkError(f"{name!r} cannot be an index here: choose a letter that names nothing else, like j")
        return sympy.Symbol(name)

    @cached_property
    def updates(self) -> dict[str, Any]:
        """One step of gradient descent for each parameter, of ascent where the loss is maximised; alpha is the rate.

        >>> from symbackprop import Dense, Network
        >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
        >>> d.updates["W1"]
        W1 - alpha*Delta1*X.T
        """
        return {u.symbol.name: to_sympy(with_gradient(u, self).formula) for u in updates(self)}

    @property
    def parameter_count(self) -> sympy.Expr:
        """The number of parameters, in the sizes.

        >>> from symbackprop import Dense, Network
        >>> Network([Dense(3), Dense(2), Dense(1)], inputs="m", loss="squared_error").derive().parameter_count
        3*m + 14
        """
        return parameter_count(self.model)

    @cached_property
    def costs(self) -> Costs:
        """Operations, in the sizes: of a forward pass, a backward pass, full Jacobians, finite differences."""
        return costs(self)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """What follows for the weights, each proved for all sizes: linear layers, zero weights, equal units."""
        return facts(self)

    def prove(self) -> Proofs:
        """A verdict for each step, by a route that shares no rule with the derivation: partial derivatives of entries.

        ``generic`` of the result has the steps of the generic layer, for a symbolic l, ``rules`` every pullback rule.

        >>> from symbackprop import Dense, Network
        >>> layers = [Dense("n_1", "tanh"), Dense("n_2", "sigmoid")]
        >>> Network(layers, inputs="n_0", loss="binary_cross_entropy", batch="m").derive().prove()
        <Proofs: 8 of 8 steps, 4 of 4 steps of the generic layer, 18 of 18 rules proved>
        """
        return self._proofs

    @cached_property
    def _proofs(self) -> Proofs:
        return prove(self)

    def check(self, sizes: Mapping[str, int] | None = None, seed: int = 0) -> GradientCheck:
        """The closed forms, lambdified, against finite differences of the forward equations, at generic points.

        ``sizes`` fixes some symbolic sizes by name, the others get small numbers, all different; ``seed`` draws the
        points. What is ``generic`` is replaced by functions that the result names. Raises CheckError where ``sizes``
        are blind ones, at which wrong gradients pass too.

        >>> from symbackprop import Dense, Network
        >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
        >>> d.check(sizes={"n_0": 3}).status
        <Status.CONSISTENT: 'consistent'>
        """
        from symbackprop.numeric.network_check import check_network

        return check_network(self.model, self.definitions, self.gradients, sizes, seed)

    @cached_property
    def writer(self) -> LatexWriter:
        """Writes formulas of this network as LaTeX, in its notation."""
        model = self.model
        names = {layer.activation.name for layer in model.layers}
        both = {"sigmoid", "generic"} <= names
        return LatexWriter(self.notation, model.frame.samples, model.taken, model.prediction, both)

    def compile(
        self,
        wrt: Iterable[str] | None = None,
        backend: str = "numpy",
        stable: bool = True,
        dtype: Any = None,
    ) -> Compiled:
        """The derivation as a function ``f(params, X, Y) -> (J, grads)``; params and grads are dicts by name.

        ``wrt`` picks the gradients, among them "X" ("x" for one example), the gradient by the input. What is returned
        is new, or ``out``, a dict of arrays, with the gradients written into it. Class numbers, one a sample, may
        stand for Y where the loss takes a distribution over classes. ``f(..., sample_weight=w)``, with w of shape (m,),
        takes J as the weighted mean, sum w L / sum w. ``f(..., scalars={"lambda": 0.1})`` gives numbers for symbols
        that are no sizes. ``f.source`` is the code. With ``stable`` no large logit makes J infinite or a gradient wrong
        by overflow. ``dtype`` converts the arrays of a call; without it they are all float64 or all float32.

        ``backend`` is "numpy", or an extra: "numba" (small networks), "jax", "array_api" (the arrays' own library:
        PyTorch, CuPy, JAX, Dask) or "dask" (chunks of samples on a cluster, summed).

        Raises NetworkError for a name that is no parameter, Unsupported for a function of which nothing is known or a
        library that is not installed; a call raises InputError, in one line, for arrays that do not fit.

        >>> import numpy as np
        >>> from symbackprop import Dense, Network
        >>> d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
        >>> f = d.compile(wrt=["b1"])
        >>> J, grads = f({"W1": np.ones((1, 2)), "b1": np.zeros((1, 1))}, X=np.zeros((2, 4)), Y=np.ones((1, 4)))
        >>> round(float(J), 4), grads
        (0.6931, {'b1': array([[-0.5]])})
        """
        from symbackprop.numeric.compiled import compiled

        return compiled(self, wrt, backend, stable, dtype)

    def latex(self) -> str:
        """The whole derivation as LaTeX body text, in the network's notation; it needs amsmath and amssymb."""
        from symbackprop.report.derivation_report import derivation_document
        from symbackprop.report.subject import Subject
        from symbackprop.report.tex import body

        return body(derivation_document(Subject(self, self.writer, self.title, self.notes)))

    def write(self, path: str | Path) -> Path:
        """Write the report; the suffix says how: .html, .tex or .md.

        The file is replaced only once the new one is whole. Raises Unsupported for another suffix, FileError where the
        file cannot be written.
        """
        self.write_all([Path(path)])
        return Path(path)

    def write_all(self, paths: Iterable[Path], progress: Callable[[int, int], None] | None = None) -> None:
        """Write the report in several forms; no file is touched before all texts are made."""
        # Reports are imported where they are wanted: they are a good part of what the import would cost.
        from symbackprop.report.subject import Subject
        from symbackprop.report.write import write_all

        write_all(Subject(self, self.writer, self.title, self.notes), paths, progress)

    def __repr__(self) -> str:
        return f"<Derivation of {listing(self.formulas)} in {len(self.steps)} steps>"

    def _repr_latex_(self) -> str:
        """The gradients, as a notebook shows them."""
        rows = ((f.Derivative(self.model.cost, p), self.formulas[p.name]) for p in self.model.parameters)
        return f"$${aligned([f'{self.writer(left)} &= {self.writer(right)}' for left, right in rows])}$$"


def _with_entries(node: f.Formula) -> f.Formula:
    """A scalar formula in which 1 x 1 arrays too are named by their entry, so that nothing in it is an array."""
    if isinstance(node, f.Entry):
        return node
    if isinstance(node, f.Symbol):
        return f.Entry(node, ONE, ONE)
    if isinstance(node, f.OpaqueLoss):
        return f.Entry(node, ONE, ONE)
    children = tuple(_with_entries(child) for child in node.children)
    return node.with_children(children) if children else node
