"""Pages of notes: what a line means depends on what the lines before it defined."""

import pytest
from note_pages import NETWORKS, TABLES

from symbackprop import Dense, Network
from symbackprop.marking import Page, infer

STATUS = {"D": "defined", "P": "proved", "R": "refuted", "U": "unread", "O": "undecided"}


def check(page: Page, lines: list[tuple[str, str]]) -> None:
    for latex, wanted in lines:
        found = page.judge(latex)
        status, _, code = wanted.partition(" ")
        assert found.status.value == STATUS[status], f"{latex}\n{found}\n{found.hint}"
        assert not code or found.code == code, f"{latex}\n{found}"


@pytest.mark.parametrize(("symbols", "lines"), TABLES)
def test_a_page_without_a_network(symbols: dict[str, str], lines: list[tuple[str, str]]) -> None:
    check(Page(None, {"symbols": symbols} if symbols else {}), lines)


@pytest.mark.parametrize(("described", "lines"), NETWORKS)
def test_a_page_with_a_network(described: dict, lines: list[tuple[str, str]]) -> None:
    layers = [Dense(units, activation, *rest) for units, activation, *rest in described["layers"]]
    page = Page(Network(layers, **{k: v for k, v in described.items() if k != "layers"}))
    page.imply(infer([latex for latex, _ in lines], {}).get("notation", {}))  # as it is for a file
    check(page, lines)
