"""Run by an interpreter with MXNet: `make_mxnet.py CASES.json INPUTS.npz OUT.npz`.

As `make_pytorch.py`; bare names are those of mx.npx, else of mx.np, `norm` of mx.np.linalg, and
`concat` that of mx.nd.
"""

import json
import math
import re
import sys
import warnings

import mxnet as mx
import numpy as np

warnings.simplefilter("ignore")
mx.npx.set_np()


def concat(*arrays, dim=1):
    """`mx.nd.concat` takes the arrays of `mx.nd`."""
    joined = mx.nd.concat(*(x.as_nd_ndarray() for x in arrays), dim=dim)
    return joined.as_np_ndarray()


OWN = {
    "shape": lambda x: tuple(x.shape),
    "inf": math.inf,
    "norm": mx.np.linalg.norm,
    "reshape": mx.np.reshape,
    "concat": concat,
}


class Names(dict):
    def __missing__(self, name):
        for place in (mx.npx, mx.np):
            if hasattr(place, name):
                return getattr(place, name)
        raise NameError(name)


def run(expression, arrays, double):
    given = {}
    for name, a in arrays.items():
        dtype = a.dtype.name if a.dtype.kind != "f" else "float64" if double else "float32"
        given[name] = mx.np.array(a, dtype=dtype)
        if a.dtype.kind == "f":
            given[name].attach_grad()
    with mx.autograd.record():
        value = eval(expression, {"__builtins__": {}}, Names({**OWN, **given}))
        total = None
        if double and isinstance(value, mx.np.ndarray) and value.dtype == np.float64:
            weights = np.cos(np.arange(1, value.size + 1)).reshape(value.shape)
            total = (value * mx.np.array(weights, dtype="float64")).sum()
    try:
        total.backward()
    except (AttributeError, mx.base.MXNetError):  # there is nothing to go back through
        return plain(value), None
    return plain(value), given[variable(expression)].grad.asnumpy()


def plain(value):
    if isinstance(value, (tuple, list)):
        return np.concatenate([np.ravel(plain(one)) for one in value])
    return value.asnumpy() if isinstance(value, mx.np.ndarray) else np.asarray(value)


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
        arrays = {n[len(start) :]: inputs[n] for n in inputs.files if n.startswith(start)}
        try:
            single = run(expression, arrays, False)[0]
            found.append([single, *run(expression, arrays, True)])
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}".splitlines()[0][:80])
    np.savez_compressed(out_path, **packed(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
