"""The prover's evaluator against the witness's, node by node, and by dual numbers against the witness's jets."""

from fractions import Fraction

import formula_values
import mpmath
import pytest
from exact import Env, Jet
from formula_examples import ARRAYS, EXAMPLES, SIGMA, P, U, environment, s

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra.meaning import meaning
from symbackprop.algebra.shape import shape
from symbackprop.errors import Unsupported
from symbackprop.proof.evaluate import Place, stand_in, value
from symbackprop.proof.normal import Normaliser
from symbackprop.proof.numbers import Ball, Dual, NoValue
from symbackprop.proof.ring import Ring

BITS = 200


def with_known_sigma(node):
    """The node with the stand-in in place of the opaque function, so that both evaluators take the same."""

    def change(u):
        return f.Map(stand_in("sigma"), u.arg, u.order) if isinstance(u, f.Map) and u.function == SIGMA else u

    return f.rewrite(node, change)


def place(env, arrays=None):
    held = arrays or env.arrays
    whole = {name: int(v) if isinstance(v, int) else Fraction(v) for name, v in env.scalars.items()}
    return Place(lambda symbol: held[symbol.name], whole, BITS, off_kinks=False)


def as_mpf(x):
    if isinstance(x, Ball):
        return mpmath.ldexp(x.mid, -x.bits)
    return mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator


def number(x):
    return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, int | Fraction) else mpmath.mpf(x)


COMPARED = {
    name: with_known_sigma(node)
    for name, node in EXAMPLES.items()
    if not any(isinstance(u, f.OpaqueLoss | f.Derivative) for u in f.walk(node)) and name != "Power, a named exponent"
}


@pytest.mark.parametrize("name", COMPARED)
def test_each_node_has_the_witness_value(name):
    node, env = COMPARED[name], environment()
    with mpmath.workdps(50):
        wanted = formula_values.value(node, env)
        got = value(node, place(env))
        assert (len(got), len(got[0])) == wanted.shape
        for row, other in zip(got, wanted, strict=True):
            for x, y in zip(row, other, strict=True):
                assert abs(as_mpf(x) - number(y)) < mpmath.mpf(10) ** -40


@pytest.mark.parametrize("name", [n for n, u in COMPARED.items() if f.depends_on(u, U) or f.depends_on(u, P)])
def test_dual_numbers_are_jets(name):
    node, env = COMPARED[name], environment()
    by = U if f.depends_on(node, U) else P
    rows = env.arrays[by.name]
    with mpmath.workdps(50):
        jets = [[Jet(x, Fraction(int((a, b) == (1, 2)))) for b, x in enumerate(row)] for a, row in enumerate(rows)]
        wanted = formula_values.value(node, Env(env.arrays | {by.name: jets}, env.scalars, env.functions, env.losses))
        duals = [[Dual(x, int((a, b) == (1, 2))) for b, x in enumerate(row)] for a, row in enumerate(rows)]
        got = value(node, place(env, env.arrays | {by.name: duals}))
        for row, other in zip(got, wanted, strict=True):
            for x, y in zip(row, other, strict=True):
                slope = x.slope if isinstance(x, Dual) else 0
                assert abs(as_mpf(slope) - number(y.d if isinstance(y, Jet) else 0)) < mpmath.mpf(10) ** -40


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_node_has_a_normal_form_or_a_reason(name):
    """Every node is known; what is refused is refused for its indices or its sums."""
    node = EXAMPLES[name]
    body, normaliser = meaning(node).body, Normaliser(Ring(), sizes={"n_1", "n_2", "n_3"})
    if any(i.is_Add for u in ix.walk(body) for name in u.indexed for i in _indices(getattr(u, name))):
        with pytest.raises(Unsupported, match=r"index|sum that ends"):
            normaliser.of(body, {})
    else:
        assert isinstance(normaliser.of(body, {}), dict)


def _indices(value):
    return value if isinstance(value, tuple) else (value,) if value is not None else ()


def test_a_node_that_nobody_knows_is_refused():
    class Conjugate(f.Formula):
        """A node that nobody knows."""

    class Unknown(ix.IndexExpr):
        """An index expression that nobody knows."""

    with pytest.raises(TypeError, match="Conjugate"):
        value(Conjugate(), place(environment()))
    with pytest.raises(Unsupported, match="Unknown"):
        Normaliser(Ring()).of(Unknown(), {})


def test_a_kink_has_a_value_only_where_it_is_asked_for():
    relu = f.Map(f.Function("relu", "relu", EXAMPLES["Map, positive_part"].function.definition), s)
    at_zero = {"s": [[0]]}
    loose = Place(lambda symbol: at_zero[symbol.name], {}, BITS, off_kinks=False)
    strict = Place(lambda symbol: at_zero[symbol.name], {}, BITS)
    assert value(relu, loose) == [[0]]
    with pytest.raises(NoValue):
        value(relu, strict)


def test_arrays_of_the_examples_have_their_shapes():
    env = environment()
    assert all(len(env.arrays[a.name]) == env.whole(shape(a)[0]) for a in ARRAYS)
