"""The shape of the house: imports run downward, nothing evaluates text, and files stay small."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symbackprop"

# From the ground up: a room may import the rooms before it, and itself.
ROOMS = ["errors", "progress", "algebra", "notation", "model", "calculus", "proof", "numeric", "report"]
TOP = ["derivation", "marking", "network", "network_file", "notes", "__init__", "cli", "__main__", "pytest_plugin"]
ORDER = {room: level for level, room in enumerate([*ROOMS, *TOP])}

FORBIDDEN = {"eval", "exec", "compile", "parse_expr", "parse_latex", "__import__"}


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py"))


def room(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            if node.module == "symbackprop":
                yield from (f"symbackprop.{alias.name}" for alias in node.names)


def upward(path, source):
    """The imports of a module that lead to a room above its own."""
    here = ORDER[room(path)]
    for name in imports(ast.parse(source)):
        parts = name.split(".")
        if parts[0] == "symbackprop" and len(parts) > 1 and ORDER.get(parts[1], here) > here:
            yield name


def test_every_room_is_in_the_order():
    assert {room(path) for path in modules()} <= set(ORDER)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downward(path):
    assert list(upward(path, path.read_text())) == []


def test_an_upward_import_is_noticed():
    assert list(upward(PACKAGE / "algebra" / "x.py", "def f():\n    from symbackprop.model import model")) != []
    assert list(upward(PACKAGE / "report" / "x.py", "import symbackprop.derivation")) != []


def calls(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            function = node.func
            yield function.id if isinstance(function, ast.Name) else getattr(function, "attr", ""), node


# Code that this package generated from formulas becomes a function in one place, which checks it first.
LOADER = "numeric/loader.py"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_evaluates_text(path):
    for name, call in calls(path.read_text()):
        is_re = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "re"
        loads = name in ("exec", "compile") and path.relative_to(PACKAGE).as_posix() == LOADER
        assert name not in FORBIDDEN or is_re or loads, f"line {call.lineno} calls {name}"
        if name == "simplify":
            assert room(path) != "calculus", f"line {call.lineno} calls simplify"
        if name == "sympify":
            strict = any(k.arg == "strict" for k in call.keywords)
            of_int = ast.unparse(call.args[0]) in ("value", "expr")
            assert strict or of_int, f"line {call.lineno}: sympify reads text unless it is strict"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_fits_in_the_head(path):
    assert path.read_text().count("\n") <= 500
