"""The printed closed forms are those of the books, letter for letter, in two notations.

Sources: the error of the last layer for each pair as in Bishop, Pattern Recognition and Machine Learning, 5.2 to 5.3
(matching pairs give a - y), Goodfellow et al., Deep Learning, 6.2 (output units), Nielsen, Neural Networks and Deep
Learning, chapter 2 (BP1 to BP4), and elementary calculus where no book prints the pair. {a}, {y}, {z} stand for the
arrays in each notation, {s} for the square of the activation.
"""

import pytest

from symbackprop import Dense, Network, NetworkError

# (loss, activation): the error of one example.
BOOKS = {
    ("squared_error", "identity"): r"2 ({a} - {y})",
    ("squared_error", "sigmoid"): r"2 ({a} - {y}) \odot {a} \odot (1 - {a})",
    ("squared_error", "tanh"): r"2 ({a} - {y}) \odot (1 - {s})",
    ("squared_error", "relu"): r"2 ({a} - {y}) \odot \mathbf{{1}}\left[{z} > 0\right]",
    ("squared_error", "softmax"): r"2 (({a} - {y}) \odot {a} - {a} ({aT} ({a} - {y})))",
    ("squared_error", "generic"): r"2 ({a} - {y}) \odot \sigma'({z})",
    ("half_squared_error", "identity"): r"{a} - {y}",
    ("half_squared_error", "sigmoid"): r"({a} - {y}) \odot {a} \odot (1 - {a})",
    ("half_squared_error", "tanh"): r"({a} - {y}) \odot (1 - {s})",
    ("half_squared_error", "relu"): r"({a} - {y}) \odot \mathbf{{1}}\left[{z} > 0\right]",
    ("half_squared_error", "softmax"): r"({a} - {y}) \odot {a} - {a} ({aT} ({a} - {y}))",
    ("half_squared_error", "generic"): r"({a} - {y}) \odot \sigma'({z})",
    ("binary_cross_entropy", "identity"): r"\frac{{{a} - {y}}}{{{a} \odot (1 - {a})}}",
    ("binary_cross_entropy", "sigmoid"): r"{a} - {y}",
    ("binary_cross_entropy", "tanh"): r"\frac{{({a} - {y}) \odot (1 + {a})}}{{{a}}}",
    ("binary_cross_entropy", "relu"): (
        r"\frac{{({a} - {y}) \odot \mathbf{{1}}\left[{z} > 0\right]}}{{{a} \odot (1 - {a})}}"
    ),
    ("binary_cross_entropy", "generic"): r"\frac{{({a} - {y}) \odot \sigma'({z})}}{{{a} \odot (1 - {a})}}",
    ("cross_entropy", "identity"): r"-\frac{{{y}}}{{{a}}}",
    ("cross_entropy", "sigmoid"): r"-{y} \odot (1 - {a})",
    ("cross_entropy", "tanh"): r"-\frac{{{y} \odot (1 - {s})}}{{{a}}}",
    ("cross_entropy", "relu"): r"-\frac{{{y} \odot \mathbf{{1}}\left[{z} > 0\right]}}{{{a}}}",
    ("cross_entropy", "softmax"): r"{a} - {y}",
    ("cross_entropy", "generic"): r"-\frac{{{y} \odot \sigma'({z})}}{{{a}}}",
    ("generic", "identity"): r"\nabla_{{{a}}} C",
    ("generic", "sigmoid"): r"\nabla_{{{a}}} C \odot {a} \odot (1 - {a})",
    ("generic", "tanh"): r"\nabla_{{{a}}} C \odot (1 - {s})",
    ("generic", "relu"): r"\nabla_{{{a}}} C \odot \mathbf{{1}}\left[{z} > 0\right]",
    ("generic", "softmax"): r"\nabla_{{{a}}} C \odot {a} - {a} ({aT} \nabla_{{{a}}} C)",
    ("generic", "generic"): r"\nabla_{{{a}}} C \odot \sigma'({z})",
}

NOTATIONS = {
    "(l)": {"a": "a^{(2)}", "aT": "a^{(2)T}", "s": "(a^{(2)})^2", "z": "z^{(2)}", "y": "y"},
    "_l": {"a": "a_2", "aT": "a_2^T", "s": "a_2^2", "z": "z_2", "y": "y"},
}


