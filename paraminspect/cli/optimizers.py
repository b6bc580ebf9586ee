"""The optimizer of `train` and its options, which have the names of `torch.optim`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from paraminspect.cli.options import Bound

if TYPE_CHECKING:
    from paraminspect.compute import Update

NAMES = ("sgd", "adam", "adamw", "rmsprop")
PART = click.FloatRange(0, 1, max_open=True)


@dataclass(frozen=True)
class Optimizer:
    """A name of `NAMES` and the arguments that were given for it."""

    name: str
    lr: float
    given: dict[str, Any]

    def update(self) -> Update:
        """How it steps; an argument that it does not have is a `UsageError`."""
        from paraminspect.compute import OPTIMIZERS

        taken = {name: inspect.signature(make).parameters for name, make in OPTIMIZERS.items()}
        for argument in self.given:
            if argument not in taken[self.name]:
                holders = " and ".join(name for name in NAMES if argument in taken[name])
                raise click.UsageError(f"--{argument.replace('_', '-')} is for {holders}")
        return OPTIMIZERS[self.name](self.lr, **self.given)


def optimizer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of an optimizer; the command gets them as the argument `optimizer`."""

    @click.option("--optimizer", type=click.Choice(NAMES), default="sgd", show_default=True)
    @click.option("--lr", type=Bound(), default=0.01, show_default=True, help="The learning rate.")
    @click.option("--momentum", type=PART, help="Of sgd and rmsprop; 0.")
    @click.option("--dampening", type=PART, help="Of the momentum of sgd; 0.")
    @click.option("--nesterov", is_flag=True, default=None, help="Nesterov's momentum, of sgd.")
    @click.option("--weight-decay", type=Bound(), help="0, of adamw 0.01.")
    @click.option("--betas", type=(PART, PART), metavar="B1 B2", help="Of adam(w); 0.9 0.999.")
    @click.option("--eps", type=Bound(), help="Added to the root, of all but sgd; 1e-8.")
    @click.option("--amsgrad", is_flag=True, default=None, help="The largest root yet, of adam(w).")
    @click.option("--alpha", type=PART, help="What stays of the mean square, of rmsprop; 0.99.")
    @click.option("--centered", is_flag=True, default=None, help="By the variance, of rmsprop.")
    @functools.wraps(command)
    def with_optimizer(*arguments: Any, optimizer: str, lr: float, **options: Any) -> Any:
        own = {name: options.pop(name) for name in OPTIONS}
        given = {name: value for name, value in own.items() if value is not None}
        return command(*arguments, optimizer=Optimizer(optimizer, lr, given), **options)

    return with_optimizer


OPTIONS = (
    *("momentum", "dampening", "nesterov", "weight_decay"),
    *("betas", "eps", "amsgrad", "alpha", "centered"),
)
