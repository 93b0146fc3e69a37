"""Every loss of the table is differentiated right: by the package's rules, against mpmath's derivative of J itself."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import formula_values
import mpmath
import pytest
import spec_networks as nets
from exact import Env, real
from mpmath import mpf
from truth import Spec

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.functions import STEP
from symbackprop.model.losses import LOSSES, PREDICTION, TARGET, Loss


@pytest.fixture(autouse=True)
def _sixty_digits() -> Iterator[None]:
    with mpmath.workdps(60):
        yield


def test_names_are_the_keys() -> None:
    assert all(name == loss.name for name, loss in LOSSES.items())


def predictions(loss: Loss) -> list[list[mpf]]:
    """Three outputs inside the domain, far from each other."""
    if loss.above is None and loss.below is None:
        return [[mpf("0.7"), mpf("-1.6"), mpf("2.9")], [mpf("-0.2"), mpf("0.55"), mpf("-3.1")]]
    return [[mpf("0.7"), mpf("0.05"), mpf("0.31")], [mpf("0.93"), mpf("0.48"), mpf("0.62")]]


def targets(loss: Loss) -> list[mpf]:
    if "hinge" in loss.name:
        return [mpf(1), mpf(-1), mpf(1)]
    return [mpf("0.2"), mpf("0.5"), mpf("0.3")]


def check_loss(loss: Loss, change: Callable[[f.Formula], f.Formula] = lambda u: u) -> None:
    """dJ/da of a layer without activation, derived by the rules, against mpmath's derivative of J itself."""
    d = Network([Dense(3, "identity")], inputs=2, loss=loss).derive()
    formulas = {symbol.name: formula for symbol, formula in d.defining_formulas.items()}
    J, delta = formulas["J"], change(formulas["delta1"])
    y = [[v] for v in targets(loss)]
    opaque = nets.environment(Spec((2, 3), ("identity",), "generic"), {}).losses
    for a in predictions(loss):

        def cost(i: int, v: mpf, a: list[mpf] = a) -> mpf:
            moved = [[v if n == i else u] for n, u in enumerate(a)]
            return real(formula_values.value(J, Env({"a1": moved, "z1": moved, "y": y}, losses=opaque)).item())

        column = [[v] for v in a]
        got = formula_values.value(delta, Env({"a1": column, "z1": column, "y": y}, losses=opaque))
        for i, v in enumerate(a):
            want = mpmath.diff(lambda u, i=i: cost(i, u), v)
            assert abs(real(got[i, 0]) - want) < mpf(10) ** -25, (i, mpmath.nstr(got[i, 0]), mpmath.nstr(want))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
def test_a_loss_is_differentiated_right(loss: Loss) -> None:
    check_loss(loss)


def test_a_loss_of_a_users_own_is_differentiated_right() -> None:
    a, y = PREDICTION, TARGET
    check_loss(Loss("quartic", coefficient=Fraction(2, 7), term=(a - y) ** 4 / (1 + a**2)))
    check_loss(Loss("one_sided", term=f.Map(STEP, a - y) * (a - y)))
    check_loss(Loss("linear", coefficient=Fraction(-3), term=a))


@pytest.mark.parametrize("change", [lambda u: -u, lambda u: u * 2, lambda u: u + 1], ids=["sign", "factor", "term"])
def test_a_planted_mistake_in_a_loss_is_noticed(change: Callable[[f.Formula], f.Formula]) -> None:
    with pytest.raises(AssertionError):
        check_loss(LOSSES["half_squared_error"], change)
