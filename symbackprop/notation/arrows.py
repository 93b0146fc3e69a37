"""Arrows that make a step of training: w -> w - r E."""

from __future__ import annotations

import re

_RATE = r"\\(?:eta|alpha|epsilon|varepsilon)(?![A-Za-z])"
STEPS = (r"\rightarrow", r"\to", r"\longrightarrow", "\u2192")


def with_steps(latex: str) -> str:
    """The text with := in place of an arrow that makes a step; places stay what they were."""
    for arrow in STEPS:
        before, found, after = latex.partition(arrow)
        if found and "=" not in before and is_step(before, after):
            return before + ":=".ljust(len(arrow)) + after
    return latex


def is_step(before: str, after: str) -> bool:
    r"""Whether what stands behind an arrow has in it what stands before it, but for braces and spaces, and a rate.

    >>> is_step("w^{l} ", r" w^l - \\eta \\delta"), is_step("x", "y"), is_step("w", r"(1 - \\eta \\lambda) w - \\eta v")
    (True, False, True)
    """
    start, end = (re.sub(r"[{}\s&]", "", text) for text in (before, after))
    return bool(start) and (end.startswith(start) or (start in end and re.search(_RATE, end) is not None))
