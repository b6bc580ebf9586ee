"""`paraminspect diff`: what differs between any two sources."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import Any

import click

from paraminspect.cli.new_files import warn
from paraminspect.cli.options import (
    Bound,
    exclude_option,
    explaining_files,
    optimizer_option,
    style_option,
)
from paraminspect.cli.ways import tell_codes
from paraminspect.report import Screen, write
from paraminspect.source import open_source

KINDS = ("missing", "extra", "shape", "dtype", "tie", "value")

EPILOG = """\b
Examples:
  paraminspect diff before.safetensors after.safetensors
  paraminspect diff model.yaml model.safetensors
  paraminspect diff --rtol 1e-5 --ignore dtype a.safetensors b.safetensors
  paraminspect diff --map 'model.*=*' trainer.safetensors model.safetensors
  paraminspect diff --stat --depth 3 base.safetensors tuned.safetensors
  paraminspect diff --quiet a.safetensors b.safetensors && echo same

\b
Numbers are compared exactly, across dtypes and at 64 bits too. +0 equals -0;
NaN equals NaN and differs from every number.

\b
Exit status: 0 the same, 1 different, 2 trouble.
"""


@click.command("diff", epilog=EPILOG)
@click.argument("left", type=click.Path(allow_dash=True))
@click.argument("right", type=click.Path(allow_dash=True))
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@exclude_option
@optimizer_option
@click.option(
    "--map",
    "renamings",
    multiple=True,
    metavar="OLD=NEW",
    help="Rename names of LEFT first, as in 'model.*=*'; repeatable.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="KIND",
    type=click.Choice([*KINDS, "ties"]),
    help=f"Leave out a kind of difference: {', '.join(KINDS)}; repeatable.",
)
@click.option(
    "--rtol",
    type=Bound(),
    default=0.0,
    metavar="X",
    help="Numbers are equal if |left - right| <= atol + rtol * |right|.",
)
@click.option(
    "--atol", type=Bound(), default=0.0, metavar="X", help="See --rtol; both are 0 by default."
)
@click.option("--nan-differs", is_flag=True, help="Count NaN and NaN as different.")
@click.option(
    "--sort",
    type=click.Choice(["change", "name", "definition"]),
    metavar="ORDER",
    help="Sort by change (the worst first), name, or definition (as in LEFT).",
)
@click.option("--stat", is_flag=True, help="Show a line per module, with a bar for its change.")
@click.option(
    "--depth", type=click.IntRange(1), metavar="N", help="Show modules of --stat N levels deep."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; stop at the first difference.")
@style_option()
def diff_sources(
    left: str,
    right: str,
    patterns: tuple[str, ...],
    exclude: tuple[str, ...],
    optimizer: bool,
    renamings: tuple[str, ...],
    ignore: tuple[str, ...],
    rtol: float,
    atol: float,
    nan_differs: bool,
    sort: str | None,
    stat: bool,
    depth: int | None,
    quiet: bool,
    style: str | None,
) -> int:
    """Compare LEFT with RIGHT: two checkpoints, or a definition and a checkpoint.

    Reports names that are missing (only in LEFT) or extra (only in RIGHT), and shapes, dtypes,
    ties and values that differ. A definition has no values: names, shapes and dtypes are compared
    with it. A tied array is there if any of its names is.
    """
    _check_use({"stat": stat, "depth": depth, "sort": sort, "format": style}, quiet)
    from paraminspect.cli.progress import progress
    from paraminspect.operations.diff import diff_trees, select_pair
    from paraminspect.operations.renaming import likely_renaming, parse_renaming, rename
    from paraminspect.report import diff as reports

    one, two = open_source(left), open_source(right)
    if optimizer:
        one, two = one.with_optimizer(), two.with_optimizer()
    one = rename(one, [parse_renaming(text, one.entries) for text in renamings])
    with explaining_files(patterns, "diff takes two sources so far: compare each with LEFT"):
        one, two = select_pair(one, two, patterns, exclude)
    for tree in () if quiet else (one, two):
        tell_codes(tree.parameters(), tree.source.path)
    comparison = diff_trees(
        one,
        two,
        rtol=rtol,
        atol=atol,
        nan_differs=nan_differs,
        ignore=[kind.removesuffix("s") for kind in ignore],
    )
    if quiet:
        return int(comparison.differs)
    if not comparison.arrays and one.entries and two.entries:
        warn([f"no name is in both: {_how_to_rename(likely_renaming(one, two))}"])
    with progress("comparing", comparison.nbytes) as advance:
        found = comparison.differences(advance)
        differences = reports.sort_differences(comparison, found, sort or "change")
    screen, chosen = Screen.of(sys.stdout), style or "table"
    if stat:
        worst_first = sort in (None, "change")
        lines = reports.rendered_stat(
            chosen, comparison, differences, screen, depth, worst_first=worst_first
        )
    else:
        lines = reports.rendered(chosen, comparison, differences, screen)
    write(lines, sys.stdout)
    return int(bool(differences))


def _how_to_rename(likely: str) -> str:
    return f"--map {shlex.quote(likely)} would match" if likely else "--map OLD=NEW renames LEFT's"


def _check_use(given: Mapping[str, Any], quiet: bool) -> None:
    """Refuse options that would be without effect."""
    for option, value in given.items():
        if quiet and value:
            raise click.UsageError(f"--{option} does not go with --quiet, which prints nothing")
    if given["depth"] and not given["stat"]:
        raise click.UsageError("--depth goes with --stat: it tells how deep modules are")
