"""Random claims about gradients, judged by the prover and by a decider that shares nothing with it.

``tests/benchmarks/fuzz_prove.py`` does the same for as many as one likes.
"""

from functools import cache

import fuzzing
import pytest
import reals
from decider import Answer, Decider, NotCoveredError, subjects
from fuzzing import NETWORKS, Case, Score

from symbackprop import Dense, Network
from symbackprop.errors import NetworkError
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES

CLAIMS, SEED = 4000, 7


@cache
def score() -> Score:
    return fuzzing.run(CLAIMS, SEED)


def test_the_prover_and_the_decider_never_contradict_each_other() -> None:
    faults = score().faults
    assert not faults, f"{len(faults)}:\n" + "\n".join(faults[:10])


def test_true_claims_are_proved() -> None:
    """All but 1 %."""
    unproved, true = score().unproved, score().total(Answer.TRUE)
    assert len(unproved) <= 0.01 * true, f"{len(unproved)} of {true}:\n" + "\n".join(unproved[:10])


def test_false_claims_are_refuted() -> None:
    """All but 1 %: some differ only where a sign turns in a corner that no point visits."""
    unrefuted, false = score().unrefuted, score().total(Answer.FALSE)
    assert len(unrefuted) <= 0.01 * false, f"{len(unrefuted)} of {false}:\n" + "\n".join(unrefuted[:10])


def test_both_answers_are_common() -> None:
    true, false = score().total(Answer.TRUE), score().total(Answer.FALSE)
    assert min(true, false) > 0.2 * CLAIMS
    assert score().total(Answer.MISSHAPEN) > 0.02 * CLAIMS
    assert sum(score().skipped.values()) < 0.05 * CLAIMS


# ---------------------------------------------------------------------------- the decider itself
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_decider_finds_the_derived_gradients_true(activation: str) -> None:
    """For every loss, and both orientations."""
    layouts: tuple[dict[str, str], ...] = (
        {},
        {"batch": "m", "l2": "lambda", "l1": "mu"},
        {"batch": "m", "samples": "rows", "weights": "in x out"},
    )
    for number, loss in enumerate(LOSSES):
        try:
            net = Network(
                [Dense("n_1", "tanh"), Dense("n_2", activation)], inputs="n_0", loss=loss, **layouts[number % 3]
            )
            decider = Decider(net)
            for of, formula in subjects(net):
                assert decider.decide(formula, of, 3) is Answer.TRUE, (loss, of)
        except (NetworkError, NotCoveredError):
            continue


@pytest.mark.parametrize("name", [name for name in NETWORKS if "generic" not in name])
def test_the_decider_agrees_with_real_numbers(name: str) -> None:
    case, answers = Case(name, NETWORKS[name]()), set()
    for claim in fuzzing.claims(case, seed=11, count=5):
        try:
            answer = case.decider.decide(claim.formula, claim.of)
            really = all(reals.agree(case.net, claim.formula, claim.of, seed) for seed in range(3, 8))
        except (NotCoveredError, ZeroDivisionError):
            continue
        answers.add(answer)
        assert answer is Answer.UNDEFINED or really is (answer is Answer.TRUE), claim
    assert answers
