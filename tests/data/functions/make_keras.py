"""Run by an interpreter with Keras on TensorFlow: `make_keras.py CASES.json INPUTS.npz OUT.npz`.

As `make_pytorch.py`; bare names are those of keras.ops, else of keras.activations, and operators
those of keras.ops: TensorFlow's own promote nothing.
"""

import json
import math
import os
import re
import sys

os.environ.update(
    KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES=""
)
import keras
import numpy as np
import tensorflow as tf

OWN = {"shape": lambda x: tuple(x.shape), "inf": math.inf}


class Names(dict):
    def __missing__(self, name):
        for place in (keras.ops, keras.activations):
            if hasattr(place, name):
                return getattr(place, name)
        raise NameError(name)


def run(expression, arrays, double):
    given = {}
    for name, a in arrays.items():
        dtype = a.dtype.name if a.dtype.kind != "f" else "float64" if double else "float32"
        given[name] = keras.ops.convert_to_tensor(a.astype(dtype))
    with tf.GradientTape() as tape:
        for name in "xyupow":
            tape.watch(given[name])
        value = eval(expression, {"__builtins__": {}}, Names({**OWN, **given}))
        total = None
        if double and isinstance(value, tf.Tensor) and value.dtype == tf.float64:
            weights = np.cos(np.arange(1, value.shape.num_elements() + 1)).reshape(value.shape)
            total = tf.reduce_sum(value * weights)
    gradient = None if total is None else tape.gradient(total, given[variable(expression)])
    return value, gradient


def plain(value):
    if isinstance(value, tuple | list):
        return np.concatenate([np.ravel(plain(one)) for one in value])
    return keras.ops.convert_to_numpy(value) if isinstance(value, tf.Tensor) else np.asarray(value)


def variable(expression):
    """The array to which the gradient is taken: the first that the expression names."""
    return next((n for n in "xupo" if re.search(rf"\b{n}\b", expression)), "x")


def packed(found):
    """The arrays of OUT.npz from a result, or an error, for each case."""
    outcomes = [
        one if isinstance(one, str) else [*(x if x is None else [list(x.shape), x.dtype.name] for x in one)]
        for one in found
    ]
    results = [one for one in found if not isinstance(one, str)]
    values = [np.ravel(x).astype("float64") for one in results for x in one[1:] if x is not None]
    return {"outcomes": np.array(json.dumps(outcomes)), "values": np.concatenate(values)}


def main(cases_path, inputs_path, out_path):
    with open(cases_path, encoding="utf-8") as file:
        cases = json.load(file)
    inputs = np.load(inputs_path)
    found = []
    for ndim, expression in cases:
        start = f"{ndim}/"
        arrays = {n.removeprefix(start): inputs[n] for n in inputs.files if n.startswith(start)}
        try:
            single = plain(run(expression, arrays, False)[0])
            value, slope = run(expression, arrays, True)
            slope = None if slope is None else plain(tf.convert_to_tensor(slope))
            found.append([single, plain(value), slope])
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}"[:80])
    np.savez_compressed(out_path, **packed(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
