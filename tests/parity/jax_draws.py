"""What installed JAX draws: questions in, answers out, as JSON. `jax_draws.py < q > a`.

A question is an initializer of `jax.nn.initializers` on a shape with a seed and the number of its
parameter, or the widths of a net of `flax.nnx`; an answer tells hashes of the values, or the
values where a QR decomposition is behind them.
"""

import hashlib
import json
import sys
import warnings
from itertools import pairwise

import jax
import numpy as np

warnings.simplefilter("ignore")  # says that it runs on a CPU


def told(values, is_exact=True):
    values = np.ascontiguousarray(values)
    if is_exact:
        return hashlib.sha256(values.tobytes()).hexdigest()
    return values.astype(np.float64).ravel().tolist()


def initializer(question):
    make = getattr(jax.nn.initializers, question["initializer"])(**question["arguments"])
    key = jax.random.fold_in(jax.random.key(question["seed"]), question["number"])
    drawn = make(key, tuple(question["shape"]), jax.numpy.dtype(question["dtype"]))
    return told(drawn, "orthogonal" not in question["initializer"])


def net(question):
    from flax import nnx

    rngs, widths = nnx.Rngs(params=question["seed"]), question["widths"]
    layers = [nnx.Linear(a, b, rngs=rngs) for a, b in pairwise(widths)]
    return [told(x[...]) for layer in layers for x in (layer.kernel, layer.bias)]


if __name__ == "__main__":
    questions = json.load(sys.stdin)
    json.dump([net(q) if "widths" in q else initializer(q) for q in questions], sys.stdout)
