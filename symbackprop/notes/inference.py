"""What notes leave undeclared, inferred from all their formulas, as TOML to paste."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbackprop.marking.infer import infer
from symbackprop.network import Network
from symbackprop.notes import declarations
from symbackprop.notes.plan import Plan, plan_file


@dataclass(frozen=True)
class Inference:
    """What the formulas under one block of declarations imply; ``data`` is what the block declares."""

    place: str
    formulas: int
    data: Mapping[str, Any]
    implied: Mapping[str, Any]

    def __str__(self) -> str:
        said = [f"{key} = {_value(value)}" for key, value in self.notation.items()]
        return f"{self.place}: read with " + "; ".join([*said, *_beyond(self.implied)])

    @property
    def notation(self) -> Mapping[str, Any]:
        table: Mapping[str, Any] = declarations.declarable(self.implied).get("notation", {})
        return table


def inferences(plan: Plan, network: Network | str | None = None) -> list[Inference]:
    """What each part of a file of notes leaves undeclared and implies. Raises FileError as judging does."""
    found = []
    for section in plan.sections:
        formulas, place = section.formulas, plan.file
        if not formulas:
            continue
        data: Mapping[str, Any] = {}
        if section.block is not None:
            data = declarations.block_data(section.block)
            place = f"{section.block.source.label}:{section.block.source.position(section.block.start).line}"
        elif isinstance(network, Network):
            data = {"notation": network.declared_notation}
        elif network is not None:
            data = declarations.file_data(network)
        found.append(Inference(place, len(formulas), data, infer(formulas, data)))
    return found


def inferred_toml(path: str, network: str | None = None) -> str:
    """The declarations of a file of notes with what its formulas imply, a piece of TOML for each block.

    Raises FileError for a file that cannot be used.
    """
    parts = []
    for part in inferences(plan_file(path), network):
        known = "".join(f"# {said}\n" for said in _beyond(part.implied))
        whole = toml(declarations.merged(part.data, declarations.declarable(part.implied)))
        parts.append(f"# {part.place}: {part.formulas} formulas\n{known}{whole}")
    return "\n".join(parts) or "# no formula found\n"


def _beyond(implied: Mapping[str, Any]) -> list[str]:
    """What the formulas imply and no key declares, in words."""
    if implied.get("notation", {}).get("two losses"):
        return ["two letters for losses: one is the cost over the batch, L (or \\ell) the loss of a sample"]
    return []


def toml(data: Mapping[str, Any]) -> str:
    """A TOML text of strings, numbers, lists and tables, which ``tomllib`` reads back to the same.

    >>> print(toml({"inputs": "n_0", "notation": {"layer": "[l]"}}))
    inputs = "n_0"
    <BLANKLINE>
    [notation]
    layer = "[l]"
    <BLANKLINE>
    """
    return "\n".join(_tables(data, ()))


def _tables(data: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"{_key(key)} = {_value(value)}" for key, value in data.items() if not _is_table(value)]
    if path and (lines or not data):
        lines.insert(0, f"[{'.'.join(map(_key, path))}]")
    if lines:
        lines.append("")
    for key, value in data.items():
        if _is_table(value):
            lines += _tables(value, (*path, key))
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _key(key: str) -> str:
    plain = key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)
    return key if plain else json.dumps(key, ensure_ascii=True)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Sequence):
        if any(isinstance(item, Mapping) for item in value):
            return "[\n" + "".join(f"  {_value(item)},\n" for item in value) + "]"
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no TOML here: write it as a string")
