"""`paraminspect list`: names, shapes, dtypes, ties and totals of a source."""

from __future__ import annotations

import sys

import click

from paraminspect import report
from paraminspect.cli.options import exclude_option
from paraminspect.source import open_source
from paraminspect.tree import ParameterTree

EPILOG = """\b
Examples:
  paraminspect list model.safetensors
  paraminspect list model.yaml '*.bias' --exclude 'h.0.*'
  paraminspect list --depth 2 model.safetensors.index.json
  paraminspect list --format json model.safetensors | jq .totals
  cat model.yaml | paraminspect list -

\b
Patterns: * any run of characters, dots too; ? any one character. A pattern
that matches nothing is an error.

\b
Exit status: 0 done, 2 trouble.
"""


@click.command("list", epilog=EPILOG)
@click.argument("source")
@click.argument("patterns", nargs=-1, metavar="[PATTERN]...")
@exclude_option
@click.option("--tree", is_flag=True, help="The nested structure, with totals per module.")
@click.option(
    "--depth", type=click.IntRange(0), metavar="N", help="Totals per module, N levels deep."
)
@click.option(
    "--sort", type=click.Choice(["name", "size", "definition"]), help="The order of rows."
)
@click.option("--limit", type=click.IntRange(0), default=0, metavar="N", help="Show the first N.")
@click.option(
    "--stats", is_flag=True, help="Read the values: mean, std, min, max, zeros, NaN, Inf."
)
@click.option("--format", "style", type=click.Choice(list(report.STYLES)), default="table")
def list_parameters(
    source: str,
    patterns: tuple[str, ...],
    exclude: tuple[str, ...],
    tree: bool,
    depth: int | None,
    sort: str | None,
    limit: int,
    stats: bool,
    style: str,
) -> None:
    """List the parameters of SOURCE whose names match any PATTERN (all without one).

    Shows name, shape, dtype, number of elements, bytes, ties and, for a definition, the scheme
    that initializes it. Totals count a tied array once. Values are read only with --stats.
    """
    chosen = _choose(open_source(source), patterns, exclude)
    found = None
    if stats:
        from paraminspect.stats import tree_stats

        found = tree_stats(chosen)
    chosen = report.sort_tree(chosen, sort)
    screen = report.Screen.of_terminal() if sys.stdout.isatty() else None
    if depth is not None:
        report.write(report.module_table(chosen, depth), sys.stdout)
    else:
        render = report.STYLES["tree" if tree else style]
        report.write(render(chosen, found, limit, screen), sys.stdout)


def _choose(
    tree: ParameterTree, patterns: tuple[str, ...], exclude: tuple[str, ...]
) -> ParameterTree:
    if patterns:
        tree = tree.select(*patterns)
    if exclude:
        left_out = {name for pattern in exclude for name in tree.matching(pattern)}
        tree = tree.keep(lambda name: name not in left_out)
    return tree
