"""What is to be written: which texts name a file, and reports that go to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from paraminspect.errors import escape
from paraminspect.tree import ParameterTree

Command = Callable[..., Any]


def new_path(text: str, *, sharded: bool = False) -> Path:
    """The path of what is to be written; a usage error for a text that names no file.

    Shards go into a folder, which need not be there.
    """
    if not text:
        raise click.UsageError("the name of the file to write is empty")
    if text == "-":
        raise click.UsageError(
            "- is no file: results are not written to standard output (./- is a file)"
        )
    path = Path(text)
    if text.endswith("/") and not sharded and not path.is_dir():
        shards = "shards with --max-shard-size make one"
        raise click.UsageError(f"{text}: there is no such folder; {shards}")
    return path


def new_file_option(metavar: str, help_: str) -> Callable[[Command], Command]:
    """The option `-o` of a command that writes a single file."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(),
        callback=lambda _context, _option, text: None if text is None else new_path(text),
        metavar=metavar,
        help=help_,
    )


def check_force(path: Path | None, force: bool) -> None:
    """Refuse `--force` where nothing is written."""
    if force and path is None:
        raise click.UsageError("--force goes with -o FILE")


def check_new(path: Path | None, force: bool) -> None:
    """Refuse to overwrite a file, before any work, and `--force` where nothing is written."""
    check_force(path, force)
    if path is not None and path.exists() and not force:
        raise exists_already(path)


def exists_already(path: Path) -> click.UsageError:
    """The error for a file that `--force` would overwrite."""
    return click.UsageError(f"{path}: exists already; use --force")


def is_source(tree: ParameterTree, path: Path) -> bool:
    """Whether a path leads to what a tree was opened from, or to a file of it."""
    places = [Path(tree.source.path), *(file.path for file in tree.source.files)]
    return path.exists() and any(place.exists() and path.samefile(place) for place in places)


def warn(lines: Iterable[str]) -> None:
    """Say on stderr what a user has to know, such as what the format of a file could not keep."""
    for line in lines:
        click.echo(f"paraminspect: {escape(line)}", err=True)


def save_pieces(
    tree: ParameterTree, path: Path, pieces: Iterable[str] | Iterable[bytes], force: bool
) -> None:
    """Write a report on a tree to a file that is not its source, whole or not at all."""
    from paraminspect.formats import write_file

    if is_source(tree, path):
        raise click.UsageError(f"{path}: is the source itself")
    check_new(path, force)
    encoded = (p if isinstance(p, bytes) else p.encode("utf-8", "backslashreplace") for p in pieces)
    warn(write_file(path, encoded, inputs=tree.source.files, overwrite=force))
