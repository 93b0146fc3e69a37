"""SymPy in and out: ``to_sympy`` and ``from_sympy``.

Out, a formula becomes SymPy's own matrix expression wherever SymPy keeps what is written, and one of ``sympy_nodes``
elsewhere. Scalars (a size, a rate, an entry) become scalar expressions, arrays matrix expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import singledispatch
from typing import Any

import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symbackprop.algebra import formula as f
from symbackprop.algebra import functions
from symbackprop.algebra import sympy_nodes as n
from symbackprop.algebra.formula import SCALAR, Formula, Function
from symbackprop.algebra.shape import runs, shape
from symbackprop.algebra.sympy_entries import ArrayEntry, EntrySum
from symbackprop.algebra.sympy_text import call_name
from symbackprop.errors import Unsupported


@singledispatch
def to_sympy(node: Formula) -> Any:
    """The formula as a SymPy expression.

    >>> n_2, m = sympy.symbols("n_2 m")
    >>> A, Y = f.Symbol("A", (n_2, m), sympy.Integer(2)), f.Symbol("Y", (n_2, m))
    >>> to_sympy(f.Product((1 / f.Scalar("m"), A - Y)))
    1/m*(A2 - Y)
    >>> to_sympy(A * (1 - A))
    A2 o (1 - A2)
    """
    raise TypeError(f"to_sympy knows no {type(node).__name__}")


@to_sympy.register
def _(node: f.Number) -> Any:
    return sympy.Rational(node.value.numerator, node.value.denominator)


@to_sympy.register
def _(node: f.Scalar) -> Any:
    return sympy.pi if node.name == "pi" else sympy.Symbol(node.name)


@to_sympy.register
def _(node: f.Symbol) -> Any:
    return sympy.MatrixSymbol(node.name, *node.shape)


@to_sympy.register
def _(node: f.Ones) -> Any:
    return sympy.S.One if node.shape == SCALAR else n.ArrayOnes(*node.shape)


def _is_array(e: Any) -> bool:
    return bool(getattr(e, "is_Matrix", False))


@to_sympy.register
def _(node: f.Negative) -> Any:
    arg = to_sympy(node.arg)
    if isinstance(arg, sympy.MatAdd | n.ArraySum):
        return n.ArrayProduct(sympy.S.NegativeOne, arg)
    return sympy.MatMul(sympy.S.NegativeOne, arg) if _is_array(arg) else -arg


@to_sympy.register
def _(node: f.Add) -> Any:
    terms = [to_sympy(term) for term in node.terms]
    if not any(map(_is_array, terms)):
        return sympy.Add(*terms)
    written = n.ArraySum(*terms)
    if all(_is_array(t) and t.shape == written.shape for t in terms) and not any(t.has(n.ArrayExpr) for t in terms):
        native = sympy.MatAdd(*terms)
        if str(native) == str(written):
            return native
    return written


@to_sympy.register
def _(node: f.Product) -> Any:
    scalars, arrays = runs(node.factors)
    pieces = [_run(run) for run in arrays]
    head = [to_sympy(s) for s in scalars]
    coefficient = sympy.Mul(*(c for c in head if not _is_array(c)))
    small = [c for c in head if _is_array(c)] + [p for p in pieces if p.shape == SCALAR]
    large = [p for p in pieces if p.shape != SCALAR]
    if not small and not large:
        return coefficient
    if len(small) == len(large) == 1 and isinstance(large[0], n.ArrayOnes):
        small, large = [], [n.ArrayRepeat(small[0], *large[0].shape)]  # b 1^T for one unit: spread by broadcasting
    if len(small) + len(large) > 1 and (small or len(large) > 1):
        body: Any = sympy.MatMul(*small) if not large else n.ArrayProduct(*small, *large)
    else:
        (body,) = small + large
    if coefficient == 1:
        return body
    if isinstance(body, n.ArrayProduct):
        return n.ArrayProduct(coefficient, *body.args)
    if isinstance(body, sympy.MatAdd) and coefficient.is_Number:
        return n.ArrayProduct(coefficient, body)  # SymPy would spread the number over the terms
    return sympy.MatMul(coefficient, *(body.args if isinstance(body, sympy.MatMul) else (body,)))


def _run(run: list[Formula]) -> Any:
    """Conforming factors in a row. Ones at an end are a sum or a repetition, which needs no size in code."""
    factors = list(run)
    if len(factors) > 1 and isinstance(factors[-1], f.Ones):
        return _ones_beside(_run(factors[:-1]), factors[-1], axis=1)
    if len(factors) > 1 and isinstance(factors[0], f.Ones):
        return _ones_beside(_run(factors[1:]), factors[0], axis=0)
    out = [to_sympy(factor) for factor in factors]
    return out[0] if len(out) == 1 else sympy.MatMul(*out)


def _ones_beside(body: Any, ones: f.Ones, axis: int) -> Any:
    if ones.shape[axis] == 1:  # u 1: a sum over the columns; 1^T u: over the rows
        return n.ArrayTotal(body, axis)
    rows, columns = body.shape
    return n.ArrayRepeat(body, rows, ones.shape[1]) if axis == 1 else n.ArrayRepeat(body, ones.shape[0], columns)


@to_sympy.register
def _(node: f.Hadamard) -> Any:
    factors = [to_sympy(factor) for factor in node.factors]
    return n.ArrayProduct(*factors) if any(map(_is_array, factors)) else sympy.Mul(*factors)


@to_sympy.register
def _(node: f.Quotient) -> Any:
    top, bottom = to_sympy(node.numerator), to_sympy(node.denominator)
    return n.ArrayQuotient(top, bottom) if _is_array(top) or _is_array(bottom) else top / bottom


@to_sympy.register
def _(node: f.Power) -> Any:
    base, exponent = to_sympy(node.base), to_sympy(node.exponent)
    return n.ArrayPower(base, exponent) if _is_array(base) else base**exponent


@to_sympy.register
def _(node: f.Transpose) -> Any:
    arg = to_sympy(node.arg)
    return sympy.Transpose(arg) if _is_array(arg) else arg


@to_sympy.register
def _(node: f.Map) -> Any:
    arg, function = to_sympy(node.arg), node.function
    definition = function.definition if node.order == 0 else function.derivative(node.order)
    if not _is_array(arg):
        if definition is None:
            return sympy.Function(call_name(function.name, node.order))(arg)
        return definition.xreplace({Function.argument: arg})
    z = sympy.Symbol("z")
    body = sympy.S.Zero if definition is None else sympy.Lambda(z, definition.xreplace({Function.argument: z}))
    return n.ArrayMap(function.name, node.order, function.latex, body, arg)


@to_sympy.register
def _(node: f.Softmax) -> Any:
    return n.ArraySoftmax(to_sympy(node.arg), node.axis, int(node.log))


@to_sympy.register
def _(node: f.OpaqueLoss) -> Any:
    return n.ArrayOpaqueLoss(
        node.letter, to_sympy(node.prediction), to_sympy(node.target), node.axis, int(node.gradient)
    )


@to_sympy.register
def _(node: f.Total) -> Any:
    arg = to_sympy(node.arg)
    return n.ArrayTotal(arg, -1 if node.axis is None else node.axis) if _is_array(arg) else arg


@to_sympy.register
def _(node: f.Norm) -> Any:
    return n.ArrayNorm(to_sympy(node.arg), node.order, node.power)


@to_sympy.register
def _(node: f.Diagonal) -> Any:
    return n.ArrayDiagonal(to_sympy(node.arg))


@to_sympy.register
def _(node: f.Entry) -> Any:
    return ArrayEntry(to_sympy(node.arg), node.row, node.column)


@to_sympy.register
def _(node: f.IndexSum) -> Any:
    body = to_sympy(node.body)
    if _is_array(body):
        return n.ArrayIndexSum(body, node.index, node.lower, node.upper)
    return EntrySum(body, (node.index, node.lower, node.upper))


@to_sympy.register
def _(node: f.Unit) -> Any:
    return n.ArrayUnit(node.index, node.size)


@to_sympy.register
def _(node: f.Kronecker) -> Any:
    return sympy.KroneckerDelta(node.left, node.right)


@to_sympy.register
def _(node: f.Derivative) -> Any:
    """A derivative as a name: an array symbol dJ_dW1 of the shape of W1."""
    of, wrt = to_sympy(node.of), to_sympy(node.wrt)
    return sympy.MatrixSymbol(f"d{of}_d{wrt}", *shape(node.wrt))


SCALAR_FUNCTIONS: dict[Any, Function] = {
    sympy.exp: functions.EXP,
    sympy.log: functions.LOG,
    sympy.tanh: functions.TANH,
    sympy.sinh: functions.SINH,
    sympy.cosh: functions.COSH,
    sympy.sin: functions.SIN,
    sympy.cos: functions.COS,
    sympy.erf: functions.ERF,
    sympy.Abs: functions.ABS,
    sympy.sign: functions.SIGN,
}


def from_sympy(
    expr: Any, symbols: Mapping[str, Formula] | None = None, named: Mapping[str, Function] | None = None
) -> Formula:
    """A SymPy expression as a formula; the order of sums and products is SymPy's.

    ``symbols`` says what a name stands for, ``named`` which functions have names. A matrix symbol that is not in it
    keeps its name and its shape, a scalar symbol becomes a ``Scalar``; a function that is applied entry by entry keeps
    its definition. Raises Unsupported for a class that has no formula.

    >>> A, X = sympy.MatrixSymbol("A", 2, 3), sympy.MatrixSymbol("X", 4, 3)
    >>> to_sympy(from_sympy(2 * A * X.T)) == 2 * A * X.T
    True
    """
    known = dict(symbols or {})

    def go(e: Any) -> Formula:
        if isinstance(e, sympy.Symbol):
            return known.get(e.name, f.Scalar(e.name))
        if isinstance(e, sympy.MatrixSymbol):
            return known.get(e.name, f.Symbol(e.name, e.shape))
        if isinstance(e, sympy.Rational):
            return f.Number(Fraction(int(e.p), int(e.q)))
        if e is sympy.pi:
            return f.Scalar("pi")
        if e is sympy.E:
            return functions.exp(f.Number(Fraction(1)))
        if isinstance(e, n.ArrayMap):
            return _map(e, go, named or {})
        if isinstance(e, ElementwiseApplyFunction):
            return f.Map(_applied(e.function), go(e.expr))
        if e.func in _READERS:
            return _READERS[e.func](e, go)
        if e.func in SCALAR_FUNCTIONS:
            return f.Map(SCALAR_FUNCTIONS[e.func], go(e.args[0]))
        raise Unsupported(f"SymPy's {e.func.__name__} has no formula here: in {e}")

    return go(sympy.sympify(expr) if isinstance(expr, int | Fraction) else expr)


def _signed(e: Any, go: Any) -> Formula:
    """A term of a sum; a leading minus becomes a sign instead of a factor."""
    coefficient, rest = e.as_coeff_Mul()
    if not coefficient.is_negative:
        return go(e)
    return f.Negative(go(rest if coefficient == -1 else -e))


def _add(e: Any, go: Any) -> Formula:
    terms = sympy.Add.make_args(e) if isinstance(e, sympy.Add) else e.args
    ordered = sorted(terms, key=lambda t: bool(t.as_coeff_Mul()[0].is_negative))
    return f.Add(tuple(_signed(t, go) for t in ordered))


def _mul(e: Any, go: Any) -> Formula:
    numerator, denominator = sympy.fraction(e, exact=True)
    if denominator != 1:
        return f.Quotient(go(numerator), go(denominator))
    coefficient, rest = e.as_coeff_Mul()
    if coefficient == -1:
        return f.Negative(go(rest))
    if coefficient.is_negative:
        return f.Negative(go(-e))
    return f.Hadamard(tuple(go(a) for a in e.args))


def _pow(e: Any, go: Any) -> Formula:
    if e.exp.is_negative is True and e.exp.is_number:
        return f.Quotient(f.Number(Fraction(1)), go(e.base**-e.exp))
    if e.exp == sympy.Rational(1, 2):
        return f.Map(functions.SQRT, go(e.base))
    return f.Power(go(e.base), go(e.exp))


def _piecewise(e: Any, go: Any) -> Formula:
    """An elementary function by its pieces, or (u where z > 0, else 0) as u times the indicator."""
    first = e.args[0][1]
    if isinstance(first, sympy.StrictGreaterThan) and first.rhs == 0:
        for function in functions.FUNCTIONS.values():
            if isinstance(function.definition, sympy.Piecewise):
                at = {Function.argument: first.lhs}
                if function.definition.xreplace(at) == e:
                    return f.Map(function, go(first.lhs))
    (value, condition), (other, last) = e.args if len(e.args) == 2 else ((None, None), (None, None))
    if value is None or last is not sympy.true or other != 0 or not isinstance(condition, sympy.StrictGreaterThan):
        raise Unsupported(f"pieces with a formula are (u, z > 0), (0, otherwise); not {e}")
    step = f.Map(functions.STEP, go(condition.lhs - condition.rhs))
    return step if value == 1 else f.Hadamard((go(value), step))


def _map(e: Any, go: Any, named: Mapping[str, Function]) -> Formula:
    """A function by its name where it is the one that has the name, else by its definition."""
    name, order, latex, function, arg = e.args
    if not isinstance(function, sympy.Lambda):
        return f.Map(named.get(name.name, Function(name.name, latex.name)), go(arg), int(order))
    definition = function.expr.xreplace({function.variables[0]: Function.argument})
    known = named.get(name.name, functions.FUNCTIONS.get(name.name))
    if known is not None and definition == (known.derivative(int(order)) if order else known.definition):
        return f.Map(known, go(arg), int(order))
    return f.Map(Function(name.name + "'" * int(order), latex.name, definition), go(arg))


def _applied(function: Any) -> Function:
    """A function that SymPy applies to every entry, by its definition."""
    (variable,) = function.variables
    definition = function.expr.xreplace({variable: Function.argument})
    for known in functions.FUNCTIONS.values():
        if known.definition == definition:
            return known
    return Function(str(definition), sympy.latex(definition), definition)


def _sum(e: Any, go: Any) -> Formula:
    """The first limits are the innermost."""
    body = go(e.function)
    for index, lower, upper in e.limits:
        body = f.IndexSum(body, index, lower, upper)
    return body


_READERS: dict[Any, Any] = {
    sympy.Add: _add,
    sympy.MatAdd: _add,
    n.ArraySum: lambda e, go: f.Add(tuple(_signed(t, go) if not _is_array(t) else go(t) for t in e.args)),
    sympy.Mul: _mul,
    sympy.MatMul: lambda e, go: (
        f.Negative(go(e.func(*e.args[1:]) if len(e.args) > 2 else e.args[1]))
        if e.args[0] == -1
        else f.Product(tuple(go(a) for a in e.args))
    ),
    n.ArrayProduct: lambda e, go: f.Hadamard(tuple(go(a) for a in e.args)),
    sympy.HadamardProduct: lambda e, go: f.Hadamard(tuple(go(a) for a in e.args)),
    sympy.HadamardPower: lambda e, go: f.Power(go(e.args[0]), go(e.args[1])),
    n.ArrayQuotient: lambda e, go: f.Quotient(go(e.args[0]), go(e.args[1])),
    sympy.Pow: _pow,
    n.ArrayPower: lambda e, go: f.Power(go(e.args[0]), go(e.args[1])),
    sympy.Transpose: lambda e, go: f.Transpose(go(e.args[0])),
    sympy.OneMatrix: lambda e, go: f.Ones(e.shape),
    n.ArrayOnes: lambda e, go: f.Ones(e.shape),
    sympy.Identity: lambda e, go: f.Diagonal(f.Ones((e.shape[0], sympy.S.One))),
    sympy.Piecewise: _piecewise,
    n.ArraySoftmax: lambda e, go: f.Softmax(go(e.args[0]), int(e.args[1]), bool(e.args[2])),
    n.ArrayTotal: lambda e, go: f.Total(go(e.args[0]), None if e.args[1] == -1 else int(e.args[1])),
    n.ArrayRepeat: lambda e, go: (
        f.Product((go(e.args[0]), f.Ones((sympy.S.One, e.args[2]))))
        if e.args[0].shape[1] == 1
        else f.Product((f.Ones((e.args[1], sympy.S.One)), go(e.args[0])))
    ),
    n.ArrayDiagonal: lambda e, go: f.Diagonal(go(e.args[0])),
    sympy.DiagMatrix: lambda e, go: f.Diagonal(go(e.args[0])),
    n.ArrayNorm: lambda e, go: f.Norm(go(e.args[0]), int(e.args[1]), int(e.args[2])),
    n.ArrayOpaqueLoss: lambda e, go: f.OpaqueLoss(
        e.args[0].name, go(e.args[1]), go(e.args[2]), int(e.args[3]), bool(e.args[4])
    ),
    ArrayEntry: lambda e, go: f.Entry(go(e.args[0]), e.args[1], e.args[2]),
    MatrixElement: lambda e, go: f.Entry(go(e.args[0]), e.args[1] + 1, e.args[2] + 1),
    sympy.Sum: _sum,
    EntrySum: _sum,
    n.ArrayIndexSum: lambda e, go: f.IndexSum(go(e.args[0]), *e.args[1:]),
    n.ArrayUnit: lambda e, go: f.Unit(*e.args),
    sympy.KroneckerDelta: lambda e, go: f.Kronecker(*e.args),
}
