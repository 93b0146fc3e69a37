"""Counts against an independent truth: naive loops over numbers that count what is done with them."""

import itertools
import math

import pytest
import sympy

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.calculus.counts import costs, operations, parameter_count, parameter_counts, shapes
from symbackprop.errors import Unsupported

SIZES = {"n_0": 5, "n_1": 4, "n_2": 3, "m": 2}


class Counted:
    """A number whose products are counted where a matrix product makes them, and every function of it."""

    done = 0

    def __init__(self, value):
        self.value = value

    def __mul__(self, other):
        Counted.done += 1
        return Counted(self.value * other.value)

    def __add__(self, other):
        return Counted(self.value + other.value)

    def apply(self, function):
        Counted.done += 1
        return Counted(function(self.value))


def counted(run):
    Counted.done = 0
    result = run()
    return Counted.done, result


def table(rows, columns, entry):
    return [[entry(i, j) for j in range(columns)] for i in range(rows)]


def dims(array):
    return len(array), len(array[0])


class Loops:
    """Evaluates formulas by loops, each distinct part once; ones only copy and add, a diagonal matrix scales."""

    def __init__(self, known):
        self.known, self.made = known, {}

    def __call__(self, node):
        if node not in self.made:
            self.made[node] = self.known[node.name] if isinstance(node, f.Symbol) else self.evaluate(node)
        return self.made[node]

    def evaluate(self, node):
        parts = [self(child) for child in node.children]
        match node:
            case f.Number(value):
                return [[Counted(float(value))]]
            case f.Scalar(name):
                return [[Counted(float(SIZES.get(name, 0.3)))]]
            case f.Ones(shape=size):
                return table(*(SIZES.get(str(n), 1) for n in size), lambda i, j: Counted(1.0))
            case f.Product():
                result, cheap = parts[0], isinstance(node.factors[0], f.Ones | f.Diagonal)
                for factor, part in zip(node.factors[1:], parts[1:]):
                    free = isinstance(factor, f.Ones | f.Diagonal)
                    result, cheap = self.product(result, part, free or cheap), free and cheap
                return result
            case f.Diagonal():
                line = [u for row in parts[0] for u in row]
                return table(len(line), len(line), lambda i, j: line[i] if i == j else Counted(0.0))
            case f.Transpose():
                return [list(row) for row in zip(*parts[0])]
            case f.Total(axis=axis):
                return self.total(parts[0], axis)
            case f.Map():
                return self.each(lambda u: u.apply(of(node)), *parts)
            case f.Softmax(axis=axis):
                return self.softmax(parts[0], axis)
            case f.Norm(order=1):
                return self.total(self.each(lambda u: u.apply(abs), *parts), None)
            case f.Norm(order=2):
                return self.total(self.each(lambda u: Counted(u.value**2), *parts), None)
        return self.each(lambda *us: Counted(ARITHMETIC[type(node)](*(u.value for u in us))), *parts)

    @staticmethod
    def each(change, *arrays):
        size = max(map(dims, arrays))
        spread = [u if dims(u) == size else table(*size, lambda i, j, u=u: u[0][0]) for u in arrays]
        return table(*size, lambda i, j: change(*(u[i][j] for u in spread)))

    @staticmethod
    def product(left, right, free):
        if (1, 1) in (dims(left), dims(right)):
            return Loops.each(lambda u, v: Counted(u.value * v.value), left, right)
        (rows, inner), (below, columns) = dims(left), dims(right)
        assert inner == below
        out = table(rows, columns, lambda i, j: Counted(0.0))
        for i, j, k in itertools.product(range(rows), range(columns), range(inner)):
            pair = Counted(left[i][k].value * right[k][j].value) if free else left[i][k] * right[k][j]
            out[i][j] = out[i][j] + pair
        return out

    @staticmethod
    def total(array, axis):
        columns = list(zip(*array))
        if axis is None:
            return [[Counted(sum(u.value for row in array for u in row))]]
        if axis == 0:
            return [[Counted(sum(u.value for u in column)) for column in columns]]
        return [[Counted(sum(u.value for u in row))] for row in array]

    @staticmethod
    def softmax(array, axis):
        powers = Loops.each(lambda u: u.apply(math.exp), array)
        sums = Loops.total(powers, axis)
        at = (lambda i, j: sums[0][j]) if axis == 0 else (lambda i, j: sums[i][0])
        return table(*dims(array), lambda i, j: Counted(powers[i][j].value / at(i, j).value))


ARITHMETIC = {
    f.Add: lambda *us: sum(us),
    f.Negative: lambda u: -u,
    f.Hadamard: lambda *us: math.prod(us),
    f.Quotient: lambda u, v: u / v,
    f.Power: lambda u, v: u**v,
}


def of(node):
    z = f.Function.argument
    expr = node.function.definition if node.order == 0 else node.function.derivative(node.order)
    return lambda value: float(expr.subs(z, value))


def start(derived):
    """Some numbers for the data and the parameters, by name."""
    model, values = derived.model, itertools.count(1)
    arrays = [model.x, model.y, *model.parameters]
    known = {}
    for array in arrays:
        rows, columns = (int(n.subs(SIZES)) for n in array.shape)
        known[array.name] = table(rows, columns, lambda i, j: Counted(0.5 + 0.4 * math.sin(next(values))))
    return known


def forward(derived, known):
    loops = Loops(dict(known))
    for assignment in derived.model.assignments:
        loops.known[assignment.symbol.name] = loops(assignment.formula)
    return loops.known


def backward(derived, known):
    loops = Loops(dict(known))
    for error, formula in derived.backward.errors.items():
        loops.known[error.name] = loops(formula)
    return {name: loops(formula) for name, formula in derived.formulas.items()}


