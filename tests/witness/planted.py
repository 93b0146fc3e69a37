"""The mistakes that people make in hand-derived backpropagation, planted in a formula wherever they fit.

Each is a function of a node and an ``edits.Around`` that gives what could stand there by mistake; those in ``WHOLE``
look at the whole formula and at what it is for. Numbers are those of the list of mistakes that the project keeps. Left
out are 28 and 29 (batch norm), 30 (recurrence, tied weights), 31 (dropout): no dense network has them; and 22, an
assumption that is not granted, which has a test of its own.
"""

from collections.abc import Callable, Iterator
from functools import partial

from edits import TWO, UNITY, Around, at, negated, places, put

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula
from symbackprop.algebra.functions import STEP
from symbackprop.model.activations import ACTIVATIONS

Somewhere = Callable[[Formula, Around], Iterator[Formula]]
Whole = Callable[[Formula, Around, str], Iterator[Formula]]


def _letter(node: Formula, *letters: str) -> bool:
    return isinstance(node, f.Symbol) and node.letter in letters


def _others(node: f.Symbol, around: Around, *letters: str) -> Iterator[Formula]:
    for symbol in around.symbols:
        if symbol != node and symbol.letter in letters:
            yield symbol


def transpose_of_weights(node: Formula, around: Around) -> Iterator[Formula]:
    match node:
        case f.Transpose(arg) if _letter(arg, "W"):
            yield arg
        case f.Symbol("W"):
            yield f.Transpose(node)


def order_of_factors(node: Formula, around: Around) -> Iterator[Formula]:
    if isinstance(node, f.Product):
        for i in range(len(node.factors) - 1):
            u, v = node.factors[i : i + 2]
            yield f.Product((*node.factors[:i], v, u, *node.factors[i + 2 :]))


def transposed_activation(node: Formula, around: Around) -> Iterator[Formula]:
    match node:
        case f.Transpose(arg) if _letter(arg, "A", "X", "a", "x"):
            yield arg


def weights_of_another_layer(node: Formula, around: Around) -> Iterator[Formula]:
    if isinstance(node, f.Symbol) and node.letter == "W":
        yield from _others(node, around, "W")


def activation_of_another_layer(node: Formula, around: Around) -> Iterator[Formula]:
    if isinstance(node, f.Symbol) and node.letter in "AaXx":
        yield from _others(node, around, *("AX" if node.letter in "AX" else "ax"))


def z_for_a(node: Formula, around: Around) -> Iterator[Formula]:
    if node in around.layers:
        yield around.layers[node][1]


def _slopes(node: Formula, around: Around) -> Iterator[tuple[Formula, f.Symbol, f.Symbol, f.Function]]:
    """What W^T delta is multiplied by: the rest of an elementwise product, with the A, the Z and the function of it."""
    if not isinstance(node, f.Hadamard) or not isinstance(node.factors[0], f.Product):
        return
    used = [u for factor in node.factors[1:] for u in f.walk(factor)]
    for a, (kind, z, function) in around.layers.items():
        if (a in used or z in used) and kind != "softmax" and isinstance(a, f.Symbol):
            yield node.factors[0], a, z, function


def slope_missing(node: Formula, around: Around) -> Iterator[Formula]:
    for first, *_ in _slopes(node, around):
        yield first


def slope_at_a(node: Formula, around: Around) -> Iterator[Formula]:
    for first, a, _, function in _slopes(node, around):
        yield f.Hadamard((first, f.Map(function, a, 1)))


def another_slope(node: Formula, around: Around) -> Iterator[Formula]:
    for first, a, z, function in _slopes(node, around):
        yield f.Hadamard((first, a))
        yield f.Hadamard((first, f.Map(function, z)))
        yield f.Hadamard((first, 1 - a))
        yield f.Hadamard((first, 1 - a**2 if function.name == "sigmoid" else a * (1 - a)))
        for name in ("sigmoid", "tanh", "relu"):
            yield f.Hadamard((first, f.Map(ACTIVATIONS[name].function, z, 1)))


def slope_of_another_layer(node: Formula, around: Around) -> Iterator[Formula]:
    for first, _, z, function in _slopes(node, around):
        for other in around.outputs:
            if other != z:
                yield f.Hadamard((first, f.Map(function, other, 1)))


