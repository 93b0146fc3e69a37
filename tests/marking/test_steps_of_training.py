"""Steps of training in the ways in which books write them."""

import pytest

from symbackprop import Dense, Network
from symbackprop.proof.status import Status

NET = Network(
    [Dense("n_1", "sigmoid"), Dense("n_2", "sigmoid")],
    inputs="n_0",
    loss="half_squared_error",
    notation={"layer": "l"},
)


@pytest.mark.parametrize(
    ("latex", "status"),
    [
        (r"w^l \rightarrow w^l - \eta \delta^l (a^{l-1})^T", Status.PROVED),
        (r"w^l \rightarrow w^l + \eta \delta^l (a^{l-1})^T", Status.REFUTED),
        (r"b^2 \rightarrow b^2 - \eta \delta^2", Status.PROVED),
        (r"\Delta w^2 = -\eta \delta^2 (a^1)^T", Status.PROVED),
        (r"\Delta w^2 = \eta \delta^2 (a^1)^T", Status.REFUTED),
        (r"\Delta w^l = -\eta \frac{\partial C}{\partial w^l}", Status.PROVED),
        (r"n_0 \rightarrow n_1", Status.UNREAD),
        (r"w^1 \rightarrow w^2", Status.UNREAD),
    ],
)
def test_a_step_is_read(latex, status):
    assert NET.verify(latex).status is status


def test_places_are_kept():
    verdict = NET.verify(r"w^2 \rightarrow w^2 - \eta \delta^2 a^1")
    assert verdict.status is Status.REFUTED
    assert verdict.links[0].span[0].column == len(r"w^2 \rightarrow ") + 1
