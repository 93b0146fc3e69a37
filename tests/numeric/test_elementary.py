"""Every stable form is its definition: to 40 digits, at points on all pieces, and so is every rate."""

import graph_values
import mpmath
import pytest
import sympy

from symbackprop.algebra import functions
from symbackprop.algebra.formula import SCALAR, Function
from symbackprop.errors import Unsupported
from symbackprop.model.activations import ACTIVATIONS
from symbackprop.numeric import stable
from symbackprop.numeric.elementary import Build, form, forms
from symbackprop.numeric.graph import Graph
from symbackprop.numeric.scalar_code import nodes_of, stabilised

POINTS = ["-31", "-7.3", "-2.4", "-0.7", "-0.02", "0.03", "0.6", "0.9", "1.8", "5.1", "8.2", "29"]
POSITIVE = {functions.LOG, functions.SQRT, stable.X_LOG_X}
NAMED = {
    **functions.FUNCTIONS,
    **{u.name: u for u in (functions.sigmoid(), functions.softplus(), functions.log_cosh())},
    **{n: a.function for n, a in ACTIVATIONS.items() if a.definition is not None},
    **{v.name: v for v in vars(stable).values() if isinstance(v, Function)},
    "clip": functions.clip(-1, 2),
    "interval": functions.interval(-3, 1),
    "huber": functions.huber(2),
}
z = Function.argument


def computed(function, order, point, held=True):
    graph = Graph()
    i = form(function, order, held)(Build(graph), graph.input("z", SCALAR))
    return graph_values.value(graph, i, {"z": mpmath.mpf(point)})


def wanted(function, order, point):
    expr = function.derivative(order) if order else function.definition
    return mpmath.mpmathify(sympy.N(expr.subs(z, sympy.Rational(point)), mpmath.mp.dps))


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("name", NAMED)
def test_a_form_is_its_definition(name, order):
    function = NAMED[name]
    exact = name not in ("log_softplus", "sigmoid_over_softplus")  # those hold z at -37, where e^z is 1e-16
    with mpmath.workdps(120):
        for point in POINTS:
            if function in POSITIVE and point.startswith("-"):
                continue
            got, want = computed(function, order, point), wanted(function, order, point)
            assert abs(got - want) <= (1e-40 if exact else 1e-15) * max(1, abs(want)), point


def test_every_form_is_under_test():
    assert set(forms()) <= {function.definition for function in NAMED.values()}


@pytest.mark.parametrize("point", ["-60", "-1000"])
def test_far_below_zero_softplus_is_replaced_by_its_limit(point):
    with mpmath.workdps(700):
        for function in (stable.LOG_SOFTPLUS, stable.SOFTPLUS_RATIO):
            got, want = computed(function, 0, point), wanted(function, 0, point)
            assert abs(got - want) <= 2e-16 * max(1, abs(want))


@pytest.mark.parametrize(
    "definition",
    [
        z / (1 + sympy.exp(-3 * z)),
        sympy.log(1 + sympy.exp(2 * z)) ** 2 / (1 + sympy.exp(z)),
        sympy.Piecewise((z**3, z > 1), (sympy.exp(z), z <= 0), (sympy.sin(z), True)),
        sympy.sqrt(1 + z**2) - sympy.Rational(1, 3) * z**5,
        (1 + z**2) ** sympy.Rational(-3, 2),
        sympy.atan(0) + sympy.cosh(z) * sympy.erfc(z),
    ],
)
@pytest.mark.parametrize("order", [0, 1, 2])
def test_functions_of_a_users_own(definition, order):
    function = Function("own", "own", definition)
    with mpmath.workdps(120):
        for held in (True, False):
            for point in ("-1.3", "0.4", "2.1"):
                got, want = computed(function, order, point, held), wanted(function, order, point)
                assert abs(got - want) <= 1e-40 * max(1, abs(want))


def test_a_users_silu_is_computed_as_silu():
    definition = sympy.Symbol("z", real=True) / (1 + sympy.exp(-z))
    assert form(Function("mine", "f", definition), 1) is form(ACTIVATIONS["silu"].function, 1)


def test_an_unknown_function_is_named():
    with pytest.raises(Unsupported, match="code for zeta"):
        nodes_of(sympy.zeta(z), Graph(), {z: 0})


def test_rates_of_what_is_stable_do_not_overflow():
    rate = sympy.diff(stabilised(z / (1 + sympy.exp(-z))), z)
    assert not rate.has(sympy.exp)
