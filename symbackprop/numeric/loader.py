"""The one place where text becomes code: modules that this package has generated, checked before they run.

What is generated is printed from formulas, and every name in it comes from a table or has been matched against a
pattern. The check here does not rest on that: it admits only the few kinds of syntax that generated code has, plain
names, and attributes without an underscore in front; nothing that could reach beyond arithmetic passes.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import re
from collections.abc import Callable, Iterable
from typing import Any

from symbackprop.errors import Unsupported

NAME = re.compile(r"_{0,1}[A-Za-z][A-Za-z0-9_]{0,90}")
ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
LIBRARIES = frozenset(["numpy", "numba", "math", "jax", "jax.numpy"])
BARRED = frozenset(
    (
        *("eval", "exec", "compile", "open", "getattr", "setattr", "delattr", "globals", "locals", "vars", "input"),
        *("breakpoint", "object", "super", "memoryview", "help", "exit", "quit"),
    )
)
SYNTAX = (
    *(
        ast.Module,
        ast.Import,
        ast.alias,
        ast.FunctionDef,
        ast.arguments,
        ast.arg,
        ast.Return,
        ast.Assign,
        ast.AugAssign,
    ),
    *(ast.Expr, ast.With, ast.withitem, ast.For, ast.If, ast.Call, ast.keyword, ast.Attribute, ast.Name, ast.Subscript),
    *(ast.Constant, ast.Tuple, ast.Dict, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Slice),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_count = itertools.count()


def load(source: str, function: str) -> Callable[..., Any]:
    """The function of that name in a generated module; raises Unsupported for text that is no generated module."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        _admit(node)
    name = f"<symbackprop {next(_count)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # tracebacks show the line
    namespace: dict[str, Any] = {"__name__": "symbackprop.generated"}
    exec(compile(tree, name, "exec"), namespace)
    return namespace[function]


def _admit(node: ast.AST) -> None:
    if not isinstance(node, SYNTAX):
        raise Unsupported(f"generated code has no {type(node).__name__}")
    if isinstance(node, ast.Import):
        if any(alias.name not in LIBRARIES for alias in node.names):
            raise Unsupported(f"generated code imports {', '.join(sorted(LIBRARIES))} only")
    elif isinstance(node, ast.Attribute):
        _matches(ATTRIBUTE, [node.attr])
    elif isinstance(node, ast.Name):
        _matches(NAME, [node.id])
    elif isinstance(node, ast.FunctionDef):
        _matches(NAME, [node.name])
        if any(not isinstance(d, ast.Call | ast.Attribute) for d in node.decorator_list):
            raise Unsupported("generated code decorates with a library's compiler only")
    elif isinstance(node, ast.arg):
        _matches(NAME, [node.arg])


def _matches(pattern: re.Pattern[str], names: Iterable[str]) -> None:
    for name in names:
        if not pattern.fullmatch(name) or name in BARRED:
            raise Unsupported(f"generated code has no name {name!r}")
