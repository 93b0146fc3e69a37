r"""The pieces of a LaTeX formula, each with its place; what carries no meaning is left out.

Fonts, colours, sizes, spacing, tags and labels go; spellings of one thing become one (``\dfrac`` is ``\frac``, ``\top``
and ``\intercal`` are the same). Nothing here knows what a formula means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from symbackprop.errors import NotationError, Position
from symbackprop.notation.notation import GREEK

MAX_LENGTH = 10_000
MAX_TOKENS = 4_000

ALIGNING = frozenset(
    "equation equation* align align* aligned alignat alignat* gather gather* gathered multline multline* split "  # noqa: SIM905
    "eqnarray eqnarray* displaymath math flalign flalign*".split()
)
NAMES = frozenset("relu sigmoid softmax tanh diag tr trace exp log sign max min softplus new old".split())  # noqa: SIM905
MATRICES = frozenset("matrix bmatrix pmatrix vmatrix smallmatrix array Bmatrix".split())  # noqa: SIM905


class Token(NamedTuple):
    """A piece of the text. ``kind`` is number, letter, word, command, mark, gap, prose, begin, close or end."""

    kind: str
    text: str
    start: Position
    end: Position


_PIECE = re.compile(
    r"""
    (?P<comment>   (?<!\\)%[^\n]*\n? )
    | (?P<gap>     \\q?quad(?![A-Za-z]) | \\hspace\*?\s*\{[^{}]*\} | \\hfill(?![A-Za-z]) )
    | (?P<space>   \s+ | ~ | \\[,;:!>\s/] | \\(?:limits|nolimits|displaystyle|textstyle|scriptstyle|nonumber
                     |notag|allowbreak|(?:left|right)\s*\.|thinspace|bf|rm|it|strut|normalsize|small|large|nobreak|medspace
                     |thickspace)(?![A-Za-z]) )
    | (?P<sign>    \\textcircled\s*\{[^{}]*\} | \\(?:checkmark|square|blacksquare|qedhere)(?![A-Za-z]) )
    | (?P<dropped> \\(?:tag\*?|label|phantom|hphantom|vphantom|color|vspace\*?|ref|eqref|mathstrut)\s*\{[^{}]*\} )
    | (?P<break>   \\\\(?:\*)?(?:\s*\[[^\[\]{}]{0,20}\])? )
    | (?P<turn>    \\right\s*(?:\||\\vert(?![A-Za-z]))(?=\s*_) )
    | (?P<lnorm>   \\(?:left|[bB]igg?l)\s*(?:\\\||\\[lr]?Vert(?![A-Za-z])|\|\|) | \\lVert(?![A-Za-z]) )
    | (?P<rnorm>   \\(?:right|[bB]igg?r)\s*(?:\\\||\\[lr]?Vert(?![A-Za-z])|\|\|) | \\rVert(?![A-Za-z]) )
    | (?P<norm>    \\\| | \\Vert(?![A-Za-z]) | \|\| )
    | (?P<labs>    \\(?:left|[bB]igg?l)\s*(?:\||\\[lr]?vert(?![A-Za-z])) | \\lvert(?![A-Za-z]) )
    | (?P<rabs>    \\(?:right|[bB]igg?r)\s*(?:\||\\[lr]?vert(?![A-Za-z])) | \\rvert(?![A-Za-z]) )
    | (?P<size>    \\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z]) )
    | (?P<one>     \\(?:mathbb|mathbf|boldsymbol|bm|mathds|mathbbm|vec|mathbbold)\s*(?:\{\s*1\s*\}|1)
                     | \\mathbb\s*(?:\{\s*I\s*\}|I(?![A-Za-z])) | \\(?:mathbf|mathds)\s*\{\s*I\s*\}(?=\s*[\[\{(\\]) )
    | (?P<turned>  \\(?:mathsf|mathrm|mathit|text|textrm|intercal|rm)\s*\{\s*[Tt]\s*\}
                     | \\(?:top|intercal)(?![A-Za-z]) )
    | (?P<defined> \\(?:overset|stackrel|underset)\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}\s*\{\s*:?=\s*\} )
    | (?P<numpy>   (?:\\(?:mathrm|text|texttt|operatorname)\s*\{\s*np\.sum\s*\} | np\.sum)(?=\s*\() )
    | (?P<word>    \\(?:operatorname\*?|mathrm|textrm|text|textbf|textit|mathit|mathsf|texttt|mathtt|mathop|mbox
                     |textnormal)
                     \s*\{\s*(?:\\rm\s+)?[A-Za-z][A-Za-z0-9]*\s*\} )
    | (?P<prose>   \\(?:text|textrm|mbox|intertext|textbf|textit|textnormal|mathrm|emph)
                     \s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\} )
    | (?P<begin>   \\begin\s*\{\s*[A-Za-z]+\*?\s*\} )
    | (?P<close>   \\end\s*\{\s*[A-Za-z]+\*?\s*\} )
    | (?P<colour>  \\textcolor\s*(?:\[[^\[\]]*\])?\s*\{[^{}]*\} | \\colorbox\s*\{[^{}]*\} )
    | (?P<font>    \\(?:mathbf|mathrm|mathit|mathsf|mathcal|mathscr|mathfrak|boldsymbol|bm|vec|text|textrm|textbf
                     |operatorname|bold|pmb|underline|boxed|cancel|bcancel|xcancel|mathbb|mathnormal
                     |ensuremath|mathop|mathbin|mathrel
                     |mathord|mathtt|bf)\*?(?![A-Za-z]) )
    | (?P<becomes> := | \\(?:coloneqq|colonequals|triangleq|leftarrow|gets|longleftarrow|Leftarrow)(?![A-Za-z])
                     | \\colon\s*= | <-(?!\s*[0-9.]) | ←|≔ )
    | (?P<times>   \.\s*(?:\\[!,;:]\s*)?\* )
    | (?P<dots>    \.\.\.+ )
    | (?P<number>  [0-9]+(?:\.[0-9]+)? | \.[0-9]+ )
    | (?P<command> \\(?:[A-Za-z]+|[^\sA-Za-z]) )
    | (?P<letter>  [^\W\d_] )
    | (?P<mark>    [!-~] | [−·×⊙∘∂∇∑∏√‖⊤′≤≥≠≡→∈ᵀ] )
    """,
    re.VERBOSE,
)
_TEXT = {
    "turn": r"\at",
    "lnorm": "||(",
    "rnorm": "||)",
    "norm": "||",
    "labs": "|(",
    "rabs": "|)",
    "one": r"\one",
    "turned": r"\top",
    "defined": "=",
    "becomes": ":=",
    "break": "\\\\",
    "times": "*",
}
_SAME = {
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\cfrac": r"\frac",
    r"\geq": r"\ge",
    r"\leq": r"\le",
    r"\geqslant": r"\ge",
    r"\leqslant": r"\le",
    r"\gt": ">",
    r"\lt": "<",
    r"\ne": r"\neq",
    r"\lbrace": r"\{",
    r"\rbrace": r"\}",
    "′": "'",
    r"\lbrack": "[",
    r"\rbrack": "]",
    r"\lparen": "(",
    r"\rparen": ")",
    r"\ast": "*",
    r"\bigodot": r"\odot",
    r"\circ": r"\odot",
    r"\bullet": r"\odot",
    "⊙": r"\odot",
    "∘": r"\odot",
    r"\prime": "'",
    r"\equiv": "=",
    "≡": "=",
    r"\mid": "|",
    r"\vert": "|",
    "−": "-",
    "·": r"\cdot",
    "×": r"\times",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∑": r"\sum",
    "∏": r"\prod",
    "√": r"\sqrt",
    "‖": "||",
    "⊤": r"\top",
    "ᵀ": r"\top",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\neq",
    "→": r"\to",
    "∈": r"\in",
    r"\cdotp": r"\cdot",
    r"\centerdot": r"\cdot",
    r"\langle": r"\langle",
    r"\ell": r"\ell",
    r"\rightarrow": r"\to",
    r"\widehat": r"\hat",
    r"\overline": r"\bar",
    r"\widetilde": r"\tilde",
    r"\ldots": r"\dots",
    r"\cdots": r"\dots",
    r"\dotsc": r"\dots",
    r"\vdots": r"\dots",
    r"\ddots": r"\dots",
    r"\dotsb": r"\dots",
    r"\colon": ":",
    r"\newline": "\\\\",
    r"\cr": "\\\\",
}
_NAMES_OF_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell"
)
_GREEK_LETTERS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩℓ", _NAMES_OF_GREEK.split(), strict=True))
_START = Position(1, 1)


UPRIGHT = frozenset("dW dZ dA db dw dz da dX dx dJ dL dY dy".split())  # noqa: SIM905
RUNS = frozenset(
    "softmax sigmoid tanh relu ReLU exp log ln diag softplus swish sign max min sin cos sinh cosh abs".split()  # noqa: SIM905
)
NAMES_IN_LETTERS = frozenset("net out target loss error cost logit logits".split())  # noqa: SIM905


def tokenize(text: str, at: Position = _START) -> list[Token]:
    r"""The tokens of the text, then an end token; ``at`` is where the text begins in its source.

    >>> " ".join(token.text for token in tokenize(r"\mathbf{W}^{(1)}\,\left( x \right) \label{a}"))
    '{ W } ^ { ( 1 ) } ( x ) '

    Raises NotationError for a character that no formula has, and for a text that is too long.
    """
    if len(text) > MAX_LENGTH:
        raise NotationError(f"the formula has more than {MAX_LENGTH} characters: split it", at, "SBP105")
    found = _words_apart(_letters_together(list(_split(_tokens(text, at)))))
    if len(found) > MAX_TOKENS:
        raise NotationError(f"the formula has more than {MAX_TOKENS} pieces: split it", at, "SBP105")
    return found


def _tokens(text: str, at: Position) -> Iterator[Token]:
    place, here = 0, at
    while place < len(text):
        found = _PIECE.match(text, place)
        if found is None:
            raise NotationError(f"unexpected character {text[place]!r}: remove it, or use LaTeX for it", here)
        kind, piece, place = str(found.lastgroup), found.group(), found.end()
        after = _moved(here, piece)
        token = _token(kind, piece, here, after)
        if token is not None:
            yield token
        here = after
    yield Token("end", "", here, here)


def _split(tokens: Iterable[Token]) -> Iterator[Token]:
    """An upright dW as d and W."""
    for token in tokens:
        if token.kind == "upright":
            line, column = token.start
            middle = Position(line, column + 1)
            yield Token("letter", "d", token.start, middle)
            yield Token("letter", token.text[1:], middle, token.end)
        else:
            yield token


def _letters_together(tokens: list[Token]) -> list[Token]:
    """softmax(z) without a command is a word, and so is net_j: nobody multiplies n, e and t so."""
    out: list[Token] = []
    place = 0
    while place < len(tokens):
        end = place
        while tokens[end].kind == "letter" and len(tokens[end].text) == 1 and tokens[end].text.isascii():
            end += 1
            if tokens[end].start != tokens[end - 1].end:
                break
        word = "".join(t.text for t in tokens[place:end])
        if word.startswith("d") and word[1:] in NAMES_IN_LETTERS:  # d net
            out.append(tokens[place])
            word, place = word[1:], place + 1
        after = tokens[min(end, len(tokens) - 1)].text
        if (word in RUNS and after in ("(", "^", "'")) or word in NAMES_IN_LETTERS:
            out.append(Token("word", word, tokens[place].start, tokens[end - 1].end))
            place = end
        else:
            out += tokens[place : max(end, place + 1)]
            place = max(end, place + 1)
    return out


def _words_apart(tokens: list[Token]) -> list[Token]:
    r"""``\text{and}`` is prose; as a subscript, or before an argument, a word is a name."""
    out: list[Token] = []
    for token, after in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        if token.kind == "text":
            before = out[-1].text if out else ""
            named = before in ("_", "^", "{", ",") or after.text in ("(", "'", "{", "}") or token.text.lower() in NAMES
            token = token._replace(kind="word" if named else "prose")
        out.append(token)
    return out


def _moved(here: Position, piece: str) -> Position:
    lines = piece.count("\n")
    if lines:
        return Position(here.line + lines, len(piece) - piece.rindex("\n"))
    return Position(here.line, here.column + len(piece))


def _token(kind: str, piece: str, here: Position, after: Position) -> Token | None:
    if kind in ("comment", "space", "dropped", "size", "font", "colour", "sign"):
        return None
    if kind == "dots":
        return Token("command", r"\dots", here, after)
    if kind == "numpy":
        return Token("word", "npsum", here, after)
    if kind in _TEXT:
        return Token("mark", _TEXT[kind], here, after)
    if kind == "word":
        word = piece[piece.index("{") + 1 : -1].strip().removeprefix(r"\rm").strip()
        if word in UPRIGHT:  # \mathrm{dW}: the d, and the letter in the next token
            return Token("upright", word, here, after)
        kind = "text" if piece.startswith((r"\text", r"\mbox")) else "word"
        return Token("letter" if len(word) == 1 else kind, word, here, after)
    if kind in ("begin", "close"):
        return Token(kind, piece[piece.index("{") + 1 : -1].strip(), here, after)
    if kind in ("gap", "prose"):
        return Token(kind, piece, here, after)
    if kind == "letter" and piece in _GREEK_LETTERS:
        kind, piece = "command", "\\" + _GREEK_LETTERS[piece]
    text = _SAME.get(piece, piece)
    if kind == "command":
        name = text[1:]
        if name in GREEK:
            return Token("letter", name, here, after)
        kind = "command" if text[0] == "\\" and len(text) > 1 and text[1].isalpha() else "mark"
    return Token(kind, text, here, after)