def at(count):
    return int(count.subs(SIZES))


def net(activations, loss, **more):
    sizes = ["n_1", "n_2"]
    layers = [Dense(n, a, bias=more.pop(f"bias_{n}", True)) for n, a in zip(sizes, activations)]
    return Network(layers, inputs="n_0", loss=loss, **more).derive()


NETWORKS = {
    "sigmoid": net(["sigmoid", "sigmoid"], "binary_cross_entropy", batch="m"),
    "one example": net(["tanh", "identity"], "squared_error"),
    "softmax inside": net(["softmax", "softmax"], "cross_entropy", batch="m", l1="mu", l2="lambda", labels="any"),
    "softmax, one example": net(["softmax", "tanh"], "half_squared_error", bias_n_1=False),
    "rows": net(["relu", "sigmoid"], "squared_error", batch="m", samples="rows", bias_n_2=False),
    "in x out": net(["tanh", "tanh"], "squared_error", batch="m", samples="rows", weights="in x out"),
}


@pytest.fixture(params=NETWORKS)
def derived(request):
    return NETWORKS[request.param]


def test_forward_and_backward_as_the_loops_count_them(derived):
    found, known = costs(derived), start(derived)
    done, values = counted(lambda: forward(derived, known))
    assert done == at(found.forward)
    done, _ = counted(lambda: backward(derived, values))
    assert done == at(found.backward)


def test_finite_differences_as_the_loops_count_them(derived):
    """The loops that are counted also compute the gradient that the derivation claims."""
    found, known, step = costs(derived), start(derived), 1e-5
    names = [p.name for p in derived.model.parameters]
    gradients = backward(derived, forward(derived, known))

    def cost():
        return forward(derived, known)["J"][0][0].value

    def one_sided():
        base, slopes = cost(), []
        for name in names:
            for row in known[name]:
                for u in row:
                    u.value += step
                    slopes.append((cost() - base) / step)
                    u.value -= step
        return slopes

    done, slopes = counted(one_sided)
    assert done == at(found.one_sided.doit())
    exact = [u.value for name in names for row in gradients[name] for u in row]
    assert slopes == pytest.approx(exact, abs=1e-3)
    assert len(exact) == at(found.parameters)
    assert at(found.central.doit()) == 2 * len(exact) * at(found.forward)


def jacobian_loops(model):
    """Form every Jacobian of each sample entry by entry, and multiply a row through them, counting both."""
    done = 0
    sizes = [int(n.subs(SIZES)) for n in model.sizes]
    samples = 1 if model.frame.samples is None else int(model.frame.samples.subs(SIZES))
    for _ in range(samples):
        done += sizes[-1]  # dL/da_L
        for number in range(len(model.layers), 0, -1):
            n, below = sizes[number], sizes[number - 1]
            widths = [n, n * below, *([n] if model.layers[number - 1].bias else [])]
            for width in widths:  # da/dz, dz/dW, dz/db
                for _i, _j in itertools.product(range(n), range(width)):
                    done += 2  # the entry is formed, and met once by the row
            if number > 1:
                done += sum(1 for _ in itertools.product(range(n), range(below)))  # the row times W
    return done


def test_the_product_of_the_full_jacobians(derived):
    assert at(costs(derived).jacobians) == jacobian_loops(derived.model)


def hand_written(sizes, samples):
    """What anybody would write for sigmoid layers and binary cross-entropy, size 1 like any other."""
    forward_done = backward_done = 0
    for below, n in itertools.pairwise(sizes):
        for _ in itertools.product(range(samples), range(n), range(below)):
            forward_done += 1  # w * a
        forward_done += samples * n  # sigma
    forward_done += samples * sizes[-1] * 2  # log a, log(1 - a)
    for number in range(len(sizes) - 1, 0, -1):
        for _ in itertools.product(range(sizes[number]), range(sizes[number - 1]), range(samples)):
            backward_done += 1  # delta * a
            backward_done += number > 1  # w * delta
    return forward_done, backward_done


@pytest.mark.parametrize(("sizes", "batch"), [([4, 3, 2, 1], 5), ([1, 1, 1], 1), ([1, 4, 1], None), ([2, 3], 1)])
def test_a_size_of_1_is_counted_like_any_other(sizes, batch):
    layers = [Dense(n, "sigmoid") for n in sizes[1:]]
    found = costs(Network(layers, inputs=sizes[0], loss="binary_cross_entropy", batch=batch).derive())
    assert (found.forward, found.backward) == hand_written(sizes, batch or 1)


def test_the_notes_count_3m_plus_14():
    model = Network([Dense(3), Dense(2), Dense(1)], inputs="m", loss="squared_error").model
    m = sympy.Symbol("m")
    assert parameter_count(model) == 3 * m + 14
    assert [layer.count for layer in parameter_counts(model)] == [3 * m + 3, 8, 3]
    without = Network([Dense(3), Dense(2, bias=False), Dense(1)], inputs="m", loss="squared_error").model
    assert parameter_count(without) == 3 * m + 12


def test_shapes_of_every_array():
    found = {symbol.name: shape for symbol, shape in shapes(NETWORKS["rows"].model).items()}
    n_0, n_1, m = sympy.symbols("n_0 n_1 m")
    assert found["X"] == (m, n_0)
    assert found["W1"] == (n_1, n_0)
    assert found["Delta1"] == (m, n_1)
    assert found["b1"] == (n_1, 1)


def test_a_sum_over_an_index_is_not_counted():
    with pytest.raises(Unsupported):
        operations([f.IndexSum(f.Scalar("a"), sympy.Symbol("i"), sympy.S.One, sympy.Symbol("n"))])
