"""Brackets and signs for the SymPy nodes of ours, in text and in LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sympy
from sympy.printing.precedence import PRECEDENCE, precedence_traditional

ADD, MUL, POW, ATOM = (PRECEDENCE[k] for k in ("Add", "Mul", "Pow", "Atom"))
ABOVE_ADD, ABOVE_MUL = ADD + 1, MUL + 1


def is_scalar(e: Any) -> bool:
    """A SymPy scalar or a 1 x 1 array."""
    return not getattr(e, "is_Matrix", False) or e.shape == (1, 1)


def call_name(name: str, order: int) -> str:
    """What a derivative is called in code: sigma, sigma_prime, sigma_prime2."""
    return name + ("" if order == 0 else "_prime" if order == 1 else f"_prime{order}")


def primes(order: int) -> str:
    return "'" * order


def precedence(e: Any) -> int:
    """How tightly an expression binds as it prints; the nodes of ours say so themselves."""
    if isinstance(e, sympy.MatMul):  # SymPy would take the product apart to look for a sign
        return ADD if e.args[0].could_extract_minus_sign() else MUL
    if isinstance(e, sympy.MatAdd):
        return ADD
    own = getattr(e, "precedence", None)
    return own if isinstance(own, int) else int(precedence_traditional(e))


def sign_and_rest(term: Any) -> tuple[bool, Any]:
    """Whether a term is subtracted, and what is."""
    factors = term.args
    if factors and factors[0] == -1 and (isinstance(term, sympy.MatMul) or getattr(term, "is_signed", False)):
        rest = factors[1:]
        return True, rest[0] if len(rest) == 1 else term.func(*rest)
    if not getattr(term, "is_Matrix", False) and term.could_extract_minus_sign():
        return True, -term
    return False, term


def signed_sum(terms: Iterable[Any], show: Callable[[Any], str]) -> str:
    out = ""
    for term in terms:
        negative, rest = sign_and_rest(term)
        out += (" - " if negative else " + ") if out else ("-" if negative else "")
        out += show(rest)
    return out


def bracket(e: Any, level: int, printer: Any) -> str:
    """The expression in a place that binds at a level: in brackets where it binds less."""
    inner = printer._print(e)
    return f"({inner})" if precedence(e) < level else inner


def tex_bracket(e: Any, level: int, printer: Any) -> str:
    inner = printer._print(e)
    return rf"\left({inner}\right)" if precedence(e) < level else inner


def beside_dot(e: Any) -> int:
    """The level of a place beside an elementwise sign: a matrix product takes brackets there."""
    return ABOVE_MUL if isinstance(e, sympy.MatMul) else ABOVE_ADD