def network(loss, activation, style="(l)", **more):
    layers = [Dense("n_1", "tanh"), Dense("n_2", activation)]
    return Network(layers, inputs="n_0", loss=loss, notation={"layer": style}, **more)


@pytest.mark.parametrize("style", NOTATIONS)
@pytest.mark.parametrize(("loss", "activation"), BOOKS)
def test_the_error_of_the_last_layer(loss, activation, style):
    d = network(loss, activation, style).derive()
    printed = d.writer(d.defining_formulas[d.model.symbols["delta2"]])
    assert printed == BOOKS[loss, activation].format(**NOTATIONS[style])


def test_every_pair_that_a_network_takes_has_a_golden_form():
    taken = set()
    for loss in {loss for loss, _ in BOOKS}:
        for activation in {activation for _, activation in BOOKS}:
            try:
                network(loss, activation)
            except NetworkError:
                continue
            taken.add((loss, activation))
    assert taken <= set(BOOKS)
    assert taken


@pytest.mark.parametrize("style", NOTATIONS)
def test_a_batch_puts_one_over_m_in_front(style):
    capital = {"(l)": "A^{(2)}", "_l": "A_2"}[style]
    for loss, activation in (("binary_cross_entropy", "sigmoid"), ("cross_entropy", "softmax")):
        d = network(loss, activation, style, batch="m").derive()
        assert d.writer(d.defining_formulas[d.model.symbols["Delta2"]]) == rf"\frac{{1}}{{m}} ({capital} - Y)"
    d = network("squared_error", "identity", style, batch="m").derive()
    assert d.writer(d.defining_formulas[d.model.symbols["Delta2"]]) == rf"\frac{{2}}{{m}} ({capital} - Y)"


def test_gradients_of_two_sigmoid_layers_with_a_batch():
    layers = [Dense("n_1", "sigmoid"), Dense("n_2", "sigmoid")]
    d = Network(layers, inputs="n_0", loss="binary_cross_entropy", batch="m").derive()

    def show(name):
        return d.writer(d.formula(name)), d.writer(d.formula(name, expand=True))

    assert show("W2") == (r"\Delta^{(2)} A^{(1)T}", r"\frac{1}{m} (A^{(2)} - Y) A^{(1)T}")
    assert show("b2") == (r"\Delta^{(2)} \mathbf{1}", r"\frac{1}{m} (A^{(2)} - Y) \mathbf{1}")
    back = r"((W^{(2)T} (A^{(2)} - Y)) \odot A^{(1)} \odot (1 - A^{(1)}))"
    assert show("W1") == (r"\Delta^{(1)} X^T", rf"\frac{{1}}{{m}} {back} X^T")
    assert show("b1") == (r"\Delta^{(1)} \mathbf{1}", rf"\frac{{1}}{{m}} {back} \mathbf{{1}}")
    delta1 = d.defining_formulas[d.model.symbols["Delta1"]]
    assert d.writer(delta1) == r"(W^{(2)T} \Delta^{(2)}) \odot A^{(1)} \odot (1 - A^{(1)})"


def test_softmax_without_the_assumption_on_the_labels():
    one = network("cross_entropy", "softmax", labels="any").derive()
    assert one.writer(one.defining_formulas[one.model.symbols["delta2"]]) == r"a^{(2)} (\mathbf{1}^T y) - y"
    assert one.assumptions == ()
    batch = network("cross_entropy", "softmax", labels="any", batch="m").derive()
    printed = batch.writer(batch.defining_formulas[batch.model.symbols["Delta2"]])
    assert printed == r"\frac{1}{m} (A^{(2)} \operatorname{diag}(\mathbf{1}^T Y) - Y)"


def test_the_assumption_on_the_labels_is_stated_where_it_is_used():
    d = network("cross_entropy", "softmax").derive()
    assert [a.text for a in d.assumptions] == ["the targets of each sample sum to 1"]
    (step,) = [s for s in d.steps if s.assumptions]
    printed = [d.writer(side) for side in step.equation.sides]
    assert printed[-2:] == [r"a^{(2)} (\mathbf{1}^T y) - y", r"a^{(2)} - y"]


