r"""A second, independent reading of a scalar expression with latex2sympy2, where that is installed.

latex2sympy2 is trusted with little: it reads ``\log`` to base 10, drops primes, takes ``e``, ``i`` and ``d`` for
constants and differentials, and keeps what ``=`` assigned in module globals. So it gets a normalised text, token by
token (one plain letter for each declared name, ``\ln`` for ``\log``, round brackets), and only where all of it is in a
small vocabulary. What it answers is compared by value. Whatever fails in it is no second reading, never an error.
"""

from __future__ import annotations

import importlib
import random
import threading
import warnings
from collections.abc import Mapping
from types import ModuleType

import sympy

from symbackprop.algebra.formula import (
    Add,
    Formula,
    Function,
    Hadamard,
    Map,
    Negative,
    Number,
    Power,
    Quotient,
)
from symbackprop.errors import NotationError, Position
from symbackprop.notation.scalar_reader import PI
from symbackprop.notation.scalar_tokens import Cursor

DIGITS = 40
_LARGEST = 10**9  # intermediate values beyond it decide nothing, and cannot make exact arithmetic run away
_TOLERANCE = sympy.Float("1e-20", DIGITS)
_DECISIVE = 3
_POINTS = 24
_RANGES = ((0.05, 0.95), (-2.5, 2.5), (1.05, 4.0))  # a probability, any value, beyond 1: taken in turn
_MAX_TOKENS, _MAX_NESTING = 300, 6  # latex2sympy2 takes milliseconds a token, and more for what is nested

_LETTERS = "xyzuvwabhkmnpqst"  # read as plain symbols: no e, E, d, i, I, nor T
_WORDS = {text: text for text in (r"\exp", r"\ln", r"\tanh", r"\sinh", r"\cosh", r"\sin", r"\cos")}
_WORDS |= {text: text for text in (r"\frac", r"\sqrt", r"\max", r"\pi", "e", *"+-/^{}(),|")}
_WORDS |= {r"\log": r"\ln", r"\cdot": "*", "[": "(", "]": ")", r"\{": "(", r"\}": ")", r"\lvert": "|", r"\rvert": "|"}
_NODE_NAMES = "Add Mul Pow exp log tanh sinh cosh sin cos Abs Max"
_NODES = tuple(getattr(sympy, name) for name in _NODE_NAMES.split())

_LOCK = threading.Lock()


class _UndecidedError(ArithmeticError):
    """A point at which an expression has no real value of moderate size, or an expression out of the vocabulary."""


def check_second_reading(text: str, formula: Formula, symbols: Mapping[str, Formula]) -> bool:
    r"""Whether a second reading exists and agrees with ``formula``, the first reading of the same text.

    ``symbols`` are those of the first reading. False where latex2sympy2 cannot be imported, fails, or is not trusted
    with the text (here: a prime), and where fewer than three points decide.

    >>> from symbackprop.algebra.formula import Symbol
    >>> from symbackprop.notation.scalar_reader import read_scalar
    >>> text, symbols = r"\tanh'(z)", {"z": Symbol("z")}
    >>> check_second_reading(text, read_scalar(text, symbols), symbols)
    False

    Raises NotationError where the values of the two readings differ.
    """
    module = _latex2sympy2()
    normalised = _normalise(text, symbols) if module else None
    if module is None or normalised is None:
        return False
    latex, letters = normalised
    other = _read(module, latex)
    differences = []
    for point in range(_POINTS):
        try:
            first = _value(formula, point)
            second = _other_value(other, {letter: _value(meaning, point) for letter, meaning in letters.items()})
        except ArithmeticError:
            continue
        differences.append((abs(first - second) > _TOLERANCE * (1 + abs(first)), first, second))
    if len(differences) < _DECISIVE:
        return False
    for differ, first, second in differences:
        if differ:
            raise NotationError(
                f"the two readings differ: {sympy.N(first, 6)} is our value at one point, {sympy.N(second, 6)} that of "
                r"latex2sympy2; write brackets around what a function takes, and \frac for /",
                Position(1, 1),
            )
    return True


