"""What real Keras says, for the tests: run by a Python that has Keras, JSON in and out.

`oracle.py signatures` lists the arguments of every layer. `oracle.py layers` reads
`[[call, shape of one example], ...]` and tells what each layer weighs and gives. `oracle.py models`
reads `[source, ...]`, Python that defines `model`, and lists `model.weights`; `oracle.py layouts`
tells where a `.weights.h5` file keeps them. `oracle.py loads` reads `[[source, file], ...]` and
tells the bytes that each model has after it has loaded the weights of the file.
"""

import hashlib
import inspect
import json
import os
import sys
import tempfile
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import h5py  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
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


def defined(source):
    """The model that a source defines."""
    keras.backend.clear_session(free_memory=False)
    scope = dict(NAMES)
    exec(source, scope)
    return scope["model"]


def layout(model):
    """What a weights file of a model is: attributes by group, dataset and attributes by weight.

    Groups without attributes, which only lead to others, are left out.
    """
    for number, weight in enumerate(model.weights, 1):
        weight.assign(np.full(weight.shape, number))
    groups, datasets = {}, {}

    def visit(path, item):
        attributes = {key: str(value) for key, value in item.attrs.items()}
        if isinstance(item, h5py.Dataset):
            values = item[()].ravel()
            values = values.view("bfloat16") if values.dtype.kind == "V" else values
            datasets[model.weights[int(values[0]) - 1].path] = [path, attributes]
        elif attributes or path.endswith("vars"):
            groups[path] = attributes

    with tempfile.NamedTemporaryFile(suffix=".weights.h5") as file:
        model.save_weights(file.name)
        with h5py.File(file.name) as saved:
            visit("", saved)
            saved.visititems(visit)
    return {"groups": groups, "datasets": datasets}


def loaded(source, file):
    """Path to dtype and sha256 of the little-endian bytes of each weight."""
    model = defined(source)
    model.load_weights(file)
    values = {weight.path: weight.numpy() for weight in model.weights}
    return {n: [v.dtype.name, hashlib.sha256(v.tobytes()).hexdigest()] for n, v in values.items()}


if __name__ == "__main__":
    if sys.argv[1] == "signatures":
        found = signatures()
    elif sys.argv[1] == "layers":
        found = [layer(*asked) for asked in json.load(sys.stdin)]
    elif sys.argv[1] == "loads":
        found = [loaded(*asked) for asked in json.load(sys.stdin)]
    else:
        answer = {"models": weights, "layouts": layout}[sys.argv[1]]
        found = [answer(defined(source)) for source in json.load(sys.stdin)]
    json.dump(found, sys.stdout)
