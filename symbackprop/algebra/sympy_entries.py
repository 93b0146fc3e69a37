"""Scalars made of entries: an entry that counts from 1, and a sum over an index that stays as it is written."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.matrices.expressions.matexpr import MatrixElement

from symbackprop.algebra.sympy_text import ATOM


class ArrayEntry(sympy.Expr):
    """One entry of an array, a scalar; indices count from 1, and code subtracts the 1."""

    precedence = ATOM
    is_commutative = True

    def doit(self, **hints: Any) -> Any:
        """The entry of what the array stands for, where that is known: a named array stays."""
        array, i, j = (a.doit(**hints) for a in self.args)
        if isinstance(array, sympy.MatrixSymbol) or getattr(array, "is_opaque", False):
            return self.func(array, i, j)
        value = array[i - 1, j - 1]
        return self.func(array, i, j) if isinstance(value, MatrixElement) else value

    def _sympystr(self, printer: Any) -> str:
        array, i, j = (printer._print(a) for a in self.args)
        return f"{array}[{i}, {j}]"

    def _latex(self, printer: Any) -> str:
        array, i, j = self.args
        indices = [printer._print(x) for x in (i, j)]
        comma = "" if all(len(x) == 1 for x in indices) else ", "
        return f"{{{printer._print(array)}}}_{{{comma.join(indices)}}}"

    def _numpycode(self, printer: Any) -> str:
        array, i, j = self.args
        return f"({printer._print(array)})[{printer._print(i - 1)}, {printer._print(j - 1)}]"

    def _pythoncode(self, printer: Any) -> str:
        return self._numpycode(printer)

    def _lambdacode(self, printer: Any) -> str:
        return self._numpycode(printer)

    def _mpmathcode(self, printer: Any) -> str:
        return self._numpycode(printer)


class EntrySum(sympy.Sum):
    """A ``sympy.Sum`` over one index that does nothing by itself.

    SymPy's own pulls a Piecewise out of inner sums over indices that it depends on, and leaves the shapes of arrays
    alone when a size is substituted.
    """

    is_commutative = True

    def __new__(cls, body: Any, limits: Any) -> Any:
        return sympy.Expr.__new__(cls, body, limits if isinstance(limits, sympy.Tuple) else sympy.Tuple(*limits))

    def _eval_subs(self, old: Any, new: Any) -> Any:
        body, (index, lower, upper) = self.args
        body = body if old == index else body._subs(old, new)
        return self.func(body, sympy.Tuple(index, lower._subs(old, new), upper._subs(old, new)))

    def doit(self, **hints: Any) -> Any:
        """The terms added up, where the range is known."""
        body, (index, lower, upper) = self.args
        if not (lower.is_Integer and upper.is_Integer):
            return self.func(body.doit(**hints), self.args[1])
        values = range(int(lower), int(upper) + 1)
        return sympy.Add(*(body.xreplace({index: sympy.Integer(i)}).doit(**hints) for i in values))
