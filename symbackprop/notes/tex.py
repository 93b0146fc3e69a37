"""LaTeX documents: their displayed formulas, declarations in comments, and macros.

The document is scanned, not run: nothing is included, and what is in verbatim text or commented out does not count.
"""

from __future__ import annotations

import re

from symbackprop.notes.items import MAX_ITEMS, Block, Broken, Directive, Display, Found, directive
from symbackprop.notes.macros import MAX_LENGTH, MacroError, Macros, definition, expanded
from symbackprop.notes.text import Source, Traced, joined

DISPLAYED = frozenset(
    "equation align alignat flalign gather multline eqnarray displaymath xalignat dmath dgroup".split()  # noqa: SIM905
)
INLINE = frozenset({"math"})
OPAQUE = frozenset("verbatim Verbatim lstlisting minted comment filecontents alltt BVerbatim LVerbatim".split())  # noqa: SIM905

_TOKEN = re.compile(
    r"""
    (?P<comment>%[^\n]*)
  | \\begin[ ]*\{(?P<begin>[A-Za-z]+)\*?\}
  | \\end[ ]*\{(?P<end>[A-Za-z]+)\*?\}
  | (?P<verb>\\(?:verb|lstinline)\*?(?![A-Za-z])(?P<quote>[^\s{\w])[^\n]*?(?P=quote))
  | (?P<dollars>\$\$)
  | (?P<dollar>\$)
  | (?P<open>\\[\[(])
  | (?P<close>\\[\])])
  | (?P<word>\\[A-Za-z@]+)
  | \\.
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"%[ \t]*symbackprop[ \t]*(?::(?P<directive>.*))?\s*")
_BLOCK_START = re.compile(r"[ \t]*%[ \t]*symbackprop[ \t]*")
_BLOCK_END = re.compile(r"[ \t]*%[ \t]*/symbackprop[ \t]*")
_BLOCK_LINE = re.compile(r"[ \t]*%[ ]?")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_COLUMNS = re.compile(r"\\begin[ ]*\{x?alignat\*?\}")
_KIND = re.compile(r"\\begin[ ]*\{([A-Za-z]+)|\\\[|\$\$|`{3,}|~{3,}")
_SHORTCUT = re.compile(r"\s*(\\begin\s*\{([A-Za-z]+)\*?\}|\\end\s*\{([A-Za-z]+)\*?\}|\\\[|\\\]|\$\$)\s*")


def scan(source: Source, macros: Macros | None = None, found: Found | None = None) -> Found:
    r"""The items of a LaTeX document.

    >>> found = scan(Source("n.tex", r"text $x$ \[ z = 1 \] % \[ no \]"))
    >>> [item.body.text for item in found.items], found.inline
    ([' z = 1 '], 1)
    """
    scanner = Scanner(source, Macros() if macros is None else macros, Found() if found is None else found)
    scanner.document()
    return scanner.found


class Scanner:
    """Steps from one token that matters to the next; ``macros`` holds what is defined up to there."""

    def __init__(self, source: Source, macros: Macros, found: Found) -> None:
        self.source, self.text = source, source.text
        self.macros, self.found = macros, found
        self.at = 0
        self.blank = -1

    def paragraph_end(self) -> int:
        """Where the paragraph ends: looked for once a paragraph, not once a formula."""
        if self.blank < self.at:
            found = _BLANK_LINE.search(self.text, self.at)
            self.blank = found.start() if found else len(self.text)
        return self.blank

    def document(self) -> None:
        while (token := _TOKEN.search(self.text, self.at)) is not None:
            self.at = token.end()
            if token["comment"]:
                self.comment(token)
            elif token["begin"]:
                if token["begin"] == "document":
                    continue
                self.environment(token, token["begin"])
            elif token["end"] == "document":
                return
            elif token["dollars"] or token["open"] == "\\[":
                closing = token["dollars"] or "\\]"
                self.display(token.start(), closing)
            elif token["dollar"] or token["open"]:
                self.inline(token.end(), token["dollar"] or "\\)")
            elif token["word"]:
                self.word(token)

    def word(self, token: re.Match[str]) -> None:
        if token[0] == "\\iffalse":
            stop = re.compile(r"\\fi(?![A-Za-z@])").search(self.text, self.at)
            self.at = stop.end() if stop else len(self.text)
            return
        if self.define(token.start()):
            return
        short = self.shortcut(token[0])
        if short is None:
            return
        if short[1] in DISPLAYED:
            self.display(token.start(), f"\\end{{{short[1]}}}")
        elif short[0] == "\\[":
            self.display(token.start(), "\\]")

    def define(self, at: int) -> bool:
        """Take in a definition, if one stands here."""
        end = definition(self.text, at, self.macros)
        self.at = max(end or 0, self.at)
        return end is not None

    def shortcut(self, word: str) -> tuple[str, str, str] | None:
        r"""What a macro stands for that only begins or ends a formula, like \be for \begin{equation}."""
        macro = self.macros.get(word)
        if macro is None or macro.arguments:
            return None
        only = _SHORTCUT.fullmatch(macro.body)
        return (only[1], only[2] or "", only[3] or "") if only else None

    def comment(self, token: re.Match[str]) -> None:
        asked = _COMMENT.fullmatch(token[0])
        if asked is None:
            return
        if asked["directive"] is not None:
            self.found.items.append(directive(self.source, asked["directive"], token.start(), token.end()))
        else:
            self.block(token.start())

    def block(self, start: int) -> None:
        """The declarations between ``% symbackprop`` and ``% /symbackprop``."""
        lines: list[str] = []
        places: list[int] = []
        at = self.text.find("\n", start) + 1
        while at > 0:
            stop = self.text.find("\n", at)
            line = self.text[at:] if stop < 0 else self.text[at:stop]
            if _BLOCK_END.fullmatch(line):
                self.at = at + len(line)
                self.found.items.append(Block(self.source, "\n".join(lines), tuple(places) or (start,), start))
                return
            mark = _BLOCK_LINE.match(line)
            if mark is None or _BLOCK_START.fullmatch(line):
                break
            lines.append(line[mark.end() :])
            places.append(at + mark.end())
            at = stop + 1
        message = "the symbackprop block that starts here does not end"
        hint = "write % before each of its lines, and % /symbackprop behind the last"
        self.found.items.append(Broken(self.source, start, start + 1, message, hint))

    def environment(self, token: re.Match[str], name: str) -> None:
        if name in OPAQUE:
            end = self.text.find(f"\\end{{{name}", self.at)
            self.at = len(self.text) if end < 0 else end + len(name) + 5
        elif name in DISPLAYED:
            self.display(token.start(), f"\\end{{{name}}}")
        elif name in INLINE:
            self.inline(self.at, f"\\end{{{name}}}")

    def inline(self, start: int, closing: str) -> None:
        """Count a formula in running text; one that does not end with its paragraph is a stray sign."""
        for token in _TOKEN.finditer(self.text, start, self.paragraph_end()):
            if _closes(token, closing):
                self.found.inline += 1
                self.at = token.end()
                return
            if token["open"] or token["begin"] in INLINE:
                break
        self.at = start

    def display(self, start: int, closing: str) -> None:
        """A displayed formula; where it does not end, that is said, and the scan goes on behind its first line."""
        parts: list[Traced] = []
        directives: list[Directive | Broken] = []
        begun = at = self.at
        limit = len(self.text) if closing.startswith("\\end") else self.paragraph_end()
        while (token := _TOKEN.search(self.text, self.at, limit)) is not None:
            self.at = token.end()
            if token["comment"]:
                parts.append(Traced.of(self.text, at, token.start()))
                at = token.end()
                asked = _COMMENT.fullmatch(token[0])
                if asked is not None and asked["directive"] is not None:
                    directives.append(directive(self.source, asked["directive"], token.start(), token.end()))
                elif asked is not None:
                    message = "declarations inside a formula"
                    directives.append(
                        Broken(self.source, token.start(), token.end(), message, "write the block before the formula")
                    )
            elif token["word"] and (end := definition(self.text, token.start(), self.macros)) is not None:
                parts.append(Traced.of(self.text, at, token.start()))
                at = self.at = max(end, self.at)
            elif _closes(token, closing) or self.closes_by_macro(token, closing):
                parts.append(Traced.of(self.text, at, token.start()))
                self.add(start, joined(parts), tuple(directives))
                return
            elif token["end"] == "document" or token["begin"] in DISPLAYED or token["open"] == "\\[":
                break
        self.at = begun
        opened = self.text[start:begun]
        message = f"the formula that starts here with {opened[:40]} does not end"
        self.found.items.append(
            Broken(self.source, start, begun, message, f"write {closing} behind it, before any blank line")
        )

    def closes_by_macro(self, token: re.Match[str], closing: str) -> bool:
        short = self.shortcut(token["word"]) if token["word"] else None
        return short is not None and (short[0] == closing or (bool(short[2]) and closing == f"\\end{{{short[2]}}}"))

    def whole(self, start: int, begin: int, end: int) -> None:
        """A formula between two places that are known."""
        kept, self.at = self.at, begin
        parts: list[Traced] = []
        for token in _TOKEN.finditer(self.text, begin, end):
            if token.start() < self.at or not (token["comment"] or token["word"]):
                continue
            stop = token.end() if token["comment"] else definition(self.text, token.start(), self.macros)
            if stop is not None:
                parts.append(Traced.of(self.text, self.at, token.start()))
                self.at = stop
        parts.append(Traced.of(self.text, self.at, end))
        self.at = kept
        self.add(start, joined(parts), ())

    def add(self, start: int, body: Traced, directives: tuple[Directive | Broken, ...]) -> None:
        columns = _COLUMNS.match(self.text, start)
        if columns is not None and body.text.lstrip().startswith("{"):
            body = body[body.text.find("}") + 1 :]
        if len(self.found.items) >= MAX_ITEMS:
            raise self.source.error(start, f"more than {MAX_ITEMS} formulas: split the notes into smaller files")
        opened = _KIND.match(self.text, start)
        kind = opened[1] or opened[0] if opened else ""
        self.found.items.append(written_out(self.source, body, self.macros, start, kind, directives))


def written_out(
    source: Source, body: Traced, macros: Macros, start: int, kind: str, directives: tuple[Directive | Broken, ...] = ()
) -> Display | Broken:
    """A display with its macros expanded, or what stands in the way."""
    if len(body) > MAX_LENGTH:
        message = f"a formula of {len(body)} characters: at most {MAX_LENGTH} are read"
        return Broken(source, start, start + 1, message, "split it", "SBP105")
    try:
        return Display(source, expanded(body, macros), start, kind, directives)
    except MacroError as error:
        code = "SBP105" if error.too_large else "SBP101"
        return Broken(source, error.offset, error.offset + 1, error.message, "", code)


def _closes(token: re.Match[str], closing: str) -> bool:
    if closing.startswith("\\end"):
        return token["end"] is not None and closing == f"\\end{{{token['end']}}}"
    return token[0] == closing
