"""`paraminspect init`: draw values for a definition, or for a part of a checkpoint."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paraminspect import report
from paraminspect.arrays import parse_dtype
from paraminspect.cli.options import Output, optional_source_argument, output_options, style_option
from paraminspect.cli.ways import tell_codes
from paraminspect.errors import AddressError, counted, escape
from paraminspect.frameworks import rng_aliases
from paraminspect.init.generators import NATIVE
from paraminspect.source import DEFINITION_NAME, open_source

if TYPE_CHECKING:
    from paraminspect.tree import ParameterTree

EPILOG = """\b
Examples:
  paraminspect init                                    (model.yaml here)
  paraminspect init model.yaml --scheme xavier_uniform --seed 0
  paraminspect init --rule 0.weight=xavier --rule 2.weight=42
  paraminspect init --rng pytorch --seed 0             (torch.manual_seed(0))
  paraminspect init -i m.safetensors --rule 'head.*=normal(0, 0.02)'
  paraminspect init -i m.safetensors --rule 'wte.weight[50000:]=normal(0, 1)'
  paraminspect init m.safetensors --missing-from model.yaml -o n.safetensors

\b
--scheme is for the weights: every trained parameter of 2 or more axes that is
drawn at random by default and has no `bias` in the last part of its name. All
others (biases, the scales and shifts of norms, buffers) keep the default of
their framework, or the rule of the definition's `init:`. In MXNet a weight
whose layer has an initializer keeps it, as with net.initialize(SCHEME).
In a checkpoint 2 or more axes and the name decide; others stay as they are.

\b
--rule wins over --scheme and the definition, a later rule over an earlier.
A tied parameter is drawn once. With --rng native (the default) values depend
on the seed and the parameter's name alone; other generators repeat what a
framework draws, in its order. Memory is that of a few blocks; orthogonal and
sparse matrices and functions of your own are made whole, one after another.

