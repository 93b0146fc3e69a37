"""What the outputs say, letter for letter, and that their formats hold for any text."""

import json
from xml.etree import ElementTree as ET

import pytest

from symbackprop.notes.formats import FORMATS, github, junit, sarif, text
from symbackprop.notes.formats.telling import Told


def row(**more):
    return {
        "file": "n.tex",
        "line": 3,
        "column": 7,
        "latex": "a &= b",
        "status": "refuted",
        "code": "SBP301",
        "message": "the sides differ",
        "hint": "look at the sign",
        "mistake": None,
        "alternatives": [],
        "counterexample": {
            "sizes": {"n_0": 2},
            "rates": {},
            "arrays": {"x": [["1", "2"]], "W1": [["1"] * 9] * 2},
            "entry": [1, 2],
            "claimed": "0.25",
            "true": "-0.25",
            "snippet": "",
        },
        "assumptions": [],
        "scope": "all sizes",
        "end_line": 3,
        "end_column": 8,
        "cell": None,
        "expected": None,
        "met": True,
        "source": ["\ta &= b \\\\"],
    } | more


PROVED = row(status="proved", code=None, message="equal", hint="", counterexample=None, assumptions=["y is 0 or 1"])
OPEN = row(status="undecided", code="SBP401", counterexample=None, line=9, end_line=9)
UNMET = row(status="proved", code=None, message="equal", expected="refuted", met=False, counterexample=None, hint="")
MET = row(expected="refuted SBP301")
CELL = row(file="n.ipynb", cell=2)
ALL = Told([PROVED, row(), OPEN, UNMET, MET, CELL], ["m.tex:1:2: error: not TOML: x, y"], 4, 1)


def test_text():
    told = text.render(Told([PROVED, row(), MET], [], 2, 0))
    assert told == (
        "n.tex:3:7: refuted SBP301: the sides differ\n"
        "  3 | \ta &= b \\\\\n"
        "    | \t     ^\n"
        "  = hint: look at the sign\n"
        "  = counterexample: with n_0 = 2\n"
        "      x = [1  2]\n"
        "      W1: 2 x 9\n"
        "      entry (1, 2) is -0.25; the claim gives 0.25\n"
        "\n"
        "1 proved, 2 refuted, 1 as expected, 2 passed over\n"
    )


def test_text_with_everything():
    told = text.render(Told([PROVED, MET]), everything=True)
    assert "n.tex:3:7: proved: equal\n" in told
    assert "  = granted: y is 0 or 1\n" in told
    assert "n.tex:3:7: refuted SBP301: the sides differ (as expected)\n" in told


def test_text_of_what_was_expected_and_did_not_come():
    assert "n.tex:3:7: expected refuted, but it is proved: equal\n" in text.render(Told([UNMET]))
    assert "n.ipynb:cell 2:3:7: refuted" in text.render(Told([CELL]))


def test_colour_is_only_where_it_is_asked_for():
    assert "\033" not in text.render(ALL)
    assert "\033[31mrefuted SBP301" in text.render(ALL, colour=True)


def test_the_source_does_not_steer_the_terminal():
    told = text.render(Told([row(source=["a \033[2J = \x07b"])]))
    assert "\033" not in told and "\x07" not in told


def test_json_is_the_schema():
    told = json.loads(FORMATS["json"](ALL))
    assert told["schema"] == 1
    keys = "file line column latex status code message hint mistake alternatives counterexample assumptions scope"
    assert all(set(keys.split()) <= set(entry) for entry in told["verdicts"])
    assert told["verdicts"][0]["code"] is None
    assert told["summary"]["refuted"] == 3 and told["summary"]["proved"] == 2
    assert told["errors"] == ["m.tex:1:2: error: not TOML: x, y"]


def test_github():
    lines = github.render(Told([row(), OPEN], ["m.tex:1:2: error: 50% of x,\ny: z"])).splitlines()
    assert lines[0] == (
        "::error file=n.tex,line=3,col=7,endLine=3,endColumn=7,title=symbackprop SBP301::"
        "refuted SBP301: the sides differ%0Alook at the sign%0Awith n_0 = 2%0A  x = [1  2]%0A  W1: 2 x 9"
        "%0A  entry (1, 2) is -0.25; the claim gives 0.25"
    )
    assert lines[1].startswith("::warning file=n.tex,line=9,")
    assert lines[2] == "::error file=m.tex,line=1,col=2,title=symbackprop::50%25 of x,%0Ay: z"
    assert "file=a%3Ab%2Cc%25.tex," in github.render(Told([row(file="a:b,c%.tex")]))
    assert "line=" not in github.render(Told([CELL])).split("::")[1]


def test_sarif_has_what_the_standard_requires():
    told = json.loads(sarif.render(ALL))
    assert told["version"] == "2.1.0" and told["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = told["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "symbackprop"
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == 4
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"].get("region")
        if region is not None:
            assert region["startLine"] >= 1 and region["startColumn"] >= 1
            assert (region["endLine"], region["endColumn"]) >= (region["startLine"], region["startColumn"])
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"].startswith("m.tex:1:2")


@pytest.mark.parametrize(("file", "uri"), [("a b/ü.tex", "a%20b/%C3%BC.tex"), ("/x/n.tex", "file:///x/n.tex")])
def test_sarif_names_files_by_uri(file, uri):
    told = json.loads(sarif.render(Told([row(file=file)])))
    assert told["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_junit():
    root = ET.fromstring(junit.render(ALL))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("7", "4", "1")
    cases = root.findall("testsuite/testcase")
    assert cases[0].find("failure") is None
    assert cases[1].find("failure").get("message") == "refuted SBP301: the sides differ"
    assert "the claim gives 0.25" in cases[1].find("failure").text
    assert [suite.get("name") for suite in root] == ["n.tex", "n.ipynb", "m.tex:1:2"]


NASTY = ["<&>\"'", "\x00\x1b\ud800", "]]>", "::error::x", "%0A\r\n", "{'a': 1}", "\u202e", "x" * 100000]


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("name", FORMATS)
def test_any_text_is_escaped(name, nasty):
    told = Told([row(latex=nasty, message=nasty, hint=nasty, file="n" + nasty, source=[nasty])], [nasty])
    out = FORMATS[name](told)
    if name in ("json", "sarif"):
        json.loads(out)
    elif name == "junit":
        ET.fromstring(out.encode("utf-8", "replace"))
    else:
        assert out.count("\n") == 2 and out.startswith("::error ")
