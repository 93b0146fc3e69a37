"""A derivative along a line: right, with an error estimate that covers what is wrong with it."""

import numpy as np
import pytest

from symbackprop.numeric.ladder import one_sided, slope
from symbackprop.numeric.noise import noise

EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (np.exp, 1.0),
        (lambda t: np.sin(3 * t) + 2, 3.0),
        (lambda t: np.tanh(t + 0.5), 1 - np.tanh(0.5) ** 2),
        (lambda t: 1 / (2 + t), -0.25),
        (lambda t: np.log1p(np.exp(40 * t)), 20.0),
        (lambda t: 5.0, 0.0),
    ],
)
def test_a_smooth_function(function, derivative):
    s = slope(function, float(function(0.0)), 0.25, 4 * EPS * abs(function(0.0)))
    assert abs(s.value - derivative) <= s.error <= 1e-9 * max(abs(derivative), 1)
    assert s.jump == 0


@pytest.mark.parametrize("where", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
@pytest.mark.parametrize("height", [1.0, 1e-3])
def test_a_kink_nearby_is_stepped_around(where, height):
    def function(t):
        return np.sin(t) + height * np.maximum(t - where, 0.0)

    s = slope(function, function(0.0), 0.25, 4 * EPS, rungs=18)
    assert abs(s.value - 1) <= s.error < 1e-2 * height


def test_a_kink_that_no_step_resolves_widens_the_estimate():
    """At 1e-13 the kink lies below rounding: what is seen is the mean of both sides, and the estimate says so."""
    s = slope(lambda t: np.maximum(t - 1e-13, 0.0) + 1, 1.0, 0.25, 4 * EPS)
    assert abs(s.value - 0) <= s.error


def test_a_kink_at_the_point_is_a_jump():
    s = slope(lambda t: 2 * t + 3 * abs(t), 0.0, 0.25, EPS)
    assert s.jump == pytest.approx(6.0)
    assert s.ends == pytest.approx((-1.0, 5.0))
    for sign, side in ((1.0, 5.0), (-1.0, -1.0)):
        found = one_sided(lambda t: 2 * t + 3 * abs(t) + t**2, 0.0, sign * 0.25, EPS)
        assert abs(found.value - side) <= found.error < 1e-8


def test_steps_that_leave_the_domain_are_left_out():
    with np.errstate(all="ignore"):
        s = slope(lambda t: float(np.log(1e-3 + t)), float(np.log(1e-3)), 0.25, 8 * EPS)
    assert abs(s.value - 1e3) <= s.error < 1e-3


def test_nothing_is_said_of_a_function_that_is_nowhere_finite():
    s = slope(lambda t: float("nan"), 1.0, 0.25, EPS)
    assert not s.error < np.inf


def value_of(x):
    """log-sum-exp minus a logit: tiny, with the rounding of the logit."""
    z = np.array([x["w"][0] * 50, x["w"][1] * 20])
    top = z.max()
    return np.log(np.exp(z - top).sum()) + top - z[0]


@pytest.mark.parametrize("longer", [True, False])
def test_noise_is_that_of_what_a_value_was_computed_from(longer):
    base = {"w": np.array([1.0, 1.1])}
    in_long = (lambda p: float(value_of({"w": p["w"].astype(np.longdouble)}))) if longer else None
    value = float(value_of(base))
    assert abs(value) < 1e-10
    found = noise(lambda p: float(value_of(p)), in_long, base, EPS, np.random.default_rng(0))
    assert 1e-15 < found < 1e-12


def test_a_constant_may_be_what_rounding_left_of_a_logit():
    assert EPS < noise(lambda p: 0.0, None, {"w": np.ones(3)}, EPS, np.random.default_rng(0)) < 1e-12
    assert noise(lambda p: 1e9, None, {"w": np.ones(3)}, EPS, np.random.default_rng(0)) == 1e9 * EPS


def test_noise_of_a_value_that_was_rounded_to_float32():
    found = noise(
        lambda p: float(np.float32(np.sum(np.sin(p["w"])))), None, {"w": np.ones(9)}, EPS, np.random.default_rng(0)
    )
    assert 1e-7 < found < 1e-4
