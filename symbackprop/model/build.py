"""From what a user says to a model: names looked up, sizes and rates read, contradictions refused in one line."""

from __future__ import annotations

import difflib
import keyword
import numbers
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

import sympy

from symbackprop.algebra.formula import Size
from symbackprop.errors import NetworkError, NotationError, Unsupported
from symbackprop.model.activations import ACTIVATIONS, ALIASES, Activation
from symbackprop.model.frame import Frame
from symbackprop.model.layers import DenseLayer
from symbackprop.model.losses import LOSSES, Loss
from symbackprop.model.model import Model

Path = tuple[str | int, ...]
T = TypeVar("T")

MAX_LAYERS = 10_000
MAX_SIZE = 10**9
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,19}(_[A-Za-z0-9]{1,10})?")
# Functions that printed code calls: a size of that name would hide them.
IN_CODE = frozenset(
    [
        "abs",
        "all",
        "any",
        "array",
        "arange",
        "builtins",
        "broadcast_to",
        "cosh",
        "cos",
        "diagflat",
        "erf",
        "exp",
        "eye",
        "greater",
        "grad_C",
        "identity",
        "less",
        "log",
        "logical_and",
        "logical_or",
        "math",
        "max",
        "maximum",
        "min",
        "minimum",
        "multiply",
        "numpy",
        "ones",
        "range",
        "select",
        "sigma",
        "sigma_prime",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "sum",
        "tanh",
        "transpose",
        "vectorize",
        "zeros",
    ]
)
INLINE = "inline"
EXPRESSION = re.compile(r"[\\^{}()*/+|]|\s-\s")  # what no name has: a scalar expression in LaTeX
ARRAY_NAME = re.compile(r"([WbzZaA]|[dD]elta)_?\d+|[xXyYJLe]|E|I|pi")


@dataclass(frozen=True)
class Dense:
    """A layer z = W a + b with an activation: ``units`` is a name (symbolic) or a positive int.

    ``activation`` is a name from the table, or an ``Activation``. ``bias=False`` leaves b out.
    """

    units: str | int
    activation: str | Activation = "identity"
    bias: bool = True


def build(
    layers: Sequence[Dense],
    *,
    inputs: str | int,
    loss: str | Loss,
    batch: str | int | None = None,
    l1: str | float | None = None,
    l2: str | float | None = None,
    labels: str | None = None,
    samples: str = "columns",
    weights: str = "out x in",
    reserved: frozenset[str] = frozenset(),
) -> Model:
    """The model of a network; raises NetworkError with a message and the path of what is wrong."""
    if isinstance(layers, str | Dense) or not isinstance(layers, Sequence):
        raise NetworkError(f"layers must be a list of layers, not {_kind(layers)}", ("layers",))
    if not layers:
        raise NetworkError("a network needs at least one layer: add one to layers", ("layers",))
    if len(layers) > MAX_LAYERS:
        raise NetworkError(f"{len(layers)} layers: at most {MAX_LAYERS} are accepted", ("layers",))
    built = tuple(_dense(layer, ("layers", i)) for i, layer in enumerate(layers))
    built = _named_apart(built)
    chosen = _loss(loss)
    _fits(built[-1].activation, chosen, ("layers", len(built) - 1, "activation"))
    batch_size = None if batch is None else _size(batch, "batch", ("batch",))
    sizes = (_size(inputs, "inputs", ("inputs",)), *(layer.size for layer in built))
    if batch_size is not None and batch_size.is_Symbol and batch_size in sizes:
        raise NetworkError(f"{batch_size} names both the batch and a number of units: rename one of them", ("batch",))
    if chosen.term is None and sympy.Symbol("C") in (*sizes, batch_size):
        raise NetworkError("C is the name of the loss that is left open: choose another for the size", ("loss",))
    rates = {key: _rate(value, key) for key, value in (("l1", l1), ("l2", l2))}
    for key, rate in rates.items():
        if rate is not None and rate.is_Symbol and (rate in sizes or rate == batch_size):
            raise NetworkError(f"{rate} names both a size and the rate {key}: rename one of them", (key,))
    _parameters_apart((chosen, *(layer.activation for layer in built)), {*sizes, batch_size, *rates.values()})
    frame = Frame(
        batch_size,
        rows=_choice(samples, "samples", ("columns", "rows")) == "rows",
        in_by_out=_choice(weights, "weights", ("out x in", "in x out")) == "in x out",
    )
    any_labels = labels is not None and _choice(labels, "labels", ("any", "distribution")) == "any"
    return Model(frame, sizes, built, chosen, l1=rates["l1"], l2=rates["l2"], any_labels=any_labels, reserved=reserved)


def _parameters_apart(sources: Sequence[Loss | Activation], taken: set[sympy.Expr | None]) -> None:
    for source in sources:
        for name, value in source.constants:
            if value is None and (sympy.Symbol(name) in taken or ARRAY_NAME.fullmatch(name)):
                raise NetworkError(
                    f"the parameter {name} of {source.name} names something else too: rename one of them"
                )


def _dense(layer: Dense, path: Path) -> DenseLayer:
    if not isinstance(layer, Dense):
        raise NetworkError(f"a layer must be Dense(...), not {_kind(layer)}", path)
    if not isinstance(layer.bias, bool):
        raise NetworkError(f"bias must be true or false, not {_show(layer.bias)}", (*path, "bias"))
    units = _size(layer.units, "units", (*path, "units"))
    activation = layer.activation
    if not isinstance(activation, Activation):
        activation = _activation(activation, (*path, "activation"))
    return DenseLayer(units, activation, layer.bias)


