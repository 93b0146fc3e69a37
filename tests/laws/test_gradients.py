"""Every derived gradient equals the witness's, which knows no backpropagation: over all the tables, in all layouts."""

import itertools
import random
from typing import Any

import numpy as np
import pytest
import spec_networks as nets
import sympy
import truth
from spec_networks import LAYOUTS, SIZES, assert_close, label
from truth import Point, Spec

from symbackprop.derivation import Derivation
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES

PENALTIES: tuple[dict[str, Any], ...] = ({}, {}, {"l2": "0.3"}, {"l1": "0.2"}, {"l1": "1/7", "l2": "0.1"})
OUT_OF_DOMAIN = {("log_softmax", loss) for loss in truth._UP_TO}  # log a of a negative prediction
PAIRS = list(itertools.product(ACTIVATIONS, LOSSES))
FITTING = [pair for pair in PAIRS if nets.accepted(pair[1], pair[0])]
MOST = 300


def _triples() -> list[Spec]:
    """Every hidden activation with every output and loss; in a large table each output and loss with one in turn."""
    whole = len(FITTING) * len(ACTIVATIONS) <= MOST
    rng = random.Random(0)
    return [
        Spec(SIZES, (hidden, output), loss, **rng.choice(LAYOUTS), **rng.choice(PENALTIES))
        for i, hidden in enumerate(ACTIVATIONS)
        for j, output in enumerate(ACTIVATIONS)
        for k, loss in enumerate(LOSSES)
        if (output, loss) in FITTING and (output, loss) not in OUT_OF_DOMAIN
        if whole or (i + j + k) % len(ACTIVATIONS) == 0
    ]


def _deep() -> list[Spec]:
    rng = random.Random(1)
    found = []
    while len(found) < 16:
        output, loss = rng.choice([pair for pair in FITTING if pair not in OUT_OF_DOMAIN])
        hidden = rng.choices(list(ACTIVATIONS), k=2)
        bias = tuple(rng.random() < 0.6 for _ in range(3))
        found.append(Spec((2, 4, 3, 5), (*hidden, output), loss, bias=bias, **rng.choice(LAYOUTS)))
    return found


ALL_LAYOUTS = [
    Spec(SIZES, names, loss, **layout, l1="1/7", l2="0.3", bias=bias)
    for names, loss in (
        (("tanh", "softmax"), "cross_entropy"),
        (("relu", "sigmoid"), "binary_cross_entropy"),
        (("generic", "softmax"), "generic"),
    )
    for layout in LAYOUTS
    for bias in ((True, True), (False, False))
]


def entry_at(d: Derivation, spec: Spec, values: dict[str, Any], name: str, at: tuple[int, int], expand: bool) -> float:
    """The value of one entry, with letters for its indices."""
    letters = ("j", "k") if name[0] == "W" else ("j",)
    expr = d.entry(name, *letters, expand=expand)
    assert isinstance(expr, sympy.Expr)
    assert not isinstance(expr, sympy.MatrixExpr)
    return float(nets.call(expr, values | dict(zip(letters, at, strict=False)), nets.numpy_modules(spec)))


def check(spec: Spec, point: Point, labels: str | None = None) -> None:
    """J, each gradient in named form and expanded, and entries of each, against dual numbers."""
    d = nets.network(spec, labels).derive()
    modules = nets.numpy_modules(spec)
    values = nets.intermediates(d, spec, point)
    J, want = truth.numeric_gradients(spec, point)
    assert_close(float(np.asarray(values["J"]).item()), J)
    forward = truth.forward(spec, point)
    assert_close({k: nets.nested(values[k]) for k in forward if k != "J"}, {k: forward[k] for k in forward if k != "J"})
    assert list(d.gradients) == spec.parameters
    assert_close({k: nets.nested(nets.call(e, values, modules)) for k, e in d.gradients.items()}, want)
    given = {k: v for k, v in values.items() if not k.lower().startswith("delta")}  # expanded, no error is left
    expanded = {k: d.gradient(k, expand=True) for k in spec.parameters}
    assert_close({k: nets.nested(nets.call(e, given, modules)) for k, e in expanded.items()}, want)
    rng = random.Random(label(spec))
    for expand, known in ((False, values), (True, given)):
        name = rng.choice(spec.parameters)
        rows, columns = spec.shape(name)
        i, j = rng.randrange(rows), rng.randrange(columns)
        assert_close(entry_at(d, spec, known, name, (i + 1, j + 1), expand), want[name][i][j])


def test_the_witness_knows_every_entry_of_the_tables() -> None:
    assert set(ACTIVATIONS) <= set(truth.ACTIVATIONS)
    assert set(LOSSES) <= set(truth.LOSSES)


def test_few_pairs_are_refused() -> None:
    """Only where the last activation and the loss are no model together; hidden layers take every activation."""
    refused = set(PAIRS) - set(FITTING)
    assert len(refused) <= len(PAIRS) // 10
    assert all("softmax" in output or "logits" in loss for output, loss in refused)
    assert all(nets.accepted("half_squared_error", a, "identity") for a in ACTIVATIONS)


@pytest.mark.parametrize("spec", _triples(), ids=label)
def test_two_layers_over_the_tables(spec: Spec) -> None:
    check(spec, truth.random_point(spec, 1))


@pytest.mark.parametrize("spec", ALL_LAYOUTS, ids=label)
def test_all_layouts_with_penalties_with_and_without_bias(spec: Spec) -> None:
    check(spec, truth.random_point(spec, 2))


@pytest.mark.parametrize("spec", _deep(), ids=label)
def test_three_layers(spec: Spec) -> None:
    check(spec, truth.random_point(spec, 3))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_labels_that_do_not_sum_to_one(layout: dict[str, Any], output: str) -> None:
    spec = Spec(SIZES, ("tanh", output), "cross_entropy", **layout)
    point = truth.random_point(spec, 4, labels="any")
    check(spec, point, labels="any")
    if output == "softmax":  # without the declaration the formula takes them to sum to 1, and here it is wrong
        with pytest.raises(AssertionError, match="off by"):
            check(spec, point)