def test_the_scalar_network_of_one_unit_a_layer():
    d = Network(
        [Dense(1, "generic"), Dense(1, "generic")], inputs=1, loss="squared_error", notation={"layer": "_l"}
    ).derive()
    assert d.writer(d.formula("W1", expand=True)) == r"2 (a_2 - y) \sigma'(z_2) w_2 \sigma'(z_1) x"
    assert d.writer(d.formula("W2", expand=True)) == r"2 (a_2 - y) \sigma'(z_2) a_1"
    assert d.writer(d.formula("b1", expand=True)) == r"2 (a_2 - y) \sigma'(z_2) w_2 \sigma'(z_1)"


def test_the_recursion_through_a_generic_layer():
    layers = [Dense(f"n_{i}", "generic") for i in (1, 2, 3)]
    d = Network(layers, inputs="n_0", loss="generic", notation={"layer": "l"}).derive()
    printed = [d.writer.equation(step.equation) for step in d.generic_layer]
    assert printed[0] == r"\frac{\partial J}{\partial a^l} = (W^{l+1})^T \delta^{l+1}"
    assert printed[1].endswith(r"= ((W^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)")
    assert printed[2] == r"\frac{\partial J}{\partial W^l} = \delta^l (a^{l-1})^T"
    assert printed[3] == r"\frac{\partial J}{\partial b^l} = \delta^l"


def test_the_cancellation_is_shown():
    d = Network([Dense("n_1", "sigmoid")], inputs="n_0", loss="binary_cross_entropy", notation={"layer": "_l"}).derive()
    assert [d.writer(side) for side in d.steps[1].equation.sides] == [
        r"\delta_1",
        r"\frac{\partial J}{\partial z_1}",
        r"\frac{\partial J}{\partial a_1} \odot \sigma'(z_1)",
        r"\left(-\frac{y}{a_1} + \frac{1 - y}{1 - a_1}\right) \odot \sigma'(z_1)",
        r"\left(-\frac{y}{a_1} + \frac{1 - y}{1 - a_1}\right) \odot a_1 \odot (1 - a_1)",
        r"-y \odot (1 - a_1) + (1 - y) \odot a_1",
        r"a_1 - y",
    ]


def test_the_order_is_a_lecturers():
    layers = [Dense("n_1", "sigmoid"), Dense("n_2", "sigmoid")]
    d = Network(layers, inputs="n_0", loss="binary_cross_entropy", batch="m").derive()
    assert [step.wrt.name for step in d.steps] == ["A2", "Z2", "W2", "b2", "A1", "Z1", "W1", "b1"]
    assert [step.premises for step in d.steps] == [(), (1,), (2,), (2,), (2,), (5,), (6,), (6,)]


def test_penalties_are_added_to_the_weights_and_not_to_the_biases():
    d = Network([Dense("n_1", "identity")], inputs="n_0", loss="half_squared_error", l2="lambda", l1="mu").derive()
    printed = d.writer(d.formula("W1"))
    assert printed == r"\delta^{(1)} x^T + \lambda W^{(1)} + \mu \operatorname{sign}(W^{(1)})"
    assert d.writer(d.formula("b1")) == r"\delta^{(1)}"
    data, square, absolute = d.writer(d.model.assignments[-1].formula).split(" + ")
    assert data == r"\frac{1}{2} \sum_{i=1}^{n_1} (a_i^{(1)} - y_i)^2"
    assert square == r"\frac{\lambda}{2} \, \left\|W^{(1)}\right\|_F^2"
    assert absolute == r"\mu \, \left\|W^{(1)}\right\|_1"


def test_rows_and_in_x_out_change_the_gradients_with_the_equations():
    d = Network(
        [Dense("n_1", "sigmoid")],
        inputs="n_0",
        loss="binary_cross_entropy",
        batch="m",
        samples="rows",
        weights="in x out",
    ).derive()
    forward = {a.symbol.name: d.writer(a.formula) for a in d.model.assignments}
    assert forward["Z1"] == r"X W^{(1)} + \mathbf{1} b^{(1)T}"
    assert d.writer(d.formula("W1")) == r"X^T \Delta^{(1)}"
    assert d.writer(d.formula("b1")) == r"\Delta^{(1)T} \mathbf{1}"
