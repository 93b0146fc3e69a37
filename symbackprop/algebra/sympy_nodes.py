"""SymPy matrix expressions for what SymPy has no sound class for: elementwise work, sums over an axis, softmax.

Each keeps its arguments in the order given, knows its shape, gives entries (``as_explicit``), prints to text, LaTeX and
NumPy, and survives ``subs``, ``xreplace``, ``doit`` and ``lambdify``. NumPy code relies on broadcasting, so that no
size has to be passed that is not in the formula as a value.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sympy
from sympy.core.symbol import Str
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbackprop.algebra.sympy_entries import EntrySum
from symbackprop.algebra.sympy_text import (
    ABOVE_ADD,
    ABOVE_MUL,
    ADD,
    ATOM,
    MUL,
    POW,
    beside_dot,
    bracket,
    call_name,
    is_scalar,
    primes,
    signed_sum,
    tex_bracket,
)

SCALAR = (sympy.S.One, sympy.S.One)


def entry(e: Any, i: Any, j: Any) -> Any:
    """Entry (i, j), from 0, of an array; a scalar is spread."""
    if not getattr(e, "is_Matrix", False):
        return e
    return e[0, 0] if e.shape == SCALAR else e[i, j]


class ArrayExpr(MatrixExpr):
    """Base: an array over SymPy arguments, never reordered and never evaluated."""

    precedence = ATOM

    def __new__(cls, *args: Any) -> Any:
        return sympy.Basic.__new__(cls, *(sympy.sympify(a, strict=True) for a in args))  # strict: no text is read

    @cached_property
    def arrays(self) -> tuple[Any, ...]:
        return tuple(a for a in self.args if not is_scalar(a))

    @cached_property
    def shape(self) -> Any:
        """Kept once it is known: every level of a nested expression asks for it several times."""
        return self.arrays[0].shape if self.arrays else SCALAR

    def doit(self, **hints: Any) -> Any:
        if not hints.get("deep", True):
            return self
        return self.func(*(a.doit(**hints) for a in self.args))

    def _eval_transpose(self) -> Any:
        return sympy.Transpose(self)

    def _numpycode(self, p: Any) -> str:
        raise NotImplementedError

    def _pythoncode(self, p: Any) -> str:
        return self._numpycode(p)

    def _lambdacode(self, p: Any) -> str:
        return self._numpycode(p)


class ArraySum(ArrayExpr):
    """A sum of arrays and scalars in the order in which it is written: 1 - A stays 1 - A."""

    precedence = ADD

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return sympy.Add(*(entry(a, i, j) for a in self.args))

    def _sympystr(self, p: Any) -> str:
        return signed_sum(self.args, lambda t: bracket(t, ABOVE_ADD, p))

    def _latex(self, p: Any) -> str:
        return signed_sum(self.args, lambda t: tex_bracket(t, ABOVE_ADD, p))

    def _numpycode(self, p: Any) -> str:
        """Terms that are repeated only for their shape are left to broadcasting where another term has the shape."""
        full = any(not isinstance(a, ArrayRepeat) for a in self.arrays)
        bare = [a.args[0] if full and isinstance(a, ArrayRepeat) else a for a in self.args]
        return signed_sum(bare, lambda t: bracket(t, ABOVE_MUL, p))


class ArrayProduct(ArrayExpr):
    """An elementwise product of arrays and scalars."""

    precedence = MUL

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return sympy.Mul(*(entry(a, i, j) for a in self.args))

    is_signed = True

    def _split(self, p: Any, show: Any) -> tuple[list[str], list[str]]:
        """Scalars, then elementwise factors."""
        scalars = [show(a, ABOVE_ADD, p) for a in self.args if is_scalar(a)]
        return scalars, [show(a, beside_dot(a), p) for a in self.args if not is_scalar(a)]

    def _sympystr(self, p: Any) -> str:
        """``2*(A - Y) o A``: scalars with a star, elementwise factors with an o between blanks."""
        head, rest = self._split(p, bracket)
        joined = " o ".join(rest)
        return "*".join([*head, f"({joined})" if head and len(rest) > 1 else joined] if rest else head)

    def _latex(self, p: Any) -> str:
        head, rest = self._split(p, tex_bracket)
        return " ".join([*head, r" \odot ".join(rest)] if rest else head)

    def _numpycode(self, p: Any) -> str:
        return "*".join(bracket(a, ABOVE_MUL, p) for a in self.args)


class ArrayQuotient(ArrayExpr):
    """An elementwise quotient."""

    precedence = MUL

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return entry(self.args[0], i, j) / entry(self.args[1], i, j)

    def _sympystr(self, p: Any) -> str:
        return f"{bracket(self.args[0], ABOVE_ADD, p)}/{bracket(self.args[1], ABOVE_MUL, p)}"

    def _latex(self, p: Any) -> str:
        return rf"\frac{{{p._print(self.args[0])}}}{{{p._print(self.args[1])}}}"

    def _numpycode(self, p: Any) -> str:
        return "/".join(bracket(a, ABOVE_MUL, p) for a in self.args)


class ArrayPower(ArrayExpr):
    """An elementwise power with a scalar exponent."""

    precedence = POW

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return entry(self.args[0], i, j) ** entry(self.args[1], 0, 0)

    def _sympystr(self, p: Any) -> str:
        return f"{bracket(self.args[0], ATOM, p)}**{bracket(self.args[1], ATOM, p)}"

    def _latex(self, p: Any) -> str:
        return f"{tex_bracket(self.args[0], ATOM, p)}^{{{p._print(self.args[1])}}}"

    def _numpycode(self, p: Any) -> str:
        return f"({p._print(self.args[0])})**({p._print(self.args[1])})"


class ArrayMap(ArrayExpr):
    """A scalar function applied to every entry: name, order of its derivative, LaTeX, ``Lambda`` or 0, argument."""

    precedence = ATOM

    def __new__(cls, name: Any, order: Any, latex: Any, function: Any, arg: Any) -> Any:
        name, latex = (a if isinstance(a, Str) else Str(a) for a in (name, latex))
        return sympy.Basic.__new__(cls, name, sympy.Integer(order), latex, function, arg)

    @property
    def call_name(self) -> str:
        """The name in code: sigma, sigma_prime, sigma_prime2."""
        return call_name(self.args[0].name, int(self.args[1]))

    @cached_property
    def shape(self) -> Any:
        return self.args[4].shape

    def doit(self, **hints: Any) -> Any:
        return self.func(*self.args[:4], self.args[4].doit(**hints)) if hints.get("deep", True) else self

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        inner = entry(self.args[4], i, j)
        return self.args[3](inner) if isinstance(self.args[3], sympy.Lambda) else sympy.Function(self.call_name)(inner)

    def _sympystr(self, p: Any) -> str:
        return f"{self.args[0].name}{primes(int(self.args[1]))}({p._print(self.args[4])})"

    def _latex(self, p: Any) -> str:
        latex, order = self.args[2].name, int(self.args[1])
        if "#1" in latex and order == 0:
            return latex.replace("#1", p._print(self.args[4]))
        name = rf"\operatorname{{{self.args[0].name}}}" if "#1" in latex else latex
        return rf"{name}{primes(order)}\left({p._print(self.args[4])}\right)"

    def _numpycode(self, p: Any) -> str:
        arg = p._print(self.args[4])
        if not isinstance(self.args[3], sympy.Lambda):
            return f"{self.call_name}({arg})"
        (variable,) = self.args[3].variables
        body = self.args[3].expr.replace(sympy.erf, lambda u: EntrywiseErf(u))  # NumPy has no erf
        return f"(lambda {p._print(variable)}: {p._print(body)})({arg})"


class EntrywiseErf(sympy.Function):
    """erf in NumPy code: the standard library's, entry by entry."""

    def _numpycode(self, p: Any) -> str:
        return f"{p._module_format('numpy.vectorize')}({p._module_format('math.erf')})({p._print(self.args[0])})"

    _pythoncode = _lambdacode = _numpycode


