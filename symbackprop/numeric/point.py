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

    Weights are drawn so that pre-activations are of the size of ``spread``, or by a named initialisation; biases are
    generic in either case. Sizes, rates and numbers change with the seed. ``dtype`` is the precision of all of them.
    """

    def __init__(
        self,
        derived: Derived,
        seed: int = 0,
        initialisation: str | None = None,
        spread: float = 1.0,
        dtype: type = float,
    ) -> None:
        self.model = derived.model
        self._derived = derived
        self._rng = np.random.default_rng(seed)
        self._initialisation = initialisation
        self._seed, self._spread, self._dtype = seed, spread, dtype
        largest = max((rows * columns for rows, columns in map(self.shape, self.model.symbols.values())), default=0)
        if largest > MAX_ENTRIES:
            raise Unsupported(f"an array of {largest} entries is too large to evaluate at a point")

    @cached_property
    def sizes(self) -> dict[sympy.Symbol, int]:
        """A size for each symbolic size, all different, none 1; penalty rates and parameters get numbers elsewhere."""
        model = self.model
        given = {int(n) for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Integer}
        free = (n for n in count(2 + self._seed % 3) if n not in given)
        symbols = [n for n in (*model.sizes, model.frame.samples) if n is not None and n.is_Symbol]
        return {symbol: next(free) for symbol in dict.fromkeys(symbols)}

    @cached_property
    def scalars(self) -> dict[str, float]:
        """The value of every scalar: sizes, rates, parameters of functions."""
        named: dict[str, float] = {symbol.name: size for symbol, size in self.sizes.items()}
        others = sorted(self.model.scalars - named.keys())
        return {**named, **{name: 0.3 + 0.17 * n + 0.41 * self._seed for n, name in enumerate(others)}}

    def shape(self, symbol: Symbol) -> tuple[int, int]:
        rows, columns = (int(n.subs(self.sizes)) for n in symbol.shape)
        return rows, columns

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """The value of every named array: parameters and data drawn, the rest computed by its definition."""
        model, rng = self.model, self._rng
        fan_in = {
            w.name: int(n.subs(self.sizes)) for u, n in zip(model.blocks, model.sizes, strict=False) for w in u.weights
        }
        arrays = {
            p.name: self._spread * rng.normal(size=self.shape(p)) / np.sqrt(fan_in.get(p.name, 1))
            for p in model.parameters
        }
        if self._initialisation is not None:
            for block in model.blocks:
                for weights in block.weights:
                    n_out, n_in = self.shape(weights)[:: -1 if model.frame.in_by_out else 1]
                    arrays[weights.name] = sample(self._initialisation, rng, self.shape(weights), n_in, n_out)
        arrays[model.x.name] = rng.normal(size=self.shape(model.x))
        arrays[model.y.name] = self._targets()
        arrays = {name: array.astype(self._dtype) for name, array in arrays.items()}
        for symbol, formula in self._derived.defining_formulas.items():
            arrays[symbol.name] = self._evaluate(formula, arrays)
        return arrays

    def _targets(self) -> Array:
        """Targets that meet what is granted: any number, or between 0 and 1, or of each sample a sum of 1."""
        loss, shape = self.model.loss, self.shape(self.model.y)
        if loss.above is None and not loss.labels_sum_to_one and not loss.one_by_one and not loss.partial:
            return self._rng.normal(scale=1.0 + self._spread, size=shape)
        drawn = self._rng.uniform(0.1, 0.9, size=shape)
        if self.model.loss.labels_sum_to_one and not self.model.any_labels:
            drawn = drawn / drawn.sum(axis=self.model.frame.unit_axis, keepdims=True)
        return drawn

    def value(self, formula: Formula) -> Array:
        """The formula's value, an array with two axes."""
        return self._evaluate(formula, self.arrays)

    def _scalar(self, value: float) -> Any:
        return value if isinstance(value, int) else self._dtype(value)

    def _evaluate(self, formula: Formula, arrays: Mapping[str, Array]) -> Array:
        expr = to_sympy(formula)
        names = {**arrays, **{name: self._scalar(value) for name, value in self.scalars.items()}}
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
        return np.atleast_2d(np.asarray(value, dtype=self._dtype))


# Functions for what a network leaves open: smooth, odd or even in nothing, and coupled over the outputs.
OPAQUE: dict[str, Any] = {
    "sigma": lambda z: np.sin(z) + z / 2,
    "sigma_prime": lambda z: np.cos(z) + 0.5,
    "C": lambda a, y: np.sum(np.exp(a / 2) - a * y, keepdims=True) + np.sum(a, keepdims=True) ** 2 / 7,
    "grad_C": lambda a, y: np.exp(a / 2) / 2 - y + np.sum(a, keepdims=True) * 2 / 7,
}


def differ(derived: Derived, left: Formula, right: Formula, seed: int, spread: float = 1.0) -> bool | None:
    """Whether two formulas have different values at a point, by far more than rounding explains.

    Rounding is measured: both are evaluated in two precisions. None where the point says nothing: a value is not
    finite, both vanish everywhere, or rounding covers what is seen.
    """
    shorter, longer = (Point(derived, seed, spread=spread, dtype=dtype) for dtype in (float, np.longdouble))
    values = [[point.value(formula) for formula in (left, right)] for point in (shorter, longer)]
    if values[0][0].shape != values[0][1].shape:
        return True
    if not all(np.all(np.isfinite(v)) for pair in values for v in pair):
        return None
    gap = np.max(np.abs(values[1][0] - values[1][1]))
    rounding = max(np.max(np.abs(short - long)) for short, long in zip(*values, strict=True))
    size = max(np.max(np.abs(v)) for v in values[1])
    if size == 0 or rounding > 1e-4 * size:
        return None
    return bool(gap > 1e-6 * size)  # in the longer precision rounding is far below that
