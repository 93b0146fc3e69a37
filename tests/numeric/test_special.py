"""The error functions that go into generated modules, against mpmath."""

import mpmath
import numpy as np
import pytest

from symbackprop.numeric.loader import load
from symbackprop.numeric.special_source import SPECIAL, helpers

POINTS = np.concatenate([np.linspace(-9, 27, 721), [-1.0, 1.0, 8.0, 0.0, 1e-9, -1e-300, 40.0, -1000.0, 1000.0]])


@pytest.mark.parametrize("name", SPECIAL)
def test_relative_error_is_a_few_units_of_rounding(name):
    function = load("import numpy as np\n" + helpers(f"{name}("), name)
    got = function(np, POINTS)
    with mpmath.workdps(40):
        want = np.array([float(getattr(mpmath, name)(mpmath.mpf(float(x)))) for x in POINTS])
    normal = np.abs(want) > 1e-290
    # e^(-x^2) carries the rounding of x^2, which is x^2 units.
    allowed = 4e-16 * (4 + np.where(POINTS > 0, POINTS**2, 0)) if name == "erfc" else np.full(len(POINTS), 2e-15)
    assert np.all(np.abs(got - want)[normal] <= (allowed * np.abs(want))[normal])
    assert np.all(np.abs(got - want)[~normal] <= 1e-290)


def test_single_precision_stays():
    function = load("import numpy as np\n" + helpers("erfc("), "erfc")
    assert function(np, np.array([0.3, -2.0, 9.0], np.float32)).dtype == np.float32