def layer_skipped(node: Formula, around: Around) -> Iterator[Formula]:
    match node:
        case f.Product((f.Transpose(f.Symbol("W")), f.Symbol() as error)) if error in around.definitions:
            definition = around.definitions[error]
            if isinstance(definition, f.Hadamard):
                yield definition.factors[0]
                yield f.Product((node.factors[0], definition.factors[0]))


def kind_of_product(node: Formula, around: Around) -> Iterator[Formula]:
    if isinstance(node, f.Hadamard):
        yield f.Product(node.factors)
        for i in range(1, len(node.factors)):
            yield f.Product((f.Hadamard(node.factors[:i]), f.Hadamard(node.factors[i:])))
    if isinstance(node, f.Product):
        yield f.Hadamard(node.factors)


def sign_of_error(node: Formula, around: Around) -> Iterator[Formula]:
    match node:
        case f.Add((u, f.Negative(v))):
            yield f.Add((v, f.Negative(u)))
            yield f.Add((u, v))


def samples_miscounted(node: Formula, around: Around) -> Iterator[Formula]:
    samples = around.net.model.frame.samples
    if samples is not None and node == f.scalar(samples):
        yield UNITY
        yield f.Power(node, TWO)


def features_for_samples(node: Formula, around: Around) -> Iterator[Formula]:
    samples = around.net.model.frame.samples
    if samples is not None and node == f.scalar(samples):
        yield from (n for n in around.counts if n != node)


def step_of_another(node: Formula, around: Around) -> Iterator[Formula]:
    match node:
        case f.Map(function, z, 0) if function == STEP:
            yield from (f.Map(STEP, other) for other in around.symbols if other.shape == getattr(z, "shape", None))
            yield from (1 - f.Map(STEP, -a) for a in around.layers if around.layers[a][1] == z)


def penalty(node: Formula, around: Around) -> Iterator[Formula]:
    model = around.net.model
    rates = [f.scalar(r) for r in (model.l1, model.l2) if r is not None]
    match node:
        case f.Product((rate, rest)) if rate in rates:
            yield f.Product((TWO, rate, rest))
            yield f.Product((rate / TWO, rest))
            yield f.Product((rate, rest)) + node
            if model.frame.samples is not None:
                yield f.Product((rate / f.scalar(model.frame.samples), rest))


