"""Scalars as Python code: numbers as they are, sizes and rates by their names in code."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Collection

import sympy

from symbackprop.errors import Unsupported

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}")


def identifier(name: str, taken: Collection[str]) -> str:
    """A name that code may use: the name itself, with underscores behind it where it means something else there.

    >>> identifier("lambda", ()), identifier("out", ["out"])
    ('lambda_', 'out_')
    """
    if not IDENTIFIER.fullmatch(name):
        raise Unsupported(f"{name!r} cannot be a name in code: use letters, digits and underscores")
    while keyword.iskeyword(name) or name in taken:
        name += "_"
    return name


def number(value: sympy.Expr) -> str:
    """A number as the shortest decimal that reads back as the nearest double.

    >>> number(sympy.Rational(1, 4)), number(sympy.Integer(-2)), number(1 / sympy.sqrt(2))
    ('0.25', '-2.0', '0.7071067811865476')
    """
    return repr(float(sympy.N(value, 40)))


def text(e: sympy.Expr, name: Callable[[sympy.Symbol], str]) -> str:
    """A scalar expression as code with exact constants folded into one.

    >>> text(sympy.Rational(1, 2) / sympy.Symbol("m"), str)
    '0.5 / m'
    """
    if not e.free_symbols:
        return number(e)
    if isinstance(e, sympy.Symbol):
        return name(e)
    if isinstance(e, sympy.Add):
        return " + ".join(text(t, name) for t in e.args)
    if isinstance(e, sympy.Mul):
        top, bottom = sympy.fraction(e)
        coefficient, rest = sympy.Mul(top, 1).as_coeff_Mul()
        below, bottom = sympy.Mul(bottom, 1).as_coeff_Mul()
        coefficient = coefficient / below
        factors = [] if rest == 1 else list(sympy.Mul.make_args(rest))
        parts = [number(coefficient)] if coefficient != 1 or not factors else []
        parts += [_bracketed(u, name) for u in factors]
        front = " * ".join(parts)
        if bottom == 1:
            return front
        factors = list(sympy.Mul.make_args(bottom))
        under = " * ".join(_bracketed(u, name) for u in factors)
        return f"{front} / ({under})" if len(factors) > 1 else f"{front} / {under}"
    if isinstance(e, sympy.Pow):
        if e.exp.is_negative:
            return f"1.0 / {_bracketed(e.base**-e.exp, name)}"
        return f"{_bracketed(e.base, name)} ** {_bracketed(e.exp, name)}"
    raise Unsupported(f"code for the scalar {e}")


def _bracketed(e: sympy.Expr, name: Callable[[sympy.Symbol], str]) -> str:
    written = text(e, name)
    return f"({written})" if " " in written or written.startswith("-") else written
