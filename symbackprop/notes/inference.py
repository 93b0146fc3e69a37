"""What notes leave undeclared, inferred from all their formulas, as TOML to paste."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.marking.infer import infer
from symbackprop.notes import declarations
from symbackprop.notes.plan import plan_file


def inferred_toml(path: str, network: str | None = None) -> str:
    """The declarations of a file of notes with what its formulas imply, a piece of TOML for each block.

    Raises FileError for a file that cannot be used.
    """
    plan = plan_file(path)
    parts = []
    for section in plan.sections:
        formulas = section.formulas
        if section.block is None and not formulas:
            continue
        if section.block is not None:
            data = declarations.block_data(section.block)
            place = f"{section.block.source.label}:{section.block.source.position(section.block.start).line}"
        else:
            data = declarations.file_data(network) if network is not None else {}
            place = plan.file
        implied = infer(formulas, data)
        whole = declarations.merged(data, declarations.declarable(implied))
        known = "".join(f"# {said}\n" for said in _beyond(implied))
        parts.append(f"# {place}: {len(formulas)} formulas\n{known}{toml(whole)}")
    if not parts:
        return "# no formula found\n"
    return "\n".join(parts)


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
