"""Network files: TOML in, a ``Network`` out, or one line that says where the file is wrong and what to do."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from symbackprop.errors import FileError, NetworkError, Position
from symbackprop.model.build import Dense, suggestion
from symbackprop.model.toml_positions import Located, positions
from symbackprop.network import Network

MAX_BYTES = 1_000_000

KEYS = (
    *("inputs", "batch", "loss", "layers", "samples", "weights", "l1", "l2", "labels"),
    *("title", "notation", "symbols", "notes"),
)
REQUIRED = ("inputs", "loss", "layers")
LAYER_KEYS = ("units", "activation", "bias")
TITLE = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-zÀ-ÖØ-öø-ÿ0-9 ,.:;'()+/-]{0,99}")

TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def load_network(path: str | Path) -> Network:
    """The network that a TOML file describes.

    Raises FileError, whose text is ``file:line:column: error: what is wrong, what to do``.
    """
    name = str(path)
    text = network_text(name)
    data = toml_data(name, text)
    if not data:
        raise FileError(
            name, Position(1, 1), 'the file is empty: it needs inputs = "n_0", loss = "..." and layers = [...]'
        )
    try:
        return network_from(data)
    except NetworkError as error:
        raise FileError(name, place_of(error.path, text), error.message) from error


def network_text(name: str) -> str:
    try:
        raw = Path(name).read_bytes()
    except FileNotFoundError as error:
        raise FileError(name, None, "there is no such file: check the path") from error
    except IsADirectoryError as error:
        raise FileError(name, None, "this is a folder: name a network file in it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(name, None, f"cannot be read ({reason.lower()}): check the path and its permissions") from error
    if len(raw) > MAX_BYTES:
        raise FileError(name, None, f"{len(raw)} bytes: a network file has at most {MAX_BYTES}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        position = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise FileError(name, position, "not a text in UTF-8: save the file in that encoding") from error


def toml_data(name: str, text: str) -> dict[str, Any]:
    """What a TOML text holds; raises FileError with the place of what is wrong."""
    try:
        data = tomllib.loads(text)
    except RecursionError as error:
        raise FileError(name, Position(1, 1), "nested too deeply: a network file needs three levels") from error
    except ValueError as error:  # TOMLDecodeError, and integers of thousands of digits
        place = TOML_PLACE.search(str(error))
        position = Position(*map(int, place.groups())) if place else _end(text)
        message = re.sub(r"\s+", " ", str(error)[: place.start()] if place else str(error))
        raise FileError(name, position, f"not TOML: {message[:200]}; write key = value lines") from error
    return data


def _end(text: str) -> Position:
    return Position(text.count("\n") + 1, len(text) - text.rfind("\n"))


def place_of(path: tuple[str | int, ...], text: str) -> Position:
    """Where the innermost part of a path stands that the file has; a path that ends in "#key" means the key itself."""
    known: dict[tuple[str | int, ...], Located] = {}
    try:
        known = positions(text)
    except ValueError:
        return Position(1, 1)
    wants_key = bool(path) and path[-1] == "#key"
    path = path[:-1] if wants_key else path
    while path and path not in known:
        path = path[:-1]
    if not path:
        return Position(1, 1)
    found = known[path]
    return found.key if wants_key and found.key is not None else found.value


def network_from(data: Mapping[str, Any]) -> Network:
    """A network from what a TOML file holds; raises NetworkError with the path of what is wrong."""
    _only(data, KEYS, ())
    for key in REQUIRED:
        if key not in data:
            raise NetworkError(f"{key} is missing: add {_example(key)}")
    title = data.get("title", "")
    if not isinstance(title, str) or (title and not TITLE.fullmatch(title)):
        raise NetworkError(
            "title must be one line of at most 100 Latin letters, digits and plain punctuation", ("title",)
        )
    check_symbols(data.get("symbols", {}))
    rest = {
        key: data[key] for key in ("inputs", "batch", "loss", "samples", "weights", "l1", "l2", "labels") if key in data
    }
    return Network(
        _layers(data["layers"]), notation=data.get("notation"), title=title, notes=_notes(data.get("notes", [])), **rest
    )


def _layers(value: object) -> list[Dense]:
    if not isinstance(value, list):
        raise NetworkError(f"layers must be a list, like {_example('layers')}", ("layers",))
    found = []
    for i, layer in enumerate(value):
        if not isinstance(layer, dict):
            raise NetworkError('a layer must be a table, like { units = "n_1", activation = "sigmoid" }', ("layers", i))
        _only(layer, LAYER_KEYS, ("layers", i))
        if "units" not in layer:
            raise NetworkError('a layer without units: add units = "n_1" or a number', ("layers", i))
        found.append(Dense(**layer))
    return found


def _notes(value: object) -> list[tuple[str, str]]:
    """[[notes]] tables: of = "W2", says = "(A2 - Y) @ A1.T / m"."""
    if not isinstance(value, list):
        raise NetworkError("notes must be [[notes]] tables, each with of and says", ("notes",))
    found = []
    for i, note in enumerate(value):
        if not isinstance(note, dict):
            raise NetworkError("a note must be a table with of and says", ("notes", i))
        _only(note, ("of", "says"), ("notes", i))
        for key in ("of", "says"):
            if key not in note:
                raise NetworkError(f"a note without {key}: it needs of and says", ("notes", i))
        found.append((note["of"], note["says"]))
    return found


def check_symbols(value: object) -> None:
    """Further symbols belong to formulas that are verified; deriving has no use for them, but a typo is an error."""
    if not isinstance(value, dict):
        raise NetworkError('symbols must be a table of shapes, like A = "q x n"', ("symbols",))
    for name, shape in value.items():
        if not isinstance(shape, str):
            raise NetworkError('a symbol has a shape in quotes, like A = "q x n"', ("symbols", name))


def _only(data: Mapping[str, Any], known: tuple[str, ...], path: tuple[str | int, ...]) -> None:
    for key in data:
        if key not in known:
            shown = key if len(key) < 40 else key[:37] + "..."
            raise NetworkError(f"unknown key {shown!r}: {suggestion(key, known)}", (*path, key, "#key"))


def _example(key: str) -> str:
    return {
        "inputs": 'inputs = "n_0"',
        "loss": 'loss = "binary_cross_entropy"',
        "layers": 'layers = [{ units = "n_1", activation = "sigmoid" }]',
    }[key]
