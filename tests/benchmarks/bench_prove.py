"""How long verdicts take: three layers, thirty, a hundred, and formulas that are built to be slow.

    python tests/benchmarks/bench_prove.py

Each network is new, so that its first verdict pays for the derivation and the concrete network; "then" is every other
verdict on it. Right claims are the gradients in named and in expanded form and with
their terms written another way; wrong ones are edits of those.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Formula
from symbackprop.model.notes import read_formula
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict

NETWORKS = (
    (("sigmoid", "tanh", "sigmoid"), "binary_cross_entropy"),
    (("tanh", "relu", "softmax"), "cross_entropy"),
    (("relu", "relu", "identity"), "half_squared_error"),
    (("softplus", "silu", "tanh"), "squared_error"),
    (("generic", "generic", "generic"), "generic"),
    (("gelu", "elu", "sigmoid"), "log_likelihood"),
)


def network(activations: tuple[str, ...], loss: str) -> Network:
    layers = [Dense(f"n_{n}", a) for n, a in enumerate(activations, start=1)]
    return Network(layers, inputs="n_0", loss=loss, batch="m", l2="lambda")


def claims(net: Network) -> Iterator[tuple[Formula, Formula, bool]]:
    """What is claimed, how, and whether it is right."""
    d = net.derive()
    for p in net.model.parameters:
        subject = f.Derivative(net.model.cost, p)
        for truth in (d.formula(p.name), d.formula(p.name, expand=True)):
            yield subject, truth, True
            yield subject, f.Transpose(f.Transpose(truth) + f.Transpose(truth)) / 2, True
            yield subject, f.Add((truth, p, f.Negative(p))), True
            for wrong in (-truth, 2 * truth, truth / f.Scalar("m"), truth + p, truth * truth):
                yield subject, wrong, False
            yield subject, f.substitute(truth, {f.Scalar("m"): f.Scalar("n_1")}) + p, False


def timed(net: Network, subject: Formula, claim: Formula) -> tuple[float, Verdict]:
    start = time.perf_counter()
    verdict = net.verify(claim, subject)
    return time.perf_counter() - start, verdict


def show(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    high = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    print(
        f"{name:42} {1e3 * statistics.median(ordered):9.2f} {1e3 * high:9.2f} {1e3 * ordered[-1]:9.2f} {len(ordered):7}"
    )


def three_layers() -> None:
    found: dict[str, list[float]] = {"first verdict on a network": [], "right": [], "wrong": []}
    unexpected = 0
    for activations, loss in NETWORKS:
        net = network(activations, loss)
        for number, (subject, claim, right) in enumerate(claims(net)):
            took, verdict = timed(net, subject, claim)
            found["first verdict on a network" if number == 0 else "right" if right else "wrong"].append(took)
            unexpected += verdict.status is not (Status.PROVED if right else Status.REFUTED)
    for name, times in found.items():
        show(f"three layers, {name}", times)
    print(f"{'three layers, verdicts that were not as known':42} {unexpected}")


def deep(layers: int) -> None:
    for activation, slope in (("sigmoid", "A2 * (1 - A2)"), ("relu", "(Z2 > 0)"), ("tanh", "(1 - A2**2)")):
        net = network((activation,) * (layers - 1) + ("sigmoid",), "binary_cross_entropy")
        net.derive()
        times = []
        for factor in ("", " * 2", " * m"):
            start = time.perf_counter()
            net.verify(f"((W3.T @ Delta3) * {slope}) @ A1.T{factor} + lambda_ * W2", of="W2")
            times.append(time.perf_counter() - start)
        show(f"{layers} layers of {activation}, right and wrong", times)


def slow() -> None:
    """Powers of one sum, whose bound indices tie in every order."""
    net = network(("tanh", "sigmoid"), "binary_cross_entropy")
    for name, left, right in (
        ("(1^T a)^9", "np.sum(A1)**9", "np.sum(A1)**4 * np.sum(A1)**5"),
        ("a norm to the 14th", "np.sum(A1**2)**7", "np.sum(A1*A1)**3 * np.sum(A1**2)**4"),
        (
            "nine sums that share a sample",
            "np.sum((A1.sum(axis=0))**9)",
            "np.sum(A1.sum(axis=0)**4 * A1.sum(axis=0)**5)",
        ),
        ("a product of sums in a power", "np.sum(A1 @ A1.T @ A1)**6", "np.sum(A1 @ (A1.T @ A1))**6"),
        ("the cost to the 12th", "J**12", "J**5 * J**7"),
    ):
        start = time.perf_counter()
        verdict = net.verify(right, of=read_formula(net.model, left))
        print(f"{name:42} {1e3 * (time.perf_counter() - start):9.2f}  {verdict.status}")


if __name__ == "__main__":
    print(f"{'milliseconds':42} {'median':>9} {'99 %':>9} {'worst':>9} {'number':>7}")
    three_layers()
    for depth in (30, 100):
        deep(depth)
    slow()
