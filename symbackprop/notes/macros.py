"""LaTeX macros: which a document defines, and a formula with all of them written out, within bounds.

A macro is text for text, as TeX has it; what it writes is traced to the place where it is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from symbackprop.notes.text import Traced

MAX_EXPANSIONS = 2_000
MAX_LENGTH = 50_000
MAX_MACROS = 2_000
MAX_BODY = 5_000

WORD = re.compile(r"\\(?:[A-Za-z@]+|.)", re.DOTALL)
_SPACE = re.compile(r"(?:[ \t\n]|%[^\n]*\n?)*")
_COMMAND = re.compile(
    r"\\(newcommand|renewcommand|providecommand|DeclareRobustCommand|DeclareMathOperator|DeclarePairedDelimiter|def|let)"
    r"(?![A-Za-z@])\*?"
)
_COUNT = re.compile(r"\[([0-9])\]")
_PARAMETERS = re.compile(r"(?:#[1-9])*")
_LET = re.compile(r"[ ]*=?[ ]?(\\(?:[A-Za-z@]+|.))", re.DOTALL)
_ENDS_IN_WORD = re.compile(r"\\[A-Za-z@]+\Z")
STRUCTURE = frozenset(
    {"\\begin", "\\end", "\\left", "\\right", "\\\\", "\\[", "\\]", "\\(", "\\)", "\\%", "\\&", "\\$"}
)


class MacroError(Exception):
    """A macro that cannot be written out; ``offset`` is in the source."""

    def __init__(self, message: str, offset: int, too_large: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.too_large = too_large


@dataclass(frozen=True)
class Macro:
    """``arguments`` counts all, the optional first one included; ``default`` is None where there is none."""

    name: str
    body: str
    arguments: int = 0
    default: str | None = None


class Macros(dict[str, Macro]):
    """Macros by name; ``tried`` counts the definitions that were read, which are bounded."""

    tried = 0


def definition(text: str, at: int, macros: Macros) -> int | None:
    """Take in the definition that starts at ``at`` and return where it ends; None where none starts there.

    A definition that is not understood (a macro with delimited arguments) is stepped over and defines nothing.

    >>> macros = Macros()
    >>> definition(r"\\newcommand{\\dd}[2]{\\frac{\\partial #1}{\\partial #2}} rest", 0, macros)
    52
    >>> macros["\\\\dd"].arguments
    2
    """
    command = _COMMAND.match(text, at)
    if command is None:
        return None
    kind, at = command[1], command.end()
    macros.tried += 1
    if macros.tried > MAX_MACROS:
        return at
    name, at = _name(text, at)
    if name is None:
        return at
    macro: Macro | None
    if kind == "let":
        alias = _LET.match(text, at)
        if alias is None:
            return at
        at, target = alias.end(), alias[1]
        macro = macros.get(target) or Macro(name, target)
        macro = Macro(name, macro.body, macro.arguments, macro.default)
    elif kind == "def":
        parameters = _PARAMETERS.match(text, at)
        assert parameters is not None
        body = _group(text, parameters.end())
        if body is None:
            return parameters.end()
        macro, at = Macro(name, body[0], len(parameters[0]) // 2), body[1]
    elif kind == "DeclareMathOperator":
        body = _group(text, at)
        if body is None:
            return at
        macro, at = Macro(name, rf"\operatorname{{{body[0]}}}"), body[1]
    elif kind == "DeclarePairedDelimiter":
        left = _group(text, at)
        right = _group(text, left[1]) if left else None
        if left is None or right is None:
            return at
        macro, at = Macro(name, f"{left[0]} #1 {right[0]}", 1), right[1]
    else:
        macro, at = _new_command(text, at, name)
        if kind == "providecommand" and name in macros:
            macro = None
    if macro is not None and name not in STRUCTURE:
        macros[name] = macro
    return at


def _new_command(text: str, at: int, name: str) -> tuple[Macro | None, int]:
    count, default = 0, None
    at = _skip(text, at)
    if found := _COUNT.match(text, at):
        count, at = int(found[1]), _skip(text, found.end())
        if text.startswith("[", at):
            stop = _bracket(text, at)
            if stop is None:
                return None, at
            default, at = text[at + 1 : stop - 1], stop
    body = _group(text, at)
    if body is None:
        return None, at
    return Macro(name, body[0], count, default), body[1]


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    return space.end()


def _name(text: str, at: int) -> tuple[str | None, int]:
    at = _skip(text, at)
    braced = text.startswith("{", at)
    word = WORD.match(text, _skip(text, at + 1) if braced else at)
    if word is None:
        return None, at
    end = word.end()
    if braced:
        end = _skip(text, end)
        if not text.startswith("}", end):
            return None, at
        end += 1
    return word[0], end


def group_end(text: str, at: int) -> int | None:
    """Where the group in braces that starts at ``at`` ends; None where none starts or it does not end."""
    if not text.startswith("{", at):
        return None
    depth = 0
    for part in _BRACES.finditer(text, at, at + MAX_BODY):
        depth += {"{": 1, "}": -1}.get(part[0], 0)
        if depth == 0 and part[0] == "}":
            return part.end()
    return None


_BRACES = re.compile(r"\\.|%[^\n]*|[{}]", re.DOTALL)
_BRACKETS = re.compile(r"\\.|[{}\[\]]", re.DOTALL)


def _group(text: str, at: int) -> tuple[str, int] | None:
    at = _skip(text, at)
    end = group_end(text, at)
    return None if end is None else (text[at + 1 : end - 1], end)


def _bracket(text: str, at: int) -> int | None:
    depth = 0
    for part in _BRACKETS.finditer(text, at + 1, at + MAX_BODY):
        depth += {"{": 1, "}": -1}.get(part[0], 0)
        if part[0] == "]" and depth == 0:
            return part.end()
    return None


Character = tuple[str, int, int]


def expanded(formula: Traced, macros: Mapping[str, Macro]) -> Traced:
    r"""The formula with every macro written out. Raises MacroError where that does not end, or arguments are missing.

    >>> expanded(Traced.of(r"\W a", 0, 4), {"\\W": Macro("\\W", "W^{[1]}")}).text
    'W^{[1]} a'
    """
    if not any(word[0] in macros for word in WORD.finditer(formula.text)):
        return formula
    return _Expansion(formula, macros).run()


class _Expansion:
    """A stack of characters still to be read, the next one last, and the characters that are done."""

    def __init__(self, formula: Traced, macros: Mapping[str, Macro]) -> None:
        self.macros = macros
        self.todo: list[Character] = list(zip(formula.text, formula.starts, formula.stops, strict=True))[::-1]
        self.done: list[Character] = []
        self.calls = 0
        self.wrote = 0
        self.read_to = 0  # where the last argument ends

    def run(self) -> Traced:
        while self.todo:
            if self.todo[-1][0] != "\\":
                self.done.append(self.todo.pop())
            else:
                word = self.word()
                macro = self.macros.get("".join(c[0] for c in word))
                if macro is None:
                    self.done += word
                else:
                    self.call(macro, word)
            if len(self.done) > MAX_LENGTH:
                raise MacroError(
                    f"the macros write more than {MAX_LENGTH} characters here: shorten them", self.done[-1][1], True
                )
        return Traced("".join(c[0] for c in self.done), [c[1] for c in self.done], [c[2] for c in self.done])

    def word(self) -> list[Character]:
        word = [self.todo.pop()]
        while self.todo and (c := self.todo[-1][0]) and ((c.isascii() and c.isalpha()) or c == "@"):
            word.append(self.todo.pop())
        if len(word) == 1 and self.todo:
            word.append(self.todo.pop())
        return word

    def call(self, macro: Macro, word: list[Character]) -> None:
        start, stop = word[0][1], word[-1][2]
        self.read_to = stop
        self.calls += 1
        if self.calls > MAX_EXPANSIONS:
            raise MacroError(f"{macro.name} calls itself without end, or too many macros are called", start, True)
        given: list[list[Character]] = []
        if macro.default is not None:
            optional = self.optional()
            given.append([(c, start, stop) for c in macro.default] if optional is None else optional)
        while len(given) < macro.arguments:
            argument = self.argument()
            if argument is None:
                raise MacroError(f"{macro.name} needs {macro.arguments} arguments: write them in braces", start)
            given.append(argument)
        stop = max(stop, self.read_to)
        self.push(self.written(macro, given, start, stop))

    def written(self, macro: Macro, given: list[list[Character]], start: int, stop: int) -> list[Character]:
        out: list[Character] = []
        for piece in re.split(r"(#[1-9])", macro.body):
            if re.fullmatch(r"#[1-9]", piece) and int(piece[1]) <= len(given):
                part = given[int(piece[1]) - 1]
            else:
                part = [(c, start, stop) for c in piece]
            if part and _needs_space(out, part[0][0]):
                out.append((" ", start, stop))
            out += part
            if len(out) > MAX_LENGTH:
                raise MacroError(f"{macro.name} writes more than {MAX_LENGTH} characters: shorten it", start, True)
        return out

    def push(self, written: list[Character]) -> None:
        if self.todo and written and _needs_space(written, self.todo[-1][0]):
            written = [*written, (" ", written[-1][1], written[-1][2])]
        self.todo += written[::-1]
        self.wrote += len(written)
        if self.wrote > 4 * MAX_LENGTH:
            raise MacroError("the macros write too much here: shorten them", self.todo[-1][1], True)

    def space(self) -> None:
        while self.todo and self.todo[-1][0] in " \t\n":
            self.todo.pop()

    def optional(self) -> list[Character] | None:
        skipped: list[Character] = []
        while self.todo and self.todo[-1][0] in " \t\n":
            skipped.append(self.todo.pop())
        if not self.todo or self.todo[-1][0] != "[":
            self.todo += skipped[::-1]
            return None
        self.todo.pop()
        return self.upto("]")

    def argument(self) -> list[Character] | None:
        self.space()
        if not self.todo:
            return None
        if self.todo[-1][0] == "\\":
            word = self.word()
            self.read_to = word[-1][2]
            return word
        first = self.todo.pop()
        self.read_to = first[2]
        return self.upto("}") if first[0] == "{" else [first]

    def upto(self, close: str) -> list[Character] | None:
        out: list[Character] = []
        depth = 0
        while self.todo:
            if self.todo[-1][0] == "\\":
                out += self.word()
                continue
            character = self.todo.pop()
            if character[0] == close and depth == 0:
                self.read_to = character[2]
                return out
            depth += {"{": 1, "}": -1}.get(character[0], 0)
            out.append(character)
        return None


def _needs_space(before: list[Character], after: str) -> bool:
    """Whether a command at the end of one text would swallow the first letter of the next."""
    if not (after.isascii() and after.isalpha()):
        return False
    tail = "".join(c[0] for c in before[-40:])
    return _ENDS_IN_WORD.search(tail) is not None
