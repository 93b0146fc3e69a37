"""What formulas of the corpus mean, by a small reader of their meaning strings, apart from the LaTeX reader.

Both sides come to nested tuples: products flattened (a matrix product and a scalar one differ by shapes alone), names
with layer, sample and entries.
"""

import ast
import json
import re
from fractions import Fraction
from pathlib import Path

import sympy

from symbackprop.notation import syntax as s
from symbackprop.notation.lexicon import Lexicon, Word

CORPUS = json.loads((Path(__file__).parents[1] / "notation" / "corpus.json").read_text())


def lexicon(notation):
    table = CORPUS["notations"][notation]
    words = {}
    sampled = set(table.get("superscript_is_sample_on", []))
    for letter, kind in table["symbols"].items():
        layered = "[l]" in kind or "[l-1]" in kind or "layered" in kind
        if kind in ("function", "loss"):
            words[letter] = Word(kind)
        elif kind == "unit vector":
            words[letter] = Word("unit")
        elif kind.startswith("scalar"):
            words[letter] = Word("scalar", layered, sampled=letter in sampled)
        else:
            rows, _, columns = kind.partition(",")[0].partition(" x ")
            rank = 1 if "1" in (rows, columns.strip()) else 2
            words[letter] = Word("array", layered, rank, below="time" in kind, sampled=rank == 1 or letter in "AZX")
    words["sigma"] = words["g"] = Word("function", layered=True)
    return Lexicon(words, table["layer"], "i" if sampled else "(i)")


# The meaning column

NAMES = {"lamda": "lambda"}
CALLS = {"Max": "max", "Abs": "abs", "LSE": "LSE"}


def index(node):
    return sympy.sympify(ast.unparse(node), locals={c: sympy.Symbol(c) for c in "ijklmnpqrtLKTNSEIQO"})


def of_meaning(text, words):
    return _mean(ast.parse(text, mode="eval").body, words)


def _layered(letter, words):
    word = words.words.get(letter)
    return word is not None and (word.layered or word.below)


def _mean(node, words):
    match node:
        case ast.Constant(value=v):
            return ("num", Fraction(v))
        case ast.Name(id=name):
            name = NAMES.get(name, name)
            word = words.words.get(name)
            return ("fn", name, 0, None) if word and word.kind == "function" else ("name", name, None, None, ())
        case ast.UnaryOp(op=ast.USub(), operand=u):
            return ("-", _mean(u, words))
        case ast.BinOp(left=a, op=ast.Add(), right=b):
            return plus(_mean(a, words), _mean(b, words))
        case ast.BinOp(left=a, op=ast.Sub(), right=b):
            return plus(_mean(a, words), ("-", _mean(b, words)))
        case ast.BinOp(left=a, op=ast.Mult() | ast.MatMult(), right=b):
            return times(_mean(a, words), _mean(b, words))
        case ast.BinOp(left=a, op=ast.Div(), right=b):
            return ("/", _mean(a, words), _mean(b, words))
        case ast.BinOp(left=a, op=ast.Pow(), right=b):
            return ("^", _mean(a, words), _mean(b, words))
        case ast.Attribute(value=inner, attr="p"):
            _, name, order, layer = _function(inner, words)
            return ("fn", name, order + 1, layer)
        case ast.Subscript(value=base, slice=at):
            entries = tuple(map(index, at.elts)) if isinstance(at, ast.Tuple) else (index(at),)
            found = _mean(base, words)
            _, letter, layer, sample, had = found
            if layer is None and not had and _layered(letter, words) and len(entries) == 1:
                return ("name", letter, entries[0], sample, had)
            return ("name", letter, layer, sample, entries)
        case ast.Call(func=function, args=args):
            return _called(function, args, words)
    raise AssertionError(ast.dump(node))


def _function(node, words):
    match node:
        case ast.Name(id=name):
            return ("fn", name, 0, None)
        case ast.Subscript(value=ast.Name(id=name), slice=at):
            return ("fn", name, 0, index(at))
        case ast.Attribute(value=inner, attr="p"):
            _, name, order, layer = _function(inner, words)
            return ("fn", name, order + 1, layer)
    raise AssertionError