class ArraySoftmax(ArrayExpr):
    """exp(Z) over its sum along an axis, or the logarithm of that: argument, axis, logarithm?"""

    @cached_property
    def shape(self) -> Any:
        return self.args[0].shape

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        z, axis, log = self.args
        k = sympy.Dummy("k", integer=True)
        along = z[k, j] if axis == 0 else z[i, k]
        total = EntrySum(sympy.exp(along), (k, 0, z.shape[int(axis)] - 1)).doit()
        return z[i, j] - sympy.log(total) if log else sympy.exp(z[i, j]) / total

    def _sympystr(self, p: Any) -> str:
        return f"{'log_' if self.args[2] else ''}softmax({p._print(self.args[0])}, axis={self.args[1]})"

    def _latex(self, p: Any) -> str:
        log = r"\log " if self.args[2] else ""
        return rf"{log}\operatorname{{softmax}}\left({p._print(self.args[0])}\right)"

    def _numpycode(self, p: Any) -> str:
        """The largest entry is taken off first, so that no exponential overflows."""
        exp, log, top, total = (p._module_format(f"numpy.{name}") for name in ("exp", "log", "max", "sum"))
        along = f"axis={self.args[1]}, keepdims=True"
        shifted = f"(lambda z: z - {top}(z, {along}))({p._print(self.args[0])})"
        if self.args[2]:
            return f"(lambda z: z - {log}({total}({exp}(z), {along})))({shifted})"
        return f"(lambda e: e/{total}(e, {along}))({exp}({shifted}))"