def _normalise(text: str, symbols: Mapping[str, Formula]) -> tuple[str, dict[str, Formula]] | None:
    """The text in the vocabulary of latex2sympy2, and what its letters mean; None where it holds anything else."""
    cursor = Cursor(text, symbols)
    letters: dict[str, str] = {}
    words: list[str] = []
    while cursor.next.kind != "end":
        found = cursor.declared()
        if found:
            name, _, length = found
            if name not in letters and len(letters) == len(_LETTERS):
                return None
            words.append(letters.setdefault(name, _LETTERS[len(letters) % len(_LETTERS)]))
            cursor.at += length
            continue
        word = cursor.next.text if cursor.next.kind == "number" else _WORDS.get(cursor.next.text)
        if word is None:
            return None
        words.append(word)
        cursor.at += 1
    if len(words) > _MAX_TOKENS:
        return None
    depth = deepest = 0
    for word in words:
        depth += (word in ("(", "{")) - (word in (")", "}"))
        deepest = max(deepest, depth)
    meanings = {letter: symbols[name] for name, letter in letters.items()}
    return (" ".join(words), meanings) if deepest <= _MAX_NESTING else None


def _value(node: Formula, point: int) -> sympy.Float:
    """The value of our formula at a point; arrays and scalars are numbers drawn by their names."""
    match node:
        case Number(number):
            value = sympy.Rational(number.numerator, number.denominator)
        case Negative(arg):
            value = -_value(arg, point)
        case Add(terms):
            value = sum(_value(term, point) for term in terms)
        case Hadamard(factors):
            value = sympy.prod([_value(factor, point) for factor in factors])
        case Quotient(numerator, denominator):
            value = _value(numerator, point) / _value(denominator, point)
        case Power(base, exponent):
            value = _value(base, point) ** _value(exponent, point)
        case Map(function, arg, order):
            definition = function.derivative(order) if order else function.definition
            if definition is None:
                raise _UndecidedError
            value = definition.subs(Function.argument, _value(arg, point))
        case _ if node == PI:
            value = sympy.pi
        case _:
            drawn = random.Random(f"{point} {node}").uniform(*_RANGES[point % len(_RANGES)])
            value = sympy.Float(drawn, DIGITS)
    return _real(value)


def _real(value: sympy.Expr) -> sympy.Float:
    number = sympy.N(value, DIGITS)
    if not number.is_Number or not number.is_finite or abs(number) > _LARGEST:
        raise _UndecidedError
    return sympy.Float(number, DIGITS)


def _latex2sympy2() -> ModuleType | None:
    """The module, None where it cannot be imported; under any other runtime its parser prints complaints."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            importlib.import_module("importlib.metadata")  # here, since it is slow to import
            fits = importlib.metadata.version("antlr4-python3-runtime").startswith("4.7.")
            return importlib.import_module("latex2sympy2") if fits else None
        except Exception:  # an import may fail in any way, as on Python 3.13
            return None


def _read(module: ModuleType, latex: str) -> sympy.Expr | None:
    """What latex2sympy2 reads, None where it fails. Its state belongs to the module: one reading at a time."""
    with _LOCK:
        try:
            _reset(module)
            try:
                return module.latex2sympy(latex)
            finally:
                _reset(module)
        except Exception:  # it raises bare Exception, and its parser whatever comes up
            return None


def _reset(module: ModuleType) -> None:
    module.set_variances({})
    module.set_real(None)


def _other_value(expression: sympy.Expr | None, values: Mapping[str, sympy.Float]) -> sympy.Float:
    """The value of what latex2sympy2 read, walked node by node: its own evaluation may never end."""
    if isinstance(expression, sympy.Symbol) and expression.name in values:
        return values[expression.name]
    if isinstance(expression, (sympy.Number, sympy.NumberSymbol)):
        return _real(expression)
    if not isinstance(expression, _NODES):
        raise _UndecidedError
    return _real(expression.func(*(_other_value(arg, values) for arg in expression.args)))
