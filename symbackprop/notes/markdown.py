r"""Markdown: formulas in $$...$$, in \[...\] at the start of a line, in ```math fences and in environments.

Declarations stand in HTML comments. Code is skipped. Formulas in running text, $...$, are passed over and counted, as
they are in LaTeX.
"""

from __future__ import annotations

import re

from symbackprop.notes.items import MAX_ITEMS, Block, Broken, Directive, Found, directive
from symbackprop.notes.macros import Macros
from symbackprop.notes.tex import DISPLAYED, Scanner
from symbackprop.notes.text import Source, Traced, joined

_TOKEN = re.compile(
    r"""
    (?P<fence>^[ ]*(?:>[ ]?)*[ ]*(?P<ticks>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$)
  | ^[ \t]*(?:>[ ]?)*[ \t]*(?P<open>\\\[)
  | (?P<comment><!--)
  | (?P<code>`+)
  | (?P<dollars>\$\$)
  | (?P<inline>\$(?![\s$])(?:\\.|[^$\\\n]|\n(?![ \t]*\n))*+(?<!\s)\$(?![0-9$]))
  | \\begin[ ]*\{(?P<begin>[A-Za-z]+)\*?\}
  | \\.
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_QUOTED = re.compile(r"[ ]*>")
_MARK = re.compile(r"[ \t\n]*symbackprop[ \t]*(?P<colon>:)?")


def scan(source: Source, macros: Macros | None = None, found: Found | None = None) -> Found:
    r"""The items of a Markdown text.

    >>> found = scan(Source("n.md", "costs $5, `$$no$$`\n$$ z = 1 $$\n<!-- symbackprop: skip -->"))
    >>> [type(item).__name__ for item in found.items]
    ['Display', 'Skip']
    """
    scanner = _Markdown(source, Macros() if macros is None else macros, Found() if found is None else found)
    scanner.document()
    return scanner.found


class _Markdown(Scanner):
    def document(self) -> None:
        self.endless = False  # no comment ends from here on
        self.code_ends: dict[str, list[int]] | None = None
        while (token := _TOKEN.search(self.text, self.at)) is not None:
            self.at = token.end()
            if token["fence"]:
                self.fence(token)
            elif token["comment"]:
                self.html_comment(token.start())
            elif token["code"]:
                self.code(token)
            elif token["open"]:
                self.bracket(token)
            elif token["dollars"]:
                self.display(token.start(), "$$")
            elif token["inline"]:
                self.in_text(token)
            elif token["begin"] in DISPLAYED:
                self.display(token.start(), f"\\end{{{token['begin']}}}")

    def bracket(self, token: re.Match[str]) -> None:
        r"""\[ at the start of a line, where a \] follows in its paragraph; elsewhere it is a bracket of the text."""
        if self.text.find("\\]", self.at, self.paragraph_end()) >= 0:
            self.display(token.start("open"), "\\]")

    def in_text(self, token: re.Match[str]) -> None:
        """Running text; a macro that is defined in it is known from here on, as MathJax has it."""
        self.found.inline += 1
        for word in re.finditer(r"\\(?:new|renew|provide)command|\\def|\\Declare|\\let", token[0]):
            self.define(token.start() + word.start())

    def add(self, start: int, body: Traced, directives: tuple[Directive | Broken, ...]) -> None:
        """A formula in a quoted paragraph has the sign of quotation before each of its lines."""
        line_start = self.text.rfind("\n", 0, start) + 1
        if _QUOTED.match(self.text, line_start):
            parts, at = [], 0
            for mark in re.finditer(r"\n[ ]*>", body.text):
                parts.append(body[at : mark.start() + 1])
                at = mark.end()
            body = joined([*parts, body[at:]])
        super().add(start, body, directives)

    def code(self, token: re.Match[str]) -> None:
        """Code in running text ends at as many back-quotes as began it; a single stray one is none."""
        if self.code_ends is None:
            self.code_ends = {}
            for run in re.finditer(r"`+", self.text):
                self.code_ends.setdefault(run[0], []).append(run.start())
            for runs in self.code_ends.values():
                runs.reverse()
        runs = self.code_ends.get(token[0], [])
        while runs and runs[-1] < token.end():
            runs.pop()
        if runs:
            blank = self.paragraph_end()
            if runs[-1] < blank:
                self.at = runs[-1] + len(token[0])

    def fence(self, token: re.Match[str]) -> None:
        ticks = token["ticks"]
        close = re.compile(rf"^[ ]*(?:>[ ]?)*[ ]*{re.escape(ticks[0])}{{{len(ticks)},}}[ \t]*$", re.MULTILINE)
        end = close.search(self.text, self.at)
        body_start = min(self.at + 1, len(self.text))
        self.at = end.end() if end else len(self.text)
        if token["info"].strip().lower() == "math":
            if end is None:
                message = "the ```math block that starts here does not end"
                self.found.items.append(Broken(self.source, token.start(), body_start, message, "write ``` behind it"))
                return
            self.whole(token.start(), body_start, end.start())

    def html_comment(self, start: int) -> None:
        end = -1 if self.endless else self.text.find("-->", start + 4)
        self.endless = end < 0
        mark = _MARK.match(self.text, start + 4)
        if end < 0:
            if mark is not None:
                message = "the symbackprop comment that starts here does not end"
                self.found.items.append(Broken(self.source, start, start + 4, message, "write --> behind it"))
            else:
                self.at = len(self.text)
            return
        self.at = end + 3
        if mark is None or mark.end() > end or not _ends_word(self.text, mark.end(), mark["colon"]):
            return
        if len(self.found.items) >= MAX_ITEMS:
            raise self.source.error(start, f"more than {MAX_ITEMS} formulas: split the notes into smaller files")
        if mark["colon"]:
            self.found.items.append(directive(self.source, self.text[mark.end() : end], start, end + 3))
            return
        toml = self.text[mark.end() : end]
        places, at = [mark.end()], mark.end()
        while (at := self.text.find("\n", at, end) + 1) > 0:
            places.append(at)
        self.found.items.append(Block(self.source, toml, tuple(places), start))


def _ends_word(text: str, at: int, colon: str | None) -> bool:
    return colon is not None or not text[at : at + 1].strip() or text.startswith("-->", at)
