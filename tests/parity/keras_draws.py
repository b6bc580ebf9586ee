"""What installed Keras draws: questions in, answers out, as JSON. `keras_draws.py < q > a`.

A question is a call of an initializer on a shape, or code that makes `model`; an answer tells
hashes of the values, or the values where a QR decomposition is behind them. `KERAS_BACKEND` tells
the backend.
"""

import hashlib
import json
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import keras  # noqa: E402
import numpy as np  # noqa: E402


def values(array):
    """As NumPy has them; the bits of bfloat16, which NumPy lacks."""
    array = keras.ops.convert_to_tensor(array)
    if keras.backend.standardize_dtype(array.dtype) != "bfloat16":
        return np.ascontiguousarray(keras.ops.convert_to_numpy(array))
    wide = np.ascontiguousarray(keras.ops.convert_to_numpy(keras.ops.cast(array, "float32")))
    return (wide.view(np.uint32) >> 16).astype(np.uint16)


def told(array, is_exact):
    found = values(array)
    return hashlib.sha256(found.tobytes()).hexdigest() if is_exact else found.ravel().tolist()


def initializer(question):
    made = getattr(keras.initializers, question["initializer"])
    drawn = made(**question["arguments"], seed=question["seed"])(
        tuple(question["shape"]), dtype=question["dtype"]
    )
    return told(drawn, question["initializer"] != "Orthogonal")


def model(question):
    keras.backend.clear_session()
    keras.utils.set_random_seed(question["seed"])
    names = {**vars(keras.initializers), **vars(keras.layers), "keras": keras, "L": keras.layers}
    exec(question["model"], names)
    weights = names["model"].weights
    return [[w.path, told(w, "recurrent_kernel" not in w.path)] for w in weights]


if __name__ == "__main__":
    questions = json.load(sys.stdin)
    answers = [model(q) if "model" in q else initializer(q) for q in questions]
    json.dump(answers, sys.stdout)