class ArrayTotal(ArrayExpr):
    """The sum over axis 0 or 1, kept as a row or a column, or over everything (axis -1)."""

    @cached_property
    def shape(self) -> Any:
        (rows, columns), axis = self.args[0].shape, int(self.args[1])
        return {-1: SCALAR, 0: (sympy.S.One, columns), 1: (rows, sympy.S.One)}[axis]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        u, axis = self.args[0], int(self.args[1])
        p, q = sympy.symbols("p q", cls=sympy.Dummy, integer=True)
        over_rows, over_columns = (p, 0, u.shape[0] - 1), (q, 0, u.shape[1] - 1)
        if axis == 0:
            return EntrySum(u[p, j], over_rows).doit()
        if axis == 1:
            return EntrySum(u[i, q], over_columns).doit()
        return EntrySum(EntrySum(u[p, q], over_columns), over_rows).doit()

    def _sympystr(self, p: Any) -> str:
        axis = "" if self.args[1] == -1 else f", axis={self.args[1]}"
        return f"sum({p._print(self.args[0])}{axis})"

    def _latex(self, p: Any) -> str:
        inner = tex_bracket(self.args[0], ABOVE_MUL, p)
        left, right = ("" if self.args[1] == 1 else r"\mathbf{1}^{T} "), ("" if self.args[1] == 0 else r" \mathbf{1}")
        return left + inner + right

    def _numpycode(self, p: Any) -> str:
        axis = "" if self.args[1] == -1 else f"axis={self.args[1]}, "
        return f"{p._module_format('numpy.sum')}({p._print(self.args[0])}, {axis}keepdims=True)"


class ArrayRepeat(ArrayExpr):
    """A row or a column repeated to a shape: b 1^T and 1 b^T."""

    precedence = MUL

    @cached_property
    def shape(self) -> Any:
        return self.args[1:]

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        u = self.args[0]
        return u[0 if u.shape[0] == 1 else i, 0 if u.shape[1] == 1 else j]

    def _sympystr(self, p: Any) -> str:
        inner = bracket(self.args[0], ABOVE_ADD, p)
        return f"{inner}*1.T" if self.args[0].shape[1] == 1 else f"1*{inner}"

    def _latex(self, p: Any) -> str:
        inner = tex_bracket(self.args[0], ABOVE_ADD, p)
        return rf"{inner} \mathbf{{1}}^{{T}}" if self.args[0].shape[1] == 1 else rf"\mathbf{{1}} {inner}"

    def _numpycode(self, p: Any) -> str:
        name = p._module_format("numpy.broadcast_to")
        return f"{name}({p._print(self.args[0])}, ({p._print(self.args[1])}, {p._print(self.args[2])}))"


