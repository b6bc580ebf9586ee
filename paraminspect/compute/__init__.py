"""Compute: outputs, losses and gradients of a definition with values, over NumPy and autograd.

Shapes are those of the framework, with the batch axis. Values are float32 or float64.
"""

from __future__ import annotations

from paraminspect.compute._computation import Computation, Compute
from paraminspect.compute._gradients import Gradients, gradients, load_values, run
from paraminspect.compute._inputs import make_input
from paraminspect.compute._losses import LOSSES, NEED_TARGET
from paraminspect.compute._optimizers import OPTIMIZERS, Update, adam, adamw, rmsprop, sgd
from paraminspect.compute._run import Computable, Part
from paraminspect.compute._training import Step, train

__all__ = [
    "LOSSES",
    "NEED_TARGET",
    "OPTIMIZERS",
    "Computable",
    "Computation",
    "Compute",
    "Gradients",
    "Part",
    "Step",
    "Update",
    "adam",
    "adamw",
    "gradients",
    "load_values",
    "make_input",
    "rmsprop",
    "run",
    "sgd",
    "train",
]
