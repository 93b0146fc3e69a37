"""One expression in Python with NumPy, read exactly as it is written and never evaluated.

What is read: declared names and decimal numbers, ``+ - * / @ **``, brackets, ``.T``, ``.sum(axis=1)``, ``.dot(B)``,
functions (``exp(z)``, ``np.exp(z)``, declared ones), their derivatives (``exp_prime(z)``, ``d_exp(z)``), comparisons as
0 or 1 (``z > 0``), and NumPy's in the tables below. Numbers are exact: 0.1 is 1/10. Brackets stay: ``(a + b) + c`` is a
sum in a sum. All is two-dimensional, so ``keepdims`` changes nothing. ``lambda_`` is the symbol that is named lambda.
Python parses only what ``_faults`` lets pass; of the tree, only the nodes named in ``_Reader.node`` are read.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import partial

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula, Function, Map, Negative, Number, Power, Quotient
from symbackprop.algebra.functions import ABS, FUNCTIONS, POSITIVE_PART, STEP
from symbackprop.algebra.shape import shape
from symbackprop.errors import NotationError, Position, ShapeMismatch
from symbackprop.notation.scalar_reader import MAX_DIGITS, MAX_EXPONENT, MAX_PRIMES
from symbackprop.notation.scalar_tokens import MAX_LENGTH, shown

MAX_NESTING = 100
_PIECE = re.compile(
    r"(?P<number>\.?[0-9](?:[eE][+-]|[\w.])*)|(?P<word>[^\W\d]\w*)|(?P<open>\()|(?P<close>\))|[<>]=|(?P<apart>[=,])"
    r"|[+\-*/@.<> \t\n]|(?P<other>.)"
)
_NUMBER = re.compile(r"(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE]([+-]?[0-9]+))?")
_INSTEAD = {"^": "a power is **", "\\": "LaTeX is not read here", "−": "write -"} | dict.fromkeys("×·", "write * or @")
_INSTEAD |= dict.fromkeys("'\"′’", "the derivative of sigma is sigma_prime(z), and text has no place")
_INSTEAD |= dict.fromkeys("[]{}:", "there are no entries, lists and shapes; write a size by its name, as m")
_ZERO, _ONE = Number(Fraction(0)), Number(Fraction(1))
_AXES = {"0": 0, "1": 1, "-1": 1, "-2": 0, "None": None}
_OPTIONS = {("keepdims", "True"), ("keepdims", "False"), *(("axis", axis) for axis in _AXES)}
_RUNS = {ast.Add: f.Add, ast.Sub: f.Add, ast.Mult: f.Hadamard, ast.MatMult: f.Product}
_NUMPY: dict[str, tuple[int, Callable[..., Formula]]] = {  # how many arguments they take, and what they build
    **{name: (1, partial(Map, function)) for name, function in FUNCTIONS.items()},
    **{"absolute": (1, partial(Map, ABS)), "square": (1, lambda u: u**2), "power": (2, Power)},
    **{"transpose": (1, f.Transpose), "diag": (1, f.Diagonal), "multiply": (2, lambda *uv: f.Hadamard(uv))},
    **dict.fromkeys(("dot", "matmul"), (2, lambda *uv: f.Product(uv))),
}
_ONLY = {
    "maximum": "only np.maximum(u, 0) is read: write v + np.maximum(u - v, 0)",
    "mean": "no mean is read: write the sum over the size, np.sum(x, axis=1) / m",
    "ones": "no ones are read: write D.sum(axis=1) for D @ np.ones((m, 1)), and b alone where it is added",
    "outer": "np.outer takes two columns: write D @ A.T for matrices, D.T @ A for rows",
    "sum": "a sum takes an axis, 0 or 1, and keepdims: np.sum(x, axis=1)",
    "where": "only np.where(u > v, 1, 0) is read: write (u > v) * yes + (u <= v) * no",
}


def read_python(text: str, symbols: Mapping[str, Formula], functions: Mapping[str, Function] | None = None) -> Formula:
    """The formula that the text writes; ``symbols`` and ``functions`` say what names mean.

    >>> A, Y, m = f.Symbol("A"), f.Symbol("Y"), f.Scalar("m")
    >>> read_python("(A - Y) @ A.T / m", {"A": A, "Y": Y, "m": m}) == (A - Y) @ A.T / m
    True

    Raises NotationError with the position for all that is not read (see the module) or is larger than the limits.
    """
    for name in symbols.keys() & (functions or {}).keys():
        raise NotationError(f"{shown(name)} is declared as a symbol and as a function: choose one")
    source = re.sub("#.*", "", text.replace("\r\n", "\n"))
    for message, at in _faults(source):
        raise _error(message, source, at)
    reader = _Reader(source, symbols, functions or {})
    try:
        tree = ast.parse(reader.bytes.decode(), mode="eval")
    except SyntaxError as error:
        at = reader.start + error.offset - 1 if error.offset else len(source.rstrip())
        raise _error(f"no Python ({error.msg}): is an operator, * or @, missing?", source, at) from None
    except (RecursionError, MemoryError, ValueError):
        raise _error("too many operations: write less in one expression", source, 0) from None
    return reader.read(tree.body)


def _error(message: str, source: str, at: int) -> NotationError:
    return NotationError(message, Position(source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at)))


def _faults(source: str) -> Iterator[tuple[str, int]]:
    """What keeps the text from Python's parser: characters, words, numbers and brackets that no formula has."""
    if len(source) > MAX_LENGTH or not source.strip():
        yield f"the expression is empty, or has more than {MAX_LENGTH} characters: write some, but less", 0
    opened: list[int] = []
    for piece in _PIECE.finditer(source):
        found, at, plain = piece.group(), piece.start(), unicodedata.normalize("NFKC", piece.group())
        match piece.lastgroup:
            case "number":
                number = _NUMBER.fullmatch(found)
                if not number or len(found) > MAX_DIGITS or abs(int(number[1] or 0)) > MAX_EXPONENT:
                    yield f"{shown(found)} is no decimal number of up to {MAX_DIGITS} digits; before names, write *", at
            case "word" if plain != found:
                yield f"{shown(found)} has letters or digits of a special form: write {shown(plain)}", at
            case "word" if keyword.iskeyword(found) and found not in ("True", "False", "None"):
                yield f"{found} is a word of Python's own: write {found}_ for a symbol, (z > 0) * u for a choice", at
            case "open":
                opened.append(at)
                if len(opened) > MAX_NESTING:
                    yield f"more than {MAX_NESTING} nested brackets: write less deeply", at
            case "close" if not opened:
                yield "this bracket closes nothing: remove it", at
            case "close":
                opened.pop()
            case "apart" if not opened:
                yield "give one expression alone, without an = sign or a comma", at
            case "other":
                advice = _INSTEAD.get(found, "remove it" if plain in (found, " ") else f"write {shown(plain)}")
                yield f"{shown(found)} is not read: {advice}", at
    if opened:
        yield "this bracket is not closed: add a closing one", opened[-1]