class ArrayOnes(ArrayExpr):
    """An array of ones."""

    precedence = ATOM

    @cached_property
    def shape(self) -> Any:
        return self.args

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return sympy.S.One

    def _sympystr(self, p: Any) -> str:
        return "1"

    def _latex(self, p: Any) -> str:
        return r"\mathbf{1}" if self.args[1] == 1 else r"\mathbf{1}^{T}"

    def _numpycode(self, p: Any) -> str:
        return f"{p._module_format('numpy.ones')}(({p._print(self.args[0])}, {p._print(self.args[1])}))"


class ArrayDiagonal(ArrayExpr):
    """The diagonal matrix of a row or a column."""

    @cached_property
    def shape(self) -> Any:
        rows, columns = self.args[0].shape
        size = columns if rows == 1 else rows
        return (size, size)

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        v = self.args[0]
        return sympy.KroneckerDelta(i, j) * (v[0, i] if v.shape[0] == 1 else v[i, 0])

    def _sympystr(self, p: Any) -> str:
        return f"diag({p._print(self.args[0])})"

    def _latex(self, p: Any) -> str:
        return rf"\operatorname{{diag}}\left({p._print(self.args[0])}\right)"

    def _numpycode(self, p: Any) -> str:
        return f"{p._module_format('numpy.diagflat')}({p._print(self.args[0])})"


class ArrayNorm(ArrayExpr):
    """The entrywise norm of order 1 or 2, to a power."""

    @cached_property
    def shape(self) -> Any:
        return SCALAR

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        u, order, power = self.args
        p, q = sympy.symbols("p q", cls=sympy.Dummy, integer=True)
        term = sympy.Abs(u[p, q]) if order == 1 else u[p, q] ** 2
        total = EntrySum(EntrySum(term, (q, 0, u.shape[1] - 1)), (p, 0, u.shape[0] - 1)).doit()
        return total ** sympy.Rational(power, order)

    def _sympystr(self, p: Any) -> str:
        power = "" if self.args[2] == 1 else f"**{self.args[2]}"
        return f"norm({p._print(self.args[0])}, {self.args[1]}){power}"

    def _latex(self, p: Any) -> str:
        power = "" if self.args[2] == 1 else f"^{{{self.args[2]}}}"
        return rf"\left\|{p._print(self.args[0])}\right\|_{{{self.args[1]}}}{power}"

    def _numpycode(self, p: Any) -> str:
        u, (order, power) = p._print(self.args[0]), self.args[1:]
        term = f"{p._module_format('numpy.abs')}({u})" if order == 1 else f"({u})**2"
        return f"{p._module_format('numpy.sum')}({term}, keepdims=True)**({sympy.Rational(power, order)})"


