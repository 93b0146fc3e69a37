"""A formula in our own words: one line of plain text, every product and every transpose explicit, with shapes."""

from __future__ import annotations

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula
from symbackprop.algebra.shape import shape, show
from symbackprop.errors import ShapeMismatch

MAX_WIDTH = 2_000


def in_words(node: Formula) -> str:
    """The formula as text: @ is the matrix product, * the elementwise one.

    >>> W, x = f.Symbol("W", (sympy.Symbol("n"), sympy.Symbol("k"))), f.Symbol("x", (sympy.Symbol("k"), f.ONE))
    >>> in_words(W @ x - f.formula(1))
    'W @ x - 1'
    """
    text = _text(node)
    return text if len(text) <= MAX_WIDTH else text[: MAX_WIDTH - 3] + "..."


def with_shape(node: Formula) -> str:
    """The formula with rows and columns behind it; that it does not conform is said in their place."""
    try:
        return f"{in_words(node)}  [{show(shape(node))}]"
    except ShapeMismatch as error:
        return f"{in_words(node)}  [does not conform: {error}]"


def _text(node: Formula) -> str:
    match node:
        case f.Number(value):
            return str(value) if value.denominator == 1 and value >= 0 else f"({value})"
        case f.Scalar(name):
            return name
        case f.Symbol():
            return node.name
        case f.Ones(shape=(rows, columns)):
            return f"ones({rows}, {columns})"
        case f.Unit(index, _):
            return f"e_{index}"
        case f.Negative(arg):
            return f"-{_tight(arg)}"
        case f.Add(terms):
            out = ""
            for term in terms:
                minus = isinstance(term, f.Negative)
                body = _tight(term.arg) if isinstance(term, f.Negative) else _factor_of_sum(term)
                out += (" - " if minus else " + ") + body if out else ("-" if minus else "") + body
            return out
        case f.Product(factors):
            return " @ ".join(map(_tight, factors))
        case f.Hadamard(factors):
            return " * ".join(map(_tight, factors))
        case f.Quotient(top, bottom):
            return f"{_tight(top)} / {_tight(bottom)}"
        case f.Power(base, exponent):
            return f"{_tight(base)}**{_tight(exponent)}"
        case f.Transpose(arg):
            return f"{_tight(arg)}.T"
        case f.Map(function, arg, order):
            return f"{function.name}{chr(39) * order}({_text(arg)})"
        case f.Softmax(arg, _, log):
            return f"{'log_' if log else ''}softmax({_text(arg)})"
        case f.OpaqueLoss(letter, prediction, target, _, gradient):
            return f"{'grad_' if gradient else ''}{letter}({_text(prediction)}, {_text(target)})"
        case f.Total(arg, axis):
            return f"sum({_text(arg)}{'' if axis is None else f', axis={axis}'})"
        case f.Norm(arg, order, power):
            return f"norm{order}({_text(arg)})" + (f"**{power}" if power != 1 else "")
        case f.Diagonal(arg):
            return f"diag({_text(arg)})"
        case f.Entry(arg, row, column):
            at = [str(i) for i, n in zip((row, column), _shape(arg), strict=True) if n != 1]
            return f"{_tight(arg)}[{', '.join(at)}]"
        case f.IndexSum(body, index, lower, upper):
            return f"sum_{{{index}={lower}..{upper}}} {_tight(body)}"
        case f.Kronecker(left, right):
            return f"delta[{left}, {right}]"
        case f.Derivative(of, wrt, through):
            return f"d{_tight(of)}/d{_tight(wrt)}" + (f" through {through.name}" if through else "")
    raise TypeError(f"words know no {type(node).__name__}")


def _shape(node: Formula) -> tuple[sympy.Expr, sympy.Expr]:
    try:
        return shape(node)
    except ShapeMismatch:
        return (sympy.Integer(0), sympy.Integer(0))


def _factor_of_sum(node: Formula) -> str:
    return f"({_text(node)})" if isinstance(node, f.Add) else _text(node)


def _tight(node: Formula) -> str:
    loose = isinstance(node, f.Add | f.Negative | f.Product | f.Hadamard | f.Quotient | f.IndexSum)
    loose = loose or (isinstance(node, f.Number) and (node.value < 0 or node.value.denominator != 1))
    text = _text(node)
    return f"({text})" if loose and not _wrapped(text) else text


def _wrapped(text: str) -> bool:
    depth = 0
    for k, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and k < len(text) - 1:
            return False
    return text.startswith("(")
