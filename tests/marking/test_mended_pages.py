"""What was wrong once stays right: false proofs first."""

import pytest
from mended_pages import PAGES

from symbackprop import Dense, Network
from symbackprop.marking import Page

LETTER = {"proved": "P", "refuted": "R", "unread": "U", "undecided": "O", "consistent": "O", "defined": "D"}


@pytest.mark.parametrize(("described", "declared", "lines"), PAGES)
def test_a_page_gets_its_verdicts(described: dict | None, declared: dict, lines: list[tuple[str, str]]) -> None:
    network = None
    if described is not None:
        layers = [Dense(*layer) for layer in described["layers"]]
        network = Network(layers, **{key: value for key, value in described.items() if key != "layers"})
    page = Page(network, declared)
    for latex, wanted in lines:
        found = page.judge(latex)
        assert LETTER[found.status.value] in wanted, f"{latex}\n{found}\n{found.hint}"
