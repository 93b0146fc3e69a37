"""One self-contained HTML page: style sheet, KaTeX and its fonts are all inside the file.

The page opens offline and asks for nothing outside itself; a content security policy in the page
holds it to that.  Formulas are LaTeX text in elements of class ``math`` and are typeset by KaTeX when
the page is opened, so that they stay readable as LaTeX where scripts are switched off.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from importlib import resources

_PACKAGE = "symbackprop.report"

# Fonts that KaTeX's style sheet names and that are not shipped, because formulas about neural networks do
# not use them.  Typewriter falls back to a system font, SansSerif to its regular cut, Fraktur to roman.
_DROPPED_FONTS = frozenset(
    {
        "KaTeX_Fraktur-Bold",
        "KaTeX_Fraktur-Regular",
        "KaTeX_SansSerif-Bold",
        "KaTeX_SansSerif-Italic",
        "KaTeX_Typewriter-Regular",
    }
)

_FONT_FACE = re.compile(r"@font-face\{([^}]*)\}")
_FONT_SOURCES = re.compile(r"src:[^;}]*")
_WOFF2_NAME = re.compile(r"url\(fonts/([A-Za-z0-9_-]+)\.woff2\)")

# Details closed on the screen are opened for printing (and closed again afterwards).
_PRINT_SCRIPT = """\
(function () {
  "use strict";
  var opened = [];
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not([open])").forEach(function (box) {
      box.open = true;
      opened.push(box);
    });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (box) { box.open = false; });
    opened = [];
  });
})();
"""

# Typesets the formulas.  The width of each displayed formula, in em and with a little to spare, is handed to
# the style sheet as the custom property --natural-width, from which a formula wider than its box is set
# somewhat smaller there.
_MATH_SCRIPT = """\
(function () {
  "use strict";
  var formulas = document.querySelectorAll(".math");
  var displays = document.querySelectorAll(".math.display");
  formulas.forEach(function (element) {
    try {
      katex.render(element.textContent.trim(), element, {
        displayMode: element.classList.contains("display"),
        throwOnError: false,
        errorColor: "var(--error)",
        trust: false,
        strict: "ignore"
      });
      element.classList.add("typeset");
    } catch (error) {
      element.classList.remove("typeset");
    }
  });
  function measure() {
    document.documentElement.classList.add("measuring");
    var widths = [];
    displays.forEach(function (box) {
      var inner = box.querySelector(".katex-display");
      var em = parseFloat(getComputedStyle(box).fontSize);
      widths.push(inner && em ? inner.offsetWidth / em : 0);
    });
    document.documentElement.classList.remove("measuring");
    displays.forEach(function (box, index) {
      if (widths[index] > 0) {
        box.style.setProperty("--natural-width", (1.015 * widths[index] + 0.1).toFixed(2));
      }
    });
    document.querySelectorAll("p, li, dt, dd, h1, h2, h3, summary, .step > header").forEach(function (box) {
      if (box.querySelector(".math") && !box.querySelector(".math.display")) {
        box.classList.toggle("scrolls", box.clientWidth > 0 && box.scrollWidth > box.clientWidth + 1);
      }
    });
  }
  measure();
  if (document.fonts && document.fonts.ready) { document.fonts.ready.then(measure); }
  window.addEventListener("load", measure);
  window.addEventListener("resize", function () { window.requestAnimationFrame(measure); });
  window.addEventListener("beforeprint", measure);
  document.querySelectorAll("details").forEach(function (box) { box.addEventListener("toggle", measure); });
})();
"""


@cache
def _text(*path: str) -> str:
    """A text file of the package; line ends are made the same whatever the checkout made of them."""
    return _bytes(*path).decode("utf-8").replace("\r\n", "\n")


@cache
def _bytes(*path: str) -> bytes:
    node = resources.files(_PACKAGE)
    for part in path:
        node = node / part
    return node.read_bytes()


def _embed_font(rule: re.Match[str]) -> str:
    """The @font-face rule with its woff2 file as the only source, or nothing for a font not shipped."""
    name = _WOFF2_NAME.search(rule.group(1))
    if name is None:
        raise ValueError("an @font-face rule of KaTeX's style sheet names no woff2 file")
    if name.group(1) in _DROPPED_FONTS:
        return ""
    data = base64.b64encode(_bytes("katex", "fonts", name.group(1) + ".woff2")).decode("ascii")
    source = f'src:url(data:font/woff2;base64,{data}) format("woff2")'
    return "@font-face{" + _FONT_SOURCES.sub(lambda _: source, rule.group(1)) + "}"


@cache
def _katex_css() -> str:
    return _FONT_FACE.sub(_embed_font, _text("katex", "katex.min.css"))


def _inside_script(source: str) -> str:
    """The same JavaScript, without the character sequences that would end or confuse a script element.

    Both replacements put a backslash before a character that means the same with it, in strings and regular
    expressions, the only places where these sequences occur in a program.
    """
    source = re.sub(r"<(?=/script)", r"<\\", source, flags=re.IGNORECASE)
    return source.replace("<!--", r"<\!--")


@cache
def _scripts(math: bool) -> tuple[str, ...]:
    if not math:
        return (_inside_script(_PRINT_SCRIPT),)
    notice = "/*! KaTeX\n\n" + _text("katex", "LICENSE").strip() + "\n*/\n"
    katex = notice + _text("katex", "katex.min.js").strip() + "\n"
    return (_inside_script(katex), _inside_script(_PRINT_SCRIPT), _inside_script(_MATH_SCRIPT))


@cache
def _frame(math: bool) -> tuple[str, str, str]:
    """The page's text before the title, between title and body, and after the body."""
    scripts = _scripts(math)
    hashes = " ".join(
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii") + "'"
        for script in scripts
    )
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "font-src data:; img-src data:; base-uri 'none'; form-action 'none'"
    )
    before = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<title>'
    )
    katex_css = f"<style>\n{_katex_css().strip()}\n</style>\n" if math else ""
    between = f"</title>\n{katex_css}<style>\n{_text('style.css').strip()}\n</style>\n</head>\n<body>\n<main>\n"
    after = "\n</main>\n" + "".join(f"<script>{script}</script>\n" for script in scripts) + "</body>\n</html>\n"
    return before, between, after


def page(title: str, body: str, math: bool = True) -> str:
    """A complete HTML document that needs no other file.

    ``title`` is plain text and is escaped.  ``body`` is HTML and goes in as it is, inside ``<main>``; the
    caller escapes what it puts there, LaTeX included.  Its formulas are ``<span class="math">LATEX</span>``
    and ``<div class="math display">LATEX</div>``.  Scripts and event handlers in ``body`` do not run: the
    page's policy allows only the page's own scripts.  With ``math=False`` KaTeX and its fonts are left out.
    """
    before, between, after = _frame(math)
    return before + html.escape(title) + between + body + after
