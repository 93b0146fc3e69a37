"""Identities of functions in a network, and words that nothing declares."""

import pytest

from symbackprop import Dense, Network
from symbackprop.marking import Page
from symbackprop.proof.status import Status


def network(*activations):
    layers = [Dense(f"n_{n}", a) for n, a in enumerate(activations, start=1)]
    return Network(layers, inputs="n_0", loss="half_squared_error")


@pytest.mark.parametrize(
    ("latex", "status"),
    [
        (r"\sigma'(z) = \sigma(z)(1-\sigma(z))", Status.PROVED),
        (r"\sigma'(x) = \sigma(x)(1-\sigma(x))", Status.PROVED),
        (r"\frac{d\sigma(x)}{dx} = \sigma(x)(1-\sigma(x))", Status.PROVED),
        (r"\tanh(z) = 2\sigma(2z) - 1", Status.PROVED),
        (r"\sigma'(z) = \sigma(z)(1+\sigma(z))", Status.REFUTED),
        (r"\tanh(z) = 2\sigma(z) - 1", Status.REFUTED),
        (r"\delta^{(2)} = (a^{(2)} - y) \sigma'(z^{(2)})", Status.REFUTED),  # a product of arrays, and no function
    ],
)
def test_an_identity_of_functions_is_one_of_numbers(latex, status):
    assert network("sigmoid", "sigmoid").verify(latex).status is status
    assert network("tanh", "sigmoid").verify(latex).status is status


def test_nothing_is_known_of_a_generic_sigma():
    verdict = network("generic", "generic").verify(r"\sigma'(z) = \sigma(z)(1-\sigma(z))")
    assert verdict.status is Status.REFUTED


@pytest.mark.parametrize(
    ("latex", "code"),
    [
        (r"1 - p = 1 - \operatorname{sigmoyd}(x)", "SBP102"),
        (r"1 = \operatorname{foo}(x) + 1", "SBP102"),
        (r"\min_k x_k = x", "SBP104"),
    ],
)
def test_a_function_that_is_not_known_is_no_product(latex, code):
    verdict = Page().judge(latex)
    assert (verdict.status, verdict.code) == (Status.UNREAD, code)


@pytest.mark.parametrize(
    ("latex", "status"),
    [
        (r"\max(x,y) = 5", Status.REFUTED),  # no definition of max
        (r"\max(a,b) = \frac{a+b+|a-b|}{2}", Status.PROVED),
        (r"|x| = x", Status.REFUTED),  # true wherever x happens to be positive
        (r"\sqrt{x^2} = x", Status.REFUTED),
        (r"\frac{d}{dx}\max(0,x) = 1", Status.REFUTED),
        (r"\frac{d}{dx}\frac{f(x)}{g(x)} = \frac{f'(x)g(x)-f(x)g'(x)}{g(x)^2}", Status.PROVED),
        (r"\frac{d}{dx}\frac{f(x)}{g(x)} = \frac{f'(x)g(x)+f(x)g'(x)}{g(x)^2}", Status.REFUTED),
    ],
)
def test_numbers_of_both_signs_and_functions_apart(latex, status):
    assert Page().judge(latex).status is status


def test_a_product_in_an_identity_stays_one_of_arrays():
    assert network("sigmoid", "sigmoid").verify(r"\sigma(x) x = x \sigma(x)").code == "SBP201"


def test_what_is_granted_is_listed_for_an_entry_too():
    layers = [Dense("h", "relu"), Dense("K", "softmax")]
    latex = r"\frac{\partial L}{\partial W^{(2)}_{ij}} = (\hat{y}_i-y_i) a^{(1)}_j"
    granted = Network(layers, inputs="d", loss="cross_entropy", notation={"layer": "(l)"}).verify(latex)
    assert any("sum to 1" in text for text in granted.assumptions)
    withdrawn = Network(layers, inputs="d", loss="cross_entropy", labels="any", notation={"layer": "(l)"})
    assert withdrawn.verify(latex).code == "SBP319"


def test_columns_side_by_side_get_a_hint():
    verdict = network("sigmoid", "sigmoid").verify(r"\delta^{(2)} = (a^{(2)} - y) \sigma'(z^{(2)})")
    assert verdict.code == "SBP201"
    assert r"\odot" in verdict.hint
