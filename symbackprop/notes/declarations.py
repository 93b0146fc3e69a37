"""From a block of declarations to a page on which formulas can be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.errors import FileError, NetworkError, Position
from symbackprop.marking.infer import infer
from symbackprop.marking.page import Page
from symbackprop.model.build import suggestion
from symbackprop.network import Network
from symbackprop.network_file import KEYS, check_symbols, network_from, network_text, place_of, toml_data
from symbackprop.notation.notation import Notation
from symbackprop.notes.items import Block

NOT_OF_A_NETWORK = ("notation", "symbols", "title")


def block_data(block: Block) -> dict[str, Any]:
    """What a block declares. Raises FileError with the place in the notes."""
    try:
        data = toml_data(block.source.file, block.toml)
        check(data)
    except FileError as error:
        raise _moved(block, error.position or Position(1, 1), error.message) from error
    except NetworkError as error:
        raise _moved(block, place_of(error.path, block.toml), error.message) from error
    return data


def file_data(path: str) -> dict[str, Any]:
    """What a network file declares. Raises FileError."""
    return toml_data(path, network_text(path))


def _moved(block: Block, place: Position, message: str) -> FileError:
    return FileError(block.source.label, block.position(place), message)


def page_of_block(block: Block, formulas: Sequence[str]) -> Page:
    """The page that a block declares; what it leaves open is inferred from all the formulas under it."""
    data = block_data(block)
    try:
        return page(data, formulas)
    except NetworkError as error:
        raise _moved(block, place_of(error.path, block.toml), error.message) from error


def page_of_file(path: str, formulas: Sequence[str]) -> Page:
    """The page that a network file declares."""
    text = network_text(path)
    data = toml_data(path, text)
    if not data:
        message = "it declares neither a network nor symbols: write inputs, loss and layers, or [symbols]"
        raise FileError(path, Position(1, 1), message)
    try:
        return page(data, formulas)
    except NetworkError as error:
        raise FileError(path, place_of(error.path, text), error.message) from error


def page(data: Mapping[str, Any], formulas: Sequence[str]) -> Page:
    """A page from declarations. Raises NetworkError with the path of what is wrong."""
    check(data)
    implied = infer(formulas, data)
    tables: dict[str, Any] = {key: data[key] for key in ("notation", "symbols") if key in data}
    if all(key in NOT_OF_A_NETWORK for key in data):
        made = Page(None, tables)
    else:
        made = Page(network_from(merged(data, {k: v for k, v in implied.items() if k != "notation"})), tables)
    made.imply(implied.get("notation", {}))
    return made


def check(data: Mapping[str, Any]) -> None:
    """Raises NetworkError with the path of what nothing can declare; a network is checked when it is built."""
    for key in data:
        if key not in KEYS:
            network_from(data)  # says which key, and the nearest that is known
    check_symbols(data.get("symbols", {}))
    table = data.get("notation", {})
    if not isinstance(table, Mapping):
        raise NetworkError("notation must be a table", ("notation",))
    for key in table:
        if key not in Notation.keys():  # noqa: SIM118 (a method of the class, not of a dict)
            hint = suggestion(key, Notation.keys())
            raise NetworkError(f"unknown key {key!r} in notation: {hint}", ("notation", key, "#key"))
    Notation(**table)


def declarable(implied: Mapping[str, Any]) -> dict[str, Any]:
    """Of what formulas imply, what a network file can declare; a page may know more of its formulas."""
    notation = {k: v for k, v in implied.get("notation", {}).items() if k in Notation.keys()}  # noqa: SIM118
    return {**implied, "notation": notation} if notation else {k: v for k, v in implied.items() if k != "notation"}


def page_of_network(network: Network, formulas: Sequence[str]) -> Page:
    """The page of a network that was built in Python: its notation is declared with it, or inferred."""
    declared = {"notation": network.declared_notation}
    made = Page(network, declared)
    made.imply(infer(formulas, declared).get("notation", {}))
    return made


def merged(declared: Mapping[str, Any], implied: Mapping[str, Any]) -> dict[str, Any]:
    """Both, table by table; where both say something, what is declared.

    >>> merged({"notation": {"layer": "l"}}, {"notation": {"layer": "[l]", "sample": "(i)"}, "batch": "m"})
    {'notation': {'layer': 'l', 'sample': '(i)'}, 'batch': 'm'}
    """
    out = dict(implied)
    for key, value in declared.items():
        both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
        out[key] = merged(value, out[key]) if both else value
    return out
