"""Arrays written to a file by `slice -o` and `run -o`: its name decides what is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paraminspect.cli.new_files import check_new, is_source, warn

if TYPE_CHECKING:
    from paraminspect.operations.slicing import Slice
    from paraminspect.tree import ParameterTree

SUFFIXES = {".npy": "npy", ".csv": "csv", ".tsv": "tsv", ".txt": "txt", ".json": "json"}
"""Endings that tell a style of reports; those that tell a format of checkpoints win."""

TABLES = ("csv", "tsv", "txt")
"""Styles that in a file hold one array, a row a line."""

MAXIMUM_TABLE_AXES = 2

STYLES = (*SUFFIXES.values(), "raw", "text")
"""What is no format of checkpoints."""


def file_style(path: Path, default: str, style: str | None = None, *, sharded: bool = False) -> str:
    """The style of reports, or the format of checkpoints, in which a file is written.

    That is what its name ends in: another `style` contradicts it. A name without an ending gets
    the default; one whose ending tells nothing is refused, unless there is a style.
    """
    from paraminspect.formats import named_format, written_names

    target = named_format(path, sharded=sharded)
    named = target.name if target else SUFFIXES.get(path.suffix)
    if style is not None:
        if named not in (None, style) and (named, style) != ("txt", "text"):
            raise click.UsageError(f"{path}: the name says {named}, and --format {style}")
        return style
    if named is None and path.suffix:
        known = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
        raise click.UsageError(
            f"{path}: the name does not tell a format that is written: {known}, {written_names()}"
        )
    return named or default


def check_fits(slices: Sequence[Slice], style: str, path: Path | None) -> None:
    """Refuse several arrays, or more axes, than a file or (without a path) a stream can hold."""
    place = "" if path is None else f"{path}: "
    if style in (*(TABLES if path else ()), "npy", "raw") and len(slices) > 1:
        names = ", ".join(slice_.title for slice_ in slices[:3]) + ", ..." * (len(slices) > 3)
        raise click.UsageError(
            f"{place}{style} holds one array, and there are {len(slices)}: {names}"
        )
    if path and style in TABLES and len(shape := slices[0].data.shape) > MAXIMUM_TABLE_AXES:
        raise click.UsageError(
            f"{place}{style} holds at most two axes, a row a line, and {slices[0].title!r} has"
            f" shape {list(shape)}: give an index, or write *.npy"
        )


def save_slices(
    tree: ParameterTree,
    slices: Sequence[Slice],
    path: Path,
    force: bool,
    max_shard_nbytes: int | None = None,
) -> None:
    """Write slices of a tree to a checkpoint of their own, under the names of their parameters."""
    from paraminspect.cli.progress import progress
    from paraminspect.formats import save_checkpoint
    from paraminspect.operations.slicing import tree_of_slices

    if is_source(tree, path):
        raise click.UsageError(f"{path}: is the source itself")
    if not path.is_dir():
        check_new(path, force)
    sliced = tree_of_slices(tree, slices)
    with progress("writing", sliced.totals.nbytes) as advance:
        lost = save_checkpoint(
            sliced, path, overwrite=force, max_shard_nbytes=max_shard_nbytes, progress=advance
        )
    warn(lost)
