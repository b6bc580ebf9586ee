"""`paraminspect run`: the output of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from paraminspect.cli.computing import Computing, computing_options, input_option
from paraminspect.cli.new_files import check_new, new_file_option
from paraminspect.cli.options import force_option

EPILOG = """\b
Examples:
  paraminspect run mlp.yaml --seed 0 --input 'ones(2, 4)'
  paraminspect run mlp.yaml --checkpoint m.safetensors --input x.npy -o y.npy

\b
Exit status: 0 done, 2 trouble.
"""


@click.command("run", epilog=EPILOG)
@click.argument("definition")
@input_option
@computing_options
@new_file_option("FILE.npy", "Save it.")
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
    model = computing.model(definition)
    from paraminspect.compute import load_values, run

    values = load_values(model, computing.dtype)
    result = run(model, computing.arrays(model, inputs), values)
    if output is not None:
        _save(result, output, force)
        return
    for part in result if isinstance(result, tuple | list) else (result,):
        click.echo(str(part))


def _save(result: Any, path: Path, force: bool) -> None:
    import io

    import numpy as np

    from paraminspect.checkpoint import write_file

    if not isinstance(result, np.ndarray | np.generic):
        raise click.UsageError("the model gives several outputs: -o saves one array")
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(result), allow_pickle=False)
    write_file(path, [buffer.getvalue()], inputs=(), overwrite=force)
