"""What real Keras says, for the tests: run by a Python that has Keras, JSON in and out.

`oracle.py signatures` lists the arguments of every layer. `oracle.py layers` reads
`[[call, shape of one example], ...]` and tells what each layer weighs and gives. `oracle.py models`
reads `[source, ...]`, Python that defines `model`, and lists `model.weights`.
"""

import inspect
import json
import os
import sys
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import keras  # noqa: E402
from keras import constraints, initializers, layers, regularizers  # noqa: E402
from keras.src.initializers.random_initializers import compute_fans  # noqa: E402

NAMES = {
    name: value
    for module in (initializers, regularizers, constraints, layers)
    for name, value in vars(module).items()
    if inspect.isclass(value)
} | {"Sequential": keras.Sequential, "keras": keras, "L": layers}


def signatures():
    """Name of a layer to its arguments: name, kind, default."""
    return {
        name: [
            [p.name, p.kind.name, *([] if p.default is p.empty else [p.default])]
            for p in list(inspect.signature(layer.__init__).parameters.values())[1:]
        ]
        for name, layer in vars(layers).items()
        if inspect.isclass(layer) and issubclass(layer, layers.Layer)
    }


def weights(model):
    """Path, shape, dtype, trainable of each."""
    return [[w.path, list(w.shape), str(w.dtype), w.trainable] for w in model.weights]


DRAWN = {}
"""By the id of a weight: the weight, its initializer and the fans that Keras counts."""


def recorded(add_weight):
    """`Layer.add_weight` that remembers how the weight is drawn."""

    def add(self, *args, initializer=None, **kwargs):
        weight = add_weight(self, *args, initializer=initializer, **kwargs)
        made = initializers.get(initializer)
        config = made.get_config() if hasattr(made, "get_config") else {}
        axes = {k: config.pop(k, None) for k in ("input_axes", "output_axes")}
        config.pop("seed", None)
        kind = type(made).__name__ if hasattr(made, "get_config") else "function"
        DRAWN[id(weight)] = weight, [kind, config, list(compute_fans(weight.shape, **axes))]
        return weight

    return add


layers.Layer.add_weight = recorded(layers.Layer.add_weight)


def layer(call, shape):
    """The answer for one layer on one input."""
    keras.backend.clear_session(free_memory=False)
    DRAWN.clear()
    try:
        made = eval(call, dict(NAMES))
    except Exception as error:
        return {"error": str(error)[:200]}
    try:
        x = keras.Input(shape)
        if type(made).__name__ in ("MultiHeadAttention", "GroupedQueryAttention"):
            y = made(x, x)
        elif type(made).__name__ in ("Attention", "AdditiveAttention"):
            y = made([x, x])
        else:
            y = made(x)
        built = keras.Model(x, y)
        answer = {"weights": weights(built), "drawn": [DRAWN[id(w)][1] for w in built.weights]}
    except Exception as error:
        return {"run_error": str(error)[:200]}
    if hasattr(y, "shape") and None not in y.shape[1:]:
        answer["output"] = list(y.shape[1:])
    return answer


def model(source):
    """The weights of the model that a source defines."""
    keras.backend.clear_session(free_memory=False)
    scope = dict(NAMES)
    exec(source, scope)
    return weights(scope["model"])


if __name__ == "__main__":
    if sys.argv[1] == "signatures":
        found = signatures()
    elif sys.argv[1] == "layers":
        found = [layer(*asked) for asked in json.load(sys.stdin)]
    else:
        found = [model(source) for source in json.load(sys.stdin)]
    json.dump(found, sys.stdout)