def _called(function, args, words):
    name = function.id if isinstance(function, ast.Name) else ""
    if name == "Eq":
        return ("=", *(_mean(a, words) for a in args))
    if name == "D":
        of, wrt = (_mean(a, words) for a in args)
        return ("D", of, wrt)
    if name == "T":
        return ("T", _mean(args[0], words))
    if name == "had":
        return ("o", *(_mean(a, words) for a in args))
    if name == "smp":
        found = _mean(args[0], words)
        at = index(args[1])
        return (*found[:3], at, found[4]) if found[0] == "name" else ("smp", found, at)
    if name == "at":
        return ("at", _mean(args[0], words), tuple(index(a) for a in args[1:]))
    if name == "unit":
        return ("unit", index(args[0]))
    if name == "kron":
        return ("kron", index(args[0]), index(args[1]))
    if name == "Mat":
        return ("Mat", tuple(tuple(_mean(u, words) for u in row.elts) for row in args[0].elts))
    if name == "norm":
        return ("norm", _mean(args[0], words), "2")
    if name == "Sum":
        if isinstance(args[1], ast.Tuple):
            at, low, high = args[1].elts
            return ("Sum", _mean(args[0], words), at.id, index(low), index(high))
        return ("Sum", _mean(args[0], words), args[1].id, None, None)
    _, letter, order, layer = _function(function, words)
    return ("call", (CALLS.get(letter, letter), order, layer), *(_mean(a, words) for a in args))


def plus(a, b):
    return ("+", *(a[1:] if a[0] == "+" else (a,)), b)


def times(*parts):
    flat = []
    for p in parts:
        flat += p[1:] if p[0] == "*" else [p]
    return ("*", *flat)


# What the reader made


def of_chain(chain):
    sides = [of_tree(u) for u in chain.sides]
    return ("=", *sides) if len(sides) > 1 else sides[0]


def of_tree(node):
    match node:
        case s.Num(value):
            return ("num", value)
        case s.Name(letter, layer, sample, entries, mark):
            return ("name", f"{letter}_{mark}" if mark else letter, layer, sample, entries)
        case s.Func(letter, order, layer):
            return ("fn", letter, order, layer)
        case s.Call(function, args):
            return ("call", (function.letter, function.order, function.layer), *map(of_tree, args))
        case s.Plus(terms):
            out = of_tree(terms[0])
            for term in terms[1:]:
                out = plus(out, of_tree(term))
            return out
        case s.Minus(arg):
            return ("-", of_tree(arg))
        case s.Times(factors, joints):
            runs = [[of_tree(factors[0])]]
            for joint, factor in zip(joints, factors[1:], strict=True):
                if joint:
                    runs.append([])
                runs[-1].append(of_tree(factor))
            done = [run[0] if len(run) == 1 else times(*run) for run in runs]
            return done[0] if len(done) == 1 else ("o", *done)
        case s.Over(top, bottom):
            return ("/", of_tree(top), of_tree(bottom))
        case s.Raised(base, exponent):
            return ("^", of_tree(base), of_tree(exponent))
        case s.Turned(arg):
            return ("T", of_tree(arg))
        case s.Partial(of, wrt):
            return ("D", ("name", "J", None, None, ()) if of is None else of_tree(of), of_tree(wrt))
        case s.Big("sum", body, at, lower, upper, None):
            return ("Sum", of_tree(body), at, lower, upper)
        case s.Grid(rows):
            return ("Mat", tuple(tuple(of_tree(u) for u in row) for row in rows))
        case s.NormOf(arg, order):
            return ("norm", of_tree(arg), order)
        case s.Picked(arg, entries):
            return ("at", of_tree(arg), entries)
        case s.OfSample(arg, sample):
            return ("smp", of_tree(arg), sample)
        case s.UnitAt(at):
            return ("unit", at)
        case s.Kron(left, right):
            return ("kron", left, right)
        case s.Asserted(arg):
            return of_tree(arg)
    raise AssertionError(node)


def spelled(text):
    """For messages: a tuple without the noise."""
    return re.sub(r"Fraction\((\d+), 1\)", r"\1", str(text))
