"""The command line: ``symbackprop derive NET.toml -o REPORT``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn, TextIO, TypeAlias

from symbackprop.errors import SymbackpropError
from symbackprop.network_file import load_network
from symbackprop.report.write import renderer, replace_files

OK, FAILED = 0, 2

Tick: TypeAlias = Callable[[int, int], None]  # (done, of)


class _Parser(argparse.ArgumentParser):
    """Errors in one line, like every other error of the command line."""

    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"{self.prog}: error: {message}; {self.prog} --help shows the usage\n")


def parser() -> argparse.ArgumentParser:
    main_parser = _Parser(prog="symbackprop", description="Derive backpropagation, step by step, with symbolic sizes.")
    main_parser.add_argument("--version", action="version", version=f"symbackprop {version('symbackprop')}")
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    derive = commands.add_parser("derive", help="derive every gradient of a network and write the report")
    derive.add_argument("network", metavar="NET.toml", help="the network file")
    derive.add_argument(
        "-o",
        "--output",
        action="append",
        required=True,
        metavar="FILE",
        help="the report: .html, .tex or .md; repeatable",
    )
    derive.set_defaults(run=_derive)
    export = commands.add_parser(
        "export", help="write a module with the hand-derived backward pass, which checks itself"
    )
    export.add_argument("network", metavar="NET.toml", help="the network file")
    export.add_argument("--to", required=True, choices=("numpy", "torch", "jax", "c"), help="the library or language")
    export.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="a .py file; for C a .c file, with a header"
    )
    export.set_defaults(run=_export)
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or 2 where something was wrong with what was asked."""
    args = parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except SymbackpropError as error:
        print(_one_line(str(error)), file=sys.stderr)
        return FAILED
    except (RecursionError, MemoryError):
        print(
            "error: the network or a formula in it is too large or nested too deeply: make it smaller", file=sys.stderr
        )
        return FAILED
    except KeyboardInterrupt:
        return 130


def _one_line(message: str) -> str:
    return message if "error: " in message else f"error: {message}"


def _derive(args: argparse.Namespace) -> int:
    paths = [Path(name) for name in args.output]
    for path in paths:
        renderer(path)  # a wrong suffix is found before the work is done
    network = load_network(args.network)
    bar = progress(sys.stderr)
    derivation = network.derive(progress=_half(bar, 0))
    derivation.write_all(paths, progress=_half(bar, 1))
    for path in paths:
        print(f"{path}: {len(derivation.steps)} steps, {len(derivation.model.parameters)} gradients")
    return OK


def _export(args: argparse.Namespace) -> int:
    from symbackprop.numeric.export import exported

    files = exported(load_network(args.network).derive(), args.to, Path(args.output))
    replace_files(files)
    for path, text in files:
        lines = text.count("\n")
        print(f"{path}: {lines} lines")
    return OK


def _half(bar: Tick | None, which: int) -> Tick | None:
    """One half of the bar: deriving is the first, writing the second."""
    return None if bar is None else lambda done, of: bar(done + which * of, 2 * of)


def progress(out: TextIO, after: float = 1.0) -> Tick | None:
    """A bar that appears where a terminal is there and the work takes longer than ``after`` seconds."""
    if not out.isatty():
        return None
    start, shown = time.monotonic(), -1

    def tick(done: int, of: int) -> None:
        nonlocal shown
        now = int(40 * done / max(of, 1))
        if time.monotonic() - start < after or now == shown:
            return
        shown = now
        print(f"\r[{'#' * now}{'.' * (40 - now)}] {done}/{of} steps", end="", file=out, flush=True)
        if done >= of:
            print("\r" + " " * 70 + "\r", end="", file=out, flush=True)

    return tick


if __name__ == "__main__":
    sys.exit(main())
