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

OK, REFUTED, FAILED, OPEN = 0, 1, 2, 3


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
    check = commands.add_parser("check", help="check the gradients of a network against finite differences")
    check.add_argument("network", metavar="NET.toml", help="the network file")
    check.add_argument("--sizes", type=_sizes, metavar="n_0=3,n_1=4", help="numbers for symbolic sizes")
    check.add_argument("--seed", type=_seed, default=0, help="draws the points that are looked at (default: 0)")
    check.set_defaults(run=_check)
    export = commands.add_parser(
        "export", help="write a module with the hand-derived backward pass, which checks itself"
    )
    export.add_argument("network", metavar="NET.toml", help="the network file")
    export.add_argument("--to", required=True, choices=("numpy", "torch", "jax", "c"), help="the library or language")
    export.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="a .py file; for C a .c file, with a header"
    )
    export.set_defaults(run=_export)
    add_commands(commands)
    return main_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or 2 where something was wrong with what was asked.

    ``check`` ends with 0 where all gradients agree, 1 where one is refuted, 3 where that is open.
    """
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
    except BrokenPipeError:  # whoever read the output has gone
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


def _check(args: argparse.Namespace) -> int:
    from symbackprop.network_file import load_network
    from symbackprop.proof.status import Status

    result = load_network(args.network).derive().check(args.sizes, args.seed)
    print(f"{args.network}: {result}", flush=True)
    return {Status.CONSISTENT: OK, Status.REFUTED: REFUTED}.get(result.status, OPEN)


def _sizes(text: str) -> dict[str, int]:
    """n_0=3,n_1=4 as a dict; argparse shows what is wrong."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, equals, number = (u.strip() for u in part.partition("="))
        if not (name and equals and number.isascii() and number.isdigit() and len(number) < 10):
            raise argparse.ArgumentTypeError(f"{part.strip()[:40]!r} is no size: write name=number, like n_0=3,n_1=4")
        if name in found:
            raise argparse.ArgumentTypeError(f"{name} has two sizes: leave one out")
        found[name] = int(number)
    return found


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no seed: write a whole number from 0 up")
    return int(text)


def _export(args: argparse.Namespace) -> int:
    from symbackprop.network_file import load_network
    from symbackprop.numeric.export import exported
    from symbackprop.report.write import replace_files

    files = exported(load_network(args.network).derive(), args.to, Path(args.output))
    replace_files(files)
    for path, text in files:
        lines = text.count("\n")
        print(f"{path}: {lines} lines")
    return OK


def _half(bar: Tick | None, which: int) -> Tick | None:
    """One half of the bar: deriving is the first, writing the second."""
    return None if bar is None else lambda done, of: bar(done + which * of, 2 * of)


if __name__ == "__main__":
    sys.exit(main())
