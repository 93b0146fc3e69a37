"""Random claims about gradients, put to the prover and to the independent decider, and the score of the two."""

import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import reals
from decider import Answer, Decider, NotCoveredError, subjects
from edits import Around, applied, size_of
from rewritings import REWRITINGS
from slips import SLIPS

from symbackprop import Dense, Network
from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import ONE, Formula
from symbackprop.errors import NotationError, ShapeMismatch
from symbackprop.model.notes import read_formula, read_subject
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict

PATIENCE = 10.0  # seconds for one verdict
SHAPE_CODES = ("SBP201", "SBP202", "SBP203")


def dense(*activations: str, sizes: str = "n_0 n_1 n_2 n_3", bias: bool = True, **options: Any) -> Network:
    """A network with named sizes, or with numbers, for a space-separated list."""
    given: list[Any] = [int(n) if n.isdigit() else n for n in sizes.split()]
    layers = [Dense(n, a, bias=bias) for n, a in zip(given[1:], activations, strict=False)]
    return Network(layers, inputs=given[0], **options)


NETWORKS: dict[str, Callable[[], Network]] = {
    "sigmoid, binary": lambda: dense("sigmoid", "sigmoid", loss="binary_cross_entropy", batch="m"),
    "three layers": lambda: dense("sigmoid", "tanh", "softmax", loss="cross_entropy", batch="m"),
    "relu": lambda: dense("relu", "relu", "identity", loss="half_squared_error", batch="m"),
    "one example": lambda: dense("sigmoid", "tanh", "sigmoid", loss="half_squared_error"),
    "rows": lambda: dense("tanh", "sigmoid", loss="squared_error", batch="m", samples="rows", weights="in x out"),
    "rows, out x in": lambda: dense("relu", "softmax", loss="cross_entropy", batch="m", samples="rows"),
    "penalties": lambda: dense("tanh", "sigmoid", loss="binary_cross_entropy", batch="m", l2="lambda", l1="mu"),
    "equal sizes": lambda: dense("sigmoid", "tanh", "sigmoid", sizes="n n n n", loss="mean_squared_error", batch="m"),
    "equal numbers": lambda: dense("tanh", "relu", "sigmoid", sizes="3 3 3 3", loss="half_squared_error", batch=3),
    "numbers": lambda: dense("sigmoid", "softmax", sizes="3 4 2", loss="cross_entropy", batch=5),
    "one unit": lambda: dense("tanh", "sigmoid", sizes="n_0 n_1 1", loss="binary_cross_entropy", batch="m"),
    "generic": lambda: dense("generic", "generic", loss="generic"),
    "generic, batch": lambda: dense("generic", "generic", loss="generic", batch="m"),
    "softplus": lambda: dense("softplus", "silu", "softplus", loss="poisson", batch="m"),
    "any labels": lambda: dense("leaky_relu", "softmax", loss="cross_entropy", batch="m", labels="any"),
    "hinge": lambda: dense("elu", "tanh", loss="squared_hinge", batch="m"),
    "unbiased": lambda: dense("softsign", "identity", bias=False, loss="absolute_error", batch="m", l2=0.5),
    "logits": lambda: dense("gelu", "identity", loss="cross_entropy_with_logits", batch="m"),
    "likelihood": lambda: dense("sigmoid", "sigmoid", loss="log_likelihood", batch="N"),
    "inside softmax": lambda: dense("softmax", "sigmoid", loss="half_squared_error", batch="m"),
    "columns, in x out": lambda: dense("sigmoid", "relu", loss="squared_error", batch="m", weights="in x out"),
    "five layers": lambda: dense(
        "tanh", "sigmoid", "relu", "tanh", "sigmoid", sizes="n_0 n_1 n_2 n_3 n_4 n_5", loss="log_likelihood", batch="m"
    ),
    "letters of indices": lambda: dense(
        "sigmoid", "tanh", "sigmoid", sizes="i j k l", loss="half_squared_error", batch="n"
    ),
    "scalars": lambda: dense("sigmoid", "tanh", "sigmoid", sizes="1 1 1 1", loss="binary_cross_entropy"),
    "scalars, batch": lambda: dense("relu", "tanh", sizes="1 1 1", loss="half_squared_error", batch="m"),
    "distribution": lambda: dense("relu", "softmax", loss="kl_divergence", batch="m", l2="lambda"),
    "one layer": lambda: dense("softmax", loss="half_squared_error", batch="m", l2="lambda"),
}


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises TimeoutError after so long; without limit where the system has no such alarm."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"no answer after {seconds} s")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Claim:
    """A formula for ``of`` in a network, and the edits that made it."""

    network: str
    of: str
    formula: Formula
    edits: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.network!r}: {self.of} = {shown(self.formula)}   # {', '.join(self.edits) or 'as derived'}"


