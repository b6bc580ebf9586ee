"""`paraminspect set`: assign to the values at an address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paraminspect.cli.options import Output, output_options, source_argument
from paraminspect.cli.ways import tell_codes
from paraminspect.errors import AddressError, counted
from paraminspect.source import open_source
from paraminspect.tree.address import Address, format_index

if TYPE_CHECKING:
    from paraminspect.operations.edit import Change
    from paraminspect.tree import Parameter, ParameterTree

EPILOG = """\b
Examples:
  paraminspect set -i model.safetensors '0.weight[0, 0]=42'
  paraminspect set model.safetensors '*.bias=0' -o zeroed.safetensors
  paraminspect set -i model.safetensors '2.weight=x + 1' '2.bias=x - mean(x)'
  paraminspect set -i model.safetensors 'head.weight="wte.weight" * 0.5'
  paraminspect set -i model.safetensors '0.weight[0]' --from row.npy

\b
An expression is NumPy's: x is the present value, other parameters stand by
name in quotes; + - * / // % ** @, comparisons, numbers, pi, inf, nan, and
functions such as where, abs, sqrt, exp, log, clip, round, minimum, maximum,
sum, mean, std, min, max, transpose, reshape. Assignments apply in order.

\b
The result is broadcast to the address and cast to the parameter's dtype.
A cast that loses more than rounding does (a number that overflows, a fraction
for an integer) and a NaN made of numbers are errors, unless --cast unsafe.

\b
Exit status: 0 done, 2 trouble; then nothing has changed.
"""


@click.command("set", epilog=EPILOG)
@source_argument
@click.argument("assignments", nargs=-1, required=True, metavar="ADDRESS=EXPR...")
@click.option(
    "--from",
    "values",
    type=click.Path(path_type=Path),
    metavar="FILE.npy",
    help="Assign the array in a .npy file to one ADDRESS, without =EXPR.",
)
@click.option(
    "--cast",
    type=click.Choice(["safe", "unsafe"]),
    default="safe",
    help="Whether a cast may lose more than rounding does; safe is the default.",
)
@output_options
def set_values(
    source: str, assignments: tuple[str, ...], values: Path | None, cast: str, output: Output
) -> None:
    """Set values in SOURCE: each ADDRESS (a name or pattern, perhaps an index) to an expression.

    All other values, names, dtypes, ties and metadata stay as they are. Tied parameters change
    under all their names.
    """
    from paraminspect.formats import open_array
    from paraminspect.operations.edit import (
        assign,
        changes,
        count_lost,
        parameters_used,
        parse_setting,
    )

    tree = open_source(source)
    target = output.target(tree)
    if values is not None and len(assignments) > 1:
        raise click.UsageError("--from goes with one ADDRESS")
    report: list[str] = []
    touched: dict[str, Parameter] = {}
    for text in assignments:
        if values is None:
            address, value = parse_setting(tree, text)
        else:
            address, value = _alone(tree, text), ""
        new = value if values is None else open_array(values)
        found = changes(tree, address)
        lost = count_lost(tree, assign(tree, address, new)) if cast == "unsafe" else {}
        report += [_line(address, change, lost) for change in found]
        used = parameters_used(tree, value) if values is None else []
        touched |= {p.name: p for p in (*(change.parameter for change in found), *used)}
        tree = assign(tree, address, new, unsafe=cast == "unsafe")
    tell_codes(touched.values())
    output.save(tree, target, report)


def _alone(tree: ParameterTree, text: str) -> Address:
    """The address that stands without an expression; a name can have a `=` in it all the same."""
    address = tree.address(text)
    try:
        tree.matching(address)
    except AddressError:
        if "=" in text:
            raise click.UsageError(
                f"--from takes the place of =EXPR: expected an ADDRESS alone, got {text!r}"
            ) from None
        raise
    return address


def _line(address: Address, change: Change, lost: Mapping[str, int]) -> str:
    """`set h.0.bias[0:3]: 3 of 768 elements, also of h.1.bias; 2 values are lost`."""
    parameter = change.parameter
    index = "" if address.index is None else f"[{format_index(address.index)}]"
    elements = counted(parameter.count, "element")
    also = f", also of {', '.join(change.aliases)}" if change.aliases else ""
    count = lost.get(parameter.name, 0)
    gone = f"; {counted(count, 'value')} lost" if count else ""
    return f"set {parameter.name}{index}: {change.count} of {elements}{also}{gone}"
