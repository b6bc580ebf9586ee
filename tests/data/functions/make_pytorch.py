"""Run by an interpreter with torch: `make_pytorch.py CASES.json INPUTS.npz OUT.npz`.

For each case `[number of axes, expression]` over the arrays `AXES/NAME`: `outcomes`, a JSON list, has
an error's text, or shape and dtype of the output in float32, in float64, and of the gradient of the
float64 output times cos(1, 2, ...) to the first array that is named, or null; `values` has the numbers of the last two, flat, one
case after the other. Bare names are those of torch.nn.functional, else torch; `view` is the method.
"""

import json
import math
import re
import sys
import warnings

import numpy as np
import torch
from torch.nn import functional

warnings.simplefilter("ignore")
OWN = {
    "shape": lambda x: tuple(x.shape),
    "view": lambda x, *sizes: x.view(*sizes),
    "inf": math.inf,
}


class Names(dict):
    def __missing__(self, name):
        for place in (functional, torch):
            if hasattr(place, name):
                return getattr(place, name)
        raise NameError(name)


def run(expression, arrays, double):
    given = {}
    for name, a in arrays.items():
        tensor = torch.tensor(a)
        given[name] = tensor.float() if tensor.is_floating_point() and not double else tensor
    for name in "xyupow" if double else "":
        given[name].requires_grad_()
    scope = {"__builtins__": {"__import__": __import__}}
    return given[variable(expression)], eval(dtypes(expression), scope, Names({**OWN, **given}))


def gradient(expression, arrays):
    """None where torch has no derivative, or there is no float64 to take it of."""
    try:
        x, y = run(expression, arrays, True)
        if not isinstance(y, torch.Tensor) or not y.requires_grad or y.dtype != torch.float64:
            return None
        weights = torch.cos(torch.arange(1, y.numel() + 1).double()).reshape(y.shape)
        (y * weights).sum().backward()
    except RuntimeError:
        return None
    return None if x.grad is None else x.grad.numpy()


def dtypes(expression):
    for name in ("float32", "float64", "int64", "int32"):
        expression = expression.replace(f"dtype='{name}'", f"dtype=torch.{name}")
    return expression


def plain(value):
    if isinstance(value, tuple | list):
        return np.concatenate([np.ravel(plain(one)) for one in value])
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


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
            with torch.no_grad():
                both = [plain(run(expression, arrays, double)[1]) for double in (False, True)]
            found.append([*both, gradient(expression, arrays)])
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}"[:80])
    np.savez_compressed(out_path, **packed(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