\b
Exit status: 0 done, 2 trouble; then nothing has changed.
"""

DTYPES = "float16, bfloat16, float32, float64"

FRESH_BITS = 32
"""Of a seed that nobody gave: every generator takes as many."""


@click.command("init", epilog=EPILOG)
@optional_source_argument
@click.option("--scheme", metavar="SCHEME", help="Draw the weights by this scheme (see below).")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="PATTERN=SCHEME",
    help="Draw what matches by this, or take @FILE.npy; repeatable. PATTERN[INDEX] is a part.",
)
@click.option(
    "--seed", type=int, metavar="N", help="The seed; without it a fresh one, shown on stderr."
)
@click.option(
    "--rng",
    default=NATIVE.name,
    metavar="NAME",
    help=f"Whose random numbers to reproduce: {', '.join([NATIVE.name, *rng_aliases()])}.",
)
@click.option("--dtype", metavar="DTYPE", help=f"Draw floats in this dtype: {DTYPES}.")
@click.option(
    "--layout",
    type=click.Choice(["out_in", "in_out"]),
    help="The axes of a checkpoint: (out, in, *kernel) or (*kernel, in, out).",
)
@click.option(
    "--missing-from",
    "model",
    metavar="DEFINITION",
    help="Add and draw what the checkpoint lacks of this.",
)
@click.option(
    "--plugin",
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="Run this file, whose functions f(rng, shape) are schemes.",
)
@click.option(
    "--report", "reports", is_flag=True, help="Show scheme, fans, theory, mean and std of each."
)
@style_option(before="With --report: ")
@click.option(
    "--list-schemes", is_flag=True, help="Explain every scheme, and whose random numbers there are."
)
@output_options
def init_parameters(
    source: str | None,
    scheme: str | None,
    rules: tuple[str, ...],
    seed: int | None,
    rng: str,
    dtype: str | None,
    layout: str | None,
    model: str | None,
    plugin: Path | None,
    reports: bool,
    style: str | None,
    list_schemes: bool,
    output: Output,
) -> None:
    """Draw values: for a definition, or for what --rule names of a checkpoint.

    SOURCE is a definition (default: model.yaml in this folder), whose values go beside it
    (model.yaml to model.safetensors) unless -o names another file; or a checkpoint, where
    everything else stays as it is.
    """
    # Read when NumPy is loaded. LAPACK's threads wait by spinning, which on a busy machine made an
    # orthogonal matrix take 17 times as long; and its bits depend on how many there are.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from paraminspect.init.plan import parse_rule, plan_initialization
    from paraminspect.init.schemes import UserFunctions
    from paraminspect.report.initialization import rendered, scheme_lines

    if style and not reports:
        raise click.UsageError("--format goes with --report")
    has_data = style not in (None, "table")
    functions = UserFunctions(plugin)
    if list_schemes:
        report.write(scheme_lines(functions), sys.stdout)
        return
    tree = open_source(_source(source))
    target = output.target(tree, _beside(tree))
    tied: tuple[str, ...] = ()
    if model is not None:
        tree, tied = _completed(tree, open_source(model), rules, output, has_data)
    parsed = [parse_rule(rule, tree.entries) for rule in rules]
    wishes: dict[str, Any] = {"scheme": scheme, "rules": parsed, "layout": layout, "rng": rng}
    wishes["dtype"] = None if dtype is None else parse_dtype(dtype)
    plan = plan_initialization(tree, **wishes, functions=functions)
    if not plan.drawings and tied:
        output.save(tree, target, [f"add {len(tied)} tied name{'s' * (len(tied) > 1)}"])
        return
    if not plan.drawings:
        raise click.UsageError(_nothing(tree, model))
    tell_codes(tree.entries[name] for name in {drawing.name for drawing in plan.drawings})
    chosen = secrets.randbits(FRESH_BITS) if seed is None else seed
    drawn = plan.drawn(chosen)
    if seed is None and not output.quiet:
        click.echo(f"seed {chosen} (--seed {chosen} draws the same again)", err=True)
    if reports:
        screen = report.Screen.of(sys.stdout)
        report.write(rendered(style or "table", drawn, plan.drawings, screen), sys.stdout)
    arrays = len({drawing.name for drawing in plan.drawings})
    what = f"draw {arrays} of {counted(tree.totals.arrays, 'array')}, --rng {rng} --seed {chosen}"
    output.save(drawn, target, [what], has_data=has_data)


def _source(source: str | None) -> str:
    if source is None and not Path(DEFINITION_NAME).exists():
        raise click.UsageError(f"there is no {DEFINITION_NAME} here: give SOURCE")
    return source or DEFINITION_NAME


def _beside(tree: ParameterTree) -> Path | None:
    """Where the values of a definition go by default."""
    if tree.source.format != "definition" or tree.source.path == "-":
        return None
    return Path(tree.source.path).with_suffix(".safetensors")


def _completed(
    tree: ParameterTree,
    model: ParameterTree,
    rules: Sequence[str],
    output: Output,
    has_data: bool,
) -> tuple[ParameterTree, tuple[str, ...]]:
    """The checkpoint with what it lacks of the definition, which is reported; names only tied."""
    from paraminspect.init.plan import complete
    from paraminspect.report.initialization import completion_lines

    if tree.source.format == "definition" or model.source.format != "definition":
        raise click.UsageError("--missing-from names a definition, for a SOURCE with values")
    completed = complete(tree, model, _redrawn(model, rules))
    if not output.quiet:
        for line in completion_lines(completed):
            click.echo(escape(line), err=has_data)
    return completed.tree, completed.tied


def _redrawn(model: ParameterTree, rules: Sequence[str]) -> set[str]:
    """What of the model is drawn whole by a rule; some rules are for what the checkpoint has."""
    from paraminspect.init.plan import parse_rule

    names: set[str] = set()
    for rule in (parse_rule(text, model.entries) for text in rules):
        try:
            found = model.matching(rule.address)
        except AddressError:
            continue
        names.update(found if rule.address.index is None else ())
    return names


def _nothing(tree: ParameterTree, model: str | None) -> str:
    if not tree.entries:
        return f"{tree.source.path} has no parameters: there is nothing to draw"
    if model is not None:
        return "nothing is missing: there is nothing to draw"
    return "what to draw? Give --rule, --scheme or --missing-from"
