"""`paraminspect train`: steps of gradient descent, while one watches parameters and gradients."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paraminspect.cli.computing import Computing, computing_options
from paraminspect.cli.optimizers import Optimizer, optimizer_options
from paraminspect.cli.options import Output, output_options, style_option
from paraminspect.cli.progress import make_room, progress
from paraminspect.report import write

if TYPE_CHECKING:
    from paraminspect.compute import Step
    from paraminspect.definition.model import Model

EPILOG = """\b
Examples:
  paraminspect train mlp.yaml --data xy.npz --loss mse --seed 0 -o w.npz
  paraminspect train shared.yaml --checkpoint a.safetensors --data xy.npz \\
      --loss mse --optimizer adam --lr 0.01 --steps 200 -o trained.safetensors
  paraminspect train mlp.yaml --seed 0 --data xy.npz --momentum 0.9 \\
      --nesterov --weight-decay 1e-4 -o w.npz
  paraminspect train mlp.yaml --seed 0 --data xy.npz --loss mse --dry-run \\
      --format jsonl | jq .loss

\b
--data is an .npz with the arrays x and y: all of it is one batch, unless
--batch N takes N examples at a time, in their order. Ties stay ties: a tied
array is stepped once, by the sum of the gradients of its uses. The optimizers
step as those of torch.optim, whose arguments the options are.

\b
Exit status: 0 done, 2 trouble.
"""


@click.command("train", epilog=EPILOG)
@click.argument("definition")
@click.option("--data", required=True, metavar="FILE.npz", help="Inputs x and targets y.")
@click.option(
    "--loss",
    type=click.Choice(["mse", "cross_entropy"]),
    default="mse",
    help="What is made small; mse is the default.",
)
@click.option("--steps", type=click.IntRange(1), default=100, show_default=True, metavar="N")
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Examples of a step.")
@click.option(
    "--every", type=click.IntRange(1), metavar="N", help="Report every N steps; a tenth of them."
)
@click.option("--watch", multiple=True, metavar="PATTERN", help="Report these parameters alone.")
@optimizer_options
@computing_options
@output_options
@style_option(["text", "jsonl"], "text")
def train_definition(
    definition: str,
    data: str,
    loss: str,
    steps: int,
    batch: int | None,
    every: int | None,
    watch: tuple[str, ...],
    optimizer: Optimizer,
    computing: Computing,
    output: Output,
    style: str,
) -> None:
    """Train DEFINITION on data, and write the checkpoint that it ends with."""
    model = computing.model(definition)
    target = None if output.dry_run else output.target(model)
    from paraminspect.arrays import InMemory
    from paraminspect.compute import load_values, train
    from paraminspect.formats import check_target

    if target is not None:
        check_target(model, target, sharded=output.max_shard_nbytes is not None)
    update = optimizer.update()
    values = load_values(model, computing.dtype)
    batches = _batches(data, computing.dtype, batch)
    last = None
    with progress("train", steps, lambda done: f"step {done}") as advance:
        for last in train(model, batches, loss, update, steps, values):
            due = last.number % (every or max(1, steps // 10)) == 0 or last.number == 1
            if due and not output.quiet:
                make_room()
                write(_report(model, last, watch, style, loss), sys.stdout)
            advance(1)
    assert last is not None
    trained = model.replace(
        replace(model.entries[name], data=InMemory(value)) for name, value in last.values.items()
    )
    if target is not None:
        output.save(trained, target)


def _report(
    model: Model, step: Step, watch: tuple[str, ...], style: str, loss: str
) -> Iterator[str]:
    from paraminspect.report import compute as reports

    names = model.select(*watch).entries if watch else model.entries
    watched = list(dict.fromkeys(n for n in map(model.own_name, names) if n in step.found.total))
    if style == "text":
        yield from reports.step_lines(step, watched)
    else:
        record = reports.step_record(step, loss)
        record["parameters"] = {name: record["parameters"][name] for name in watched}
        yield json.dumps(record, allow_nan=False)


def _batches(path: str, dtype: str, size: int | None) -> list[tuple[list[Any], Any]]:
    """Inputs and targets of each step of a round through the data."""
    from paraminspect.errors import CheckpointError, ShapeError
    from paraminspect.formats import open_checkpoint

    tree = open_checkpoint(Path(path))
    for name in ("x", "y"):
        if name not in tree:
            raise CheckpointError(f"{path}: needs the arrays x and y, has {', '.join(tree)}")
    x, y = (tree[name].numpy() for name in ("x", "y"))
    if not x.ndim or not y.ndim or len(x) != len(y):
        raise ShapeError(f"{path}: x {list(x.shape)} and y {list(y.shape)} must be of equal length")
    if not len(x):
        raise ShapeError(f"{path}: x and y have no examples")
    x, y = (a.astype(dtype) if a.dtype.kind == "f" else a for a in (x, y))
    size = size or len(x)
    return [([x[i : i + size]], y[i : i + size]) for i in range(0, len(x), size)]
