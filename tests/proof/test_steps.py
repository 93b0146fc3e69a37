"""Steps and rules are proved, and planted errors in either are not."""

from dataclasses import replace

import pytest

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import Equation, Formula
from symbackprop.algebra.shape import shape
from symbackprop.calculus.pullback import RULES, pullback
from symbackprop.errors import ShapeMismatch
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.proof.rules import INSTANCES, prove_rule, prove_rules
from symbackprop.proof.setting import of_network
from symbackprop.proof.status import Status
from symbackprop.proof.steps import prove_generic, prove_steps


def derived(*activations, loss="squared_error", **more):
    options = {"inputs": "n_0", "batch": "m"} | more
    layers = [Dense(f"n_{n}", a) for n, a in enumerate(activations, start=1)]
    return Network(layers, loss=loss, **options).derive()


def proved(verdict):
    return verdict.status is Status.PROVED


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("more", [{}, {"batch": None}, {"samples": "rows", "weights": "in x out", "l1": "mu"}], ids=str)
def test_every_step_of_every_activation_is_proved(name, more):
    proofs = derived(name, name, "tanh", **more).prove()
    assert all(map(proved, proofs))
    assert all(map(proved, proofs.generic))
    assert {v.scope for v in (*proofs, *proofs.generic)} == {"all sizes"}


@pytest.mark.parametrize("loss", ["cross_entropy", "negative_log_likelihood", "kl_divergence"])
def test_what_is_granted_is_listed(loss):
    output = "log_softmax" if loss == "negative_log_likelihood" else "softmax"
    proofs = derived("tanh", output, loss=loss).prove()
    assert all(map(proved, proofs))
    assert any("sum to 1" in text for verdict in proofs for text in verdict.assumptions)


def test_every_rule_is_proved():
    rules = prove_rules()
    assert set(rules) == {rule.name for rule in RULES.values()} | {"repetition rule", "log-softmax rule"}
    assert all(map(proved, rules.values()))


@pytest.mark.parametrize("node", [n for n in INSTANCES if n.children], ids=lambda n: type(n).__name__)
def test_a_wrong_rule_is_not_proved(node):
    """Each rule with its sign turned, doubled, and, where that conforms, transposed or without its cotangent."""

    def wrong(change):
        return lambda u, bar, k: change(pullback(u, bar, k))

    def nothing(back: Formula) -> Formula:
        return f.Product((f.formula(0), back))

    for change in (lambda back: -back, lambda back: 2 * back, nothing):
        assert not all(map(proved, prove_rule(node, wrong(change))))


def test_a_wrong_side_of_a_step_is_not_proved():
    d = derived("sigmoid", "tanh", l2="lambda")
    setting = of_network(d)
    for number, step in enumerate(d.steps):
        for change in (lambda u: -u, lambda u: 2 * u, lambda u: u + u, lambda u: u * u, lambda u: u.T):
            said = change(step.result)
            try:
                if shape(said) != shape(step.result):
                    continue
            except ShapeMismatch:
                continue
            planted = replace(step, equation=Equation((*step.equation.sides[:-1], said)))
            steps = (*d.steps[:number], planted, *d.steps[number + 1 :])
            assert not proved(prove_steps(steps, setting)[number]), (step.rule, said)


def test_a_use_that_is_left_out_is_seen():
    """Without the penalty's share of dJ/dW, and without the last sum, the steps are not called proved."""
    d = derived("sigmoid", "tanh", l2="lambda")
    setting = of_network(d)
    shared = next(n for n, step in enumerate(d.steps) if step.through is None)
    weights = d.steps[shared].wrt
    part = replace(d.steps[shared], premises=d.steps[shared].premises[1:])
    left_out = prove_steps((*d.steps[:shared], part, *d.steps[shared + 1 :]), setting)
    assert not proved(left_out[shared])
    without = tuple(step for step in d.steps if not (step.wrt == weights and step.through == d.model.assignments[-1]))
    renumbered = tuple(replace(step, number=n) for n, step in enumerate(without, start=1))
    verdicts = prove_steps(renumbered, setting)
    assert not all(proved(v) for step, v in zip(renumbered, verdicts, strict=True) if step.wrt == weights)


def test_a_sum_that_lacks_a_use_is_seen_though_it_adds_up():
    d = derived("sigmoid", "tanh", l2="lambda")
    setting = of_network(d)
    total = next(step for step in d.steps if step.through is None)
    cost = d.model.assignments[-1]
    kept = [step for step in d.steps if not (step.wrt == total.wrt and step.through == cost)]
    numbers = {step.number: n for n, step in enumerate(kept, start=1)}
    part = next(step for step in kept if step.wrt == total.wrt and step.through is not None)
    only = replace(
        total, premises=(part.number,), equation=Equation((f.Derivative(d.model.cost, total.wrt), part.result))
    )
    steps = [replace(only if step is total else step, number=numbers[step.number]) for step in kept]
    steps = [replace(s, premises=tuple(numbers[p] for p in s.premises if p in numbers)) for s in steps]
    verdicts = prove_steps(tuple(steps), setting)
    assert [proved(v) for s, v in zip(steps, verdicts, strict=True) if s.wrt == total.wrt] == [False, False]


def test_a_wrong_layer_in_the_generic_layer_is_seen():
    d = derived("sigmoid", "sigmoid", "tanh")
    setting = of_network(d)
    layer = d.generic_layer
    assert all(map(proved, prove_generic(layer, setting)))
    for number, step in enumerate(layer):
        planted = replace(step, equation=Equation((*step.equation.sides[:-1], 3 * step.result)))
        assert not proved(prove_generic((*layer[:number], planted, *layer[number + 1 :]), setting)[number])
