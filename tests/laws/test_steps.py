"""Every line of every step: each side of a chain has the value of the others, and so has the reason entry by entry.

The truth is a witness's value of the derivative that the chain begins with: what was found for it before, and, for
the parameters, the forward differentiation of the definition.
"""

from dataclasses import replace

import formula_values
import index_values
import mpmath
import pytest
import spec_networks as nets
import sympy
import truth
from mpmath import mpf
from spec_networks import LAYOUTS, label
from truth import Spec

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.calculus.steps import Step
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.model.losses import LOSSES

SIZES = (3, 2, 4)
PARTNER = {"negative_log_likelihood": "log_softmax", "cross_entropy": "softmax", "kl_divergence": "softmax"}
SPECS = [
    *(Spec(SIZES, (a, "tanh"), "half_squared_error", **LAYOUTS[n % len(LAYOUTS)]) for n, a in enumerate(ACTIVATIONS)),
    *(Spec(SIZES, ("tanh", a), "squared_error", **LAYOUTS[n % len(LAYOUTS)]) for n, a in enumerate(ACTIVATIONS)),
    *(
        Spec(SIZES, ("softplus", PARTNER.get(loss, "sigmoid")), loss, **LAYOUTS[n % len(LAYOUTS)])
        for n, loss in enumerate(LOSSES)
    ),
    Spec(SIZES, ("relu", "softmax"), "cross_entropy", m=2, l1="1/7", l2="1/3"),
    Spec((1, 1, 1), ("sigmoid", "generic"), "generic", l2="1/3"),
]


def off(got, want) -> mpf:
    """The largest difference, against the largest of the entries that are wanted."""
    pairs = list(zip(got.flat, want.flat, strict=True))
    size = max([1, *(abs(nets_real(w)) for _, w in pairs)])
    return max(abs(nets_real(g) - nets_real(w)) for g, w in pairs) / size


def nets_real(x) -> mpf:
    return mpf(x.numerator) / x.denominator if hasattr(x, "numerator") and hasattr(x, "denominator") else mpf(x)


def check(spec: Spec, steps: tuple[Step, ...], d) -> int:
    """Every side and every reason of the steps, in 40 digits; the number of comparisons."""
    point = truth.random_point(spec, 7)
    done = 0
    with mpmath.workdps(40):
        env = nets.environment(spec, point)
        for assignment in d.model.assignments:
            env.arrays[assignment.symbol.name] = formula_values.value(assignment.formula, env).tolist()
        _, want = truth.numeric_gradients(spec, point, 40)
        for step in steps:
            value = formula_values.value(step.result, env)
            shares = isinstance(step.equation.left, f.Derivative) and step.equation.left.through is not None
            if not shares:
                env.arrays[f"dJ_d{step.wrt.name}"] = value.tolist()
                if step.wrt in d.model.errors:
                    env.arrays[d.model.errors[step.wrt].name] = value.tolist()
            if not shares and step.wrt in d.model.parameters:
                assert truth.difference(value.tolist(), want[step.wrt.name]) < mpf(10) ** -25, step.number
                done += 1
            for side in step.equation.sides:
                if not any(isinstance(u, f.Derivative) and u.through is not None for u in f.walk(side)):
                    assert off(formula_values.value(side, env), value) < mpf(10) ** -25, (step.number, side)
                    done += 1
            if step.why is not None:
                axes = list(zip(step.why.indices, step.wrt.shape, strict=True))
                free = [(i, n) for i, n in axes if isinstance(i, sympy.Symbol)]
                entries = index_values.entries(step.why.entry, free, env).reshape(value.shape)
                assert off(entries, value) < mpf(10) ** -25, (step.number, "why")
                done += 1
    return done


@pytest.mark.parametrize("spec", SPECS, ids=label)
def test_every_side_and_every_reason_is_true(spec: Spec) -> None:
    if not nets.accepted(spec.loss, *spec.activations):
        pytest.skip("no such network")
    d = nets.network(spec).derive()
    assert check(spec, d.steps, d) > 20


def test_a_wrong_line_and_a_wrong_reason_are_noticed() -> None:
    spec = Spec(SIZES, ("sigmoid", "sigmoid"), "binary_cross_entropy", m=2)
    d = nets.network(spec).derive()
    assert check(spec, d.steps, d) > 20
    for number in range(len(d.steps)):
        sides = d.steps[number].equation.sides
        wrong = f.Equation((*sides[:-1], f.formula(2) * sides[-1], sides[-1]))
        steps = (*d.steps[:number], replace(d.steps[number], equation=wrong), *d.steps[number + 1 :])
        with pytest.raises(AssertionError):
            check(spec, steps, d)
    why = d.steps[2].why

    class Wrong(type(why)):
        @property
        def entry(self):
            return ix.Mul((ix.MINUS_ONE, super().entry))

    planted = Wrong(why.through, why.wrt, why.cotangent, why.index)
    with pytest.raises(AssertionError):
        check(spec, (*d.steps[:2], replace(d.steps[2], why=planted)), d)
