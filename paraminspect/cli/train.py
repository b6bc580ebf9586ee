"""`paraminspect train`: steps of gradient descent, while one watches parameters and gradients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paraminspect.cli.computing import Computing, computing_options
from paraminspect.cli.optimizers import Optimizer, optimizer_options
from paraminspect.cli.options import Output, definition_argument, output_options, style_option
from paraminspect.cli.progress import make_room, progress

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
@definition_argument
@click.option("--data", required=True, metavar="FILE.npz", help="Inputs x and targets y.")
@click.option(
    "--loss",
    type=click.Choice(["mse", "cross_entropy"]),
    default="mse",
    help="The loss to minimize; mse is the default.",
)
@click.option("--steps", type=click.IntRange(1), default=100, show_default=True, metavar="N")
@click.option(
    "--batch", type=click.IntRange(1), metavar="N", help="Examples in a step; all without it."
)
@click.option(
    "--every",
    type=click.IntRange(1),
    metavar="N",
    help="Report every N steps; by default ten times.",
)
@click.option(
    "--watch", multiple=True, metavar="PATTERN", help="Report only these parameters; repeatable."
)
@optimizer_options
@computing_options
@output_options
@style_option(default="table")
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
    from paraminspect.report import compute as reports

    if target is not None:
        check_target(model, target, sharded=output.max_shard_nbytes is not None)
    update = optimizer.update()
    values = load_values(model, computing.dtype)
    batches = _batches(data, computing.dtype, batch)
    last: Step | None = None

    def due() -> Iterator[Step]:
        """The steps to report; meanwhile the others are made too."""
        nonlocal last
        for last in train(model, batches, loss, update, steps, values):
            if last.number % (every or max(1, steps // 10)) == 0 or last.number == 1:
                yield last
            advance(1)

    with progress("train", steps, lambda done: f"step {done}") as advance:
        view = reports.StepsView(definition, loss, due(), _watched(model, watch, values))
        for line in reports.rendered_steps(style, view):
            if not output.quiet:
                make_room()
                click.echo(line)
    assert last is not None
    trained = model.replace(
        replace(model.entries[name], data=InMemory(value)) for name, value in last.values.items()
    )
    if target is not None:
        output.save(trained, target, has_data=style != "table")


def _watched(model: Model, patterns: tuple[str, ...], values: Mapping[str, Any]) -> list[str]:
    """The trained arrays whose names match any pattern; without one, all."""
    names = model.select(*patterns).entries if patterns else model.entries
    own = dict.fromkeys(map(model.own_name, names))
    trained = (n for n in own if model.entries[n].trainable is not False)
    return [name for name in trained if values[name].dtype.kind == "f"]


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