def _activation(given: object, path: Path) -> Activation:
    """By name, or from a scalar expression in z, in SymPy or LaTeX, which is then called f."""
    if isinstance(given, str) and given in ALIASES:
        given = ALIASES[given]
    if isinstance(given, sympy.Expr) or (isinstance(given, str) and EXPRESSION.search(given)):
        return _own(lambda: Activation(INLINE, given), path)
    return lookup(given, ACTIVATIONS, "activation", path)


def _own(make: Callable[[], T], path: Path) -> T:
    """A function of the user's own; what is wrong in its definition is wrong at its place."""
    try:
        return make()
    except (NotationError, NetworkError, Unsupported) as error:
        raise NetworkError(str(error), path) from error


def _named_apart(layers: tuple[DenseLayer, ...]) -> tuple[DenseLayer, ...]:
    """Activations given as bare expressions are called f, g, h, ...; two functions with one name are refused."""
    letters = dict(
        zip(dict.fromkeys(u.activation for u in layers if u.activation.name == INLINE), "fghpqr", strict=False)
    )
    renamed = {u: replace(u, name=letter, latex=letter) for u, letter in letters.items()}
    layers = tuple(replace(u, activation=renamed.get(u.activation, u.activation)) for u in layers)
    found: dict[str, Activation] = {}
    for i, layer in enumerate(layers):
        activation, path = layer.activation, ("layers", i, "activation")
        if activation.name == INLINE:
            raise NetworkError("more than six functions without a name: give them names with Activation", path)
        table = ACTIVATIONS.get(activation.name, activation)
        if found.setdefault(activation.name, table) != activation:
            raise NetworkError(f"two functions are called {activation.name}: give one another name", path)
    return layers


def _loss(loss: str | Loss) -> Loss:
    """By name, or from a scalar expression in a and y, in SymPy or LaTeX."""
    if isinstance(loss, sympy.Expr) or (isinstance(loss, str) and EXPRESSION.search(loss)):
        return _own(lambda: Loss("own", loss), ("loss",))
    return loss if isinstance(loss, Loss) else lookup(loss, LOSSES, "loss", ("loss",))


def lookup(name: object, table: Mapping[str, T], what: str, path: Path) -> T:
    """An entry of a table by name; an unknown name is answered with the nearest known one."""
    if not isinstance(name, str):
        raise NetworkError(f"{what} must be a name, not {_show(name)}", path)
    if name in table:
        return table[name]
    raise NetworkError(f"unknown {what} {_show(name)}: {suggestion(name, table)}", path)


def suggestion(name: str, known: Collection[str]) -> str:
    """The nearest known name, or all of them."""
    close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def _fits(activation: Activation, loss: Loss, path: Path) -> None:
    """Refuses pairs that are no model: a distribution over the outputs with a loss that takes them one by one."""
    name = activation.name
    if activation.over_units and loss.one_by_one:
        raise NetworkError(
            f"{name} with {loss.name}: softmax makes one choice among the outputs, {loss.name} one choice for each; "
            "use cross_entropy with softmax, or sigmoid with binary_cross_entropy",
            path,
        )
    if loss.above is not None and activation.high <= loss.above:
        raise NetworkError(
            f"{name} with {loss.name}: the predictions lie below {activation.high}, where the loss is not defined; use "
            "negative_log_likelihood with log_softmax, or cross_entropy with softmax",
            path,
        )


def _size(value: object, what: str, path: Path) -> Size:
    """A positive int, or a name as ``sympy.Symbol``."""
    if isinstance(value, sympy.Symbol):
        value = value.name
    if not isinstance(value, bool) and isinstance(value, numbers.Integral):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise NetworkError(f"{what} must be a name or a positive whole number, not {_show(value)}", path)
    if isinstance(value, str):
        return sympy.Symbol(_name(value, what, path))
    if not 1 <= int(value) <= MAX_SIZE:
        raise NetworkError(f"{what} is {value}: it must be at least 1 and at most {MAX_SIZE}", path)
    return sympy.Integer(int(value))


def _name(value: str, what: str, path: Path) -> str:
    if not NAME.fullmatch(value):
        raise NetworkError(
            f"{what} {_show(value)} is no name: write ASCII letters and digits, with at most one subscript, like n_1",
            path,
        )
    if ARRAY_NAME.fullmatch(value) or value in IN_CODE or (keyword.iskeyword(value) and value != "lambda"):
        raise NetworkError(f"{what} {_show(value)} is the name of something else: choose another, like n_1", path)
    return value


def _rate(value: object, what: str) -> sympy.Expr | None:
    """A penalty rate: a name, or a positive number, kept exactly as its decimal is written."""
    if value is None:
        return None
    if isinstance(value, str):
        return sympy.Symbol(_name(value, what, (what,)))
    if isinstance(value, sympy.Symbol):
        return sympy.Symbol(_name(value.name, what, (what,)))
    if isinstance(value, sympy.Rational):
        value = Fraction(int(value.p), int(value.q))
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise NetworkError(f"{what} must be a name or a number, not {_show(value)}", (what,))
    if not 0 < value < float("inf"):
        raise NetworkError(f"{what} is {value}: a penalty rate is above 0; leave {what} out for none", (what,))
    exact = Fraction(Decimal(repr(value))) if isinstance(value, float) else Fraction(value)
    return sympy.Rational(exact.numerator, exact.denominator)


def _choice(value: object, what: str, known: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in known:
        return value
    raise NetworkError(f"{what} is {_show(value)}: it must be {' or '.join(map(repr, known))}", (what,))


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"