@dataclass
class Case:
    """One network with all that belongs to it."""

    name: str
    net: Network

    @cached_property
    def decider(self) -> Decider:
        return Decider(self.net)

    @cached_property
    def starts(self) -> list[tuple[str, Formula]]:
        """True formulas: named, and with errors put in, once or to the end."""
        d = self.net.derive()
        found = dict.fromkeys(subjects(self.net))
        for symbol, formula in d.backward.values.items():
            if symbol.letter in "aAxX":
                found[f"d{symbol.name}", formula] = None
        for symbol, formula in d.defining_formulas.items():
            if symbol.letter in "zZ":
                found[symbol.name, formula] = None
        for of, formula in list(found):
            found[of, f.substitute(formula, dict(d.backward.errors))] = None
            if of in d.formulas:
                found[of, d.formula(of, expand=True)] = None
        return list(found)

    @cached_property
    def around(self) -> Around:
        pool = dict.fromkeys(u for _, formula in self.starts for u in f.walk(formula) if not isinstance(u, f.Number))
        return Around(self.net, [u for u in pool if size_of(u) is not None])

    def claim(self, rng: random.Random) -> Claim:
        """A true formula in another guise, with a mistake or two in half of the cases."""
        of, formula = rng.choice(self.starts)
        kinds = [REWRITINGS] * rng.randrange(5) + [SLIPS] * rng.choice((0, 0, 0, 0, 0, 1, 1, 1, 1, 2))
        rng.shuffle(kinds)
        done = []
        for kind in kinds:
            edit, formula = applied(kind, formula, self.around, rng)
            done.append(edit)
        return Claim(self.name, of, formula, tuple(done))

    def as_read(self, claim: Claim) -> Claim:
        """The claim as its text is read, in which NumPy's broadcasting may conform where the formula does not."""
        text = python(claim.formula)
        try:
            return claim if text is None else replace(claim, formula=read_formula(self.net.model, text))
        except (NotationError, ShapeMismatch):
            return claim

    def verdict(self, claim: Claim, as_text: bool = False) -> Verdict:
        """The prover's; ``as_text`` by way of Python syntax, where the formula has one."""
        if as_text and (text := python(claim.formula)) is not None:
            return self.net.verify(text, of=claim.of)
        return self.net._prover.judge(read_subject(self.net.model, claim.of), claim.formula)


def claims(case: Case, seed: int, count: int) -> Iterator[Claim]:
    for number in range(count):
        yield case.claim(random.Random(f"{case.name}/{seed}/{number}"))


