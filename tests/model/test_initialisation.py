"""Initialisations: the spread that a large sample has is the one that the formula says."""

import numpy as np
import pytest

from symbackprop.errors import NetworkError
from symbackprop.model.initialisation import INITIALISATIONS, sample

SPREAD = {"zeros": 0.0, "normal": 0.1, "xavier": (2 / (300 + 200)) ** 0.5}


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_a_large_sample_has_the_standard_deviation_of_the_formula(name):
    drawn = sample(name, np.random.default_rng(0), (200, 300), 300, 200)
    assert drawn.shape == (200, 300)
    assert drawn.std() == pytest.approx(SPREAD[name], rel=0.01)
    assert abs(drawn.mean()) <= 4 * SPREAD[name] / drawn.size**0.5


def test_the_seed_decides():
    first, second = (sample("xavier", np.random.default_rng(7), (2, 3), 3, 2) for _ in range(2))
    assert (first == second).all()
    assert (first != sample("xavier", np.random.default_rng(8), (2, 3), 3, 2)).all()


def test_every_entry_says_what_it_is_for_and_where_it_comes_from():
    for name, entry in INITIALISATIONS.items():
        assert entry.name == name
        assert entry.latex and entry.use and entry.source
    assert r"\sqrt{\frac{2}{n_{\mathrm{in}} + n_{\mathrm{out}}}}" in INITIALISATIONS["xavier"].latex


def test_what_is_unknown_is_refused():
    with pytest.raises(NetworkError, match="known are zeros, normal, xavier"):
        sample("he", np.random.default_rng(0), (1, 1), 1, 1)
    with pytest.raises(NetworkError, match="at least one unit"):
        sample("xavier", np.random.default_rng(0), (1, 1), 0, 0)
