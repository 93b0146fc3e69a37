"""Formulas as LaTeX, in a notation, as textbooks print them. One rule a node; a formula is printed as it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import IntEnum
from fractions import Fraction
from functools import singledispatchmethod

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Equation, Formula
from symbackprop.algebra.functions import LOG
from symbackprop.algebra.index import Fresh
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape
from symbackprop.algebra.written import written
from symbackprop.errors import ShapeMismatch
from symbackprop.notation.notation import ROLE_OF_LETTER, Notation, is_batch, name_latex


class Level(IntEnum):
    """How tightly a piece of LaTeX binds."""

    SUM = 1
    PRODUCT = 2
    ATOM = 3


@dataclass(frozen=True)
class LatexWriter:
    """Writes formulas in a notation.

    ``samples`` is the batch size, whose indices are s, t, ...; ``taken`` are names that no index may have; ``output``
    is the last activation; ``both_sigmas`` says that the network has the sigmoid beside an opaque function.
    """

    notation: Notation = field(default_factory=Notation)
    samples: sympy.Expr | None = None
    taken: frozenset[str] = frozenset()
    output: f.Symbol | None = None
    both_sigmas: bool = False

    def __call__(self, node: Formula) -> str:
        return self._tex(node)

    def equation(self, equation: Equation) -> str:
        """The chain on one line."""
        return " = ".join(self(side) for side in equation.sides)

    def chain(self, equation: Equation, width: int = 64) -> str:
        """The chain, a line a side where one line would be too long."""
        sides = [self(side) for side in equation.sides]
        if len(sides) < 3 and sum(map(tex_width, sides)) < width:
            return " = ".join(sides)
        head, *rest = sides
        if len(rest) > 1 and isinstance(equation.sides[1], f.Derivative):  # delta = dJ/dz stand together
            head, rest = f"{head} = {rest[0]}", rest[1:]
        lines = []
        for side in rest:
            first, *further = broken(side, width)
            lines += [f"&= {first}", *(rf"&\quad {{}}{line}" for line in further)]
        return aligned([f"{head} {lines[0]}", *lines[1:]])

    def size(self, size: sympy.Expr) -> str:
        """A number of rows or columns, or an index."""
        text = re.sub(r"[A-Za-z][A-Za-z0-9]*(_\{[^}]*\}|_[A-Za-z0-9]+)?", lambda found: self._name(found[0]), str(size))
        return text.replace("*", " ").replace(" ", "") if size.is_Symbol or size.is_Integer else text.replace("*", " ")

    def _name(self, name: str) -> str:
        if self.samples is not None and name == str(self.samples):
            return self.notation.letter("samples", False) or name_latex(name)
        if name == "alpha" and name not in self.taken:  # the learning rate
            return self.notation.letter("rate", False)
        return name_latex(name)

    def shape(self, node: Formula) -> str:
        rows, columns = shape(node)
        return rf"{self.size(rows)} \times {self.size(columns)}"

    def symbol(self, symbol: f.Symbol, transposed: bool = False, index: str = "") -> str:
        role = ROLE_OF_LETTER.get(symbol.letter) or ROLE_OF_LETTER.get(symbol.letter.lower())
        if role is None:
            return self.notation.mark(name_latex(symbol.letter), symbol.layer, transposed, index)
        layer = symbol.layer
        if symbol == self.output and "prediction" in self.notation.names:
            role, layer = "prediction", None
        letter = self.notation.letter(role, is_batch(symbol))
        if role == "weights" and symbol.shape == SCALAR and "weights" not in self.notation.names:
            letter = letter.lower()
        return self.notation.mark(letter, layer, transposed, index)

    def _at(self, node: Formula, level: Level) -> str:
        """The node in a place that binds at a level: in brackets where it binds less."""
        text = self._tex(node)
        return bracket(text) if binding(node) < level else text

    def _sigma(self, opaque: bool) -> str:
        """sigma, or the letter of this notation.

        Where a network has the sigmoid and an opaque function, the opaque one takes the letter, or g.
        """
        if not self.both_sigmas:
            return self.notation.letter("function", False)
        return self.notation.names.get("function", "g") if opaque else r"\sigma"

    def _function(self, node: f.Map) -> str:
        latex = node.function.latex
        if "#1" in latex:
            latex = rf"\operatorname{{{node.function.name}}}".replace("_", r"\_")
        if latex == r"\sigma":
            latex = self._sigma(opaque=node.function.definition is None)
        return latex + ("'" * node.order if node.order < 4 else f"^{{({node.order})}}")

    @singledispatchmethod
    def _tex(self, node: Formula) -> str:
        raise TypeError(f"LaTeX knows no {type(node).__name__}")

    @_tex.register
    def _(self, node: f.Number) -> str:
        v = node.value
        if v.denominator == 1:
            return str(v.numerator)
        sign = "-" if v < 0 else ""
        if v.denominator >= 10 and (decimal := _decimal(abs(v))):
            return sign + decimal
        return rf"{sign}\frac{{{abs(v.numerator)}}}{{{v.denominator}}}"

    @_tex.register
    def _(self, node: f.Scalar) -> str:
        return self._name(node.name)

    @_tex.register
    def _(self, node: f.Symbol) -> str:
        return self.symbol(node)

    @_tex.register
    def _(self, node: f.Ones) -> str:
        rows, columns = node.shape
        if node.shape == SCALAR:
            return "1"
        if ONE not in (rows, columns):
            return r"\mathbf{1} \mathbf{1}^T"
        return r"\mathbf{1}" if columns == ONE else r"\mathbf{1}^T"

    @_tex.register
    def _(self, node: f.Unit) -> str:
        return f"e_{{{self.size(node.index)}}}"

    @_tex.register
    def _(self, node: f.Negative) -> str:
        return "-" + self._at(node.arg, Level.PRODUCT)

    @_tex.register
    def _(self, node: f.Add) -> str:
        if (norms := self._norms(node)) is not None:
            return norms
        out = ""
        for term in node.terms:
            negative = isinstance(term, f.Negative)
            body = self._at(term.arg if isinstance(term, f.Negative) else term, Level.PRODUCT)
            out += (" - " if negative else " + ") + body if out else ("-" if negative else "") + body
        return out

    def _norms(self, node: f.Add) -> str | None:
        """The norms of the weights of many consecutive layers as one sum over the layers."""
        if len(node.terms) < 4 or not all(isinstance(t, f.Norm) and isinstance(t.arg, f.Symbol) for t in node.terms):
            return None
        arrays = [t.arg for t in node.terms if isinstance(t, f.Norm) and isinstance(t.arg, f.Symbol)]
        first = node.terms[0]
        assert isinstance(first, f.Norm)
        consecutive = [(arrays[0].letter, sympy.Integer(n)) for n in range(1, len(arrays) + 1)]
        if [(u.letter, u.layer) for u in arrays] != consecutive or len({(t.order, t.power) for t in node.terms}) > 1:  # type: ignore[attr-defined]
            return None
        low, high = (self.notation.number(sympy.Integer(n)) for n in (1, len(arrays)))
        general = replace(first, arg=f.Symbol(arrays[0].letter, arrays[-1].shape, sympy.Symbol("l")))
        return rf"\sum_{{l={low}}}^{{{high}}} {self._tex(general)}"

    @_tex.register
    def _(self, node: f.Product) -> str:
        return self._juxtaposed(node.factors)

    def _juxtaposed(self, factors: tuple[Formula, ...]) -> str:
        out = ""
        for position, factor in enumerate(factors):
            last = position == len(factors) - 1
            one_sum = isinstance(factor, f.Add) and self._norms(factor) is not None
            open_end = (isinstance(factor, f.IndexSum | f.Total) or one_sum) and last and position > 0
            tight = binding(factor) == Level.ATOM or open_end or (isinstance(factor, f.Product) and position == 0)
            text = self._tex(factor) if tight else bracket(self._tex(factor))
            if out and text[0].isdigit():
                out += r" \cdot "
            elif out:
                out += r" \, " if isinstance(factor, f.Norm) else " "
            out += text
        return out

    @_tex.register
    def _(self, node: f.Hadamard) -> str:
        if all(map(is_scalar, node.factors)):
            return self._juxtaposed(node.factors)
        return r" \odot ".join(self._elementwise(factor) for factor in node.factors)

    def _elementwise(self, factor: Formula) -> str:
        """A factor beside \\odot: a matrix product gets brackets, a constant before one array does not."""
        if isinstance(factor, f.Product) and sum(not is_scalar(u) for u in factor.factors) < 2:
            return self._tex(factor)
        return self._tex(factor) if binding(factor) == Level.ATOM else bracket(self._tex(factor))

    @_tex.register
    def _(self, node: f.Quotient) -> str:
        return rf"\frac{{{self._tex(node.numerator)}}}{{{self._tex(node.denominator)}}}"

    @_tex.register
    def _(self, node: f.Power) -> str:
        exponent = self._tex(node.exponent)
        base = self._tex(node.base)
        simple = isinstance(node.base, f.Number | f.Scalar | f.Symbol | f.Entry) and "^" not in base
        return f"{base if simple else bracket(base)}^{exponent if len(exponent) == 1 else f'{{{exponent}}}'}"

    @_tex.register
    def _(self, node: f.Transpose) -> str:
        if isinstance(node.arg, f.Symbol):
            return self.symbol(node.arg, transposed=True)
        if isinstance(node.arg, f.Unit):
            return f"{self._tex(node.arg)}^T"
        return bracket(self._tex(node.arg)) + "^T"

    @_tex.register
    def _(self, node: f.Map) -> str:
        arg, latex = self._tex(node.arg), node.function.latex
        if node.order == 0 and "#1" in latex:
            return latex.replace("#1", arg)
        if node.order == 0 and node.function == LOG and isinstance(node.arg, f.Symbol | f.Entry | f.Scalar):
            return rf"\log {arg}"
        return self._function(node) + bracket(arg)

    @_tex.register
    def _(self, node: f.Softmax) -> str:
        return (r"\log " if node.log else "") + r"\operatorname{softmax}" + bracket(self._tex(node.arg))

    @_tex.register
    def _(self, node: f.OpaqueLoss) -> str:
        letter = name_latex(node.letter)
        if node.gradient:
            return rf"\nabla_{{{self._tex(node.prediction)}}} {letter}"
        return rf"{letter}\left({self._tex(node.prediction)}, {self._tex(node.target)}\right)"

    @_tex.register
    def _(self, node: f.Total) -> str:
        """Sums are written out over the entries, or over one axis as a product with ones."""
        if node.axis is None:
            form = meaning(node, fresh=Fresh(self.taken.__contains__), samples=self.samples)
            return self._tex(written(form.body))
        inner = self._at(node.arg, Level.ATOM)
        return rf"\mathbf{{1}}^T {inner}" if node.axis == 0 else rf"{inner} \mathbf{{1}}"

    @_tex.register
    def _(self, node: f.Norm) -> str:
        matrix = ONE not in shape(node.arg)
        below = "1" if node.order == 1 else "F" if matrix else "2"
        above = "" if node.power == 1 else f"^{node.power}"
        return rf"\left\|{self._tex(node.arg)}\right\|_{below}{above}"

    @_tex.register
    def _(self, node: f.Diagonal) -> str:
        if isinstance(node.arg, f.Ones):
            return "I"
        return r"\operatorname{diag}" + bracket(self._tex(node.arg))

    @_tex.register
    def _(self, node: f.Entry) -> str:
        indices = self._indices(node)
        if isinstance(node.arg, f.Symbol):
            return self.symbol(node.arg, index=indices)
        if isinstance(node.arg, f.OpaqueLoss) and not node.arg.gradient:
            sample = [rf"\cdot {self.size(node.column)}", rf"{self.size(node.row)} \cdot"][node.arg.axis]
            args = [self.symbol(u, index=sample) for u in node.arg.children if isinstance(u, f.Symbol)]
            return rf"{name_latex(node.arg.letter)}\left({', '.join(args)}\right)"
        return rf"\left[{self._tex(node.arg)}\right]_{{{indices}}}"

    def _indices(self, node: f.Entry) -> str:
        """The indices that are needed: an axis of size 1 has none."""
        pairs = zip((node.row, node.column), shape(node.arg), strict=True)
        shown = [self.size(i) for i, size in pairs if size != ONE]
        return ("" if all(len(i) == 1 for i in shown) else ",").join(shown)

    @_tex.register
    def _(self, node: f.IndexSum) -> str:
        body = self._tex(node.body)
        if binding(node.body) < Level.PRODUCT:
            body = rf"\left[{body}\right]"
        return rf"\sum_{{{node.index}={self.size(node.lower)}}}^{{{self.size(node.upper)}}} {body}"

    @_tex.register
    def _(self, node: f.Kronecker) -> str:
        left, right = self.size(node.left), self.size(node.right)
        return rf"\delta_{{{left}{'' if len(left) == len(right) == 1 else ','}{right}}}"

    @_tex.register
    def _(self, node: f.Derivative) -> str:
        fraction = rf"\frac{{\partial {self._tex(node.of)}}}{{\partial {self._tex(node.wrt)}}}"
        return fraction if node.through is None else rf"\left.{fraction}\right|_{{{self._tex(node.through)}}}"


def is_scalar(node: Formula) -> bool:
    """Whether a formula is 1 x 1; one that does not conform is printed all the same, as an array."""
    try:
        return shape(node) == SCALAR
    except ShapeMismatch:
        return False


def aligned(lines: list[str]) -> str:
    """Lines under one another, a little further apart where one of them is tall."""
    tall = any(sign in line for line in lines for sign in (r"\frac", r"\sum"))
    joint = " \\\\[1.2ex]\n" if tall else " \\\\\n"
    return "\\begin{aligned}\n" + joint.join(lines) + "\n\\end{aligned}"


def bracket(text: str) -> str:
    """In brackets, which grow only where what is inside is tall."""
    if any(tall in text for tall in (r"\frac", r"\sum", r"\left")):
        return rf"\left({text}\right)"
    return f"({text})"


def binding(node: Formula) -> Level:
    """How tightly a node binds as it is printed."""
    match node:
        case f.Add() | f.Negative():
            return Level.SUM
        case f.Number(value) if value < 0:
            return Level.SUM
        case f.Hadamard() | f.Product() | f.IndexSum() | f.Total():
            return Level.PRODUCT
        case f.Ones(shape=(rows, columns)) if ONE not in (rows, columns):
            return Level.PRODUCT
        case f.OpaqueLoss(gradient=True):
            return Level.ATOM
    return Level.ATOM


def _decimal(v: Fraction) -> str:
    """A fraction as a decimal where a short one is exact, else nothing."""
    scaled = v * 10**9
    if scaled.denominator != 1:
        return ""
    whole, part = divmod(scaled.numerator, 10**9)
    return f"{whole}." + f"{part:09d}".rstrip("0")


def tex_width(tex: str) -> int:
    """About how many letters wide a formula prints: a fraction is as wide as its wider half."""
    text = re.sub(r"\\(left|right|mathbf|mathrm|mathit|operatorname|begin\{aligned\}|end\{aligned\})", "", tex)
    while (
        found := re.search(r"\\frac\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}", text)
    ) is not None:
        top, bottom = found.groups()
        text = text[: found.start()] + max(top, bottom, key=len) + text[found.end() :]
    text = re.sub(r"\\[A-Za-z]+", "x", text)
    return len(re.sub(r"[\s{}^_\\]", "", text))


def broken(tex: str, width: int) -> list[str]:
    """A side in lines of about a width, broken before a plus, a minus or \\odot outside all brackets."""
    if tex_width(tex) <= width:
        return [tex]
    pieces, depth, start = [], 0, 0
    for match in re.finditer(r"\\left[(\[|]|\\right[)\]|]|[{}()\[\]]| [+-] | \\odot ", tex):
        token = match[0]
        if token.strip() in ("+", "-", r"\odot"):
            if depth == 0 and match.start() > 0:
                pieces.append(tex[start : match.start()])
                start = match.start() + 1
        elif token.startswith(r"\left") or token in "{([":
            depth += 1
        else:
            depth -= 1
    pieces.append(tex[start:])
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if tex_width(lines[-1]) + tex_width(piece) <= width:
            lines[-1] += " " + piece
        else:
            lines.append(piece)
    return lines
