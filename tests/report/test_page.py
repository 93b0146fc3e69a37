from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib import resources

import pytest

from symbackprop.report import page as page_module
from symbackprop.report.page import page

KATEX = resources.files("symbackprop.report") / "katex"
BODY = (
    '<h1>One layer</h1>\n<p>Weights <span class="math">W \\in \\mathbb{R}^{d\\times h}</span></p>\n'
    '<div class="math display">\\bar W = X^{\\mathsf T} \\bar Z</div>'
)
# Not addresses: names of XML vocabularies, which nothing fetches.
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
BOTH = pytest.mark.parametrize("math", [True, False])


class Reader(HTMLParser):
    """What a browser sees of the page: its tags, and the text of its script, style and title elements."""

    def __init__(self, document: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self.closed: list[str] = []
        self._inside: str | None = None
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.texts:
            self._inside = tag
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self.closed.append(tag)
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.texts[self._inside][-1] += data

    @property
    def policy(self) -> dict[str, list[str]]:
        for tag, attributes in self.tags:
            if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy":
                parts = (attributes["content"] or "").split(";")
                return {words[0]: words[1:] for words in map(str.split, parts)}
        raise AssertionError("the page has no content security policy")


@BOTH
def test_names_nothing_outside_itself(math: bool) -> None:
    document = page("Title", BODY, math=math)
    addresses = set(re.findall(r"https?://[^\s\"'`<>()\\;,]+", document, flags=re.IGNORECASE))
    assert addresses <= NAMESPACES
    reader = Reader(document)
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in reader.tags}
    for _, attributes in reader.tags:
        assert not {"src", "href", "srcset", "action", "data"} & set(attributes)
    css = "\n".join(reader.texts["style"])
    assert "@import" not in css
    for target in re.findall(r"url\(\s*['\"]?([^)]*)", css):
        assert target.startswith("data:font/woff2;base64,")


@BOTH
def test_policy_allows_only_what_is_in_the_page(math: bool) -> None:
    reader = Reader(page("Title", BODY, math=math))
    hashes = [
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
        for script in reader.texts["script"]
    ]
    assert reader.policy == {
        "default-src": ["'none'"],
        "script-src": hashes,
        "style-src": ["'unsafe-inline'"],
        "font-src": ["data:"],
        "img-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


def test_every_shipped_font_is_embedded_once() -> None:
    document = page("Title", BODY)
    fonts = sorted((KATEX / "fonts").iterdir(), key=lambda font: font.name)
    assert fonts and all(font.name.endswith(".woff2") for font in fonts)
    for font in fonts:
        data = font.read_bytes()
        assert data[:4] == b"wOF2"
        assert document.count(base64.b64encode(data).decode()) == 1, font.name
    assert document.count("@font-face") == document.count("data:font/woff2;base64,") == len(fonts)
    assert 'format("woff")' not in document and "truetype" not in document
    assert not {font.name.removesuffix(".woff2") for font in fonts} & page_module._DROPPED_FONTS


def test_every_font_of_katex_is_either_shipped_or_dropped_on_purpose() -> None:
    css = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    named = set(re.findall(r"fonts/([\w-]+)\.woff2", css))
    shipped = {font.name.removesuffix(".woff2") for font in (KATEX / "fonts").iterdir()}
    assert named == shipped | page_module._DROPPED_FONTS
    for family in ("Main", "Math", "AMS", "Size1", "Size2", "Size3", "Size4", "Caligraphic", "Script"):
        assert any(name.startswith(f"KaTeX_{family}-") for name in shipped), family


def test_katex_is_unchanged_in_the_page_and_carries_its_licence() -> None:
    reader = Reader(page("Title", BODY))
    assert (KATEX / "katex.min.js").read_text(encoding="utf-8").strip() in reader.texts["script"][0]
    assert (KATEX / "LICENSE").read_text(encoding="utf-8").strip() in reader.texts["script"][0]


def test_without_math_there_is_no_katex() -> None:
    document = page("Title", BODY, math=False)
    assert "@font-face" not in document
    assert "katex.render" not in document and "Khan Academy" not in document
    assert len(document) < 40_000
    assert BODY in document


def test_title_is_escaped_and_the_body_is_not() -> None:
    title = "A & B </title><script>alert(1)</script> \"q\" 'r'"
    document = page(title, BODY)
    reader = Reader(document)
    assert document.count("alert(1)") == 1
    assert "<script>alert" not in document
    assert "&lt;/title&gt;&lt;script&gt;alert(1)" in document
    assert reader.closed.count("title") == 1
    assert BODY in document


@BOTH
def test_script_and_style_elements_end_where_they_should(math: bool) -> None:
    document = page("Title", BODY, math=math)
    reader = Reader(document)
    scripts, styles = (3, 2) if math else (1, 1)
    for tag, number in (("script", scripts), ("style", styles)):
        assert len(reader.texts[tag]) == number
        assert len(re.findall(f"</{tag}", document, flags=re.IGNORECASE)) == number
        assert reader.closed.count(tag) == number
    assert "<!--" not in document
    assert reader.closed[-2:] == ["body", "html"]
    assert document.startswith("<!DOCTYPE html>\n") and document.endswith("</html>\n")


def test_sequences_that_would_end_a_script_are_defused() -> None:
    source = 'var a = "</script>", b = "</SCRIPT >", c = /<\\/p>/, d = "<!-- x";'
    safe = page_module._inside_script(source)
    assert safe == 'var a = "<\\/script>", b = "<\\/SCRIPT >", c = /<\\/p>/, d = "<\\!-- x";'
    assert page_module._inside_script(safe) == safe


def test_same_input_same_page() -> None:
    first = page("Title", BODY)
    for cached in (page_module._text, page_module._bytes, page_module._katex_css, page_module._scripts):
        cached.cache_clear()
    page_module._frame.cache_clear()
    assert page("Title", BODY) == first
    assert "\r" not in first


def test_classes_of_the_renderer_are_styled() -> None:
    css = (resources.files("symbackprop.report") / "style.css").read_text(encoding="utf-8")
    for selector in ("section.step", "details.why", "div.boxed", "table.shapes", "p.assumption", "p.reason"):
        assert selector in css
    for rule in ("@media print", "prefers-color-scheme: dark", "size: A4", "break-inside: avoid"):
        assert rule in css
    assert css.isascii() and css.count("{") == css.count("}")
