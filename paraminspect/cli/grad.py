"""`paraminspect grad`: a forward and a backward pass, and the gradient of each parameter."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paraminspect.cli.computing import Computing, computing_options, input_option
from paraminspect.cli.new_files import check_new, new_file_option, warn
from paraminspect.cli.options import definition_argument, force_option, style_option
from paraminspect.report import Screen, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from paraminspect.definition.model import Model

EPILOG = """\b
Examples:
  paraminspect grad mlp.yaml --seed 0 --input 'uniform(2, 4)'
  paraminspect grad model.yaml --checkpoint model.safetensors \\
      --input x.npy --target y.npy --loss mse
  paraminspect grad shared.yaml --seed 0 --input 'ones(2, 4)' --per-use
  paraminspect grad lm.yaml --seed 0 --input 'integers(50, 1, 8)' \\
      --target 'integers(50, 1, 8)' --loss cross_entropy -o grads.safetensors

\b
The uses of a tied parameter add up. "none" marks a parameter that no path
leads to from the loss. Dropout is off, with --train too.

\b
Exit status: 0 done, 2 trouble.
"""


@click.command("grad", epilog=EPILOG)
@definition_argument
@input_option
@click.option(
    "--target", metavar="Y", help="What mse and cross_entropy compare with, given like --input."
)
@click.option(
    "--loss",
    type=click.Choice(["sum", "mean", "mse", "cross_entropy"]),
    default="sum",
    help="What makes one number of the output; sum is the default.",
)
@click.option("--per-use", is_flag=True, help="Show each use of a tied parameter too.")
@click.option(
    "--train", "training", is_flag=True, help="Compute as in training: batch norms use the batch."
)
@computing_options
@new_file_option("FILE", "Save the gradients.")
@force_option
@style_option(default="table")
def show_gradients(
    definition: str,
    inputs: tuple[str, ...],
    target: str | None,
    loss: str,
    per_use: bool,
    training: bool,
    computing: Computing,
    output: Path | None,
    force: bool,
    style: str,
) -> None:
    """Run DEFINITION forward and backward: output, loss, and the gradient of each parameter."""
    check_new(output, force)
    if target is not None and loss in ("sum", "mean"):
        raise click.UsageError("--target goes with --loss mse or cross_entropy")
    model = computing.model(definition)
    if per_use and not model.ties:
        why = f"no array of {definition} has several names"
        raise click.UsageError(f"--per-use is for ties, and {why}")
    from paraminspect.compute import gradients, load_values
    from paraminspect.report import compute as reports

    values = load_values(model, computing.dtype)
    given = computing.arrays(model, inputs)
    wanted = None if target is None else computing.array(model, target)
    found = gradients(model, given, loss, wanted, values, training)
    if output is not None:
        _save(model, found.total, output, force)
    view = reports.GradientView(model, found, values, loss, per_use)
    write(reports.rendered(style, view, Screen.of(sys.stdout)), sys.stdout)


def _save(model: Model, found: Mapping[str, Any], path: Path, force: bool) -> None:
    """Write the gradients under the names of their parameters, ties as ties."""
    from paraminspect.arrays import InMemory
    from paraminspect.formats import save_checkpoint

    reached = {name: gradient for name, gradient in found.items() if gradient is not None}
    kept = model.subset([name for name in model.entries if model.own_name(name) in reached])
    tree = kept.replace(
        replace(kept.entries[name], data=InMemory(gradient)) for name, gradient in reached.items()
    )
    warn(save_checkpoint(tree, path, overwrite=force))
