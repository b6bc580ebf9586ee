"""Run by an interpreter with Keras 3 on TensorFlow: `make_keras_layers.py keras_layers.json OUT.npz`.

The same as `make_pytorch_layers.py`; the names of weights are those behind the layer's own.
"""

import json
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf


def made_input(spec, rng):
    if isinstance(spec, dict):
        return tf.constant(rng.integers(0, spec["below"], spec["shape"]), tf.int32)
    return tf.constant(rng.standard_normal(spec), keras.config.floatx())


def local_name(variable):
    return variable.path.partition("/")[2]


def computed(case, number, dtype):
    """`(kind/name, array)` of one case."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    keras.backend.clear_session()  # inner layers are numbered from the beginning
    rng = np.random.default_rng(number)
    layer = eval(case["call"], {"__builtins__": {}}, vars(keras.layers))
    inputs = [made_input(spec, rng) for spec in case["inputs"]]
    options = {"training": True} if case["train"] else {}

    def run():
        return layer(inputs) if case.get("list") else layer(*inputs, **options)

    run()
    weights_of = [v for v in layer.weights if "seed_generator" not in v.path]
    for v in weights_of:
        values = rng.standard_normal(v.shape) * 0.5
        if not str(v.dtype).startswith("float"):
            continue
        v.assign(np.abs(values) + 0.5 if "var" in v.path else values)
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()
    for v in weights_of:
        yield f"state/{local_name(v)}", v.numpy()
    trained = [v.value for v in layer.trainable_variables]
    floats = [x for x in inputs if x.dtype.is_floating]
    with tf.GradientTape() as tape:
        for x in floats:
            tape.watch(x)
        y = run()
        y = y[0] if isinstance(y, (tuple, list)) else y
        weights = tf.constant(rng.standard_normal(y.shape), y.dtype)
        total = tf.reduce_sum(y * weights)
    found = tape.gradient(total, [*floats, *trained])
    yield "weights", weights.numpy()
    yield "output", y.numpy()
    for i, x in enumerate(inputs):
        yield f"input/x{i}", x.numpy()
    if floats:
        yield "grad/x0", tf.convert_to_tensor(found[0]).numpy()
    for v, g in zip(layer.trainable_variables, found[len(floats) :], strict=True):
        yield f"grad/layer/{local_name(v)}", tf.convert_to_tensor(g).numpy()
    if case["train"]:
        for v in layer.non_trainable_variables:
            yield f"after/{local_name(v)}", v.numpy()


def main(cases_path, out_path):
    out = {}
    for number, case in enumerate(json.loads(Path(cases_path).read_text(encoding="utf-8"))):
        try:
            arrays = dict(computed(case, number, "float64"))
        except Exception:  # TensorFlow computes some layers in float32 alone
            arrays = dict(computed(case, number, "float32"))
        out.update({f"{number}/{name}": array for name, array in arrays.items()})
    np.savez_compressed(out_path, **out)


if __name__ == "__main__":
    main(*sys.argv[1:])