@dataclass
class Score:
    """How often each status met each answer; ``faults`` are disagreements, in words."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: list[tuple[float, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    unrefuted: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)  # proved, and without a value somewhere
    skipped: Counter[str] = field(default_factory=Counter)

    def judge(self, case: Case, claim: Claim, as_text: bool = False) -> None:
        if as_text:
            claim = case.as_read(claim)
        try:
            answer = case.decider.decide(claim.formula, claim.of)
        except NotCoveredError as error:
            self.skipped[str(error)] += 1
            return
        start = time.perf_counter()
        try:
            with limited(PATIENCE):
                verdict = case.verdict(claim, as_text)
        except Exception as error:
            self.seconds.append((time.perf_counter() - start, f"{type(error).__name__}: {claim}"))
            self.faults.append(f"{type(error).__name__}: {error}: {claim}")
            return
        self.seconds.append((time.perf_counter() - start, f"{verdict.status}: {claim}"))
        if as_text and verdict.status is Status.UNREAD:
            self.skipped[verdict.message[:40]] += 1
            return
        self.compare(case, claim, answer, verdict)

    def compare(self, case: Case, claim: Claim, answer: Answer, verdict: Verdict) -> None:
        status, by_shape = verdict.status, verdict.code in SHAPE_CODES
        if answer is Answer.FALSE and status is not Status.REFUTED and self.really(case, claim):
            answer = Answer.TRUE  # for real numbers, by an inequality
        self.counts[status.value, answer.value] += 1
        if status is Status.PROVED and answer in (Answer.FALSE, Answer.MISSHAPEN):
            self.faults.append(f"PROVED, and {answer.value}: {claim}")
        elif status is Status.REFUTED and answer is Answer.TRUE:
            if case.decider.decide(claim.formula, claim.of, 20) is Answer.TRUE:
                self.faults.append(f"REFUTED {verdict.code} ({verdict.message}), and true: {claim}")
        elif status is Status.REFUTED and answer is Answer.FALSE and by_shape:
            self.faults.append(f"REFUTED by shape ({verdict.message}), but it conforms: {claim}")
        elif status is Status.REFUTED and not by_shape and verdict.counterexample is None:
            self.faults.append(f"REFUTED {verdict.code} without a counterexample: {claim}")
        elif status is Status.PROVED and answer is Answer.UNDEFINED:
            self.partial.append(f"{verdict.assumptions}: {claim}")
        elif answer is Answer.TRUE and status is not Status.PROVED:
            self.unproved.append(f"{status}: {verdict.message[:80]}: {claim}")
        elif answer in (Answer.FALSE, Answer.MISSHAPEN) and status is not Status.REFUTED:
            self.unrefuted.append(f"{status}: {verdict.message[:80]}: {claim}")

    @staticmethod
    def really(case: Case, claim: Claim) -> bool:
        """Whether it holds for real numbers; nothing holds of an opaque function that does not hold of all."""
        if "generic" in (case.net.model.loss.name, *(layer.activation.name for layer in case.net.model.layers)):
            return False
        return all(reals.agree(case.net, claim.formula, claim.of, seed) for seed in range(1, 7))

    def total(self, answer: Answer) -> int:
        return sum(n for (_, found), n in self.counts.items() if found == answer.value)

    def times(self) -> tuple[float, float, float]:
        """The median, the 99th percentile and the worst, in seconds."""
        seconds = sorted(s for s, _ in self.seconds)
        return statistics.median(seconds), seconds[int(0.99 * len(seconds))], seconds[-1]


def run(count: int, seed: int, names: list[str] | None = None) -> Score:
    """Claims spread evenly over the networks; one in five goes by way of text."""
    score, chosen = Score(), names or list(NETWORKS)
    for name in chosen:
        case = Case(name, NETWORKS[name]())
        for number, claim in enumerate(claims(case, seed, -(-count // len(chosen)))):
            score.judge(case, claim, as_text=number % 5 == 0)
    return score


# ---------------------------------------------------------------------------- formulas as text
def python(node: Formula) -> str | None:
    """In Python syntax as ``Network.verify`` reads it; None where it has none."""
    text = shown(node)
    return None if "?" in text else text


def shown(node: Formula) -> str:
    """In Python syntax; with a question mark where that does not say it."""
    match node:
        case f.Number(value):
            text = str(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
            return text if value >= 0 and value.denominator == 1 else f"({text})"
        case f.Scalar(name):
            return "lambda_" if name == "lambda" else name
        case f.Symbol():
            return node.name
        case f.Negative(arg):
            return f"(-{shown(arg)})"
        case f.Add(terms):
            return "(" + " + ".join(map(shown, terms)).replace(" + (-", " + (-") + ")"
        case f.Hadamard(factors):
            return "(" + " * ".join(map(shown, factors)) + ")"
        case f.Product((*rest, f.Ones((n, k)))) if rest and k == ONE and _wide(rest, 1) == n:
            return f"{_bracketed(f.Product(tuple(rest)))}.sum(axis=1)"
        case f.Product((f.Ones((k, n)), *rest)) if rest and k == ONE and _wide(rest, 0) == n:
            return f"{_bracketed(f.Product(tuple(rest)))}.sum(axis=0)"
        case f.Product(factors):
            return _product(factors)
        case f.Quotient(top, bottom):
            return f"({shown(top)} / {shown(bottom)})"
        case f.Power(base, exponent):
            return f"({shown(base)} ** {shown(exponent)})"
        case f.Transpose(arg):
            return f"{_bracketed(arg)}.T"
        case f.Map(function, arg, order):
            return f"{function.name}{'_prime' * order}({shown(arg)})"
        case f.Norm(arg, 2, 2):
            return f"({shown(arg)} ** 2).sum()"
        case f.Total(arg, axis):
            return f"{_bracketed(arg)}.sum({'' if axis is None else f'axis={axis}'})"
        case f.Diagonal(arg):
            return f"np.diag({shown(arg)})"
        case f.OpaqueLoss(_, f.Symbol("A" | "a", _, layer), f.Symbol("Y" | "y")) if layer == 2:
            return "grad_C"  # as all opaque networks here have two layers
        case f.Ones(shape):
            return f"ones?{shape}"
        case f.IndexSum(body, index, lower, upper):
            return f"sum?({shown(body)}, {index}={lower}..{upper})"
        case f.Unit(index, size):
            return f"e?({index}, {size})"
        case f.Softmax(arg, axis):
            return f"softmax?({shown(arg)}, axis={axis})"
    return f"?{node!r}"


def _wide(parts: list[Formula], axis: int) -> f.Size | None:
    """The size of a product along an axis, where it is no scalar."""
    size = size_of(f.Product(tuple(parts)))
    return None if size in (None, f.SCALAR) else size[axis]


def _bracketed(node: Formula) -> str:
    text = shown(node)
    return text if text.startswith("(") or text.isidentifier() else f"({text})"


def _product(factors: tuple[Formula, ...]) -> str:
    """Scalars times the chain of the others."""
    scalars = [u for u in factors if size_of(u) == f.SCALAR]
    others = [u for u in factors if size_of(u) != f.SCALAR]
    chain = " @ ".join(map(shown, others))
    return "(" + " * ".join([*map(shown, scalars), *([f"({chain})" if scalars else chain] if others else [])]) + ")"
