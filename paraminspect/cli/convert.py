"""`paraminspect convert`: the same parameters in another format or dtype."""

from __future__ import annotations

import click

from paraminspect.arrays import DType, parse_dtype
from paraminspect.cli.options import Output, output_argument, source_argument
from paraminspect.errors import counted
from paraminspect.source import open_source
from paraminspect.tree import ParameterTree

EPILOG = """\b
Examples:
  paraminspect convert model.npz model.safetensors
  paraminspect convert --dtype bf16 model.safetensors small.safetensors
  paraminspect convert --max-shard-size 5GB model.safetensors shards/
  paraminspect convert shards/ model.safetensors

\b
What OUT ends in decides the format, or --to does. Names, order, dtypes, ties
and metadata stay as they are; stderr says what a format cannot hold.

\b
--dtype leaves integers alone. A cast that loses more than rounding does is an
error, unless --cast unsafe. Scaled FP8 and INT8 weights are multiplied by
their scales, which are left out; other quantized weights (GPTQ, AWQ, MLX,
bitsandbytes, ...) are not cast.

\b
Exit status: 0 done, 2 trouble; then nothing has been written.
"""


@click.command("convert", epilog=EPILOG)
@source_argument
@output_argument
@click.option("--to", "format_", metavar="FORMAT", help="Write this format: safetensors, npz, ...")
@click.option(
    "--dtype", metavar="DTYPE", help="Cast floating-point parameters to this: bf16, float32, ..."
)
@click.option(
    "--void-dtype",
    metavar="DTYPE",
    help="Read raw bytes (void16) as this: NumPy and h5py save bf16 so.",
)
@click.option(
    "--cast",
    type=click.Choice(["safe", "unsafe"]),
    help="Whether --dtype may lose more than rounding does; safe is the default.",
)
def convert_source(
    source: str,
    output: Output,
    format_: str | None,
    dtype: str | None,
    void_dtype: str | None,
    cast: str | None,
) -> None:
    """Write the parameters of SOURCE to OUT, in another format or dtype."""
    if cast is not None and dtype is None:
        raise click.UsageError("--cast goes with --dtype: nothing else is cast")
    tree = open_source(source)
    target = output.target(tree)
    report = []
    if void_dtype is not None:
        from paraminspect.operations.edit import view_voids

        bare, wanted = tree, parse_dtype(void_dtype)
        tree = view_voids(bare, wanted)
        count = sum(p.dtype != bare.entries[p.name].dtype for p in tree.parameters())
        report.append(f"read {count} of {counted(tree.totals.arrays, 'array')} as {wanted}")
    if dtype is not None:
        from paraminspect.operations.edit import cast_tree, count_lost

        wanted = parse_dtype(dtype)
        edited = cast_tree(tree, wanted, unsafe=cast == "unsafe")
        lost = sum(count_lost(tree, cast_tree(tree, wanted)).values()) if cast == "unsafe" else 0
        report += _cast_lines(tree, edited, wanted, lost)
        tree = edited
    output.save(tree, target, report, format_)


def _cast_lines(tree: ParameterTree, edited: ParameterTree, wanted: DType, lost: int) -> list[str]:
    """What a cast does: how many arrays it changes, values it loses, and what it leaves out."""
    from paraminspect.operations.quantization import recognise

    before = {p.name: p.dtype for p in tree.parameters()}
    count = sum(p.dtype != before[p.name] for p in edited.parameters())
    gone = f"; {counted(lost, 'value')} lost" if lost else ""
    lines = [f"cast {count} of {counted(tree.totals.arrays, 'array')} to {wanted}{gone}"]
    found = recognise(tree)
    if found.weights:
        lines[:0] = [f"dequantize {line}" for line in found.lines()]
        some = ", ".join(list(found.parts)[:3]) + ", ..." * (len(found.parts) > 3)
        lines.append(f"leave out what only codes need: {some}")
    return lines
