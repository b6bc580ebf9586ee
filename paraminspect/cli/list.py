"""`paraminspect list`: names, shapes, dtypes, ties and totals of a source."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING

import click

from paraminspect import report
from paraminspect.cli.options import (
    count,
    exclude_option,
    explaining_files,
    optimizer_option,
    source_argument,
    style_option,
)
from paraminspect.cli.ways import spell_option
from paraminspect.errors import AddressError, UnsetError
from paraminspect.runtime import collector_paused
from paraminspect.source import open_source
from paraminspect.tree import ParameterTree

if TYPE_CHECKING:
    from paraminspect.operations.stats import Stats

EPILOG = """\b
Examples:
  paraminspect list model.safetensors
  paraminspect list model.yaml '*.bias' --exclude 'h.0.*'
  paraminspect list --tree --depth 2 model.safetensors.index.json
  paraminspect list --stats --sort size --limit 5 model.safetensors
  paraminspect list --format json model.safetensors | jq .totals
  cat model.yaml | paraminspect list -

\b
On a terminal equal siblings fold (12 x h.{0..11}.ln_1.bias) and names are
shortened to fit; in a pipe or a file every name has a line, in full.

\b
Exit status: 0 done, 2 trouble.
"""


@click.command("list", epilog=EPILOG)
@source_argument
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@exclude_option
@click.option("--tree", is_flag=True, help="Show the nested structure, with totals per module.")
@click.option(
    "--depth",
    type=count,
    metavar="N",
    help="Show totals per module, N levels deep, or cut --tree there.",
)
@click.option(
    "--stats", is_flag=True, help="Add mean, std, min, max, zeros, NaN and Inf of the values."
)
@click.option(
    "--sort",
    type=click.Choice(["name", "size", "definition"]),
    metavar="ORDER",
    help="Sort by name, size or definition (the order of the source).",
)
@click.option(
    "--stored", is_flag=True, help="Add where the file keeps each, as in layers/dense/vars/0."
)
@optimizer_option
@click.option(
    "--metadata", is_flag=True, help="Add the metadata of the file (HDF5: its attributes)."
)
@click.option("--limit", type=count, metavar="N", help="Show only the first N rows.")
@style_option(report.STYLES)
def list_parameters(
    source: str,
    patterns: tuple[str, ...],
    exclude: tuple[str, ...],
    tree: bool,
    depth: int | None,
    stats: bool,
    sort: str | None,
    stored: bool,
    optimizer: bool,
    metadata: bool,
    limit: int | None,
    style: str | None,
) -> None:
    """List the parameters of SOURCE: names, shapes, dtypes, sizes, ties.

    SOURCE is a model definition (YAML), a checkpoint (a file, an index of shards, or a folder
    with one), or - for a definition on standard input. Only the headers of a checkpoint
    are read, unless --stats needs the values. Totals count a tied array once.

    Each PATTERN selects names: * matches any characters, dots too, and ? one. A pattern without a
    match is an error.
    """
    used = {
        "stats": stats,
        "depth": depth is not None,
        "sort": sort is not None,
        "stored": stored,
        "metadata": metadata,
    }
    rendering = _style(style, tree, used)
    if stats:
        # NumPy takes as long to import as a file to open, which is often spent waiting.
        Thread(target=import_module, args=["paraminspect.operations.stats"]).start()
    with collector_paused():
        whole = open_source(source)
        whole = whole.with_optimizer() if optimizer else whole
        whole = whole.with_metadata() if metadata else whole
        with explaining_files(patterns, "list takes one SOURCE so far: run it for each"):
            chosen = _choose(whole, patterns, exclude)
        chosen = report.sort_tree(chosen, sort)
        found = _measure(chosen, limit) if stats else None
        screen = report.Screen.of(sys.stdout)
        view = report.View(
            chosen, found, limit or 0, depth, sort, screen, stored, metadata, spell_option
        )
        report.write(rendering.lines(view), sys.stdout)


def _style(name: str | None, tree: bool, used: Mapping[str, bool]) -> report.Style:
    """The style that the options ask for, if they go together."""
    if tree and name not in (None, "tree"):
        raise click.UsageError(f"--tree does not go with --format {name}")
    name = "tree" if tree else name or "table"
    of_modules = used["depth"] and name in report.MODULES
    style = report.MODULES[name] if of_modules else report.STYLES[name]
    for option in (option for option, is_used in used.items() if is_used):
        if option not in style.takes:
            with_ = "--depth" if of_modules else f"--format {name}"
            raise click.UsageError(f"--{option} does not go with {with_}")
    return style


def _choose(
    tree: ParameterTree, patterns: tuple[str, ...], exclude: tuple[str, ...]
) -> ParameterTree:
    for pattern in (*patterns, *exclude):
        if tree.address(pattern).index is not None:
            raise click.UsageError(f"{pattern!r} has an index: `slice` shows the values there")
    if patterns:
        tree = tree.select(*patterns)
    if exclude:
        left_out = {name for pattern in exclude for name in tree.matching(pattern)}
        tree = tree.subset(tree.entries.keys() - left_out)
        if not tree.entries:
            raise AddressError(f"{tree.source.path}: --exclude leaves out every parameter")
    return tree


def _measure(tree: ParameterTree, limit: int | None) -> dict[str, Stats]:
    """The statistics of what is shown."""
    from paraminspect.cli.progress import progress
    from paraminspect.operations.stats import tree_stats

    names = list(islice(tree.entries, limit or None))
    nbytes = sum(tree[own].nbytes for own in {tree.own_name(name) for name in names})
    with progress("reading", nbytes) as advance:
        try:
            return tree_stats(tree, names, advance)
        except UnsetError as error:
            raise UnsetError(f"{tree.source.path}: {error}") from None
