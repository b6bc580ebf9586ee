"""What commands that compute share: the definition with values, its inputs, and their options."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from paraminspect.errors import DefinitionError
from paraminspect.source import open_source

if TYPE_CHECKING:
    import numpy as np

    from paraminspect.definition.model import Model


@dataclass(frozen=True)
class Computing:
    """What the options say on values and numbers; a seed that is not given is drawn and shown."""

    checkpoint: str | None
    seed: int | None
    scheme: str | None
    rng: str | None
    dtype: str

    def model(self, path: str) -> Model:
        """The definition with the values of the checkpoint, or with values drawn for it."""
        from paraminspect.definition.model import Model
        from paraminspect.init.plan import initialize

        for option, given in (("--scheme", self.scheme), ("--rng", self.rng)):
            if self.checkpoint and given:
                raise click.UsageError(f"--checkpoint has the values already: leave {option} out")
        model = open_source(path)
        if not isinstance(model, Model):
            raise DefinitionError(f"{path}: only a definition tells what a model computes")
        if self.checkpoint:
            return model.load(open_source(self.checkpoint))
        rng = self.rng or "native"
        drawn = initialize(model, seed=self.known_seed, rng=rng, scheme=self.scheme)
        assert isinstance(drawn, Model)
        return drawn

    @functools.cached_property
    def known_seed(self) -> int:
        """The seed that was given, or a fresh one, shown so that it can be repeated."""
        if self.seed is not None:
            return self.seed
        seed = secrets.randbits(32)
        click.echo(f"seed {seed}; --seed {seed} gives the same again", err=True)
        return seed

    @functools.cached_property
    def _generator(self) -> np.random.Generator:
        """Of random inputs, one after another: NumPy's `default_rng(seed)`."""
        import numpy as np

        return np.random.default_rng(self.known_seed)

    def array(self, model: Model, text: str) -> Any:
        """An array from a .npy file, or made: `ones`, `uniform(2, 20)`, `integers(10, 2)`."""
        from paraminspect.compute import make_input
        from paraminspect.formats import open_array

        if text.endswith(".npy"):
            values = open_array(text)[...]
            return values.astype(self.dtype) if values.dtype.kind == "f" else values
        if Path(text).is_file():
            raise click.UsageError(f"{text}: an input is a .npy file, with one array")
        return make_input(text, model.input, lambda: self._generator, self.dtype)

    def arrays(self, model: Model, texts: Sequence[str]) -> list[Any]:
        """The inputs; without any, a batch of one example of ones."""
        return [self.array(model, text) for text in texts or ("ones",)]


def computing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that computes; it gets them as the argument `computing`."""

    @click.option(
        "--checkpoint",
        metavar="FILE",
        help="Take the values from a checkpoint, which has every name.",
    )
    @click.option(
        "--seed",
        type=click.IntRange(0),
        metavar="N",
        help="The seed of values that are drawn, and of random inputs.",
    )
    @click.option("--scheme", metavar="SCHEME", help="Draw the weights by this scheme.")
    @click.option("--rng", metavar="NAME", help="Whose random numbers to reproduce, as in init.")
    @click.option(
        "--dtype",
        type=click.Choice(["float32", "float64"]),
        default="float32",
        help="The precision to compute in.",
    )
    @functools.wraps(command)
    def with_computing(
        *arguments: Any,
        checkpoint: str | None,
        seed: int | None,
        scheme: str | None,
        rng: str | None,
        dtype: str,
        **options: Any,
    ) -> Any:
        bundled = Computing(checkpoint, seed, scheme, rng, dtype)
        return command(*arguments, computing=bundled, **options)

    return with_computing


input_option = click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="X",
    help="A .npy file, or ones, zeros, uniform(2, 20), normal(2, 20), integers(10, 2, 7);"
    " repeat it for a model of several inputs.",
)
