"""Whatever comes in, an answer comes out: a verdict with a code and a place, never a traceback and never a hang."""

import time

import pytest
from note_fuzz import inputs, page

from symbackprop.errors import NotationError
from symbackprop.proof.status import Status


@pytest.mark.parametrize("seed", range(4))
def test_any_input_gets_an_answer(seed: int) -> None:
    for setting, latex in inputs(seed, 500):
        start = time.perf_counter()
        found = page(setting).judge(latex)
        took = time.perf_counter() - start
        assert took < 20, latex
        for link in found.links or (found,):
            if link.status is Status.UNREAD:
                assert link.code is not None
                assert link.code.startswith("SBP1"), (latex, link)
                assert link.span is not None, (latex, link)
                assert link.span[0].line <= latex.count("\n") + 1


def test_reading_raises_with_a_position_or_answers() -> None:
    for setting, latex in inputs(100, 500):
        position = None
        try:
            page(setting).read(latex)
            position = True
        except NotationError as error:
            position = error.position
        assert position is not None, latex
