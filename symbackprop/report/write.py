"""Writing reports to files: by suffix, and never half."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from symbackprop.errors import FileError, Unsupported
from symbackprop.report import html, markdown, tex
from symbackprop.report.derivation_report import derivation_document
from symbackprop.report.document import Document
from symbackprop.report.subject import Subject

RENDERERS: dict[str, Callable[[Document], str]] = {
    ".html": html.document,
    ".tex": tex.document,
    ".md": markdown.document,
}


def renderer(path: Path) -> Callable[[Document], str]:
    """The renderer for a file's suffix; raises Unsupported for a suffix that has none."""
    if path.suffix.lower() not in RENDERERS:
        known = ", ".join(RENDERERS)
        raise Unsupported(f"{path}: a report is written as {known}, not {path.suffix or 'without a suffix'}: rename it")
    return RENDERERS[path.suffix.lower()]


def write_all(subject: Subject, paths: Iterable[Path], tick: Callable[[int, int], None] | None = None) -> None:
    """Write a report in one or several forms: all texts are made before the first file is touched."""
    chosen = [(path, renderer(path)) for path in paths]
    doc = derivation_document(subject, tick)
    replace_files([(path, render(doc)) for path, render in chosen])


def replace_files(files: list[tuple[Path, str]]) -> None:
    """Put texts in the place of files; a file that was there stays as it was until the new one is whole on the disk."""
    ready: list[tuple[str, Path]] = []
    try:
        for path, text in files:
            ready.append((_written_beside(path, text), path))
        for temporary, path in ready:
            os.replace(temporary, path)
    except OSError as error:
        raise FileError(str(path), None, _reason(path, error)) from error
    finally:
        for temporary, _ in ready:
            Path(temporary).unlink(missing_ok=True)


def _written_beside(path: Path, text: str) -> str:
    """The text in a temporary file of the same folder, so that replacing is one step."""
    if path.is_dir():
        raise IsADirectoryError(21, "is a folder")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(path: Path, error: OSError) -> str:
    if not path.parent.exists():
        return f"there is no folder {path.parent}: make it first"
    return f"cannot be written ({(error.strerror or str(error)).lower()}): choose another file"
