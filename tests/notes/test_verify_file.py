"""A file judged: an entry for each equality in its place, expectations, limits, and errors with their place."""

import fake_page
import pytest

from symbackprop.errors import FileError
from symbackprop.notes import declarations
from symbackprop.notes.limit import TimeIsUp, within
from symbackprop.notes.verify import verify_file, verify_formula
from symbackprop.proof.status import Status


@pytest.fixture(autouse=True)
def page(monkeypatch):
    monkeypatch.setattr(declarations, "Page", fake_page.FakePage)
    monkeypatch.setattr(declarations, "infer", lambda formulas, declared: {})


@pytest.fixture
def judged(tmp_path):
    def judged(text, name="notes.tex", **more):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return verify_file(path, **more)

    return judged


def test_an_entry_for_each_equality_with_its_place(judged):
    result = judged("text\n\\begin{align}\n  a &= b \\\\\n    &= wrong c, \\quad d = e\n\\end{align}\n$x$\n")
    assert [(e.line, e.column, e.latex, e.status) for e in result.verdicts] == [
        (3, 8, "a &= b", Status.PROVED),
        (4, 8, "b \\\\\n    &= wrong c", Status.REFUTED),
        (4, 27, "d = e", Status.PROVED),
    ]
    assert result.verdicts[1].span[1] == (4, 15)
    assert result.summary["proved"] == 2 and result.summary["refuted"] == 1 and result.summary["passed_over"] == 1
    assert result.exit_code == 1


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_move_nothing(judged, ends, mark):
    result = judged(mark + "\\[\n\ta = b\n\\]\n".replace("\n", ends))
    assert [(e.line, e.column) for e in result.verdicts] == [(2, 6)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (r"\[ a = b \] \[ new = c \]", 0),
        (r"\[ a = open \]", 3),
        (r"\[ a = agrees \]", 3),
        (r"\[ a = open \] \[ a = bad \]", 2),
        (r"\[ a = open \] \[ a = bad \] \[ a = wrong \]", 1),
        ("no formula", 0),
    ],
)
def test_the_worst_wins(judged, text, code):
    assert judged(text).exit_code == code


@pytest.mark.parametrize(
    ("directive", "formula", "code", "met"),
    [
        ("expect refuted SBP301", "a = wrong", 0, True),
        ("expect refuted", "a = wrong", 0, True),
        ("expect undecided", "a = open", 0, True),
        ("expect unread SBP102", "a = bad", 0, True),
        ("expect refuted SBP303", "a = wrong", 1, False),
        ("expect refuted", "a = b", 1, False),
        ("expect proved", "a = wrong", 1, False),
        ("expect proved", "a = b", 0, True),
        ("expect refuted", "a = b = wrong = c", 0, True),
        ("expect refuted", "a = bad = wrong", 2, True),
    ],
)
def test_expectations(judged, directive, formula, code, met):
    result = judged(f"% symbackprop: {directive}\n\\[ {formula} \\]\n")
    assert result.exit_code == code
    asked = [e for e in result.verdicts if e.expected is not None]
    assert [e.met for e in asked] == [met]


def test_an_expectation_is_for_one_formula_only(judged):
    result = judged("% symbackprop: expect refuted\n\\begin{align} a &= wrong \\\\ b &= wrong \\end{align}")
    assert [e.expected for e in result.verdicts] == ["refuted", None]
    inside = judged("\\begin{align} a &= b \\\\\n% symbackprop: expect refuted\n b &= wrong \\end{align}")
    assert [e.expected for e in inside.verdicts] == [None, "refuted"]


def test_an_expectation_without_a_formula_fails(judged):
    result = judged("\\[ a = b \\]\n% symbackprop: expect refuted\n")
    assert result.exit_code == 1
    assert "expect refuted has no formula behind it" in result.verdicts[1].message
    assert (result.verdicts[1].line, result.verdicts[1].column) == (2, 1)


def test_skip_passes_the_next_formula_over(judged):
    result = judged("% symbackprop: skip\n\\begin{align} a &= wrong \\\\ b &= wrong \\end{align} \\[ a = b \\]")
    assert [e.status for e in result.verdicts] == [Status.PROVED]
    assert result.summary["skipped"] == 2