# ---------------------------------------------------------------------------- the whole
def transposed_as_a_whole(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    yield f.Transpose(node)


def sign(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    yield negated(node)


def factor_two(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    yield f.Product((TWO, node))
    yield f.Quotient(node, TWO)


def samples_once_more(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    for n in around.counts:
        yield f.Quotient(node, n)
        yield f.Product((n, node))


def bias_sum(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    """Not summed, summed over the units, summed twice."""
    match node:
        case f.Product((*rest, f.Ones((rows, columns)))) if of[0] == "b" and ONE in (rows, columns) and rest:
            inner = rest[0] if len(rest) == 1 else f.Product(tuple(rest))
            yield inner
            yield from (f.Total(inner, axis) for axis in (0, None))
            yield f.Transpose(f.Total(inner, 0))
        case f.Product((f.Transpose(inner), f.Ones())) | f.Transpose(f.Product((f.Ones(), inner))) if of[0] == "b":
            yield from (f.Total(inner, axis) for axis in (0, 1, None))


def slope_at_output(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    """sigma' once more on the error of the output."""
    (a, (kind, z, function)) = list(around.layers.items())[-1]
    error = around.net.model.errors[z]
    if kind == "identity":
        return
    extra = a * (1 - a) if kind == "softmax" else f.Map(function, z, 1)
    if of == error.name:
        yield f.Hadamard((node, extra))
    changed = f.substitute(node, {error: f.Hadamard((error, extra))})
    if changed != node:
        yield changed


def wrong_output_errors(around: Around) -> Iterator[tuple[int, Formula]]:
    """What is taken for dJ/dZ of the last layer: 21 the softmax Jacobian, 23 d log lost, 24 half of the loss lost."""
    model = around.net.model
    (a, (kind, *_)) = list(around.layers.items())[-1]
    y, loss = model.y, model.loss.name
    scale = UNITY if model.frame.samples is None else f.Quotient(UNITY, f.scalar(model.frame.samples))
    by_loss: dict[str, Formula] = {
        "cross_entropy": -(y / a),
        "half_squared_error": a - y,
        "binary_cross_entropy": (1 - y) / (1 - a) - y / a,
    }
    if kind == "softmax":
        yield 21, f.Product((scale, by_loss[loss] * a * (1 - a)))
        yield 21, f.Product((scale, by_loss[loss]))
        yield 21, f.Product((scale, by_loss[loss] * a))
    if loss == "binary_cross_entropy":
        slope = a * (1 - a)
        yield 23, f.Product((scale, f.Hadamard(((1 - y) * (1 - a) - y * a, slope))))
        yield 23, f.Product((scale, f.Hadamard((1 - y - y, slope))))
        yield 24, f.Product((scale, f.Hadamard((-(y / a), slope))))
        yield 24, f.Product((scale, f.Hadamard(((1 - y) / (1 - a), slope))))
    if loss == "cross_entropy":
        yield 23, f.Product((scale, -(y * a) * (1 - a)))


def output_error(number: int, node: Formula, around: Around, of: str) -> Iterator[Formula]:
    (_, (_, z, _)) = list(around.layers.items())[-1]
    error = around.net.model.errors[z]
    for found, wrong in wrong_output_errors(around):
        if found != number:
            continue
        if of == error.name:
            yield wrong
        elif (changed := f.substitute(node, {error: wrong})) != node:
            yield changed


def bias_regularised(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    if of[0] == "b":
        parameter = around.net.model.symbols[of]
        for rate in (around.net.model.l1, around.net.model.l2):
            if rate is not None:
                yield node + f.Product((f.scalar(rate), parameter))


def input_in_bias(node: Formula, around: Around, of: str) -> Iterator[Formula]:
    if of[0] != "b":
        return
    layer, model = int(of[1:]), around.net.model
    error = next(symbol for symbol in model.errors.values() if symbol.layer == layer)
    entering = model.x if layer == 1 else model.blocks[layer - 2].output
    along = 1 - model.frame.unit_axis
    yield error @ f.Transpose(entering)
    yield f.Total(error @ f.Transpose(entering), 1)
    yield f.Total(f.Transpose(entering) @ error, 0).T
    yield f.Total(error * entering, along)
    yield f.Total(error * entering, along).T


SOMEWHERE: dict[int, tuple[Somewhere, ...]] = {
    1: (transpose_of_weights,),
    2: (order_of_factors,),
    4: (transposed_activation,),
    5: (weights_of_another_layer,),
    6: (activation_of_another_layer,),
    7: (z_for_a,),
    8: (slope_missing,),
    9: (slope_at_a,),
    10: (another_slope,),
    11: (slope_of_another_layer,),
    12: (layer_skipped,),
    13: (kind_of_product,),
    14: (sign_of_error,),
    15: (samples_miscounted,),
    17: (features_for_samples,),
    25: (penalty,),
    27: (step_of_another,),
}
WHOLE: dict[int, tuple[Whole, ...]] = {
    3: (transposed_as_a_whole,),
    14: (sign,),
    16: (factor_two,),
    15: (samples_once_more,),
    18: (samples_once_more,),
    19: (bias_sum,),
    20: (slope_at_output,),
    21: (partial(output_error, 21),),
    23: (partial(output_error, 23),),
    24: (partial(output_error, 24),),
    26: (bias_regularised,),
    32: (input_in_bias,),
}
NUMBERS = sorted({*SOMEWHERE, *WHOLE})


def planted(node: Formula, around: Around, of: str) -> Iterator[tuple[int, Formula]]:
    """Every mistake at every place, by number."""
    for number, wholes in WHOLE.items():
        for whole in wholes:
            if number == 18 and of[0] != "b":
                continue
            yield from ((number, wrong) for wrong in whole(node, around, of))
    for place in places(node):
        here = at(node, place)
        for number, somewheres in SOMEWHERE.items():
            for somewhere in somewheres:
                yield from ((number, put(node, place, wrong)) for wrong in somewhere(here, around))
