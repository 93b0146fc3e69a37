"""What the LaTeX reader must know of a page before it reads: which letters are what, and how layers are marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.errors import NotationError

ACCENTS = ("hat", "bar", "tilde", "dot")

# Words and commands that are functions wherever they stand.
FUNCTION_WORDS = frozenset(
    "exp log ln tanh sinh cosh sin cos erf sqrt abs sign sgn max min step diag tr Tr trace softmax logsoftmax sigmoid "  # noqa: SIM905
    "relu leakyrelu elu selu softplus softsign silu swish gelu mish hardtanh hardsigmoid relu6 logistic LSE logsumexp "
    "lse clip huber sum vec mean identity sech csch coth tan sec csc cot arctan logit lg expit".split()
)


@dataclass(frozen=True)
class Word:
    """What a letter is: an array with ``rank`` entry indices, a scalar, a function, a loss, a unit vector, a number.

    ``layered``: it carries a layer; ``below``: its layer, or its time, is a subscript whatever the notation says;
    ``sampled``: a superscript is a sample of it; ``called``: "x" where y(x) is its value at x, "any" where it is that
    at every argument, "own" where the page defined it so, "" where a bracket behind it is a factor.
    """

    kind: str
    layered: bool = False
    rank: int = 0
    below: bool = False
    sampled: bool = False
    called: str = ""


@dataclass(frozen=True)
class Lexicon:
    """Letters by their plain name (``W``, ``sigma``, ``y_hat``, ``y_d``), and how layers and samples are written.

    ``layer`` and ``sample`` are styles as in ``Notation``. ``free``: an undeclared letter is a scalar, and f, g, h and
    sigma are functions; so it is where there is no network and no table of symbols. ``numbers``: no array is declared.
    ``bare``: letters that may stand without the layer that others of their kind carry; a number above is a power.
    """

    words: Mapping[str, Word] = field(default_factory=dict)
    layer: str = "(l)"
    sample: str = "(i)"
    free: bool = False
    bare: frozenset[str] = frozenset()
    numbers: bool = False

    @property
    def of_numbers(self) -> bool:
        """Whether no letter is an array: then functions without arguments are composed, and derived by a prime."""
        return self.free or self.numbers

    def find(self, letter: str) -> Word | None:
        found = self.words.get(letter)
        if found is None and self.free and letter.lower() not in FUNCTION_WORDS and not is_word(letter):
            return Word("function") if letter in ("f", "g", "h", "sigma", "phi", "varphi", "psi") else Word("scalar")
        return found


GREEK = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "  # noqa: SIM905
    "upsilon phi varphi chi psi omega ell".split()
)


def is_word(letter: str) -> bool:
    """Whether a name is a word, like logit: no letter that could stand for a number."""
    bare = letter.partition("_")[0]
    return len(bare) > 1 and bare.isalpha() and bare.lower() not in GREEK


_PLAIN = re.compile(
    r"""\\?(?P<accent>hat|bar|tilde|dot)\s*\{?\\?(?P<inner>[A-Za-z]+)\}?(?P<rest>.*)
      | \\?(?:mathbf|mathcal|mathrm|boldsymbol|vec|bm)\s*\{\\?(?P<font>[A-Za-z]+)\}(?P<more>.*)
      | \\?(?P<letter>[A-Za-z]+)(?P<under>.*)""",
    re.VERBOSE | re.DOTALL,
)


def plain(name: str) -> str:
    r"""A declared name in its plain form.

    >>> plain(r"\hat{y}"), plain("y_d"), plain(r"\lambda"), plain("W_{hh}"), plain(r"\mathcal{L}")
    ('y_hat', 'y_d', 'lambda', 'W_hh', 'L')
    """
    found = _PLAIN.fullmatch(name.strip())
    if found is None:
        raise NotationError(
            f"{name!r} is no name: write one letter, an accent and a subscript at most, like \\hat{{y}}_1"
        )
    if found["accent"] and name.lstrip().startswith("\\"):
        return f"{found['inner']}_{found['accent']}{_below(found['rest'])}"
    if found["font"]:
        return found["font"] + _below(found["more"])
    letter, under = found["letter"] or found["accent"], found["under"]
    if found["accent"] and not name.lstrip().startswith("\\"):
        letter, under = name.strip(), ""
        return letter
    return letter + _below(under)


def _below(text: str) -> str:
    inner = re.sub(r"[\\{}\s]|mathrm|text", "", text.removeprefix("_"))
    return f"_{inner}" if inner else ""
