"""Jupyter notebooks: their Markdown cells, one page from the first to the last; places are a cell and a line in it."""

from __future__ import annotations

import json
from typing import Any

from symbackprop.errors import FileError, Position
from symbackprop.notes import markdown
from symbackprop.notes.items import Found
from symbackprop.notes.macros import Macros
from symbackprop.notes.text import Source, plain_lines


def scan(source: Source) -> Found:
    r"""The items of a notebook.

    >>> found = scan(Source("n.ipynb", '{"cells": [{"cell_type": "markdown", "source": ["$$\\n", "z = 1\\n", "$$"]}]}'))
    >>> found.items[0].source.label
    'n.ipynb:cell 1'
    """
    found, macros = Found(), Macros()
    for number, cell in enumerate(_cells(source), 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "markdown":
            continue
        text = cell.get("source", "")
        if isinstance(text, list) and all(isinstance(line, str) for line in text):
            text = "".join(text)
        if not isinstance(text, str):
            raise FileError(source.file, None, f"cell {number} has no text: it is no notebook as Jupyter writes it")
        markdown.scan(Source(source.file, plain_lines(_whole(text)), number), macros, found)
    return found


def _cells(source: Source) -> list[Any]:
    try:
        data = json.loads(source.text)
    except json.JSONDecodeError as error:
        place = Position(error.lineno, error.colno)
        raise FileError(source.file, place, f"no notebook: {error.msg[:80]}; save it with Jupyter") from error
    except (RecursionError, ValueError) as error:
        raise FileError(source.file, None, "no notebook: nested too deeply, or a number too long") from error
    cells = data.get("cells") if isinstance(data, dict) else None
    if not isinstance(cells, list):
        raise FileError(source.file, None, "no notebook: it has no list of cells (of version 4); save it with Jupyter")
    return cells


def _whole(text: str) -> str:
    """The text without halves of characters, which JSON can write and nothing can print."""
    return text.encode("utf-8", "replace").decode("utf-8")