class ArrayOpaqueLoss(ArrayExpr):
    """C(A, Y) for each sample, or its gradient by A: name, prediction, target, axis of the units, gradient?"""

    def __new__(cls, name: Any, prediction: Any, target: Any, axis: Any, gradient: Any) -> Any:
        name = name if isinstance(name, Str) else Str(name)
        return sympy.Basic.__new__(cls, name, prediction, target, sympy.Integer(axis), sympy.Integer(gradient))

    is_opaque = True

    @property
    def call_name(self) -> str:
        return ("grad_" if self.args[4] else "") + self.args[0].name

    @cached_property
    def shape(self) -> Any:
        rows, columns = self.args[1].shape
        if self.args[4]:
            return (rows, columns)
        return (sympy.S.One, columns) if self.args[3] == 0 else (rows, sympy.S.One)

    def doit(self, **hints: Any) -> Any:
        name, prediction, target, axis, gradient = self.args
        return self.func(name, prediction.doit(**hints), target.doit(**hints), axis, gradient)

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        _, a, y, axis, gradient = self.args
        if not all(size.is_Integer for size in a.shape):
            raise NotImplementedError("an entry of an opaque loss needs sizes that are numbers")
        down = axis == 0
        sample = j if down else i
        units = range(int(a.shape[0 if down else 1]))
        values = [u[k, sample] if down else u[sample, k] for u in (a, y) for k in units]
        slot = ((i if down else j) + 1,) if gradient else ()
        return sympy.Function(self.call_name)(*slot, *values)

    def _sympystr(self, p: Any) -> str:
        return f"{self.call_name}({p._print(self.args[1])}, {p._print(self.args[2])})"

    def _latex(self, p: Any) -> str:
        head = r"\nabla_{a} " if self.args[4] else ""
        return head + rf"{self.args[0].name}\left({p._print(self.args[1])}, {p._print(self.args[2])}\right)"

    def _numpycode(self, p: Any) -> str:
        return f"{self.call_name}({p._print(self.args[1])}, {p._print(self.args[2])})"


class ArrayUnit(ArrayExpr):
    """The column that is 1 at an index, which counts from 1, and 0 elsewhere."""

    @cached_property
    def shape(self) -> Any:
        return (self.args[1], sympy.S.One)

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        return sympy.KroneckerDelta(i + 1, self.args[0])

    def _sympystr(self, p: Any) -> str:
        return f"e[{p._print(self.args[0])}]"

    def _latex(self, p: Any) -> str:
        return f"e_{{{p._print(self.args[0])}}}"

    def _numpycode(self, p: Any) -> str:
        at = p._print(self.args[0])
        return f"{p._module_format('numpy.eye')}({p._print(self.args[1])})[:, {at} - 1:{at}]"


class ArrayIndexSum(ArrayExpr):
    """A sum of arrays over an index: body, index, lower, upper."""

    precedence = MUL

    @cached_property
    def shape(self) -> Any:
        return self.args[0].shape

    @property
    def free_symbols(self) -> Any:
        body, index, lower, upper = self.args
        return (body.free_symbols - {index}) | lower.free_symbols | upper.free_symbols

    def _eval_subs(self, old: Any, new: Any) -> Any:
        body, index, lower, upper = self.args
        if old == index:
            return self.func(body, index, lower._subs(old, new), upper._subs(old, new))
        return None

    def doit(self, **hints: Any) -> Any:
        body, index, lower, upper = self.args
        if not (lower.is_Integer and upper.is_Integer):
            return self.func(body.doit(**hints), index, lower, upper)
        terms = [body.xreplace({index: sympy.Integer(i)}).doit(**hints) for i in range(int(lower), int(upper) + 1)]
        return ArraySum(*terms) if terms else sympy.ZeroMatrix(*self.shape)

    def _entry(self, i: Any, j: Any, **kwargs: Any) -> Any:
        body, *limits = self.args
        return EntrySum(entry(body, i, j), sympy.Tuple(*limits))

    def _sympystr(self, p: Any) -> str:
        body, *limits = map(p._print, self.args)
        return f"Sum({body}, ({', '.join(limits)}))"

    def _latex(self, p: Any) -> str:
        body, index, lower, upper = self.args
        limits = rf"_{{{p._print(index)}={p._print(lower)}}}^{{{p._print(upper)}}}"
        return rf"\sum{limits} {tex_bracket(body, ABOVE_ADD, p)}"

    def _numpycode(self, p: Any) -> str:
        body, index, lower, upper = map(p._print, self.args)
        return f"builtins.sum(({body}) for {index} in range({lower}, {upper} + 1))"
