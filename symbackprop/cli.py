"""The command line: ``symbackprop derive NET.toml -o REPORT``, ``symbackprop verify NOTES`` and the others."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from symbackprop.errors import SymbackpropError
from symbackprop.notes.command import add_commands
from symbackprop.progress import Tick, progress

OK, FAILED = 0, 2


class _Parser(argparse.ArgumentParser):
    """Errors in one line, like every other error of the command line."""

    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"{self.prog}: error: {message}; {self.prog} --help shows the usage\n")


def parser() -> argparse.ArgumentParser:
    main_parser = _Parser(
        prog="symbackprop", description="Derive, verify and explain backpropagation, with symbolic sizes."
    )
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
    add_commands(commands)
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
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return 130


def _one_line(message: str) -> str:
    return message if "error: " in message else f"error: {message}"


def _derive(args: argparse.Namespace) -> int:
    from symbackprop.network_file import load_network  # needs SymPy, which other commands start without
    from symbackprop.report.write import renderer

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


def _half(bar: Tick | None, which: int) -> Tick | None:
    """One half of the bar: deriving is the first, writing the second."""
    return None if bar is None else lambda done, of: bar(done + which * of, 2 * of)


if __name__ == "__main__":
    sys.exit(main())
