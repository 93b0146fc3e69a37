"""What notes say of a network: a formula of their own for a gradient, an error or a forward equation."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Function
from symbackprop.algebra.functions import FUNCTIONS
from symbackprop.algebra.shape import shape
from symbackprop.algebra.sympy_border import from_sympy
from symbackprop.errors import NetworkError, NotationError, ShapeMismatch, Unsupported
from symbackprop.model.build import suggestion
from symbackprop.model.model import Model
from symbackprop.notation.python_reader import read_python

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Note:
    """``subject`` is the derivative of the cost by an array, or an array that the network defines.

    ``says`` is what the notes have for it, as they write it, with NumPy's broadcasting made explicit.
    """

    subject: Formula
    says: Formula


def _broadcast(node: Formula) -> Formula:
    """NumPy's broadcasting made explicit: a column beside a matrix is repeated over its columns, a row likewise."""
    if not isinstance(node, f.Add | f.Hadamard | f.Quotient):
        return node
    try:
        shapes = [shape(child) for child in node.children]
    except ShapeMismatch:
        return node
    rows, columns = (next((n for n in sizes if n != ONE), ONE) for sizes in zip(*shapes, strict=True))
    if any(r not in (ONE, rows) or c not in (ONE, columns) for r, c in shapes):
        return node

    def spread(child: Formula, here: f.Shape) -> Formula:
        if here in (SCALAR, (rows, columns)):
            return child
        if here[1] == ONE and columns != ONE:
            return f.Product((child, f.Ones((ONE, columns))))
        return f.Product((f.Ones((rows, ONE)), child))

    return node.with_children(tuple(spread(c, s) for c, s in zip(node.children, shapes, strict=True)))


def read_note(model: Model, of: object, says: object, path: Path = ()) -> Note:
    """A note from a name and a formula in Python syntax; raises NetworkError with the path of what is wrong."""
    subject = read_subject(model, of, (*path, "of"))
    if not isinstance(says, str):
        raise NetworkError('a note says a formula in quotes, like "(A2 - Y) @ A1.T / m"', (*path, "says"))
    try:
        return Note(subject, read_formula(model, says))
    except NotationError as error:
        raise NetworkError(f"the formula cannot be read: {error}", (*path, "says")) from error


def read_subject(model: Model, of: object, path: Path = ()) -> Formula:
    """What a name is about: W1, dW1, dJ/dW1 and X mean the gradient, Z1 and Delta1 the arrays, dZ1 dJ/dZ1.

    Raises NetworkError for a name that the network does not have.
    """
    known = {name: s for name, s in model.symbols.items() if s != model.y}
    if isinstance(of, str):
        if of in known:
            symbol = known[of]
            return f.Derivative(model.cost, symbol) if symbol in (model.x, *model.parameters) else symbol
        bare = of.removeprefix(f"d{model.cost.name}/").removeprefix("d")
        derived = {name: s for name, s in known.items() if s not in model.errors.values() and s != model.cost}
        if of.startswith("d") and bare in derived:
            return f.Derivative(model.cost, derived[bare])
    hint = suggestion(of, known) if isinstance(of, str) else "it must be a name, like W1"
    raise NetworkError(f"a note on {of!r}, which the network does not have: {hint}", path)


def read_formula(model: Model, says: str | sympy.Basic) -> Formula:
    """A formula over a network's arrays, from Python syntax (never evaluated) or from SymPy.

    Raises NotationError with a position for text that cannot be read, Unsupported for a class of SymPy that has no
    formula, ShapeMismatch for a matrix symbol with the name of an array and another shape.
    """
    functions = {**FUNCTIONS, **{layer.activation.function.name: layer.activation.function for layer in model.layers}}
    if isinstance(says, str):
        symbols: dict[str, Formula] = {**model.symbols, **{name: f.Scalar(name) for name in model.scalars}}
        if model.loss.term is None:
            symbols["grad_C"] = f.OpaqueLoss("C", model.prediction, model.y, model.frame.unit_axis, gradient=True)
        own = {name: function for name, function in functions.items() if name not in FUNCTIONS}
        return f.rewrite(read_python(says, symbols, own), _broadcast)
    return f.rewrite(_from_sympy(model, says, functions), _broadcast)


def _from_sympy(model: Model, says: sympy.Basic, functions: dict[str, Function]) -> Formula:
    for symbol in says.atoms(sympy.MatrixSymbol):
        known = model.symbols.get(symbol.name)
        if known is None:
            raise NotationError(f"{symbol.name} is no array of the network: {suggestion(symbol.name, model.symbols)}")
        if tuple(symbol.shape) != known.shape:
            raise ShapeMismatch(
                f"{symbol.name} is {known.shape[0]} x {known.shape[1]} in the network, not "
                f"{symbol.shape[0]} x {symbol.shape[1]}"
            )
    strangers = sorted(s.name for s in says.free_symbols if isinstance(s, sympy.Symbol))
    known_names = {*model.symbols, *model.scalars, "pi"}
    strangers = [name for name in strangers if name not in known_names]
    if strangers:
        raise NotationError(f"{strangers[0]} means nothing in the network: {suggestion(strangers[0], known_names)}")
    try:
        return from_sympy(says, model.symbols, functions)
    except (TypeError, ValueError, AttributeError) as error:  # SymPy's own, on what it should not have built
        raise Unsupported(f"SymPy cannot make sense of this expression: {error}") from error
