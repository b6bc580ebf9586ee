"""`paraminspect tie`: make two names one array, undo that, or find what could be tied."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from paraminspect.cli.options import Output, output_options, source_argument, style_option
from paraminspect.errors import TieError
from paraminspect.report import format_nbytes, write
from paraminspect.source import open_source
from paraminspect.tree import ParameterTree

EPILOG = """\b
Examples:
  paraminspect tie -i model.safetensors lm_head.weight wte.weight
  paraminspect tie -i --undo model.safetensors lm_head.weight
  paraminspect tie --find model.safetensors

\b
A safetensors file keeps one copy and records the alias in its metadata, as
safetensors.torch.save_model does and load_model reads; an HDF5 file gets a
hard link.

\b
Exit status: 0 done, 2 trouble; then nothing has changed.
"""


@click.command("tie", epilog=EPILOG)
@source_argument
@click.argument("alias", required=False)
@click.argument("target", required=False)
@click.option("--undo", is_flag=True, help="Give ALIAS its own copy again.")
@click.option("--find", is_flag=True, help="List equal arrays that could be tied; write nothing.")
@style_option(before="With --find: ")
@output_options
def tie_parameters(
    source: str,
    alias: str | None,
    target: str | None,
    undo: bool,
    find: bool,
    style: str | None,
    output: Output,
) -> None:
    """Make ALIAS another name of the array of TARGET, in SOURCE: stored and counted once.

    Shapes and dtypes must agree; the values are those of TARGET. An ALIAS that SOURCE does not
    have is added.
    """
    _check_use(alias, target, undo, find)
    _check_options(find, style, output)
    tree = open_source(source)
    if find:
        _find(tree, style or "table")
        return
    assert alias is not None
    where = output.target(tree)
    if where is not None and not undo:
        _check_format(tree, where)
    edited, line = _undo(tree, alias) if undo else _tie(tree, alias, target or "")
    output.save(edited, where, [line])


def _check_use(alias: str | None, target: str | None, undo: bool, find: bool) -> None:
    if undo and find:
        raise click.UsageError("--undo and --find exclude each other")
    if find and alias is not None:
        raise click.UsageError("--find takes SOURCE alone")
    if undo and (alias is None or target is not None):
        raise click.UsageError("--undo takes SOURCE ALIAS")
    if not undo and not find and target is None:
        raise click.UsageError("expected SOURCE ALIAS TARGET, or SOURCE --find")


def _check_options(find: bool, style: str | None, output: Output) -> None:
    """Refuse options that would be without effect."""
    if style and not find:
        raise click.UsageError("--format goes with --find")
    if find and (given := output.given):
        raise click.UsageError(f"{given[0]} does not go with --find, which writes nothing")


def _check_format(tree: ParameterTree, where: Path) -> None:
    """Refuse to tie where the file could not hold it."""
    from paraminspect.formats import choose_format

    target = choose_format(tree, where, None)
    if not target.holds.ties:
        message = f"{target.name} cannot store ties: write a safetensors or HDF5 file, which can"
        raise TieError(message).at(where)


def _find(tree: ParameterTree, style: str) -> None:
    from paraminspect.cli.progress import progress
    from paraminspect.operations.duplicates import find_duplicates
    from paraminspect.report.duplicates import rendered

    with progress("reading", tree.totals.nbytes) as advance:
        found = find_duplicates(tree, advance)
    write(rendered(style, tree.source.path, found), sys.stdout)


def _tie(tree: ParameterTree, alias: str, target: str) -> tuple[ParameterTree, str]:
    from paraminspect.operations import tying
    from paraminspect.operations.duplicates import same_values

    edited = tying.tie(tree, alias, target)
    own = edited.own_name(target)
    if alias not in tree.entries:
        return edited, f"add {alias}, another name of {own}"
    saved = format_nbytes(tree.totals.nbytes - edited.totals.nbytes)
    kept, dropped = tree.entries[target], tree.entries[alias]
    gone = "" if same_values(kept.data, dropped.data) else f"; {alias} had other values, now gone"
    return edited, f"tie {alias} to {own}: {saved} saved{gone}"


def _undo(tree: ParameterTree, alias: str) -> tuple[ParameterTree, str]:
    from paraminspect.operations import tying

    edited = tying.untie(tree, alias)
    added = format_nbytes(edited.totals.nbytes - tree.totals.nbytes)
    return edited, f"untie {alias} from {tree.own_name(alias)}: {added} added"
