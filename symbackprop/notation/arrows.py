"""Arrows that make a step of training: w -> w - r E."""

from __future__ import annotations

import re

STEPS = (r"\rightarrow", r"\to", r"\longrightarrow", "\u2192")


def is_step(before: str, after: str) -> bool:
    r"""Whether what stands behind an arrow begins with what stands before it, but for braces and spaces.

    >>> is_step("w^{l} ", r" w^l - \\eta \\delta"), is_step("x", "y")
    (True, False)
    """
    start, end = (re.sub(r"[{}\s&]", "", text) for text in (before, after))
    return bool(start) and end.startswith(start)
