r"""Names with their marks: layers, samples, entries, transposes, powers and primes, told apart by what is declared.

``^{(2)}`` is a layer where layers are written so, else a sample; ``^T`` a transpose; a bare superscript is a layer, a
sample or a power, and an error where the notation leaves that open. ``_{jk}`` are entries, ``_d`` part of a name that
is declared with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symbackprop.errors import Position
from symbackprop.notation.index_reader import Cursor, written
from symbackprop.notation.latex_tokens import Token
from symbackprop.notation.lexicon import Word
from symbackprop.notation.syntax import Func, Kron, Name, Node, Raised, Turned, UnitAt

STYLE_SHOWN = {"(l)": "^{(l)}", "[l]": "^{[l]}", "l": "^{l}", "_l": "_l"}
OPENERS = {"(": ")", "[": "]", r"\{": r"\}"}
ELEMENTWISE = (r"\odot", "*")
COMMAND_FUNCTIONS = frozenset(
    "exp log ln lg tanh sinh cosh coth sin cos tan sec csc cot arctan max min".split()  # noqa: SIM905
)
UNDECLARED = Word("unknown", layered=True, rank=0, sampled=True)
UPDATES = {"new": "new", "old": "old", "neu": "new", "alt": "old", "t+1": "new", "next": "new"}


@dataclass
class Marks:
    """What the scripts of a name have said so far."""

    letter: str
    layer: sympy.Expr | None = None
    sample: sympy.Expr | None = None
    entries: tuple[sympy.Expr, ...] = ()
    mark: str = ""
    turned: bool = False
    primes: int = 0
    power: Node | None = None


class Scripts(Cursor):
    """The part of the reader that reads names and their scripts."""

    def scripts(self, marks: Marks, word: Word | None) -> Marks:
        """All scripts that follow a name."""
        is_function = word is not None and word.kind == "function"
        while True:
            if self.next.text == "_" and self.next.kind == "mark":
                word = self._below(marks, word)
            elif self.next.text == "^" and self.next.kind == "mark":
                if marks.power is not None:
                    raise self.error("a second superscript behind a power: write brackets")
                self._above(marks, word)
            elif self.next.text == "'" and self.next.kind == "mark":
                self.at += 1
                if not is_function:
                    self._prime(marks, word, self.tokens[self.at - 1])
                    continue
                marks.primes += 1
                if marks.primes > 4:
                    raise self.error("more than four primes: write fewer", code="SBP105")
            else:
                return marks

    def _prime(self, marks: Marks, word: Word | None, prime: Token) -> None:
        """X' is the transpose of an array that has one; W' = W - ... is what comes after."""
        rank = word.rank if word is not None and word.kind == "array" else 0
        if rank and self.next.text in ("=", ":=") and self.at <= 4:
            marks.mark = "new"
        elif rank == 2 or (rank == 1 and self.starts_factor() and self.next.text not in OPENERS):
            marks.turned = True
        else:
            message = f"a prime belongs to a function, and {marks.letter} is none: for a transpose write ^T"
            raise self.error(message, prime)

    def _below(self, marks: Marks, word: Word | None) -> Word | None:
        """A subscript: part of the name, a layer, or entries."""
        start = self.at
        self.at += 1
        words = self.lexicon.words
        if self.next.text == "{" and self.next.kind == "mark":
            end = self.group_end()
            inside = self.tokens[self.at + 1 : end]
        else:
            end, inside = self.at, self.tokens[self.at : self.at + 1]
        label = "".join(t.text for t in inside)
        longer = f"{marks.letter}_{label}"
        if longer in words:
            marks.letter, self.at = longer, end + 1
            return words[longer]
        if label in UPDATES and any(t.kind in ("letter", "word") for t in inside):
            marks.mark, self.at = UPDATES[label], end + 1
            return word
        comma = next((k for k, t in enumerate(inside) if t.text == ","), None)
        if comma is not None:
            tail = "".join(t.text for t in inside[comma + 1 :])
            head = "".join(t.text for t in inside[:comma])
            if f"{marks.letter}_{head}" in words or tail in UPDATES:
                if tail in UPDATES:
                    marks.mark = UPDATES[tail]
                    kept = inside[:comma]
                else:
                    marks.letter = f"{marks.letter}_{head}"
                    word = words[marks.letter]
                    kept = inside[comma + 1 :]
                marks.entries += self._inner(kept, word)
                self.at = end + 1
                return word
        if self.lexicon.free and marks.letter not in words and not self._is_kronecker(marks, inside):
            if any(t.kind not in ("letter", "number", "word") and t.text != "," for t in inside):
                raise self.error("a subscript of a scalar is letters and numbers", self.tokens[start])
            marks.letter, self.at = longer.replace(",", ""), end + 1
            return self.lexicon.find(marks.letter)
        if any(t.kind == "word" for t in inside):
            marks.letter, self.at = longer, end + 1
            return self.lexicon.find(marks.letter)
        known = word or UNDECLARED
        below = known.below or (self.lexicon.layer == "_l" and known.layered and known.kind != "unknown")
        if (below or (word is None and self.lexicon.layer == "_l")) and marks.layer is None:
            marks.layer = self._one_index()
            return word
        marks.entries += self.subscripts(known.rank)
        if self.next.text == "_":  # w_{jk_{new}}: a label inside
            self.at += 1
            end = self._closing(self.at + 1) if self.next.text == "{" else self.at
            label = "".join(t.text for t in self.tokens[self.at : end + 1] if t.text not in "{}")
            if label not in UPDATES:
                raise self.error(f"cannot read the subscript {label} inside a subscript", self.tokens[start])
            marks.mark, self.at = UPDATES[label], end + 1
            self.expect("}", "behind the subscripts")
        return word

    def _inner(self, tokens: Sequence[Token], word: Word | None) -> tuple[sympy.Expr, ...]:
        """Entries among tokens that are a part of a subscript."""
        brace = tokens[0] if tokens else self.next
        wrapped = [Token("mark", "{", brace.start, brace.start), *tokens, Token("mark", "}", brace.end, brace.end)]
        inner = Scripts([*wrapped, Token("end", "", brace.end, brace.end)], self.lexicon)
        return inner.subscripts(word.rank if word else 0)

    def _is_kronecker(self, marks: Marks, inside: Sequence[Token]) -> bool:
        names = [t for t in inside if t.text != ","]
        return marks.letter == "delta" and len(names) == 2 and marks.layer is None

    def _one_index(self) -> sympy.Expr:
        if self.take("{"):
            found = self.index()
            self.expect("}", "behind the layer")
            return found
        return self.index_atom(bare=True)

    def _above(self, marks: Marks, word: Word | None) -> None:
        """A superscript: marks in any number, or a power."""
        self.at += 1
        if not self.take("{"):
            self._one_above(marks, word, braced=False)
            return
        self.deeper()
        first = True
        while self.next.text != "}" or first:
            if self.next.kind == "end":
                raise self.error("this brace is not closed: add a closing brace")
            if not first:
                self.take("^")
                if self.take(","):
                    continue
                if self.take("{"):
                    self._one_above(marks, word, braced=True)
                    self.expect("}", "behind the superscript")
                    continue
            elif self.take("{"):
                self._one_above(marks, word, braced=True)
                self.expect("}", "behind the superscript")
                first = False
                continue
            first = False
            self._one_above(marks, word, braced=True)
        self.depth -= 1
        self.expect("}", "behind the superscript")

    def _one_above(self, marks: Marks, word: Word | None, braced: bool) -> None:
        token = self.next
        known = word or UNDECLARED
        style = self.lexicon.layer
        if token.text == "'" and known.kind == "function":
            self.at += 1
            marks.primes += 1
        elif token.text == "'" and not braced:
            self.at += 1
            self._prime(marks, word, token)
        elif (token.text in ("T", r"\top")) and known.kind != "function":
            self.at += 1
            if marks.turned:
                raise self.error("transposed twice: write brackets", token)
            marks.turned = True
        elif braced and token.text == "x" and self.ahead().text == "," and known.sampled:
            self.at += 1  # a^{x,l}: of the sample x, which letters without a mark are of
        elif token.text == "[" and token.kind == "mark":
            self._bracketed(marks, known, "]", "[l]")
        elif token.text == "(" and token.kind == "mark" and braced:
            self._bracketed(marks, known, ")", "(l)")
        elif braced and (label := self._label()) in UPDATES:
            marks.mark = UPDATES[str(label)]
            self.at += len(self.tokens[self.at : self._closing(self.at)])
        elif (
            known.kind == "function"
            and known.layered
            and style == "l"
            and marks.layer is None
            and token.kind == "letter"
        ) or (known.kind in ("array", "unknown", "loss") and style == "l" and known.layered and marks.layer is None):
            marks.layer = self.index() if braced else self.index_atom(bare=True)
        elif known.sampled and self.lexicon.sample == "i" and marks.sample is None and known.kind != "function":
            marks.sample = self.index() if braced else self.index_atom(bare=True)
        elif token.text in ("*", r"\dagger", r"\star"):
            raise self.error(f"{self.found()} in a superscript is not read: for a transpose write ^T", code="SBP104")
        else:
            self._power(marks, known, braced)

    def _label(self) -> str | None:
        end = self._closing(self.at)
        inside = self.tokens[self.at : end]
        if not inside or any(t.kind not in ("letter", "word", "number") and t.text != "+" for t in inside):
            return None
        return "".join(t.text for t in inside)

    def _bracketed(self, marks: Marks, known: Word, closer: str, style: str) -> None:
        """A superscript in brackets: a layer in the style of the page, else a sample."""
        opening = self.next
        self.at += 1
        self.deeper()
        found = self.index()
        self.depth -= 1
        self.expect(closer, "behind the superscript")
        layers = self.lexicon.layer
        carries = known.layered or known.kind == "function"
        if style == "(l)" and known.sampled and marks.sample is None and found in self.sample_letters:
            marks.sample = found
        elif (
            style == "(l)" and known.sampled and marks.letter in self.lexicon.bare and found.is_Symbol
            and str(found) not in ("l", "L") and marks.sample is None
        ):  # fmt: skip
            marks.sample = found  # there is one layer, and nobody calls it j
        elif style == layers and carries and marks.layer is None:
            marks.layer = found
        elif style == "(l)" and known.sampled and marks.sample is None:
            marks.sample = found
        elif style != layers and carries and marks.layer is None:
            raise self.error(
                f"{marks.letter} has a superscript in the style {STYLE_SHOWN[style]}, and layers are written "
                f'{STYLE_SHOWN[layers]} here: write {marks.letter}{STYLE_SHOWN[layers]}, or declare layer = "{style}"',
                opening,
            )
        else:
            raise self.error(
                f"{marks.letter} has no {'layer' if style == layers else 'sample'}: remove this superscript", opening
            )

    def _power(self, marks: Marks, known: Word, braced: bool) -> None:
        start = self.next
        open_layer = known.layered and not marks.entries and marks.layer is None
        if known.kind == "array" and known.rank and open_layer and marks.letter not in self.lexicon.bare:
            shown = STYLE_SHOWN[self.lexicon.layer]
            raise self.error(
                f"is {marks.letter}^{written(start)} a layer or a power? layers are written {shown} here: write "
                f"{marks.letter}{shown.replace('l', written(start))} for layer {written(start)}, "
                f"({marks.letter})^{{{written(start)}}} for the power",
                start,
                "SBP103",
            )
        if braced:
            exponent = self.sum()
        else:
            exponent = self.single()
        if start.text == "-" and self.tokens[self.at - 1].text == "1" and known.kind in ("array", "function"):
            raise self.error(
                f"{marks.letter} to the -1 is an inverse: that is not read; write a quotient", start, "SBP104"
            )
        marks.power = exponent

    def finished(self, marks: Marks, start: int) -> Node:
        """The node of a name with its marks."""
        span = self.span(start)
        if marks.letter == "delta" and len(marks.entries) == 2 and marks.layer is None and marks.sample is None:
            word = self.lexicon.words.get("delta")
            if (word is None or word.rank < 2) and not marks.turned:
                return self._raised(Kron(*marks.entries, span=span), marks)
        if marks.letter == "e" and len(marks.entries) == 1 and marks.layer is None:
            word = self.lexicon.words.get("e")
            if word is None or word.kind == "unit":
                unit: Node = UnitAt(marks.entries[0], span=span)
                unit = Turned(unit, span=span) if marks.turned else unit
                return self._raised(unit, marks)
        word = self.lexicon.find(marks.letter)
        if marks.turned and word is not None and word.rank == 2 and len(marks.entries) == 2:
            raise self.error(
                f"is this entry ({marks.letter}^T)_{{jk}} of the transpose, or of {marks.letter}? write brackets",
                self.tokens[start],
                "SBP103",
            )
        node: Node = Name(marks.letter, marks.layer, marks.sample, marks.entries, marks.mark, span=span)
        if marks.turned:
            node = Turned(node, span=span)
        return self._raised(node, marks)

    def _raised(self, node: Node, marks: Marks) -> Node:
        return node if marks.power is None else Raised(node, marks.power, span=node.span)


def function_of(marks: Marks, span: tuple[Position, Position]) -> Func:
    return Func(marks.letter, marks.primes, marks.layer, span=span)
