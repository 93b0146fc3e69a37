"""Canonical names: renamed copies have one form, and what has one form has one value, over random tensor networks."""

import itertools
import random

import numpy as np
import pytest

from symbackprop.proof.budget import Budget, BudgetEnded
from symbackprop.proof.ring import Ring

SIZES = {"n": 2, "m": 3}
AXES = {"A": ("n", "n"), "B": ("n", "m"), "C": ("m", "m"), "u": ("n",), "v": ("m",), "T": ("n", "n", "m")}
LETTERS = {"n": "ijklpq", "m": "stxyzw"}


def arrays(seed):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(-5, 6, [SIZES[a] for a in axes]).astype(object) for name, axes in AXES.items()}


def network(rng, free=()):
    """Random factors over a few indices; those in ``free`` stay free, the others are summed over."""
    use = {size: rng.sample(LETTERS[size], rng.randint(1, 3)) for size in SIZES}
    factors = []
    for _ in range(rng.randint(1, 6)):
        name = rng.choice(list(AXES))
        factors.append((name, tuple(rng.choice(use[size]) for size in AXES[name])))
    return factors


def value(factors, free, held):
    """The array at the free indices, by going through all indices one by one."""
    indices = sorted({i for _, at in factors for i in at} | set(free))
    size = {i: SIZES["n" if i in LETTERS["n"] else "m"] for i in indices}
    out = np.zeros([size[i] for i in free], dtype=object)
    for chosen in itertools.product(*(range(size[i]) for i in indices)):
        at = dict(zip(indices, chosen, strict=True))
        product = 1
        for name, places in factors:
            product *= held[name][tuple(at[i] for i in places)]
        out[tuple(at[i] for i in free)] += product
    return out


def form(ring, factors, free, order):
    bound = [i for i in order if i not in free]
    p = ring.mul(*(ring.entry(name, at) for name, at in factors)) if factors else ring.constant(1)
    for i in bound:
        p = ring.sum(p, i, "n" if i in LETTERS["n"] else "m")
    return p


def shuffled(rng, factors, free):
    """The same network with its bound indices renamed, its factors and its sums in another order."""
    bound = sorted({i for _, at in factors for i in at} - set(free))
    names = {}
    for letters in LETTERS.values():
        mine = [i for i in bound if i in letters]
        names.update(zip(mine, rng.sample([i for i in letters if i not in free], len(mine)), strict=True))
    renamed = [(name, tuple(names.get(i, i) for i in at)) for name, at in factors]
    rng.shuffle(renamed)
    order = [names[i] for i in bound]
    rng.shuffle(order)
    return renamed, order


@pytest.mark.parametrize("free", [(), ("i",), ("i", "j"), ("i", "s"), ("i", "j", "s")], ids=str)
def test_renamed_copies_have_one_form_and_one_form_has_one_value(free):
    rng = random.Random(str(free))
    ring = Ring()
    held = [arrays(seed) for seed in range(3)]
    by_form = {}
    for _ in range(250):
        factors = network(rng)
        order = sorted({i for _, at in factors for i in at})
        ring.budget = Budget()
        first = form(ring, factors, free, order)
        for _ in range(3):
            again, other = shuffled(rng, factors, free)
            assert form(ring, again, free, other) == first, (factors, again)
        values = [value(factors, free, h).tolist() for h in held]
        assert by_form.setdefault(frozenset(first.items()), values) == values, factors


def test_different_values_have_different_forms():
    """The converse, for networks whose values tell them apart."""
    rng = random.Random(7)
    ring, held = Ring(), [arrays(seed) for seed in range(4)]
    by_value = {}
    for _ in range(400):
        factors = network(rng)
        ring.budget = Budget()
        found = form(ring, factors, (), sorted({i for _, at in factors for i in at}))
        values = str([value(factors, (), h).tolist() for h in held])
        known = by_value.setdefault(values, found)
        assert known == found, factors


def test_joined_indices_are_what_they_would_be_from_the_start():
    """Renaming two free indices into one gives the form of the network in which they were one."""
    rng = random.Random(3)
    for _ in range(200):
        ring, factors = Ring(), network(rng)
        order = sorted({i for _, at in factors for i in at})
        apart = form(ring, factors, ("i", "j"), order)
        joined = [(name, tuple("i" if i == "j" else i for i in at)) for name, at in factors]
        assert ring.rename(apart, {"j": "i"}) == form(ring, joined, ("i",), [i for i in order if i != "j"])


def test_indices_that_tie_are_exchanged_only_where_nothing_changes():
    """A directed triangle: its corners look alike, and may be turned, but not two of them exchanged."""
    ring = Ring()

    def triangle(i, j, k):
        return ring.exp(ring.mul(ring.entry("A", (i, j)), ring.entry("A", (j, k)), ring.entry("A", (k, i))))

    assert triangle("i", "j", "k") == triangle("j", "k", "i")
    assert triangle("i", "j", "k") != triangle("j", "i", "k")
    assert ring.rename(triangle("i", "j", "k"), {"i": "j", "j": "i"}) == triangle("j", "i", "k")


def test_many_equal_factors_tie_without_cost_or_end_in_a_budget():
    ring = Ring(budget=Budget(20_000))
    p = ring.constant(1)
    for n in range(7):
        p = ring.mul(p, ring.entry("A", ("i", f"k{n}")), ring.entry("u", (f"k{n}",)))
    for n in range(7):
        p = ring.sum(p, f"k{n}", "n")
    assert len(ring.sum(p, "i", "n")) == 1
    cube = ring.constant(1)  # a graph whose vertices look alike: the least order is searched for, within a budget
    for a, b in itertools.combinations(range(8), 2):
        if bin(a ^ b).count("1") == 1:
            cube = ring.mul(cube, ring.entry("A", (f"k{a}", f"k{b}")), ring.entry("A", (f"k{b}", f"k{a}")))
    try:
        for n in range(8):
            cube = ring.sum(cube, f"k{n}", "n")
        assert len(cube) == 1
    except BudgetEnded as error:
        assert "tie" in str(error)  # noqa: PT017 (either is an answer)
