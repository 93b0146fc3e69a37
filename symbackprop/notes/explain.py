"""The pages that explain the codes of verdicts: what each means, a wrong and a right example.

A page is a file of notes, pages/CODE.md: its wrong example stands behind a line that expects the code, so that judging
the page shows that the page is right.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from importlib.resources import files

from symbackprop.errors import Unsupported

# Codes of the table that no verdict has yet: naming the mistake behind a refutation, and numeric checks of notes.
LATER = {
    "SBP302": "sign",
    "SBP303": "transpose missing or too much",
    "SBP304": "order of factors",
    "SBP305": "constant factor, such as 2 or 1/2",
    "SBP306": "number of samples: 1/m missing, twice, or another count",
    "SBP307": "wrong layer on a weight, an activation, a delta or a derivative",
    "SBP308": "sigma' missing",
    "SBP309": "sigma' too much: it cancels with the loss",
    "SBP310": "sigma' at the wrong argument, of the wrong function, or with a part lost",
    "SBP311": "matrix product where elementwise belongs, or the reverse",
    "SBP312": "a sum missing, too much, or over the wrong axis",
    "SBP313": "softmax Jacobian incomplete",
    "SBP314": "z for a, or a for z",
    "SBP315": "a term missing or too much",
    "SBP316": "the penalty: its factor, or on the bias",
    "SBP317": "a layer skipped",
    "SBP318": "indices swapped",
}

_DIRECTIVE = re.compile(r"^<!-- symbackprop: .*-->\n\n?", re.MULTILINE)
_BLOCK = re.compile(r"<!-- symbackprop\n(.*?)-->", re.DOTALL)


@cache
def titles() -> dict[str, str]:
    """What each code that has a page means, in a line."""
    pages = files("symbackprop.notes") / "pages"
    found = {}
    for path in pages.iterdir():
        if path.name.endswith(".md"):
            first = path.read_text(encoding="utf-8").split("\n", 1)[0]
            code, _, title = first.removeprefix("# ").partition(": ")
            found[code] = title
    return dict(sorted(found.items()))


def source(code: str) -> str:
    """The page as the notes file that it is."""
    return (files("symbackprop.notes") / "pages" / f"{code}.md").read_text(encoding="utf-8")


def page(code: str) -> str:
    """The page for a reader: what is a comment in the notes is shown, or left out where it only serves the test.

    >>> page("sbp301").split(":")[0]
    '# SBP301'
    """
    wanted = code.strip().upper()
    if wanted in titles():
        return _BLOCK.sub(lambda block: f"```toml\n{block[1]}```", _DIRECTIVE.sub("", source(wanted))).rstrip() + "\n"
    if wanted in LATER:
        return (
            f"# {wanted}: {LATER[wanted]}\n\nThis version does not name this mistake yet: such a formula is refuted "
            "with SBP201, SBP202 or SBP301, and a counterexample.\n"
        )
    near = difflib.get_close_matches(wanted, [*titles(), *LATER], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise Unsupported(f"{code[:40]!r} is no code: {hint}symbackprop explain --list shows them all")


def listing() -> str:
    """All codes, a line each."""
    lines = [f"{code}  {title}" for code, title in titles().items()]
    later = [f"{code}  {title}" for code, title in LATER.items()]
    return "\n".join([*lines, "", "reserved, not given by this version:", *later]) + "\n"