class _Reader:
    """Goes down the tree; ``read``, on every way down, counts the nesting: four for a comparison, as in its formula."""

    def __init__(self, source: str, symbols: Mapping[str, Formula], functions: Mapping[str, Function]) -> None:
        self.source, self.start = source, len(source) - len(source.lstrip())
        self.bytes = source.replace("\n", " ").lstrip().encode()  # one line, and columns that count bytes
        self.symbols = {f"{name}_" if keyword.iskeyword(name) else name: symbols[name] for name in symbols}
        self.functions = {**functions, **FUNCTIONS, **functions}  # the declared ones first
        self.depth = 0

    def read(self, node: ast.expr) -> Formula:
        depth, self.depth = self.depth, self.depth + (4 if isinstance(node, ast.Compare) else 1)
        if self.depth > MAX_NESTING:
            raise self.error(f"more than {MAX_NESTING} nested operations: write less deeply", node)
        found = self.node(node)
        if isinstance(found, Power) and _degree(found) > MAX_EXPONENT:
            raise self.error(f"an exponent is a number or fraction, in all up to {MAX_EXPONENT}: write less", node)
        self.depth = depth
        return found

    def node(self, node: ast.expr) -> Formula:
        match node:
            case ast.Constant() if _NUMBER.fullmatch(self.written(node)):
                return Number(Fraction(self.written(node)))
            case ast.Name():
                if node.id in self.symbols:
                    return self.symbols[node.id]
                raise self.unknown(node.id, node, self.symbols)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return Negative(self.read(node.operand)) if isinstance(node.op, ast.USub) else self.read(node.operand)
            case ast.BinOp(op=ast.Div() | ast.Pow()):
                build = Quotient if isinstance(node.op, ast.Div) else Power
                return build(self.read(node.left), self.read(node.right))
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.MatMult()):
                return self.run(node)
            case ast.Compare(ops=[ast.Gt() | ast.Lt() | ast.GtE() | ast.LtE() as relation], comparators=[right]):
                return _indicator(self.read(node.left), relation, self.read(right))
            case ast.Attribute(attr="T"):
                return f.Transpose(self.read(node.value))
            case ast.Call():
                return self.call(node)
        raise self.error(f"cannot read {shown(self.written(node))}: write + - * / @ ** > .T and functions only", node)

    def run(self, node: ast.BinOp) -> Formula:
        """A run of one operator, or of + and -, up to a left operand that is something else or in brackets."""
        build, parts, left = _RUNS[type(node.op)], [node], node.left
        while isinstance(left, ast.BinOp) and (_RUNS.get(type(left.op)), left.col_offset) == (build, node.col_offset):
            parts.append(left)
            left = left.left
        operands = [self.read(left)]
        for part in reversed(parts):
            right = self.read(part.right)
            operands.append(Negative(right) if isinstance(part.op, ast.Sub) else right)
        return build(tuple(operands))

    def call(self, node: ast.Call) -> Formula:
        match node.func, [*map(self.written, node.args), *node.keywords]:
            case ast.Attribute(ast.Name("np" | "numpy" as module), name), _ if module not in self.symbols:
                return self.numpy(name, node, node.args)
            case ast.Attribute(value, "sum" | "mean" | "dot" | "transpose" as name), _:
                return self.numpy(name, node, [value, *node.args])
            case ast.Attribute(ast.Compare() as value, "astype"), ["float" | "int" | "np.float32" | "np.float64"]:
                return self.read(value)
            case ast.Name(name), _ if name not in self.symbols:
                order = 0
                while name not in self.functions and (name.startswith("d_") or name.endswith("_prime")):
                    name, order = name[2:] if name.startswith("d_") else name.removesuffix("_prime"), order + 1
                if name not in self.functions or order > MAX_PRIMES:
                    raise self.unknown(node.func.id, node, [*self.functions, *(f"np.{name}" for name in _ONLY)])
                return Map(self.functions[name], self.arguments(node, node.args, 1)[0], order)
        raise self.error(f"{shown(self.written(node.func))} is no function: write * or @ to multiply", node.func)

    def numpy(self, name: str, node: ast.Call, args: Sequence[ast.expr]) -> Formula:
        """NumPy's function of this name; for a method, the first argument is what stands before the dot."""
        if name in _NUMPY:
            return _NUMPY[name][1](*self.arguments(node, args, _NUMPY[name][0]))
        match name, [] if node.keywords and name != "sum" else args:
            case "sum", [arg, *axes]:
                given = [("axis", axis) for axis in axes] + [(option.arg, option.value) for option in node.keywords]
                options = {(name, self.written(value)) for name, value in given}
                if options <= _OPTIONS and len(dict(options)) == len(given):
                    return f.Total(self.read(arg), _AXES[dict(options).get("axis", "None")])
            case "where", [ast.Compare() as condition, yes, no] if (self.read(yes), self.read(no)) == (_ONE, _ZERO):
                return self.read(condition)
            case "maximum", [u, v] if _ZERO in (found := (self.read(u), self.read(v))):
                return Map(POSITIVE_PART, found[found[0] == _ZERO])
            case "outer", [u, v]:
                left, right = self.read(u), self.read(v)
                with suppress(ShapeMismatch):  # what does not conform passes for a column
                    if shape(left)[1] != ONE or shape(right)[1] != ONE:
                        raise self.error(_ONLY[name], node.func)
                return f.Product((left, f.Transpose(right)))
        raise self.error(_ONLY[name], node.func) if name in _ONLY else self.unknown(name, node.func, [*_NUMPY, *_ONLY])

    def arguments(self, node: ast.Call, args: Sequence[ast.expr], count: int) -> list[Formula]:
        if len(args) != count or node.keywords:
            raise self.error(f"{count} argument{'s'[: count - 1]} and no options belong here: write these", node)
        return [self.read(arg) for arg in args]

    def written(self, node: ast.expr) -> str:
        return self.bytes[node.col_offset : node.end_col_offset].decode().replace(" ", "")

    def error(self, message: str, node: ast.expr) -> NotationError:
        """At a node; for an attribute, at the name behind the dot."""
        at, end = node.col_offset, node.end_col_offset or 0
        at = end - len(node.attr.encode()) if isinstance(node, ast.Attribute) else at
        return _error(message, self.source, self.start + len(self.bytes[:at].decode()))

    def unknown(self, name: str, node: ast.expr, known: Collection[str]) -> NotationError:
        spelt = {other.lower(): other for other in known} | {other: other for other in known}
        nearest = difflib.get_close_matches(name[:40], spelt, 1, 0.5)
        others = ", ".join(map(shown, [*known][:8])) or "numbers"
        hint = f"did you mean {shown(spelt[nearest[0]])}?" if nearest else f"declare it, or use {others}"
        strange = [f" with {unicodedata.name(letter, '?')}" for letter in name if not letter.isascii()]
        kind = "symbol" if known is self.symbols else "function"
        return self.error(f"{shown(name)}{''.join(strange[:1])} is no declared {kind}; {hint}", node)


def _indicator(left: Formula, relation: ast.cmpop, right: Formula) -> Formula:
    """u > v is step(u - v), and as step(0) = 0, u >= v is 1 - step(v - u)."""
    if isinstance(relation, ast.Lt | ast.GtE):
        left, right = right, left
    step = Map(STEP, left if right == _ZERO else Negative(right) if left == _ZERO else left - right)
    return step if isinstance(relation, ast.Gt | ast.Lt) else f.Add((_ONE, Negative(step)))


def _degree(node: Formula) -> Fraction | float:
    """The exponents on the way down, multiplied, at most; infinite if one is yet to be worked out."""
    inner = max(map(_degree, node.children), default=Fraction(1))
    if not isinstance(node, Power):
        return inner
    match node.exponent.arg if isinstance(node.exponent, Negative) else node.exponent:
        case Number(n):
            return inner * max(n, Fraction(1))
        case Quotient(Number(n) | Negative(Number(n)), Number(d)) if d:
            return inner * max(n / d, Fraction(1))
        case other if not any(isinstance(leaf, f.Symbol | f.Scalar) for leaf in f.walk(other)):
            return math.inf
    return inner
