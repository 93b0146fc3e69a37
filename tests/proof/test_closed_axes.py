"""Targets that sum to 1 do so along their units, whatever else has size 1."""

import sympy

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE
from symbackprop.proof.equality import Equality
from symbackprop.proof.setting import of_network

S, K, M = sympy.symbols("s K m")


def equality(units: object, batch: object, samples: str) -> tuple[Equality, f.Symbol]:
    network = Network([Dense(units, "softmax")], inputs="n", loss="cross_entropy", batch=batch, samples=samples)
    return Equality(of_network(network.derive())), network.model.y


def test_one_unit_does_not_make_the_samples_sum_to_1() -> None:
    equal, y = equality(1, "m", "columns")
    assert equal.equal(f.IndexSum(f.Entry(y, ONE, S), S, ONE, M), f.formula(1)).equal is False


def test_the_units_of_one_sample_in_a_row_sum_to_1() -> None:
    equal, y = equality("K", 1, "rows")
    assert equal.equal(f.IndexSum(f.Entry(y, ONE, S), S, ONE, K), f.formula(1)).equal is True


def test_the_entries_of_a_given_number_of_units_sum_to_1() -> None:
    equal, y = equality(3, "m", "columns")
    entries = tuple(f.Entry(y, sympy.Integer(k), S) for k in (1, 2, 3))
    assert equal.equal(f.Add(entries), f.formula(1)).equal is True
    assert equal.equal(f.Add(entries[:2]), f.formula(1)).equal is False
