"""What a framework makes of calls of its initializers: questions in, answers out, as JSON.

`initializer_calls.py FRAMEWORK < q > a`. Asked for null it tells every name that it gives to an
initializer, with its arguments; asked a call, a shape and a seed, the float32 values, or null
where it refuses.
"""

import inspect
import json
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402

NOT_OURS = ("tensor", "generator", "dtype", "key", "shape", "out_sharding")


def arguments_of(function):
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL and p.name not in NOT_OURS]


def torch_names():
    from torch.nn import init

    functions = {n: f for n, f in vars(init).items() if inspect.isfunction(f) and n[0] != "_"}
    functions = {n: f for n, f in functions.items() if f.__module__ == "torch.nn.init"}
    del functions["calculate_gain"]
    of = {n: functions.get(f"{n}_", f) for n, f in functions.items()}  # deprecated names
    return {n: arguments_of(f) for n, f in of.items()}


def torch_values(question):
    import torch
    from torch.nn import init

    torch.manual_seed(question["seed"])
    tensor = torch.empty(question["shape"])
    name, _, arguments = question["call"].partition("(")
    eval(f"init.{name}(tensor, {arguments or ')'}", {"init": init, "tensor": tensor})
    return tensor.numpy()


STRINGS = {"normal": "RandomNormal", "uniform": "RandomUniform", "one": "Ones", "zero": "Zeros"}
"""Names that only `keras.initializers.get` knows."""


def keras_names():
    import keras

    for name, kind in STRINGS.items():
        assert type(keras.initializers.get(name)).__name__ == kind
    known = {n: f for n, f in vars(keras.initializers).items() if inspect.isclass(f)}
    known |= {name: known[kind] for name, kind in STRINGS.items()}
    for abstract in ("Initializer", "STFT", "STFTInitializer", "stft"):
        known.pop(abstract)
    return {n: arguments_of(f) for n, f in known.items()}


def keras_values(question):
    import keras

    keras.utils.set_random_seed(question["seed"])
    name, _, arguments = question["call"].partition("(")
    call = f"{STRINGS.get(name, name)}({arguments or ')'}"
    made = eval(call, vars(keras.initializers))
    return keras.ops.convert_to_numpy(made(tuple(question["shape"]), dtype="float32"))


def jax_names():
    from jax.nn import initializers

    return {
        n: arguments_of(f)
        for n, f in vars(initializers).items()
        if callable(f) and n[0] != "_" and n != "Initializer"
    }


def jax_values(question):
    import jax

    name, bracket, _ = question["call"].partition("(")
    made = getattr(jax.nn.initializers, name)
    if name not in ("zeros", "ones"):
        made = eval(question["call"] + "()" * (not bracket), vars(jax.nn.initializers))
    key = jax.random.fold_in(jax.random.key(question["seed"]), 0)
    return made(key, tuple(question["shape"]), jax.numpy.float32)


def mxnet_names():
    import mxnet as mx

    registered = mx.registry._REGISTRY[mx.init.Initializer]
    classes = {c.__name__: c for c in registered.values()}
    known = {**classes, **registered}
    for several in ("FusedRNN", "fusedrnn", "Load", "load", "Mixed", "mixed"):
        known.pop(several, None)
    return {n: arguments_of(c.__init__)[1:] for n, c in known.items()}


def mxnet_values(question):
    import mxnet as mx

    mx.random.seed(question["seed"])
    registered = mx.registry._REGISTRY[mx.init.Initializer]
    name, _, arguments = question["call"].partition("(")
    made = eval(f"{name}({arguments or ')'}", {**registered, **vars(mx.init)})
    array = mx.nd.zeros(tuple(question["shape"]))
    made._init_weight("weight", array)
    return array.asnumpy()


def answer(framework, question):
    if question is None:
        return globals()[f"{framework}_names"]()
    try:
        values = np.asarray(globals()[f"{framework}_values"](question))
    except Exception:  # noqa: BLE001 (it refuses; that is the answer)
        return None
    return values.astype(np.float64).ravel().tolist()


if __name__ == "__main__":
    json.dump([answer(sys.argv[1], q) for q in json.load(sys.stdin)], sys.stdout)
