"""The mistakes that people make, planted in every gradient of six networks at rectangular and at equal sizes.

None is proved and all are refuted, by shape or with a counterexample, which is evaluated again by other means. Whether
an edit is a mistake at all is decided by ``decider``: W for W^T is none where a layer has one unit. Batch norm,
recurrence, tied weights and dropout (28 to 31) are mistakes of other networks.
"""

import itertools
import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import fuzzing
import mpmath
import planted
import pytest
import reals
import truth
from decider import Answer, NotCoveredError
from edits import applied
from fuzzing import SHAPE_CODES, Case, Claim, Score, dense
from slips import SLIPS

from symbackprop import Network
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Counterexample, Verdict

NETWORKS: dict[str, Callable[..., Network]] = {
    "binary": lambda **sizes: dense("sigmoid", "sigmoid", loss="binary_cross_entropy", batch="m", **sizes),
    "softmax": lambda **sizes: dense("sigmoid", "tanh", "softmax", loss="cross_entropy", batch="m", **sizes),
    "relu, rows": lambda **sizes: dense(
        "relu", "relu", "identity", loss="half_squared_error", batch="m", samples="rows", weights="in x out", **sizes
    ),
    "one example": lambda **sizes: dense("tanh", "softplus", "sigmoid", loss="squared_error", **sizes),
    "penalties": lambda **sizes: dense(
        "tanh", "softmax", loss="half_squared_error", batch="m", l2="lambda", l1="mu", **sizes
    ),
    "opaque": lambda **sizes: dense("generic", "generic", "generic", loss="mean_squared_error", batch="m", **sizes),
}
SIZES = {"rectangular": "n_0 n_1 n_2 n_3", "equal": "n n n n"}
CASES = [(name, sizes) for name in NETWORKS for sizes in SIZES]


@cache
def case(name: str, sizes: str) -> Case:
    return Case(f"{name}, {sizes}", NETWORKS[name](sizes=SIZES[sizes]))


@cache
def fuzzed(name: str) -> Case:
    return Case(name, fuzzing.NETWORKS[name]())


def mistakes(of: Case) -> Iterator[tuple[int, Claim]]:
    """Each wrong formula once, by the number of a mistake that leads to it."""
    seen = set()
    for subject, formula in of.starts:
        for number, wrong in planted.planted(formula, of.around, subject):
            if (subject, wrong) not in seen:
                seen.add((subject, wrong))
                yield number, Claim(of.name, subject, wrong, (str(number),))


@cache
def numbers(arrays: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """A point in 40 digits; one and the same for equal arrays."""
    with mpmath.workdps(reals.DIGITS):
        return {name: [list(map(reals.number, row)) for row in rows] for name, rows in arrays}


def assert_shown(of: Case, claim: Claim, example: Counterexample) -> None:
    """The counterexample's two values, found again by dual numbers on the definition and node by node."""
    point = numbers(tuple(example.arrays.items()))
    spec = reals.spec_of(of.net, example.sizes, example.rates)
    claimed, true = reals.compare(of.net, spec, point, claim.formula, claim.of, example.rates)
    indices = iter(example.entry)  # those of axes that are 1 for all sizes are left out
    symbol = of.net.model.symbols[claim.of.removeprefix("d") if claim.of[:2] in ("dA", "da", "dX", "dx") else claim.of]
    at = tuple(0 if size == 1 else next(indices) - 1 for size in symbol.shape)
    for said, array in ((example.claimed, claimed), (example.true, true)):
        found = array[at] if array.shape != (1, 1) else array[0, 0]
        with mpmath.workdps(reals.DIGITS):
            last_digit = mpmath.mpf(10) ** (-30 if "/" in said else Decimal(said).as_tuple().exponent)
            assert abs(reals.number(Fraction(said)) - found) <= last_digit, f"{said} is {found}: {claim}\n{example}"
    assert Fraction(example.claimed) != Fraction(example.true), f"{claim}\n{example}"


def wrong_verdict(of: Case, claim: Claim, answer: Answer, verdict: Verdict) -> str | None:
    """What is wrong with a verdict on a claim that the decider has judged."""
    if verdict.status is not Status.REFUTED and answer is Answer.FALSE and Score.really(of, claim):
        answer = Answer.TRUE
    wanted = Status.PROVED if answer is Answer.TRUE else Status.REFUTED
    if verdict.status is not wanted:
        return f"{answer.value}, but {verdict.status} {verdict.code} ({verdict.message}): {claim}"
    if wanted is Status.REFUTED and (answer is Answer.MISSHAPEN) != (verdict.code in SHAPE_CODES):
        return f"{answer.value}, but {verdict.code} ({verdict.message}): {claim}"
    if answer is Answer.FALSE and verdict.counterexample is None:
        return f"no counterexample: {claim}"
    return None


def sigma(z: Any) -> Any:
    """What stands for an opaque activation in counterexamples, by their own words."""
    sine = truth._d_sin(z)
    return sine + (1 - 2 * sine * sine) / 3 + z / 2


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    reals.forget()
    monkeypatch.setitem(truth._D_ACTIVATION, "generic", sigma)
    monkeypatch.setattr(truth, "generic_activation", lambda z: mpmath.sin(z) + mpmath.cos(2 * z) / 3 + z / 2)
    monkeypatch.setattr(
        truth, "generic_activation_derivative", lambda z: mpmath.cos(z) - 2 * mpmath.sin(2 * z) / 3 + mpmath.mpf(1) / 2
    )
    yield
    reals.forget()


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(("name", "sizes"), CASES)
def test_none_is_proved_and_all_are_refuted(name: str, sizes: str) -> None:
    of, wrong = case(name, sizes), []
    for _, claim in mistakes(of):
        answer = of.decider.decide(claim.formula, claim.of)
        if answer is Answer.UNDEFINED:
            continue
        verdict = of.verdict(claim)
        if (fault := wrong_verdict(of, claim, answer, verdict)) is not None:
            wrong.append(fault)
        if verdict.counterexample is not None:
            assert_shown(of, claim, verdict.counterexample)
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:20])


