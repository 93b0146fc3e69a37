"""Every activation and every loss of the tables: each gradient at two and three layers is proved for all sizes.

Two claims are made of each: the derived formula with every error put in, and one that is written here layer by layer,
with the activation's derivative as ``<name>_prime(Z)``. One example and a batch, samples as columns and as rows,
weights laid both ways.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from symbackprop import Dense, Network
from symbackprop.errors import NetworkError
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES
from symbackprop.model.notes import read_subject
from symbackprop.proof.status import Status

LAYOUTS: tuple[dict[str, str], ...] = (
    {},
    {"batch": "m"},
    {"batch": "m", "samples": "rows", "weights": "in x out"},
    {"batch": "m", "samples": "rows"},
    {"weights": "in x out"},
    {"batch": "m", "weights": "in x out"},
)
OUTPUT_FOR = {
    "cross_entropy": "softmax",
    "kl_divergence": "softmax",
    "negative_log_likelihood": "log_softmax",
    "cross_entropy_with_logits": "identity",
    "binary_cross_entropy_with_logits": "identity",
}
# dL/da of one sample, with A for the prediction, Y for the target, AXIS for the axis of the units
SLOPES = {
    "squared_error": "(2 * (A - Y))",
    "half_squared_error": "(A - Y)",
    "mean_squared_error": "(2 * (A - Y) / N)",
    "absolute_error": "np.sign(A - Y)",
    "huber": "(np.maximum(A - Y + 1, 0) - np.maximum(A - Y - 1, 0) - 1)",
    "log_cosh": "np.tanh(A - Y)",
    "binary_cross_entropy": "((1 - Y) / (1 - A) - Y / A)",
    "cross_entropy": "(-Y / A)",
    "binary_cross_entropy_with_logits": "(1 / (1 + np.exp(-A)) - Y)",
    "cross_entropy_with_logits": "(np.exp(A) / np.exp(A).sum(axis=AXIS) - Y)",
    "negative_log_likelihood": "(-Y)",
    "log_likelihood": "(Y / A - (1 - Y) / (1 - A))",
    "hinge": "(-Y * (Y * A < 1))",
    "squared_hinge": "(-2 * Y * np.maximum(1 - Y * A, 0))",
    "kl_divergence": "(-Y / A)",
    "poisson": "(1 - Y / A)",
    "generic": "grad_C",
}

# The slopes of the activations, written out in z and in a.
SPELLED = {
    "sigmoid": ("a * (1 - a)", "np.exp(-z) / (1 + np.exp(-z)) ** 2", "1 / (2 + np.exp(z) + np.exp(-z))"),
    "tanh": ("1 - a * a", "1 - np.tanh(z) ** 2", "1 / np.cosh(z) ** 2", "4 / (np.exp(z) + np.exp(-z)) ** 2"),
    "relu": ("(z > 0)", "(a > 0)", "np.where(z > 0, 1, 0)"),
    "leaky_relu": ("(z > 0) + 0.01 * (z <= 0)", "0.01 + 0.99 * (z > 0)", "(a > 0) + (a <= 0) / 100"),
    "elu": ("(z > 0) + (z <= 0) * np.exp(z)", "(z > 0) + (z <= 0) * (a + 1)", "1 - np.maximum(-a, 0)"),
    "selu": (
        "1.0507009873554804934193349852946 * ((z > 0) + (z <= 0) * 1.6732632423543772848170429916717 * np.exp(z))",
    ),
    "softplus": ("1 / (1 + np.exp(-z))", "np.exp(z) / (1 + np.exp(z))", "1 - np.exp(-a)"),
    "softsign": ("1 / (1 + np.abs(z)) ** 2", "(1 - np.abs(a)) ** 2"),
    "silu": (
        "(1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2",
        "a + (1 - a) / (1 + np.exp(-z))",
    ),
    "gelu": ("(1 + erf(z / np.sqrt(2))) / 2 + z * erf_prime(z / np.sqrt(2)) / (2 * np.sqrt(2))",),
    "mish": ("np.tanh(np.log(1 + np.exp(z))) + z * (1 - np.tanh(np.log(1 + np.exp(z))) ** 2) / (1 + np.exp(-z))",),
    "hardtanh": ("(z > -1) * (z < 1)",),
    "hardsigmoid": ("(z > -3) * (z < 3) / 6",),
    "relu6": ("(z > 0) * (z < 6)",),
    "identity": ("a / z",),
}

# Slopes that are not proved, by activation and number in the list: what is said instead, and why.
KNOWN_LIMITS: dict[tuple[str, int], str] = {
    ("elu", 2): "CONSISTENT: no relation between max(-a, 0) and the sign of z",
    ("softsign", 0): "CONSISTENT: no relation between 1/(1 + |z|) and |a|",
}


def networks() -> Iterator[tuple[str, tuple[str, ...], str]]:
    """A label of what is looked at, the activations and the loss."""
    for activation in ACTIVATIONS:
        yield f"{activation} inside", (activation, "sigmoid"), "half_squared_error"
        yield f"{activation} inside twice", (activation, activation, "identity"), "half_squared_error"
        yield f"{activation} at the end", ("tanh", activation), "squared_error"
    for loss in LOSSES:
        output = OUTPUT_FOR.get(loss, "sigmoid")
        yield loss, ("tanh", output), loss
        yield f"{loss}, three layers", ("relu", "softplus", output), loss


@cache
def network(activations: tuple[str, ...], loss: str, layout: int) -> Network:
    layers = [Dense(f"n_{n}", activation) for n, activation in enumerate(activations, 1)]
    return Network(layers, inputs="n_0", loss=loss, **LAYOUTS[layout])  # type: ignore[arg-type]


def written(activations: tuple[str, ...], loss: str, layout: dict[str, str]) -> dict[str, str]:
    """The gradient of each parameter without errors, in Python syntax."""
    batch, rows = "batch" in layout, layout.get("samples") == "rows"
    turned = layout.get("weights") == "in x out"
    axis, depth = int(rows), len(activations)

    def array(letter: str, layer: int) -> str:
        if layer == 0:
            return "X" if batch else "x"
        return f"{letter if batch else letter.lower()}{layer}"

    def through(error: str, layer: int) -> str:
        """dJ/dA to dJ/dZ."""
        name, z, a = activations[layer - 1], array("Z", layer), array("A", layer)
        match name:
            case "identity":
                return error
            case "softmax":
                return f"({a} * ({error} - ({a} * {error}).sum(axis={axis})))"
            case "log_softmax":
                return f"({error} - np.exp({a}) * ({error}).sum(axis={axis}))"
            case "generic":
                return f"({error} * sigma_prime({z}))"
        return f"({error} * {name}_prime({z}))"

    slope = SLOPES[loss].replace("AXIS", str(axis)).replace("grad_C", "grad_c")
    slope = slope.replace("A", array("A", depth)).replace("Y", "Y" if batch else "y").replace("N", f"n_{depth}")
    slope = slope.replace("grad_c", "grad_C")
    error = through(f"({slope} / m)" if batch else slope, depth)
    found = {}
    for layer in range(depth, 0, -1):
        entering = array("A", layer - 1)
        if rows:
            found[f"W{layer}"] = f"{entering}.T @ {error}" if turned else f"{error}.T @ {entering}"
        else:
            found[f"W{layer}"] = f"{entering} @ {error}.T" if turned else f"{error} @ {entering}.T"
        found[f"b{layer}"] = error if not batch else f"({error}).sum(axis={1 - axis})" + ".T" * rows
        if layer > 1:
            weights = f"W{layer}.T" if rows == turned else f"W{layer}"
            error = through(f"({error} @ {weights})" if rows else f"({weights} @ {error})", layer - 1)
    return found


def verdicts(activations: tuple[str, ...], loss: str, layout: int) -> Iterator[tuple[str, Any]]:
    """Of each claim, with what was claimed."""
    net = network(activations, loss, layout)
    d = net.derive()
    texts = written(activations, loss, LAYOUTS[layout])
    for of in d.formulas:
        yield f"{of}, expanded", net._prover.judge(read_subject(net.model, of), d.formula(of, expand=True))
        yield f"{of} = {texts[of]}", net.verify(texts[of], of=of)


@pytest.mark.parametrize(("label", "activations", "loss"), list(networks()))
def test_every_gradient_is_proved_for_all_sizes(label: str, activations: tuple[str, ...], loss: str) -> None:
    wrong = []
    for layout in range(len(LAYOUTS) if len(activations) == 2 else 4):
        try:
            network(activations, loss, layout)
        except NetworkError:
            pytest.skip("the package refuses the pair")
        for claim, verdict in verdicts(activations, loss, layout):
            if verdict.status is not Status.PROVED or verdict.scope != "all sizes":
                wrong.append(f"{LAYOUTS[layout]} {claim}: {verdict.status}: {verdict.message}")
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:8])


@pytest.mark.parametrize("activation", SPELLED)
def test_slopes_written_out_are_proved(activation: str) -> None:
    net = network((activation, "sigmoid"), "half_squared_error", 1)
    wrong = []
    for number, slope in enumerate(SPELLED[activation]):
        text = "".join({"z": "Z1", "a": "A1"}.get(word, word) for word in re.split(r"\b", slope))
        verdict = net.verify(f"(W2.T @ Delta2) * ({text})", of="Delta1")
        if (verdict.status is Status.PROVED) is ((activation, number) in KNOWN_LIMITS):
            wrong.append(f"{text}: {verdict.status}: {verdict.message}")
    assert not wrong, "\n".join(wrong)
