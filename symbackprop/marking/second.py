"""Scalar sides read a second time with latex2sympy2, where it is installed: the two readings must agree in value."""

from __future__ import annotations

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import SCALAR, Formula
from symbackprop.algebra.shape import shape
from symbackprop.errors import NotationError, Position
from symbackprop.notation import syntax as s
from symbackprop.notation.lexicon import ACCENTS
from symbackprop.notation.notation import GREEK
from symbackprop.notation.second_reading import check_second_reading

_FUNCTIONS = frozenset("exp log tanh sinh cosh sin cos sqrt".split())  # noqa: SIM905
_PLAIN = (s.Num, s.Plus, s.Minus, s.Times, s.Over, s.Raised)
MAX_NODES = 60


def check_scalar_side(node: s.Node, formula: Formula, latex: str, at: Position) -> bool:
    """Whether a second reading exists and agrees; only of plain scalars is one tried.

    ``latex`` is the whole formula, which begins at ``at``. Raises NotationError where the two readings differ.
    """
    names = {u.letter for u in s.walk(node) if isinstance(u, s.Name)}
    if not names or not _is_plain(node) or shape(formula) != SCALAR:
        return False
    known = {_latex(name): f.Symbol(name) for name in names}
    arrays: dict[Formula, f.Symbol] = {u: f.Symbol(u.letter) for u in f.walk(formula) if isinstance(u, f.Symbol)}
    scalars: dict[Formula, f.Symbol] = {u: f.Symbol(u.name) for u in f.walk(formula) if isinstance(u, f.Scalar)}
    if {u.letter for u in (*arrays.values(), *scalars.values())} != names:
        return False  # a letter stands for something else here: nothing to compare
    try:
        plain = _scalar(f.substitute(formula, {**arrays, **scalars}))
        return check_second_reading(_piece(latex, at, node.span), plain, known)
    except NotationError as error:
        if "two readings differ" not in error.message:
            return False
        raise NotationError(error.message, node.span[0], "SBP103", node.span[1]) from None


def _is_plain(node: s.Node) -> bool:
    count = 0
    stack = [node]
    while stack:
        here = stack.pop()
        count += 1
        if count > MAX_NODES:
            return False
        match here:
            case s.Name(layer=None, sample=None, entries=(), mark=""):
                continue
            case s.Call(function=s.Func(letter=letter, order=0, layer=None), args=(arg,)) if letter in _FUNCTIONS:
                stack.append(arg)
            case s.Times(joints=joints) if "o" in joints:
                return False
            case _ if isinstance(here, _PLAIN):
                stack.extend(s.children(here))
            case _:
                return False
    return True


def _latex(name: str) -> str:
    head, _, below = name.partition("_")
    shown = rf"\{head}" if head in GREEK else head
    accent, _, rest = below.partition("_")
    if accent in ACCENTS:
        shown, below = rf"\{accent}{{{shown}}}", rest
    return f"{shown}_{{{below}}}" if below else shown


def _scalar(node: Formula) -> Formula:
    """Products of scalars as elementwise ones, which is what the second reading compares."""
    return f.rewrite(node, lambda u: f.Hadamard(u.factors) if isinstance(u, f.Product) else u)


def _piece(latex: str, at: Position, span: tuple[Position, Position]) -> str:
    """The text of a span."""
    lines = latex.split("\n")

    def offset(place: Position) -> int:
        line = place.line - at.line
        column = place.column - (at.column if line == 0 else 1)
        return sum(len(text) + 1 for text in lines[:line]) + column

    return latex[offset(span[0]) : offset(span[1])]
