"""`paraminspect slice`: the values at addresses."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paraminspect.cli.array_files import STYLES, TABLES, check_fits, file_style, save_slices
from paraminspect.cli.new_files import check_force, new_path, save_pieces, warn
from paraminspect.cli.options import (
    explaining_files,
    force_option,
    max_shard_option,
    optimizer_option,
    source_argument,
    style_option,
)
from paraminspect.cli.ways import spell_option, tell_codes
from paraminspect.report import RECORD_STYLES, Screen, sort_tree
from paraminspect.source import open_source

if TYPE_CHECKING:
    from paraminspect.operations.slicing import Slice
    from paraminspect.tree import ParameterTree

TEXT_STYLES = ("json", "csv", "tsv")
BINARY_STYLES = ("npy", "raw")
VALUE_STYLES = ("text", *TEXT_STYLES, *BINARY_STYLES)

EPILOG = """\b
Examples:
  paraminspect slice model.safetensors 'h.0.attn.c_attn.weight[0, :8]'
  paraminspect slice model.safetensors '[0][1][0].bias[0:3]' '*.scale'
  paraminspect slice --hist model.safetensors wte.weight
  paraminspect slice --format csv --precision 3 m.safetensors 'wpe.weight[:9]'
  paraminspect slice model.safetensors wte.weight -o wte.npy
  paraminspect slice model.safetensors 'encoder.*' -o encoder.safetensors

\b
An address is PATTERN[INDEX]: * matches any characters, ? one; the index is
NumPy's basic indexing: integers, slices with steps, '...'. Quote it for the
shell. A name that exists wins: .layers[0].w is one if the source has it, and
.layers[0].w[1] indexes it. In quotes a name is only a name: '"w[0]"[1]'.

\b
Text shows large arrays in summary on a terminal; in a pipe it is complete, or
refused when it would be too much. npy, raw, csv, tsv and json are complete at
any size, and give floats exactly, as float64.

\b
The name of FILE decides what is written: *.npy, *.csv, *.tsv and *.txt hold
one array (the last three at most two axes, a row a line), *.safetensors,
*.npz, *.h5, shards and *.json any number. Without an ending it is text.

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
@click.option("--stats", is_flag=True, help="Print statistics in place of the values.")
@click.option(
    "--dequantize", is_flag=True, help="Multiply scaled FP8 and INT8 codes by their scales."
)
@click.option(
    "--hist", is_flag=True, help="Print a histogram and the statistics in place of the values."
)
@style_option(
    [*VALUE_STYLES, *(style for style in RECORD_STYLES if style not in VALUE_STYLES)],
    before="By default what FILE ends in, or text; with --stats or --hist a table. Any of ",
)
@optimizer_option
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="Write to this file.")
@force_option
@max_shard_option
def slice_source(
    source: str,
    addresses: tuple[str, ...],
    precision: int | None,
    stats: bool,
    dequantize: bool,
    hist: bool,
    style: str | None,
    optimizer: bool,
    output: str | None,
    force: bool,
    max_shard_size: int | None,
) -> None:
    """Print the values at each ADDRESS of SOURCE, and read nothing else.

    A single slice is printed alone, several under their names.
    """
    path = None if output is None else new_path(output, sharded=max_shard_size is not None)
    check_force(path, force)
    screen = Screen.of(sys.stdout) if path is None else None
    style = _style(path, style, stats or hist, max_shard_size)
    _check_use(style, precision, stats or hist, screen)
    from paraminspect.operations.slicing import slice_tree

    whole = open_source(source)
    whole = whole.with_optimizer() if optimizer else whole
    tree = sort_tree(whole, None)
    if any(tree.address(text).positions for text in addresses):
        # They count as the source has its parts, here as in every command.
        architecture = replace(tree.architecture, root=whole.structure)
        tree = replace(tree, architecture=architecture)
    with explaining_files(addresses, "slice takes one SOURCE, and then names in it"):
        tree = _decoded(tree, addresses, dequantize)
        slices = slice_tree(tree, addresses)
    if path and style not in (*STYLES, *RECORD_STYLES):
        save_slices(whole, slices, path, force, max_shard_size)
        return
    pieces: Iterator[str] | Iterator[bytes]
    if stats or hist:
        pieces = _measures(tree, slices, hist, style, screen)
    else:
        check_fits(slices, style, path)
        pieces = _values(tree, slices, style, precision, screen)
    if path is None:
        _print(pieces)
    else:
        save_pieces(tree, path, pieces, force)


def _style(
    path: Path | None, style: str | None, measures: bool, max_shard_nbytes: int | None
) -> str:
    if path is None:
        if max_shard_nbytes is not None:
            raise click.UsageError("--max-shard-size goes with -o FOLDER, or an index")
        return style or "text"
    chosen = file_style(path, "text", style, sharded=max_shard_nbytes is not None)
    return "text" if measures and chosen == "txt" else chosen


def _decoded(tree: ParameterTree, addresses: Sequence[str], dequantize: bool) -> ParameterTree:
    """The tree with weights for the codes at the addresses, or what says that these are codes."""
    names = dict.fromkeys(name for text in addresses for name in tree.matching(text))
    if not any(tree.entries[name].codes for name in names):
        return tree
    from paraminspect.operations.quantization import dequantized

    if dequantize:
        return dequantized(tree, names)
    tell_codes(tree.entries[name] for name in names)
    return tree


def _check_use(style: str, precision: int | None, measures: bool, screen: Screen | None) -> None:
    if precision is not None and (measures or style not in ("text", *TABLES)):
        raise click.UsageError("--precision is for values as text, csv or tsv")
    if measures and style != "text" and style not in RECORD_STYLES:
        raise click.UsageError(f"--stats and --hist make a table, which {style} cannot hold")
    if not measures and style in RECORD_STYLES and style not in VALUE_STYLES:
        raise click.UsageError(f"--format {style} is for --stats and --hist")
    if style in BINARY_STYLES and screen:
        raise click.UsageError(f"{style} is not for a terminal: give -o FILE, or a pipe")


def _measures(
    tree: ParameterTree, slices: Sequence[Slice], hist: bool, style: str, screen: Screen | None
) -> Iterator[str]:
    from paraminspect.report import slice as reports

    measured = reports.measure(slices, with_histogram=hist)
    return reports.rendered_measures(style, tree.source.path, measured, screen)


def _values(
    tree: ParameterTree,
    slices: Sequence[Slice],
    style: str,
    precision: int | None,
    screen: Screen | None,
) -> Iterator[str] | Iterator[bytes]:
    from paraminspect.report import slice as reports

    for slice_ in slices:
        warn(reports.notes(slice_, style, screen, spell_option))
    if style == "text":
        return reports.as_text(slices, precision, screen)
    return reports.rendered(style, tree.source.path, slices, precision)


def _print(pieces: Iterator[str] | Iterator[bytes]) -> None:
    for piece in pieces:
        if isinstance(piece, str):
            sys.stdout.write(piece)
        else:
            sys.stdout.buffer.write(piece)
