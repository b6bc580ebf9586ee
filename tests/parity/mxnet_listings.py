"""Build nets with the real MXNet and list their parameters: `mxnet_listings.py LISTINGS < nets`.

Each net is a tree: `{"call": "Dense(3)"}` is a layer, `{"call": "Sequential()", "below": [...]}`
a container (`"scope": true`: built in its name scope), `{"shared": "s"}` a layer that was made
before the others; a mapping of names below is a block with attributes.
"""

import builtins
import json
import sys
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
for name in ("bool", "int", "float", "object"):  # which MXNet still looks for in NumPy
    if not hasattr(np, name):
        setattr(np, name, getattr(builtins, name))

import mxnet as mx  # noqa: E402
from mxnet.gluon import block, nn, rnn  # noqa: E402

NAMES = {**vars(rnn), **vars(mx.init), **vars(nn)}


class Attributes(nn.Block):
    """A block whose parts are attributes; only the first is used."""

    def forward(self, x):
        first = next(iter(self._children.values()))
        return first(x)


def build(node, shared):
    if "shared" in node:
        return shared[node["shared"]]
    # The language has no attribute access: `params=s` is MXNet's `params=s.collect_params()`.
    lent = {name: layer.collect_params() for name, layer in shared.items()}
    names = {**NAMES, **lent, "Block": Attributes, node.get("class"): Attributes}
    if "class" in node:
        made = type(node["class"], (Attributes,), {})()
    else:
        made = eval(node["call"], names)  # our own text
    if "below" not in node:
        return made
    if node.get("scope"):
        with made.name_scope():
            fill(made, node["below"], shared)
    else:
        fill(made, node["below"], shared)
    return made


def fill(made, below, shared):
    if isinstance(below, list):
        for child in below:
            made.add(build(child, shared))
    else:
        for name, child in below.items():
            setattr(made, name, build(child, shared))


def build_net(net):
    """A net built as if in a fresh process: the counters start at 0."""
    mx.name.NameManager._current.value = mx.name.NameManager()
    block._BlockScope._current.value = None
    shared = {}
    for name, node in net["share"].items():
        shared[name] = build(node, shared)
    return build(net["layers"], shared)


def batch_of(net):
    """Two examples of what it takes."""
    batch_axis = 1 if net.get("time_major") else 0
    shape = list(net["input"])
    shape.insert(batch_axis, 2)
    return mx.nd.ones(shape)


def listing(net):
    model = build_net(net)
    model.initialize()
    model(batch_of(net))
    structural = model._collect_params_with_prefix()
    groups = {}
    for name, parameter in structural.items():
        groups.setdefault(id(parameter), []).append(name)
    return {
        "prefixed": [row(name, p) for name, p in model.collect_params().items()],
        "structural": [row(name, p) for name, p in structural.items()],
        "ranges": {name: extremes(p) for name, p in model.collect_params().items()},
        "tied": [names for names in groups.values() if len(names) > 1],
    }


def extremes(parameter):
    """The least and the greatest value that was drawn."""
    values = parameter.data().asnumpy()
    return [float(values.min()), float(values.max())]


def row(name, parameter):
    dtype = np.dtype(parameter.dtype).name
    return [name, list(parameter.shape), dtype, parameter.grad_req != "null"]


if __name__ == "__main__":
    results = []
    for net in json.load(sys.stdin):
        try:
            results.append(listing(net))
        except Exception as error:  # noqa: BLE001 (told to the test)
            results.append({"error": f"{type(error).__name__}: {error}"[:500]})
    Path(sys.argv[1]).write_text(json.dumps(results))  # MXNet itself writes to stdout
