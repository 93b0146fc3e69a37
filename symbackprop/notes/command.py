"""The commands about notes: verify, infer, explain."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from symbackprop.errors import FileError, SymbackpropError
from symbackprop.notes import explain
from symbackprop.notes.formats import FORMATS, text
from symbackprop.notes.formats.telling import Told
from symbackprop.notes.plan import named_files
from symbackprop.notes.supervisor import Job, judge_all
from symbackprop.progress import progress

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]

USAGE = 2
TIME_LIMIT = 10.0
MAX_JOBS = 64

EXIT_CODES = """\
exit codes: 0 all proved, defined or as expected; 1 something refuted, or not as expected; 2 wrong usage, or something
could not be read; 3 nothing refuted and all read, but something only consistent or undecided"""


def add_commands(commands: Commands) -> None:
    """The parsers of verify, infer and explain."""
    verify = commands.add_parser(
        "verify",
        help="judge every equality in notes: .tex, .md, .ipynb",
        description="Judge every equality in notes. Of a folder, the files are read that declare something in a "
        "symbackprop block; with --network, all.",
        epilog=EXIT_CODES,
    )
    verify.add_argument("notes", nargs="*", metavar="NOTES", help="files, or folders of them")
    verify.add_argument("--formula", metavar="LATEX", help="judge this formula instead of files")
    verify.add_argument("--network", metavar="NET.toml", help="the network file for notes that declare nothing")
    verify.add_argument(
        "--output-format",
        choices=["text", *FORMATS],
        default="text",
        metavar="FORMAT",
        help=f"text, {', '.join(FORMATS)}",
    )
    verify.add_argument("--output", metavar="FILE", help="write the verdicts to a file")
    verify.add_argument(
        "--time-limit",
        type=_seconds,
        default=TIME_LIMIT,
        metavar="S",
        help=f"seconds for one formula, {TIME_LIMIT:g} unless told; what takes longer is undecided",
    )
    verify.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="files to judge at the same time; 0: one a core"
    )
    verify.add_argument("--verbose", action="store_true", help="show what is proved, and what was inferred, too")
    verify.set_defaults(run=run_verify)

    infer = commands.add_parser("infer", help="print what notes leave undeclared, as TOML to paste")
    infer.add_argument("notes", metavar="NOTES", help="the file of notes")
    infer.add_argument("--network", metavar="NET.toml", help="the network file for notes that declare nothing")
    infer.set_defaults(run=run_infer)

    explained = commands.add_parser("explain", help="what a code of a verdict means, with examples")
    explained.add_argument("code", nargs="?", metavar="CODE", help="such as SBP301")
    explained.add_argument("--list", action="store_true", help="all codes")
    explained.set_defaults(run=run_explain)


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{value!r} is no number of seconds between 0 and 86400")
    return seconds


def _jobs(value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value[:9]) <= MAX_JOBS:
        raise argparse.ArgumentTypeError(f"{value!r} is no number from 0 to {MAX_JOBS}")
    return int(value) or os.cpu_count() or 1


def run_verify(args: argparse.Namespace) -> int:
    if bool(args.notes) == (args.formula is not None):
        raise SymbackpropError("name files of notes, or give one formula with --formula")
    left_out = 0
    if args.formula is not None:
        jobs = [Job("formula", args.formula, args.network, args.time_limit)]
    else:
        files, left_out = named_files(args.notes, args.network is not None)
        jobs = [Job(file, None, args.network, args.time_limit) for file in files]
    found = judge_all(jobs, args.jobs, progress(sys.stderr, unit="formulas"))
    told = Told(
        [row for result in found for row in result.rows],
        [result.error for result in found if result.error],
        sum(result.passed_over for result in found),
        sum(result.skipped for result in found),
        [line for result in found for line in result.inferred],
    )
    for error in told.errors:
        print(error, file=sys.stderr)
    if left_out:
        print(f"{left_out} files declare nothing and were left out: name them, or give --network", file=sys.stderr)
    _hand_out(args, told)
    return told.exit_code


def _hand_out(args: argparse.Namespace, told: Told) -> None:
    if args.output is None:
        if args.output_format == "text":
            sys.stdout.write(_printable(text.render(told, _coloured(sys.stdout), args.verbose), sys.stdout))
        else:
            sys.stdout.write(_printable(FORMATS[args.output_format](told), sys.stdout))
        sys.stdout.flush()
        return
    plain = (
        text.render(told, False, args.verbose) if args.output_format == "text" else FORMATS[args.output_format](told)
    )
    try:
        Path(args.output).write_text(plain, encoding="utf-8", errors="replace", newline="\n")
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise FileError(args.output, None, f"cannot be written ({reason}): choose another file") from error


def _coloured(out: TextIO) -> bool:
    """Colour is for terminals, and for those who did not ask for none (no-color.org)."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _printable(told: str, out: TextIO) -> str:
    """The text in the characters that the output has."""
    encoding = out.encoding or "utf-8"
    return told.encode(encoding, "backslashreplace").decode(encoding)


def run_infer(args: argparse.Namespace) -> int:
    from symbackprop.notes.inference import inferred_toml  # needs SymPy, which the other commands start without

    sys.stdout.write(_printable(inferred_toml(args.notes, args.network), sys.stdout))
    return 0


def run_explain(args: argparse.Namespace) -> int:
    if args.list == bool(args.code):
        raise SymbackpropError("name a code, such as SBP301, or ask for --list")
    sys.stdout.write(_printable(explain.listing() if args.list else explain.page(args.code), sys.stdout))
    return 0