def test_markdown_and_notebooks(judged):
    result = judged("# T\n<!-- symbackprop: expect refuted -->\n$$ a = wrong $$\n", "n.md")
    assert (result.exit_code, result.verdicts[0].line, result.verdicts[0].column) == (0, 3, 8)
    text = (
        '{"cells": [{"cell_type": "code", "source": ""}, {"cell_type": "markdown", "source": ["x\\n", "$$a = b$$"]}]}'
    )
    (entry,) = judged(text, "n.ipynb").verdicts
    assert (entry.cell, entry.line, entry.column) == (2, 2, 7)


def test_what_does_not_end_in_time_is_undecided_and_the_page_goes_on(judged):
    result = judged(r"\[ a = new \] \[ a = slow \] \[ a = used \]", time_limit=0.2)
    assert [e.status for e in result.verdicts] == [Status.DEFINED, Status.UNDECIDED, Status.PROVED]
    assert result.verdicts[1].message == "not judged within the time limit of 0.2 s"
    assert result.verdicts[1].code == "SBP401"


def test_a_definition_that_nothing_uses_is_told(judged):
    unused = judged(r"\[ a = new \] \[ a = b \]").verdicts[0]
    assert (unused.status, unused.hint) == (
        Status.DEFINED,
        "new is used nowhere after: is it a slip for something else?",
    )
    assert judged(r"\[ a = new \] \[ b = used \]").verdicts[0].hint == ""
    late = judged(r"\[ a = new \] \[ b = used \] \[ a = slow \]", time_limit=0.2)
    assert late.verdicts[0].hint == ""


def test_a_fault_of_the_judge_costs_one_formula(judged):
    result = judged(r"\[ a = crash \] \[ a = b \]")
    assert [e.status for e in result.verdicts] == [Status.UNDECIDED, Status.PROVED]
    assert "please report it" in result.verdicts[0].hint


def test_the_alarm_is_put_back():
    with pytest.raises(TimeIsUp):
        within(0.05, lambda: __import__("time").sleep(5))
    assert within(1.0, lambda: 3) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("% symbackprop\n% inputs = 2\n%  loss == 3\n% /symbackprop\n\\[ a = b \\]", "notes.tex:3:10: error: not TOML"),
        (
            '% symbackprop\n% loss = "generic"\n% inputz = 2\n% /symbackprop',
            "notes.tex:3:3: error: unknown key 'inputz'",
        ),
        (
            '% symbackprop\n% inputs = 2\n% loss = "generic"\n% layers = [{ units = 1, activation = "sigmod" }]\n'
            "% /symbackprop\n\\[ a = b \\]",
            "notes.tex:4:39: error: unknown activation 'sigmod': did you mean sigmoid?",
        ),
        (
            "% symbackprop\n% [symbols]\n%   A = 3\n% /symbackprop",
            "notes.tex:3:9: error: a symbol has a shape in quotes",
        ),
        (b"text\n\xff\xfe", "notes.tex:2:1: error: not a text in UTF-8"),
    ],
)
def test_an_error_has_its_place_in_the_notes(judged, text, says):
    with pytest.raises(FileError) as caught:
        judged(text)
    assert says in str(caught.value)


def test_files_that_are_none(tmp_path):
    (tmp_path / "n.txt").write_text("x")
    (tmp_path / "d.tex").mkdir()
    for name, says in [
        ("no.tex", "there is no such file"),
        ("n.txt", "notes are .tex, .md, .ipynb"),
        ("d.tex", "directory"),
    ]:
        with pytest.raises(FileError, match=says):
            verify_file(tmp_path / name)


def test_a_formula_by_itself():
    (entry,) = verify_formula(r"a = wrong").verdicts
    assert (entry.file, entry.line, entry.column) == ("formula", 1, 5)
    assert verify_formula("$$a = b = c$$").summary["proved"] == 2
    assert verify_formula("a + b").exit_code == 2


def test_a_later_block_replaces_the_earlier(judged, monkeypatch):
    seen = []
    monkeypatch.setattr(
        declarations, "page", lambda data, formulas: seen.append((data, list(formulas))) or fake_page.FakePage()
    )
    judged(
        '\\[ a = b \\]\n% symbackprop\n% title = "one"\n% /symbackprop\n\\[ c = d \\]\n'
        '% symbackprop\n% title = "two"\n% /symbackprop\n\\[ e = f \\]'
    )
    assert seen == [({}, ["a = b"]), ({"title": "one"}, ["c = d"]), ({"title": "two"}, ["e = f"])]
