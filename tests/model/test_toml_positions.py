"""`positions` against `tomllib`: the same paths, and each position holds what `tomllib` read there."""

import doctest
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.errors import Position
from symbackprop.model import toml_positions
from symbackprop.model.toml_positions import MAX_DEPTH, Path, positions

Strings = st.SearchStrategy[str]


def walk(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every path in `data` but the root's, with what it holds."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for part, value in items:
        yield (*path, part), value
        yield from walk(value, (*path, part))


def flat(text: str) -> dict[Path, str]:
    """Every path in `text` with its value, as text so that 1, 1.0 and true differ and nan is nan."""
    return {path: type(v).__name__ if isinstance(v, dict | list) else repr(v) for path, v in walk(tomllib.loads(text))}


def index(text: str, place: Position) -> int:
    lines = text.split("\n")
    assert 1 <= place.line <= len(lines) and 1 <= place.column <= len(lines[place.line - 1])
    return sum(len(line) + 1 for line in lines[: place.line - 1]) + place.column - 1


def end_of(text: str, start: int, delimiters: str, before: str, after: str, data: Any) -> int:
    """Where what starts at `start` ends: the first delimiter up to which `before + it + after` is TOML for `data`."""
    for end in range(start + 1, len(text) + 1):
        if end == len(text) or text[end] in delimiters:
            try:
                if repr(tomllib.loads(before + text[start:end] + after)) == repr(data):
                    return end
            except tomllib.TOMLDecodeError:
                pass
    raise AssertionError(f"{data!r} does not start at {text[start:]!r}")


def check(text: str) -> None:
    whole, held, found = flat(text), dict(walk(tomllib.loads(text))), positions(text)
    assert found.keys() == held.keys()
    for path, (key, place) in found.items():
        value, start = held[path], index(text, place)
        name = [part for part in path if isinstance(part, str)][-1]
        assert (key is None) == isinstance(path[-1], int)
        if isinstance(value, dict | list) and text[start] not in "[{":  # made by a header or a dotted key
            assert key in (place, None)
            end_of(text, start, " \t.=]", "", "=0", {name: 0})
            continue
        # Another value in its place changes this path, and nothing else.
        end = end_of(text, start, " \t\r\n,]}#", "v=", "", {"v": value})
        rest = {p: v for p, v in whole.items() if p[: len(path)] != path}
        assert flat(text[:start] + "'other'" + text[end:]) == rest | {path: "'other'"}
        if key is not None:  # so does another key
            start = index(text, key)
            end = end_of(text, start, " \t.=", "", "=0", {name: 0})
            inside = {(*path[:-1], "other", *p[len(path) :]): v for p, v in whole.items() if p[: len(path)] == path}
            assert flat(text[:start] + "other" + text[end:]) == rest | inside


NASTY = {
    "empty": "",
    "blank": " \t\n\n# only [a] comment = 1",
    "comment at the end": "a = 1 # b = 2",
    "no newline": "a=1",
    "bare keys": "1 = 1\n-_- = 2\n3.14 = 'a float?'\ninf = inf\ntrue = true\n0x1=0x1",
    "quoted keys": r"""
"" = 1
'a.b' = 2
"\u0061\"]\\" = 3
"#"=4
'"'=5
"'" = 6
"\\"."" = "\\"
'x'.'' = ''
""",
    "dotted keys": "a.b = 1\na . 'c' . \"d\" = 2\na.\tc.e = 3\n",
    "headers": "[ a . 'b.c' . \"d]\" ] # ]\nx = 1\n [a]\ny = 2\n[\ta.b\t]\n[\"\"]\n['#']",
    "parent after child": "[a.b.c]\n[a]\nb.d = 1\nx = 2\n",
    "arrays of tables": "[[a]]\n[[a]]\nx=1\n[[ a.b ]]\n[a.b.c]\ny.z=2\n[[a.b]]\nc=3\n[[a]]\n[a.b]\n[q]\n[[q.r]] # ]",
    "array below": "[[a.b]]\n[[a.b]]\n[a]\nc = 1\n",
    "inline tables": "a = {}\nb = { }\nc = {x.y = {z = [ { } ]}, 'x'.w=1 ,\t\"k}\"='}'}\nd={e=1979-05-27 07:32:00}",
    "arrays": "a = []\nb = [ ]\nc = [\n# ]\n]\nd = [1,]\ne = [[], [[1, 2,\n],\n # , ]\n'#]',], {},\n\"]\" # x\n, 3]\n",
    "scalars": """
a = [+1, -0, 1_0, 0xF, 0b1,-0.0, 1e5, 6.26e-3, +inf, -nan, nan]
b = [1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5-07:00, 1979-05-27 , 07:32:00]
c = 1979-05-27 # x
d = 1979-05-27 07:32:00\x20
e = false""",
    "strings": r"""
a = "\"#\\"
b = QQQQQQ
c = QQQa\QQQb""\"QQQ # "
d = QQQ""two"" quotes""QQQ
e = QQQ\
    \ X
    x ""\" # ] \\QQQ
f = ''
g = AAAAAA
h = AAA
'' \ #''AAA
i = '\'
j = "\U0001F600☃𝄞" # ☃
k = ["\\", '\', QQQ\\QQQ, AAA\AAA,QQQ"xQQQ, AAA'AAA]
""".replace("QQQ", '"' * 3)
    .replace("AAA", "'" * 3)
    .replace("X", ""),
    "wide characters": "'☃' = ['𝄞', 1, {\"é\" = 'e\u0301'}, 2]\n'\u2028\x85' = '\u2028' # \u2029\nz = 1\n",
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_nasty_cases(text: str, newline: str) -> None:
    check(text.replace("\n", newline))


def test_exact_positions() -> None:
    text = "[[layers]]\nunits = 3\r\n  [[ \"layers\" ]]\r\nw.x = [\n 1, {'é'=2}]\n[layers.w.y]\n[n.'m']\n[n]\n"
    assert positions(text) == {
        ("layers",): ((1, 3), (1, 3)),
        ("layers", 0): (None, (1, 3)),
        ("layers", 0, "units"): ((2, 1), (2, 9)),
        ("layers", 1): (None, (3, 6)),
        ("layers", 1, "w"): ((4, 1), (4, 1)),
        ("layers", 1, "w", "x"): ((4, 3), (4, 7)),
        ("layers", 1, "w", "x", 0): (None, (5, 2)),
        ("layers", 1, "w", "x", 1): (None, (5, 5)),
        ("layers", 1, "w", "x", 1, "é"): ((5, 6), (5, 10)),
        ("layers", 1, "w", "y"): ((6, 11), (6, 11)),
        ("n",): ((8, 2), (8, 2)),  # its own header, not the first that names it
        ("n", "m"): ((7, 4), (7, 4)),
    }


def accepted(text: str) -> bool:
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True


def joined(parts: Strings, separator: str, least: int, most: int) -> Strings:
    """Several of `parts`, with the separator between them and perhaps blanks around it."""
    return st.builds(
        str.join,
        st.sampled_from([separator, f" {separator} ", f"\t{separator}"]),
        st.lists(parts, min_size=least, max_size=most),
    )


def glued(*parts: Strings) -> Strings:
    return st.tuples(*parts).map("".join)


blank = st.sampled_from(["", "", " ", "\t ", "\n", " # ],}='\"\n", "\r\n  #\r\n"])
name = st.sampled_from([*"aabbc1-", '"a"', "'b'", r'"\u0062"', '"a.b"', '""', "'#'", r'"]\""', "'}\"'"])
key = joined(name, ".", 1, 3)
quote = st.sampled_from(['"', "'", '"' * 3, "'" * 3])
scalar = st.sampled_from(
    [
        "1",
        "-2_0",
        "0xa",
        "1.5e3",
        "true",
        "false",
        "inf",
        "-nan",
        "1979-05-27",
        "1979-05-27 07:32:00",
        "1979-05-27T07:32:00.1Z",
        "07:32:00",
    ]
) | st.builds(lambda mark, text: mark + text + mark, quote, st.text("\"'\\#[]{}=,.\n ut4☃𝄞", max_size=9))


def containers(values: Strings) -> Strings:
    items = st.lists(glued(blank, values, blank), min_size=1, max_size=4).map(",".join)
    array = st.builds("[{}{}{}]".format, items, st.sampled_from(["", ","]), blank) | st.builds("[{}]".format, blank)
    return array | st.builds("{{ {}}}".format, joined(st.builds("{}={}".format, key, values), ",", 0, 3))


value = st.recursive(scalar.filter(lambda text: accepted("k=" + text)), containers, max_leaves=8)
pair = st.builds("{}{}".format, key, st.builds("{}{}".format, st.sampled_from(["=", " = "]), value))
header = st.builds(str.format, st.sampled_from(["[{}]", "[ {}\t]", "[[{}]]", "[[{} ]]"]), key)
line = glued(
    st.sampled_from(["", "", "  "]),
    pair | pair | header | st.just(""),
    st.sampled_from(["", " ", " # x = ["]),
    st.sampled_from(["\n", "\n", "\r\n"]),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(line, max_size=14))
def test_generated_documents(lines: list[str]) -> None:
    text = ""
    for each in lines:
        text += each if accepted(text + each) else ""  # some lines clash with those before them
    check(text)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(list(NASTY.values())),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 2), st.text("\"'\\#[]{}=,.\n\r a1-", max_size=2)), max_size=3
    ),
)
def test_changed_documents(text: str, changes: list[tuple[int, int, str]]) -> None:
    for start, length, new in changes:
        start %= len(text) + 1
        text = text[:start] + new + text[start + length :]
    if accepted(text):
        check(text)
    else:
        with suppress(ValueError):  # but no other error, and no endless loop
            positions(text)


