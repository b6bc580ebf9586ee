"""Options that commands share, each declared once.

A command that writes is decorated with `output_options` and gets one argument, `output`:

    @click.command()
    @source_argument
    @output_options
    def init(source: str, output: Output) -> None:
        tree = open_source(source)
        target = output.target(tree)      # refuses what must not be overwritten, before any work
        output.save(initialize(tree), target)
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from paraminspect.cli.new_files import exists_already, is_source, new_path, warn
from paraminspect.errors import AddressError, counted, escape
from paraminspect.report import RECORD_STYLES
from paraminspect.tree import ParameterTree

_UNITS = {"": 1, "B": 1} | {
    letter + ending: base**power
    for ending, base in (("B", 1000), ("IB", 1024))
    for power, letter in enumerate("KMGT", 1)
}


def _parse_size(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """A number of bytes: `5GB` is 5 * 10**9 of them, `5GiB` 5 * 2**30."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*", text)
    factor = _UNITS.get(match[2].upper()) if match else None
    nbytes = int(float(match[1]) * factor) if match and factor else 0
    if nbytes < 1:
        raise click.BadParameter(f"{text!r} is not a size such as 5GB, 500MB or 5GiB", ctx, param)
    return nbytes


Command = Callable[..., Any]


@dataclass(frozen=True)
class Output:
    """What the options say on where to write, and how much to say."""

    path: Path | None
    in_place: bool | None
    """None for a command without `-i`."""
    force: bool
    dry_run: bool
    quiet: bool
    max_shard_nbytes: int | None

    @property
    def given(self) -> list[str]:
        """The options that were given, as they are spelled."""
        values = {
            "-o": self.path is not None,
            "-i": bool(self.in_place),
            "--force": self.force,
            "--dry-run": self.dry_run,
            "--max-shard-size": self.max_shard_nbytes is not None,
            "--quiet": self.quiet,
        }
        return [option for option, is_given in values.items() if is_given]

    def target(self, tree: ParameterTree, default: Path | None = None) -> Path | None:
        """Where to write what `tree` becomes; `default` is for neither `-o` nor `-i`.

        None for a dry run that names no place. A usage error if the options name none otherwise,
        or would overwrite what they must not.
        """
        if self.path is not None and self.in_place:
            raise click.UsageError("-o and -i exclude each other")
        if self.in_place:
            return _source_file(tree)
        target = self.path or default
        if target is None and self.dry_run:
            return None
        if target is None and self.in_place is None:
            raise click.UsageError("where to write? Give OUT")
        if target is None:
            or_ = "" if tree.source.format == "definition" else ", or -i to change the source"
            raise click.UsageError(f"where to write? Give -o FILE{or_}")
        if not self.force and self.in_place is not None and is_source(tree, target):
            raise click.UsageError(f"{target}: is the source itself; -i changes it in place")
        if not self.force and target.exists() and not target.is_dir():
            raise exists_already(target)
        return target

    def save(
        self,
        tree: ParameterTree,
        target: Path | None,
        report: Iterable[str] = (),
        format_: str | None = None,
        *,
        has_data: bool = False,
    ) -> None:
        """Write the tree, or in a dry run compute its values; then report, unless quiet.

        The lines of `report` say what was done, beginning with a verb: `set 0.bias: ...`. They go
        to stderr where the command `has_data` for a program on stdout.
        """
        from paraminspect.cli.progress import progress
        from paraminspect.formats import check_values, save_checkpoint

        lost: list[str] = []
        totals = tree.totals
        with progress("checking" if self.dry_run else "writing", totals.nbytes) as advance:
            if self.dry_run or target is None:
                check_values(tree, advance)
            else:
                lost = save_checkpoint(
                    tree,
                    target,
                    format_=format_,
                    overwrite=self.force or bool(self.in_place),
                    max_shard_nbytes=self.max_shard_nbytes,
                    progress=advance,
                )
        warn(lost)
        if not self.quiet:
            size = f"{counted(totals.arrays, 'array')}, {counted(totals.nbytes, 'byte')}"
            place = f"{target}: " if target else ""
            for line in (*report, f"write {place}{size}"):
                click.echo(escape(f"would {line}" if self.dry_run else line), err=has_data)


