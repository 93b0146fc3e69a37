"""What people write, read and judged: each formula of the table gets the verdict that stands beside it."""

import pytest
from note_formulas import FORMULAS, SYMBOLS, network

from symbackprop.marking import Page

STATUS = {"P": "proved", "R": "refuted", "U": "unread", "D": "defined"}


def page(setting: str) -> Page:
    if not setting:
        return Page()
    if setting == "softmax table":
        return Page(declared={"symbols": SYMBOLS["softmax"]})
    if setting in SYMBOLS and setting != "softmax":
        return Page(declared={"symbols": SYMBOLS[setting]})
    return Page(network(setting))


@pytest.mark.parametrize("number", range(len(FORMULAS)))
def test_a_formula_gets_its_verdict(number: int) -> None:
    setting, latex, wanted = FORMULAS[number]
    found = page(setting).judge(latex)
    status, _, code = wanted.partition(" ")
    assert found.status.value == STATUS[status], f"{latex}\n{found}"
    if code:
        assert found.code == code, f"{latex}\n{found}"
    assert found.status.value in ("proved", "defined") or found.code is not None