def nested(depth: int) -> dict[str, str]:
    """Texts whose longest path has `depth` parts."""
    return {
        "arrays": "a = " + "[" * (depth - 1) + "1," + "]" * (depth - 1),
        "empty arrays": "a = " + "[" * depth + "]" * depth,
        "inline tables": "a=" + "{a=" * (depth - 1) + "1" + "}" * (depth - 1),
        "dotted key": ".".join("a" * depth) + " = 1",
        "header": "[" + ".".join("a" * (depth - 1)) + "]\na=1",
        "arrays of tables": "".join(f"[[{'.'.join('a' * n)}]]\n" for n in range(1, depth // 2 + 1))
        + "b=1" * (depth % 2),
    }


@pytest.mark.parametrize("form", nested(2))
def test_depth(form: str) -> None:
    text = nested(MAX_DEPTH)[form]
    assert positions(text).keys() == flat(text).keys()
    with pytest.raises(ValueError, match=f"line [0-9]+, column [0-9]+: nested more than {MAX_DEPTH} deep"):
        positions(nested(MAX_DEPTH + 1)[form])


def test_far_too_deep() -> None:
    with pytest.raises(ValueError, match="nested more than"):
        positions("a = " + "[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize(
    "text",
    [
        "a = [" + "1," * 100_000 + "]",
        "a = [\n" + "1,\n# ]\n" * 100_000 + "]",
        "a = '''" + "\n'" * 100_000 + "\n'''\nb = 1",
        'a = """' + r'\"" ' * 100_000 + '"""\nb = 1',
        'a = "' + r"\\" * 100_000 + '"\nb = 1',
        "# a\n" * 100_000 + " " * 100_000 + "a = 1",
        "[[a]]\nb.c = 1\n" * 20_000,
        "".join(f"[a.'{n}']\nb = {{c = 1}}\n" for n in range(20_000)),
    ],
    ids=["line", "lines", "literal", "multi-line", "escapes", "blanks", "array of tables", "tables"],
)
def test_long_texts(text: str) -> None:
    start = time.process_time()
    found = positions(text)
    assert time.process_time() - start < 20  # far less than one second, but hours if quadratic
    assert found.keys() == flat(text).keys()


def test_docstrings() -> None:
    failed, tried = doctest.testmod(toml_positions)
    assert tried and not failed
