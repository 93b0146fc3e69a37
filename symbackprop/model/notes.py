"""What notes say of a network: a formula of their own for a gradient, an error or a forward equation."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, SCALAR, Formula, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.errors import NetworkError, NotationError, ShapeMismatch
from symbackprop.model.build import suggestion
from symbackprop.model.model import Model
from symbackprop.notation.python_reader import read_python

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Note:
    """``symbol`` is a parameter, whose gradient is meant, or an array that the network defines.

    ``says`` is what the notes have for it, as they write it, with NumPy's broadcasting made explicit.
    """

    symbol: Symbol
    says: Formula

    def is_gradient(self, model: Model) -> bool:
        return self.symbol in model.parameters


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
    known = {name: s for name, s in model.symbols.items() if s not in (model.x, model.y)}
    if not isinstance(of, str) or of not in known:
        hint = suggestion(of, known) if isinstance(of, str) else "it must be a name, like W1"
        raise NetworkError(f"a note on {of!r}, which the network does not have: {hint}", (*path, "of"))
    if not isinstance(says, str):
        raise NetworkError('a note says a formula in quotes, like "(A2 - Y) @ A1.T / m"', (*path, "says"))
    symbols: dict[str, Formula] = {**model.symbols, **{name: f.Scalar(name) for name in model.scalars}}
    if model.loss.term is None:
        symbols["grad_C"] = f.OpaqueLoss("C", model.prediction, model.y, model.frame.unit_axis, gradient=True)
    functions = {layer.activation.function.name: layer.activation.function for layer in model.layers}
    try:
        return Note(known[of], f.rewrite(read_python(says, symbols, functions), _broadcast))
    except NotationError as error:
        raise NetworkError(f"the formula cannot be read: {error}", (*path, "says")) from error
