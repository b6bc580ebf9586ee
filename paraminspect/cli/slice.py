"""`paraminspect slice`: the values at addresses."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paraminspect.cli.new_files import check_force, new_file_option, save_pieces
from paraminspect.cli.options import (
    files_told_apart,
    force_option,
    optimizer_option,
    source_argument,
    style_option,
)
from paraminspect.errors import escape
from paraminspect.report import Screen, sort_tree
from paraminspect.source import open_source
from paraminspect.tree import address_in

if TYPE_CHECKING:
    from paraminspect.slicing import Slice
    from paraminspect.tree import ParameterTree

TEXT_STYLES = ("json", "csv", "tsv")
BINARY_STYLES = ("npy", "raw")
SUFFIXES = {".npy": "npy", ".json": "json", ".csv": "csv", ".tsv": "tsv", ".txt": "text"}

EPILOG = """\b
Examples:
  paraminspect slice model.safetensors 'h.0.attn.c_attn.weight[0, :8]'
  paraminspect slice model.safetensors '[0][1][0].bias[0:3]' '*.scale'
  paraminspect slice --hist model.safetensors wte.weight
  paraminspect slice --format csv --precision 3 m.safetensors 'wpe.weight[:9]'
  paraminspect slice model.safetensors wte.weight -o wte.npy

\b
An address is PATTERN[INDEX]: * any run of characters, ? any one; the index is
NumPy's basic one: integers, slices with steps, '...'. Quote it for the shell.
A name that is there wins over all this: .layers[0].w, or .layers[0].w[1] for
an index; in quotes a name is never more than a name: '"w[0]"[1]'.

\b
In a pipe text is complete, or refused when it is too much. On a terminal
large arrays are summarized. npy, raw, csv, tsv and json are complete at any
size; floats are given exactly there, as float64.

\b
Exit status: 0 done, 2 trouble.
"""


@click.command("slice", epilog=EPILOG)
@source_argument
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.option(
    "--precision",
    type=click.IntRange(0, 100),
    metavar="N",
    help="Digits after the point, as in NumPy (text, csv, tsv).",
)
@click.option("--stats", is_flag=True, help="Statistics in place of the values (text, json).")
@click.option("--hist", is_flag=True, help="A histogram, and the statistics (text, json).")
@style_option(
    ["text", *TEXT_STYLES, *BINARY_STYLES], after="; by default what FILE ends in, or text"
)
@optimizer_option
@new_file_option("FILE", "Write to this file.")
@force_option
def slice_source(
    source: str,
    addresses: tuple[str, ...],
    precision: int | None,
    stats: bool,
    hist: bool,
    style: str | None,
    optimizer: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Print the values at each ADDRESS of SOURCE. No more of it is read than that.

    A single slice is printed bare, several under their names.
    """
    check_force(output, force)
    from paraminspect.slicing import slice_tree

    whole = open_source(source)
    whole = whole.with_optimizer() if optimizer else whole
    tree = sort_tree(whole, None)
    if any(address_in(tree, text).positions for text in addresses):
        # They count as the source has its parts, here as in every command.
        tree = replace(tree, root=whole.structure)
    with files_told_apart(addresses, "slice takes one SOURCE, and then names in it"):
        slices = slice_tree(tree, addresses)
    style = style or SUFFIXES.get(output.suffix if output else "", "text")
    screen = Screen.of(sys.stdout) if output is None else None
    _check_use(slices, style, precision, stats or hist, screen)
    pieces: Iterator[str] | Iterator[bytes]
    if stats or hist:
        pieces = _measures(tree, slices, hist, style, screen)
    else:
        pieces = _values(tree, slices, style, precision, screen)
    if output is None:
        _print(pieces)
    else:
        save_pieces(tree, output, pieces, force)


def _check_use(
    slices: Sequence[Slice], style: str, precision: int | None, measures: bool, screen: object
) -> None:
    if precision is not None and (measures or style not in ("text", "csv", "tsv")):
        raise click.UsageError("--precision is for values as text, csv or tsv")
    if measures and style not in ("text", "json"):
        raise click.UsageError(f"--stats and --hist are for text and json, not {style}")
    if style not in BINARY_STYLES:
        return
    if len(slices) > 1:
        names = ", ".join(slice_.title for slice_ in slices[:3]) + ", ..." * (len(slices) > 3)
        raise click.UsageError(f"{style} holds one array, and there are {len(slices)}: {names}")
    if screen:
        raise click.UsageError(f"{style} is not for a terminal: give -o FILE, or a pipe")


def _measures(
    tree: ParameterTree, slices: Sequence[Slice], hist: bool, style: str, screen: Screen | None
) -> Iterator[str]:
    from paraminspect.report import slice as reports

    measured = reports.measure(slices, with_histogram=hist)
    if style == "json":
        return reports.measures_as_json(tree.source, measured)
    return reports.measures_as_text(measured, screen)


def _values(
    tree: ParameterTree,
    slices: Sequence[Slice],
    style: str,
    precision: int | None,
    screen: Screen | None,
) -> Iterator[str] | Iterator[bytes]:
    from paraminspect.report import slice as reports

    for slice_ in slices:
        for note in reports.notes(slice_, style, screen):
            click.echo(escape(f"paraminspect: {note}"), err=True)
    if style in BINARY_STYLES:
        return reports.BINARY_STYLES[style](slices[0])
    if style in TEXT_STYLES:
        return reports.TEXT_STYLES[style](tree.source, slices, precision)
    return reports.as_text(slices, precision, screen)


def _print(pieces: Iterator[str] | Iterator[bytes]) -> None:
    for piece in pieces:
        if isinstance(piece, str):
            sys.stdout.write(piece)
        else:
            sys.stdout.buffer.write(piece)
