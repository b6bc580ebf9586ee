"""`paraminspect run`: the output of a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from paraminspect.cli.array_files import STYLES, check_fits, file_style, save_slices
from paraminspect.cli.computing import Computing, computing_options, input_option
from paraminspect.cli.new_files import check_new, new_file_option, save_pieces
from paraminspect.cli.options import definition_argument, force_option

EPILOG = """\b
Examples:
  paraminspect run mlp.yaml --seed 0 --input 'ones(2, 4)'
  paraminspect run mlp.yaml --checkpoint m.safetensors --input x.npy -o y.npy
  paraminspect run two.yaml --seed 0 -o outputs.npz

\b
Exit status: 0 done, 2 trouble.
"""


@click.command("run", epilog=EPILOG)
@definition_argument
@input_option
@computing_options
@new_file_option("FILE", "Save the output, as .npy or what FILE ends in.")
@force_option
def run_definition(
    definition: str,
    inputs: tuple[str, ...],
    computing: Computing,
    output: Path | None,
    force: bool,
) -> None:
    """Print what DEFINITION computes for an input, outside of training."""
    check_new(output, force)
    style = file_style(output, "npy") if output else ""
    model = computing.model(definition)
    from paraminspect.compute import load_values, run

    values = load_values(model, computing.dtype)
    result = run(model, computing.arrays(model, inputs), values)
    if output is not None:
        _save(result, definition, output, style, force)
        return
    for part in result if isinstance(result, tuple | list) else (result,):
        click.echo(str(part))


def _save(result: Any, source: str, path: Path, style: str, force: bool) -> None:
    """Write what a model gives: `output`, or of several `output.0`, `output.1`, ..."""
    from paraminspect.arrays import InMemory
    from paraminspect.operations.slicing import Slice
    from paraminspect.report.slice import rendered
    from paraminspect.tree import Parameter, ParameterTree, Source

    arrays = {name: InMemory(values) for name, values in _named("output", result)}
    slices = [Slice(name, None, array, array.dtype) for name, array in arrays.items()]
    entries = {name: Parameter(name, array) for name, array in arrays.items()}
    tree = ParameterTree(entries, source=Source(source))
    if style not in STYLES:
        save_slices(tree, slices, path, force)
        return
    check_fits(slices, style, path)
    save_pieces(tree, path, rendered(style, source, slices), force)


def _named(name: str, result: Any) -> Iterator[tuple[str, Any]]:
    import numpy as np

    if isinstance(result, tuple | list):
        for number, part in enumerate(result):
            yield from _named(f"{name}.{number}", part)
    else:
        yield name, np.asarray(result)