@pytest.mark.parametrize("sizes", SIZES)
def test_every_mistake_is_planted(sizes: str) -> None:
    """Each number makes some formula that is wrong."""
    missing = set(planted.NUMBERS)
    for name in NETWORKS:
        of = case(name, sizes)
        for subject, formula in of.starts:
            for number, wrong in planted.planted(formula, of.around, subject):
                if number in missing and of.decider.decide(wrong, subject) in (Answer.FALSE, Answer.MISSHAPEN):
                    missing.remove(number)
    assert not missing


CANCELLING = {
    "sign twice": ("sigmoid, binary", "W2", "-(Y - A2) @ A1.T / m"),
    "sign in both factors": ("sigmoid, binary", "Delta1", "(W2.T @ Delta2) * (A1 - 1) * -A1"),
    "1/m in the error, and not": ("sigmoid, binary", "W1", "((W2.T @ (A2 - Y)) * A1 * (1 - A1)) @ X.T / m"),
    "1/m twice, and m": ("sigmoid, binary", "b2", "m * (Delta2 / m).sum(axis=1)"),
    "2 and 1/2": ("one example", "delta3", "(2 * (a3 - y) * a3 * (1 - a3)) / 2"),
    "order and transposes": ("sigmoid, binary", "W2", "(A1 @ Delta2.T).T"),
    "order, transposes and layout": ("three layers", "Delta1", "(Delta2.T @ W2).T * A1 * (1 - A1)"),
    "sigma' too much, and the loss's 1/a": (
        "sigmoid, binary",
        "Delta2",
        "((1 - Y) / (1 - A2) - Y / A2) * A2 * (1 - A2) / m",
    ),
    "the step of a for that of z": ("relu", "Delta1", "(W2.T @ Delta2) * (A1 > 0)"),
    "z for a, where the step is beside": ("relu", "W2", "Delta2 @ (Z1 * (Z1 > 0)).T"),
    "the mean for the sum, and m": ("sigmoid, binary", "b1", "m * (Delta1.sum(axis=1) / m)"),
    "n for m, and m for n": ("sigmoid, binary", "W1", "n_1 * Delta1 @ X.T / n_1"),
    "lambda halved and doubled": ("penalties", "W1", "Delta1 @ X.T + 2 * (lambda_ / 2) * W1 + mu * np.sign(W1)"),
    "a for 1/a, twice": ("sigmoid, binary", "Delta2", "((1 - Y) * A2 - Y * (1 - A2)) / m"),
    "the wrong layer, and what it stands for": (
        "three layers",
        "b1",
        "((W2.T @ Delta2) * sigmoid_prime(Z1)).sum(axis=1)",
    ),
}


@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_snippet_prints_what_its_counterexample_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    of = case(name, "rectangular")
    for _, claim in itertools.islice(mistakes(of), 0, None, 97):
        example = of.verdict(claim).counterexample
        if example is None:
            continue
        exec(example.snippet, {"__name__": "__main__"})
        _, claimed, _, true = capsys.readouterr().out.split()
        for said, printed in ((example.claimed, claimed), (example.true, true)):
            want = float(Fraction(said))
            assert abs(float(re.sub(r"[^-+.e0-9]", "", printed)) - want) <= 1e-4 * max(1, abs(want)), example.snippet


@pytest.mark.parametrize("mistake", CANCELLING)
def test_two_mistakes_that_cancel_are_proved(mistake: str) -> None:
    network, of, claim = CANCELLING[mistake]
    assert fuzzed(network).net.verify(claim, of=of).status is Status.PROVED


@pytest.mark.parametrize("name", NETWORKS)
def test_slips_that_cancel_by_chance_are_proved(name: str) -> None:
    """Two random slips, wrong after the first and right after the second."""
    of, found = case(name, "equal"), 0
    for seed in range(400):
        rng = random.Random(f"{name}/{seed}")
        subject, formula = rng.choice(of.starts)
        first, once = applied(SLIPS, formula, of.around, rng)
        second, twice = applied(SLIPS, once, of.around, rng)
        try:
            answers = [of.decider.decide(u, subject) for u in (once, twice)]
        except NotCoveredError:
            continue
        if answers[0] in (Answer.FALSE, Answer.MISSHAPEN) and answers[1] is Answer.TRUE and twice != formula:
            claim = Claim(of.name, subject, twice, (first, second))
            assert of.verdict(claim).status is Status.PROVED, claim
            found += 1
    assert found
