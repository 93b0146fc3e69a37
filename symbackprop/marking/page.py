"""A page of notes: what is declared, what it has defined so far, and each of its formulas read and judged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from symbackprop.algebra import formula as f
from symbackprop.algebra.formula import SCALAR, Equation, Formula, Symbol
from symbackprop.algebra.shape import shape
from symbackprop.derivation import Derivation
from symbackprop.errors import NetworkError, NotationError, Position, ShapeMismatch, Unsupported
from symbackprop.marking.attempts import Attempts
from symbackprop.marking.definitions import Definitions
from symbackprop.marking.elaborate import Elaborator, Misfit, Shorthand
from symbackprop.marking.infer import infer, letters_of
from symbackprop.marking.instances import in_part, mentioned, sample_letter
from symbackprop.marking.judge import Judge
from symbackprop.marking.other_readings import OtherReadings
from symbackprop.marking.scope import LayerMissing, Scope, network_scope, table_scope
from symbackprop.marking.second import check_scalar_side
from symbackprop.marking.updates import change_of, in_time, keeps_state, steps_by, update_of
from symbackprop.marking.verdicts import joined, unread, with_notes
from symbackprop.marking.words import with_shape
from symbackprop.model.model import Model
from symbackprop.notation import syntax as s
from symbackprop.notation.arrows import with_steps
from symbackprop.notation.formula_lines import chains_of
from symbackprop.notation.latex_reader import Reader
from symbackprop.notation.latex_tokens import Token, tokenize
from symbackprop.notation.notation import Notation
from symbackprop.proof.prover import Prover
from symbackprop.proof.setting import of_network
from symbackprop.proof.status import Status
from symbackprop.proof.verdict import Verdict, chain

START = Position(1, 1)


class Described(Protocol):
    """What a page needs of a network."""

    @property
    def model(self) -> Model: ...

    def derive(self) -> Derivation: ...


@dataclass(frozen=True)
class Reading:
    """What was read: each equality as formulas, in our own words with shapes; ``said`` what a reader should know."""

    equations: tuple[Equation, ...]
    text: str
    said: tuple[str, ...] = ()
    chains: tuple[s.Chain, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.text, *(f"({note})" for note in self.said)])


ELEMENTWISE = r"side by side is the matrix product: for one entry by entry write \odot"


class Page(Attempts, Definitions, OtherReadings):
    """One page of notes. ``declared`` holds the TOML tables notation and symbols as dicts.

    What is not declared of the notation is inferred formula by formula; ``infer`` does so for a whole page first.

    >>> page = Page()
    >>> page.judge(r"\\frac{d}{dx} x^n = n x^{n-1}").status.value
    'proved'
    """

    def __init__(self, network: Described | None = None, declared: Mapping[str, Any] | None = None) -> None:
        self.network = network
        self.declared: dict[str, Any] = {
            k: dict(v) if isinstance(v, Mapping) else v for k, v in (declared or {}).items()
        }
        if network is not None:
            own = getattr(network, "declared_notation", {})
            self.declared["notation"] = {**own, **self.declared.get("notation", {})}
        self._inferred: dict[str, Any] = {}
        self._scope: Scope | None = None
        self._judge: Judge | None = None
        self._prover: Prover | None = None
        self._used: set[str] = set()
        self._letters: set[str] = set()  # that the page has used so far
        self._states: set[str] = set()  # letters of running values
        self._last: s.Node | None = None
        self._source: tuple[str, Position] = ("", START)
        self.defined: dict[str, Position] = {}

    # Scope

    def _notation(self, latex: str) -> Notation:
        """The notation in force: declared, or inferred from what the page has shown so far."""
        declared = dict(self.declared.get("notation", {}))
        names = dict(declared.pop("names", {}))
        found = dict(infer([latex], self.declared, self._letters).get("notation", {}))
        self._letters |= letters_of(latex)
        if "differentials" not in found and re.search(r"(?<![A-Za-z\\])d\{?[ZzAa](?![A-Za-z])", latex):
            self._inferred.setdefault("differentials", "J")  # what dZ means does not change from line to line
        self.imply(found)
        rest = {**{k: v for k, v in self._inferred.items() if k not in ("names", "loss")}, **declared}
        unknown = sorted(set(rest) - set(Notation.keys()))
        if unknown:
            known = ", ".join(Notation.keys())
            raise NetworkError(f"unknown key {unknown[0]!r} in notation: known are {known}", ("notation", unknown[0]))
        losses = {k: v for k, v in self._inferred["names"].items() if k in ("loss", "sample_loss")}
        try:
            return Notation(**rest, names={**losses, **names})
        except NetworkError:  # what is inferred must not stand against what is declared
            return Notation(**rest, names=names)

    def imply(self, notation: Mapping[str, Any]) -> None:
        """Take in what formulas imply; letters by role come before the usual ones, behind what is declared."""
        known = self._inferred.setdefault("names", {})
        for role, letter in notation.get("names", {}).items():
            if not self._is_size(letter):
                known.setdefault(role, letter)
        for key, value in notation.items():
            if key != "names":
                self._inferred.setdefault(key, value)

    def _symbols(self) -> dict[str, str]:
        """The declared symbols, and the loss where a page without a network derives one that it does not declare."""
        declared = dict(self.declared.get("symbols", {}))
        return {**declared, self._inferred["loss"]: "loss"} if "loss" in self._inferred else declared

    def _imply_loss(self, latex: str) -> None:
        declared = self.declared.get("symbols", {})
        if self.network is not None or not declared or "loss" in declared.values() or "loss" in self._inferred:
            return
        found = re.search(r"\\partial\s*(?:\\mathcal\s*\{?\s*)?([JLCE]|\\ell)(?![A-Za-z_(])", latex)
        if found is not None and found[1] not in declared and found[1] not in self.defined:
            self._inferred["loss"] = found[1]

    def _is_size(self, letter: str) -> bool:
        """Whether a letter is a size of the network already, which no role may take from it."""
        if self.network is None:
            return False
        model = self.network.model
        return any(str(n) == letter for n in (*model.sizes, model.frame.samples))

    def scope(self, latex: str) -> Scope:
        """The scope in which a formula is read; it is made anew when a formula tells more of the notation."""
        before = repr(self._inferred)
        notation = self._notation(latex)
        self._imply_loss(latex)
        if self._scope is None or repr(self._inferred) != before:
            old = self._scope
            symbols = self._symbols()
            prover = self._network_prover()
            if self.network is not None and prover is not None:
                self._scope = network_scope(self.network.model, notation, symbols, self._inferred.get("names", {}))
                said = self.declared.get("notation", {}).get("differentials")
                self._scope.errors_of_samples = said == "per sample"
                self._scope.gradients = prover.setting.gradients
                self._scope.errors = {e: self._scope.gradients[a] for a, e in prover.setting.errors.items()}
            else:
                self._scope = table_scope(notation, symbols)
            if old is not None:
                self._carry_over(old)
            extended = getattr(self.network, "extended_provers", None)
            self._judge = Judge(self._scope, self._network_prover(), {} if extended is None else extended)
        return self._scope

    def _carry_over(self, old: Scope) -> None:
        assert self._scope is not None
        self._scope.definitions, self._scope.through = old.definitions, old.through
        self._scope.composed, self._scope.arguments = old.composed, old.arguments
        for letter in self.defined:
            if letter in old.losses and letter not in old.families:
                self._scope.losses[letter] = old.losses[letter]
                self._scope.families.pop(letter, None)
            for mine, theirs in ((self._scope.families, old.families), (self._scope.functions, old.functions)):
                if letter in theirs:
                    mine[letter] = theirs[letter]  # type: ignore[assignment]
            if letter in old.lexicon.words:
                self._scope.lexicon.words[letter] = old.lexicon.words[letter]  # type: ignore[index]

    def _network_prover(self) -> Prover | None:
        if self.network is None:
            return None
        if self._prover is None:
            known = getattr(self.network, "_prover", None)
            self._prover = known if isinstance(known, Prover) else Prover(of_network(self.network.derive()))
        return self._prover

    @property
    def unused(self) -> dict[str, Position]:
        """Symbols that the page defined and never used, with the place of the definition: likely slips."""
        return {letter: at for letter, at in self.defined.items() if letter not in self._used}

    # Reading

    def read(self, latex: str, at: Position = START) -> Reading:
        """What was read, in our own words, with shapes; raises NotationError with a position."""
        scope = self.scope(latex)
        equations: list[Equation] = []
        lines: list[str] = []
        said: list[str] = []
        chains = [self._tree(tokens, scope) for tokens in self._chains(latex, at)]
        for tree in chains:
            nodes = in_time(tree.sides, scope)
            missing: NotationError | None = None
            for elaborator in self._elaborators(nodes, scope):
                self._prepare(elaborator, nodes, scope)
                try:
                    sides = [self._formula(elaborator, u) for side in nodes for u in _parts(side)]
                    break
                except LayerMissing as error:
                    missing = error
            else:
                assert missing is not None
                raise missing
            equations.append(Equation(tuple(sides)))
            lines.append("\n  = ".join(with_shape(u) for u in sides))
            said += elaborator.said
        return Reading(tuple(equations), "\n".join(lines), tuple(dict.fromkeys(said)), tuple(chains))

    def _prepare(self, elaborator: Elaborator, nodes: Sequence[s.Node], scope: Scope) -> None:
        """Tell the elaborator what only the whole line says."""
        elaborator.sample_letter = sample_letter(nodes, scope)
        elaborator.direct = in_part(nodes)
        elaborator.mentioned = mentioned(nodes, scope)
        elaborator.changes(nodes)

    def _formula(self, elaborator: Elaborator, node: s.Node) -> Formula:
        try:
            return elaborator.of(node)
        except Shorthand as short:
            if not isinstance(node, s.Partial):
                raise
            return f.Derivative(short.of, short.wrt)
        except LayerMissing:
            raise
        except (Misfit, ShapeMismatch, Unsupported) as error:
            raise NotationError(str(error), node.span[0], getattr(error, "code", "SBP104"), node.span[1]) from None

    def _chains(self, latex: str, at: Position) -> list[list[Token]]:
        return chains_of(tokenize(latex, at))

    def _tree(self, tokens: Sequence[Token], scope: Scope) -> s.Chain:
        try:
            return Reader(tokens, scope.lexicon).chain()
        except RecursionError:
            raise NotationError("the formula is nested too deeply", tokens[0].start, "SBP105") from None

    def _continued(self, tokens: Sequence[Token], scope: Scope) -> s.Chain:
        """A chain; one that begins with = goes on with the last side of the chain before it."""
        first = tokens[0]
        if first.text not in ("=", ":=") or first.kind != "mark":
            return self._tree(tokens, scope)
        if self._last is None:
            raise NotationError("what is this equal to? no line before it was read", first.start, "SBP101", first.end)
        tree = self._tree(tokens[1:], scope)
        return s.Chain((self._last, *tree.sides), (first.text, *tree.relations))

    # Judging

    def judge(self, latex: str, at: Position = START) -> Verdict:
        """One displayed formula: a chain of equalities, or several lines; ``links`` has a verdict for each equality."""
        latex = with_steps(latex)
        self._source = latex, at
        try:
            scope = self.scope(latex)
            pieces = self._chains(latex, at)
        except NotationError as error:
            self._last = None
            return unread(error, at)
        links: list[Verdict] = []
        for tokens in pieces:
            try:
                tree = self._continued(tokens, scope)
                self._last = tree.sides[-1]
                if (totals := self._of_totals(tokens, scope)) is not None:
                    links += totals
                    continue
                if len(tree.sides) == 1:
                    span = (tokens[0].start, tokens[-1].end)
                    links.append(Verdict(Status.UNREAD, "there is no = here: nothing is claimed", "SBP101", span=span))
                    continue
                links += self._chain(tree, scope)
            except NotationError as error:
                self._last = None
                links.append(unread(error, tokens[0].start))
            except RecursionError:
                self._last = None
                links.append(unread(NotationError("the formula is nested too deeply", tokens[0].start, "SBP105"), at))
        found = chain(tuple(links))
        if self.network is not None and found.status in (Status.REFUTED, Status.UNREAD):
            other = self._of_functions(pieces, scope, latex, at)
            for reading in () if self.beside else (self._in_rows, self._in_its_layout, self._of_each_sample):
                other = reading(found, latex, at) if other is None else other
            return found if other is None else other
        return found

    def _of_totals(self, tokens: Sequence[Token], scope: Scope) -> list[Verdict] | None:
        """dY = dX W + X dW without a network, where that is right of differentials, and dY may be dL/dY; else None."""
        if self.network is not None or scope.lexicon.free or tokens[0].text != "d" or len(tokens) < 3:
            return None
        if Symbol(tokens[1].text) not in {Symbol(u.letter) for u in scope.definitions}:
            return None
        try:
            reader = Reader(tokens, scope.lexicon)
            reader.totals = True
            found = self._chain(reader.chain(), scope)
        except NotationError:
            return None
        return found if all(u.status is Status.PROVED for u in found) else None

    def _chain(self, tree: s.Chain, scope: Scope) -> list[Verdict]:
        links: list[Verdict] = []
        wrong = False
        left, *others = in_time(tree.sides, scope)
        for k, right in enumerate(others):
            found = self._link(left, right, tree.relations[k], scope, first=k == 0)
            found = replace(found, span=found.span if found.status is Status.UNREAD and found.span else right.span)
            if wrong and found.status in (Status.PROVED, Status.CONSISTENT):
                found = replace(found, message=f"{found.message}; it follows from a line that is wrong")
            elif wrong and found.status is Status.REFUTED:
                found = replace(found, message=f"{found.message}; the line before it is wrong already")
            wrong = wrong or found.status is Status.REFUTED
            links.append(found)
            if found.status is not Status.UNREAD or found.span is None or found.span[0] < right.span[0]:
                left = right
        return links

    def _link(self, left: s.Node, right: s.Node, relation: str, scope: Scope, first: bool) -> Verdict:
        try:
            self._note_use(left, right)
            if keeps_state(left, right, relation, scope) and isinstance(left, s.Name):
                self._states.add(left.letter)
                return Verdict(Status.DEFINED, f"a value of {left.letter} told by the one before: nothing is claimed")
            if steps_by(left, right, self._states, scope):
                return Verdict(Status.DEFINED, "a step by a running value: nothing is claimed of a derivative")
            if (parameter := change_of(left, scope)) is not None:  # Delta W = E is W := W + E
                return self._instances(parameter, s.Plus((parameter, right), span=right.span), ":=", scope, first)
            if isinstance(right, s.Tuple) and isinstance(left, s.Name) and left.letter not in scope.families:
                return Verdict(Status.DEFINED, f"{left.letter} is a name for what is listed: nothing is claimed")
            if first and (defined := self._definition(left, right, scope)) is not None:
                return defined
            if len(pairs := list(zip(_parts(left), _parts(right), strict=False))) > 1 or isinstance(left, s.Tuple):
                if len(_parts(left)) != len(_parts(right)):
                    return Verdict(Status.REFUTED, "tuples of different length", "SBP202")
                return joined([self._instances(u, v, "=", scope, False) for u, v in pairs])
            return self._instances(left, right, relation, scope, first)
        except NotationError as error:
            return unread(error, left.span[0])
        except Misfit as error:
            hint = ELEMENTWISE if "do not meet" in error.message else ""
            return Verdict(Status.REFUTED, error.message, error.code, hint, span=error.span)
        except ShapeMismatch as error:
            return Verdict(Status.REFUTED, str(error), "SBP201", span=right.span)
        except Unsupported as error:
            return Verdict(Status.UNREAD, str(error), "SBP104", span=right.span)

    def _note_use(self, left: s.Node, right: s.Node) -> None:
        for side in (left, right):
            for node in s.walk(side):
                letter = getattr(node, "letter", None)
                if letter is not None and node is not left:
                    self._used.add(letter)
                if isinstance(node, s.Call):
                    self._used.add(node.function.letter)

    def _one(
        self, left: s.Node, right: s.Node, relation: str, scope: Scope, first: bool, elaborator: Elaborator
    ) -> Verdict:
        assert self._judge is not None
        self._prepare(elaborator, (left, right), scope)
        if first and (rule := update_of(left, right, relation, elaborator)) is not None:
            known, claim = rule
            found = self._judge.compare(known, claim, elaborator.free_ranges([known, claim]))
            if found.status is Status.REFUTED and (again := update_of(left, right, relation, elaborator, one=True)):
                plain = self._judge.compare(*again, elaborator.free_ranges(again))
                found = plain if plain.status is Status.PROVED else found
            return with_notes(found, [*elaborator.said, "read as a step of an update"])
        try:
            known = elaborator.of(left)
        except Shorthand as short:
            if not isinstance(left, s.Partial):
                raise
            return self._factor(short, elaborator.of(right), elaborator)
        try:
            claim = elaborator.of(right)
        except Shorthand as short:
            if not isinstance(right, s.Partial):
                raise
            return self._factor(short, known, elaborator)
        if isinstance(left, s.Partial) and shape(claim) == SCALAR != shape(known):
            short_of = elaborator.shorthand(left)
            if short_of is not None:
                return self._factor(short_of, claim, elaborator)
        known, claim = elaborator.with_ranges(known), elaborator.with_ranges(claim)
        for side, formula in ((left, known), (right, claim)):
            check_scalar_side(side, formula, *self._source)
        found = self._judge.compare(known, claim, elaborator.free_ranges([known, claim]))
        granted = list(elaborator.granted)
        if elaborator.from_derivation and self._judge.network is not None:
            granted += filter(None, [self._judge.network.setting.labels])
        if granted:
            found = replace(found, assumptions=tuple(dict.fromkeys((*granted, *found.assumptions))))
        if elaborator.unknown and found.status is not Status.PROVED:
            reason = f"what {', '.join(dict.fromkeys(elaborator.unknown))} is, no line has said"
            return Verdict(Status.UNDECIDED, reason, "SBP401", "write the line that defines what is derived before")
        if elaborator.constant and found.status is Status.PROVED:
            kept = " and ".join(sorted(elaborator.constant))
            return Verdict(
                Status.REFUTED, f"right only if {kept} does not change", "SBP319", "write its differential too"
            )
        for one, other in elaborator.asserted:
            extra = self._judge.compare(other, one, elaborator.free_ranges([one, other]))
            found = joined([found, replace(extra, message=f"{extra.message} (under a brace)")])
        return with_notes(found, elaborator.said)

    def _factor(self, short: Shorthand, claim: Formula, elaborator: Elaborator) -> Verdict:
        """dz/dW = a^T: the factor beside dJ/dz."""
        assert self._judge is not None
        found = self._judge.shorthand(short, claim, elaborator.free_ranges([claim]))
        return with_notes(found, elaborator.said)


def _parts(node: s.Node) -> tuple[s.Node, ...]:
    """The items of a tuple; the derivative by a tuple is one of derivatives."""
    if isinstance(node, s.Tuple):
        return node.items
    if isinstance(node, s.Partial) and isinstance(node.wrt, s.Tuple):
        return tuple(s.Partial(node.of, item, span=node.span) for item in node.wrt.items)
    if isinstance(node, s.Minus) and len(inner := _parts(node.arg)) > 1:
        return tuple(s.Minus(item, span=node.span) for item in inner)
    return (node,)
