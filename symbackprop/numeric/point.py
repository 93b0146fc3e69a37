"""A generic point of a network: small rectangular sizes, random numbers, and the values of formulas there.

Points where wrong formulas happen to hold are avoided: no two symbolic sizes are equal, none is 1, weights and biases
are generic, and no prediction equals its target.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
import sympy

from symbackprop.algebra.formula import Formula, Symbol
from symbackprop.algebra.sympy_border import to_sympy
from symbackprop.calculus.derived import Derived
from symbackprop.errors import Unsupported
from symbackprop.model.initialisation import sample

Array = Any

MAX_ENTRIES = 1_000_000


class Point:
    """Numbers for everything in a network; ``value`` evaluates a formula over its arrays.

    Weights are drawn from N(0, 1), or by a named initialisation; biases are generic in either case.
    """

    def __init__(self, derived: Derived, seed: int = 0, initialisation: str | None = None) -> None:
        self.model = derived.model
        self._derived = derived
        self._rng = np.random.default_rng(seed)
        self._initialisation = initialisation
        largest = max((rows * columns for rows, columns in map(self.shape, self.model.symbols.values())), default=0)
        if largest > MAX_ENTRIES:
            raise Unsupported(f"an array of {largest} entries is too large to evaluate at a point")

    @cached_property
    def sizes(self) -> dict[sympy.Symbol, int]:
        """A size for each symbolic size, all different, none 1; penalty rates and parameters get numbers elsewhere."""
        model = self.model
        given = {int(n) for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Integer}
        free = (n for n in count(2) if n not in given)
        symbols = [n for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Symbol]
        return {symbol: next(free) for symbol in dict.fromkeys(symbols)}

    @cached_property
    def scalars(self) -> dict[str, float]:
        """The value of every scalar: sizes, rates, parameters of functions."""
        named: dict[str, float] = {symbol.name: size for symbol, size in self.sizes.items()}
        others = sorted(self.model.scalars - named.keys())
        return {**named, **{name: 0.25 + 0.125 * n for n, name in enumerate(others)}}

    def shape(self, symbol: Symbol) -> tuple[int, int]:
        rows, columns = (int(n.subs(self.sizes)) for n in symbol.shape)
        return rows, columns

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """The value of every named array: parameters and data drawn, the rest computed by its definition."""
        model, rng = self.model, self._rng
        arrays = {p.name: rng.normal(size=self.shape(p)) for p in model.parameters}
        if self._initialisation is not None:
            for block in model.blocks:
                for weights in block.weights:
                    n_out, n_in = self.shape(weights)[:: -1 if model.frame.in_by_out else 1]
                    arrays[weights.name] = sample(self._initialisation, rng, self.shape(weights), n_in, n_out)
        arrays[model.x.name] = rng.normal(size=self.shape(model.x))
        arrays[model.y.name] = self._targets(rng.uniform(0.1, 0.9, size=self.shape(model.y)))
        for symbol, formula in self._derived.defining_formulas.items():
            arrays[symbol.name] = self._evaluate(formula, arrays)
        return arrays

    def _targets(self, drawn: Array) -> Array:
        """Targets that meet what is granted: of each sample they sum to 1 where the loss has it so."""
        if self.model.loss.labels_sum_to_one and not self.model.any_labels:
            drawn = drawn / drawn.sum(axis=self.model.frame.unit_axis, keepdims=True)
        return drawn

    def value(self, formula: Formula) -> Array:
        """The formula's value, an array with two axes."""
        return self._evaluate(formula, self.arrays)

    def _evaluate(self, formula: Formula, arrays: Mapping[str, Array]) -> Array:
        expr = to_sympy(formula)
        names = {**arrays, **self.scalars}
        used = sorted(expr.free_symbols | expr.atoms(sympy.MatrixSymbol), key=str)
        known = [s for s in used if str(s) in names]
        # Neutral names in the code, so that a size called sum or log hides no function.
        neutral = {
            s: sympy.MatrixSymbol(f"_v{n}", *s.shape) if isinstance(s, sympy.MatrixSymbol) else sympy.Symbol(f"_v{n}")
            for n, s in enumerate(known)
        }
        function = sympy.lambdify(list(neutral.values()), expr.xreplace(neutral), [OPAQUE, "numpy"])
        with np.errstate(all="ignore"):
            value = function(*(names[str(s)] for s in known))
        return np.atleast_2d(np.asarray(value, dtype=float))


# Functions for what a network leaves open: smooth, odd or even in nothing, and coupled over the outputs.
OPAQUE: dict[str, Any] = {
    "sigma": lambda z: np.sin(z) + z / 2,
    "sigma_prime": lambda z: np.cos(z) + 0.5,
    "C": lambda a, y: np.sum(np.exp(a / 2) - a * y, keepdims=True) + np.sum(a, keepdims=True) ** 2 / 7,
    "grad_C": lambda a, y: np.exp(a / 2) / 2 - y + np.sum(a, keepdims=True) * 2 / 7,
}


def differ(left: Array, right: Array) -> bool | None:
    """Whether two arrays differ by far more than rounding could explain; None where a value is not finite."""
    if left.shape != right.shape:
        return True
    if not (np.all(np.isfinite(left)) and np.all(np.isfinite(right))):
        return None
    scale = max(float(np.max(np.abs(left))), float(np.max(np.abs(right))))
    return float(np.max(np.abs(left - right))) > 1e-6 * scale