def _source_file(tree: ParameterTree) -> Path:
    """The file that `-i` changes."""
    if tree.source.path == "-":
        raise click.UsageError("standard input cannot be changed in place: give -o FILE")
    if tree.source.format == "definition":
        raise click.UsageError(f"{tree.source.path}: a definition holds no values: give -o FILE")
    return Path(tree.source.path)


max_shard_option = click.option(
    "--max-shard-size",
    callback=_parse_size,
    metavar="SIZE",
    help="Write shards of at most SIZE (5GB), in a folder or beside an index.",
)

force_option = click.option("--force", is_flag=True, help="Overwrite an existing file.")


def style_option(
    styles: Iterable[str] = RECORD_STYLES,
    default: str | None = None,
    before: str = "",
) -> Callable[[Command], Command]:
    """The option `--format`, which becomes `style`; its help lists them after a text."""
    names = list(styles)
    listed = f"{', '.join(names[:-1])} or {names[-1]}"
    return click.option(
        "--format",
        "style",
        type=click.Choice(names),
        default=default,
        metavar="FORMAT",
        help=before + listed + ".",
    )


_PATH_OPTIONS = (
    click.option(
        "-o",
        "--output",
        type=click.Path(),
        metavar="FILE",
        help="Write to this file.",
    ),
    click.option("-i", "--in-place", is_flag=True, help="Change the source itself."),
)

_PATH_ARGUMENT = click.argument("output", metavar="[OUT]", required=False, type=click.Path())

_OTHERS = (
    force_option,
    click.option("--dry-run", is_flag=True, help="Report what would be done, write nothing."),
    max_shard_option,
    click.option("-q", "--quiet", is_flag=True, help="Print no report."),
)


def output_options(command: Command) -> Command:
    """Add the options of a command that edits; it gets them as the argument `output`."""
    return _with_options(command, (*_PATH_OPTIONS, *_OTHERS))


def output_argument(command: Command) -> Command:
    """Add the argument OUT, and the options that go with it; both become `output`."""
    return _with_options(command, (_PATH_ARGUMENT, *_OTHERS))


def _with_options(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    @functools.wraps(command)
    def with_output(
        *arguments: Any,
        output: str | None,
        force: bool,
        dry_run: bool,
        quiet: bool,
        max_shard_size: int | None,
        in_place: bool | None = None,
        **others: Any,
    ) -> Any:
        path = None if output is None else new_path(output, sharded=max_shard_size is not None)
        bundled = Output(path, in_place, force, dry_run, quiet, max_shard_size)
        return command(*arguments, output=bundled, **others)

    decorated: Command = with_output
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


optimizer_option = click.option(
    "--optimizer", is_flag=True, help="Include the optimizer's state, which only training needs."
)

source_argument = click.argument("source", type=click.Path(allow_dash=True))
"""A path that shells complete; `open_source` finds out what it leads to."""

optional_source_argument = click.argument(
    "source", required=False, type=click.Path(allow_dash=True)
)

definition_argument = click.argument("definition", type=click.Path(allow_dash=True))
"""The same where only a definition will do."""


@contextmanager
def explaining_files(texts: Iterable[str], taken: str) -> Iterator[None]:
    """Say what is `taken` where an address or pattern matches nothing because it is a file."""
    try:
        yield
    except AddressError:
        for text in texts:
            if (kind := _kind_of_source(text)) is not None:
                raise click.UsageError(f"{text} is a {kind}, and {taken}") from None
        raise


def _kind_of_source(text: str) -> str | None:
    if "://" in text:
        return "URL"
    path = Path(text)
    return ("folder" if path.is_dir() else "file") if path.exists() else None


exclude_option = click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out the names that match; repeatable.",
)


class Bound(click.FloatRange):
    """The type of an option that takes a finite number from 0 on."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(min=0, max=sys.float_info.max)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number; NaN, which is in no range, is refused too."""
        number = super().convert(value, param, ctx)
        return number if number == number else self.fail(f"{value!r} is no number", param, ctx)

    def _describe_range(self) -> str:
        return "x>=0"


MAXIMUM_DIGITS = 18


def count(text: str) -> int:
    """The type of an option that takes a whole number from 0 on."""
    if not text.isdecimal() or len(text) > MAXIMUM_DIGITS:
        raise click.BadParameter(f"{text!r} is not a number from 0 on")
    return int(text)
