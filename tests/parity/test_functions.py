"""Every function of a forward answers as its framework's does, for arrays of 0 to 5 axes.

Outputs, dtypes, gradients and refusals: once as the frameworks gave them (`data/functions`), and in
the parity suite against an installed one, over new numbers.
"""

import json
import re
import secrets
import subprocess
from pathlib import Path

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from function_cases import TEMPLATES, arrays, cases

from paraminspect.compute._functions import plain
from paraminspect.errors import ExpressionError, ShapeError
from paraminspect.frameworks import load_computation
from paraminspect.language import parse_expression

DATA = Path(__file__).parent.parent / "data/functions"
MODULES = {"pytorch": "torch", "keras": "keras", "mxnet": "mxnet"}
FROZEN, ALL = (0, 2, 3), range(6)
"""Numbers of axes."""
NO_AXES = "of 0 axes"
"""A scalar has no axes here; some functions of the frameworks take 0 and -1 for one."""
LENIENT = {
    "mxnet": ("leaky_relu(", "tril(", "tensordot(", "x[None]", "roll(x, (1, 2)"),
    "keras": ("x @ v",),  # an operator of TensorFlow's own
    "pytorch": (),
}
"""What takes or refuses arrays of 0 axes or 1 unlike here."""
NO_DERIVATIVE = {
    "mxnet": ("where(m, 1.0", "where(m, x, 0", "var(", "std(", "leaky_relu(x, act_type='selu'"),
    "keras": (),
    "pytorch": (),
}
"""Functions whose derivative in MXNet 1.9.1 is not the slope."""


def name_of(expression):
    found = re.match(r"[a-z_0-9]+(?=\()", expression)
    return found.group() if found else "operators"


NAMES = [(f, n) for f in TEMPLATES for n in dict.fromkeys(map(name_of, TEMPLATES[f]))]


def unpacked(path):
    """What a framework gave, for each case: an error, or dtype in float32, output, gradient."""
    with np.load(path) as file:
        outcomes, values = json.loads(str(file["outcomes"])), file["values"]
    found, start = [], 0
    for outcome in outcomes:
        if isinstance(outcome, str):
            found.append(outcome)
            continue
        got = []
        for shape, dtype in (one or (None, None) for one in outcome[1:]):
            if shape is None:
                got.append(None)
                continue
            count = int(np.prod(shape))
            got.append(values[start : start + count].reshape(shape).astype(dtype))
            start += count
        found.append((outcome[0][1], *got))
    assert start == len(values)
    return found


def asked(python, framework, ranks, seed, folder):
    """What an installed framework gives for the cases of these numbers of axes."""
    inputs = {f"{n}/{name}": a for n in ranks for name, a in arrays(n, seed).items()}
    np.savez(folder / "inputs.npz", **inputs)
    (folder / "cases.json").write_text(json.dumps(cases(framework, ranks)))
    paths = [folder / name for name in ("cases.json", "inputs.npz", "out.npz")]
    subprocess.run([python, DATA / f"make_{framework}.py", *paths], check=True)
    return unpacked(paths[-1])


@pytest.fixture(scope="module", params=["frozen", pytest.param("live", marks=pytest.mark.parity)])
def answers(request, tmp_path_factory):
    """Seed of the arrays, and by name of a function the cases with what the framework gives."""
    found = {}

    def of(framework):
        if framework not in found:
            if request.param == "live":
                python = request.getfixturevalue("framework_python")(MODULES[framework])
                ranks, seed = ALL, secrets.randbelow(10**6)
                given = asked(python, framework, ranks, seed, tmp_path_factory.mktemp(framework))
            else:
                ranks, seed, given = FROZEN, 0, unpacked(DATA / f"{framework}.npz")
            by_name = {}
            for case, answer in zip(cases(framework, ranks), given, strict=True):
                by_name.setdefault(name_of(case[1]), []).append((*case, answer))
            found[framework] = seed, by_name
        return found[framework]

    return of


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:Output seems independent")
@pytest.mark.parametrize(("framework", "name"), NAMES, ids=["-".join(case) for case in NAMES])
def test_a_function_answers_as_its_framework(framework, name, answers):
    seed, by_name = answers(framework)
    wrong = []
    for ndim, expression, answer in by_name.get(name, ()):
        trouble = compared(framework, expression, arrays(ndim, seed), answer)
        if trouble and not (ndim < 2 and expression.startswith(LENIENT[framework])):
            wrong.append(f"{expression} of {ndim} axes, seed {seed}: {trouble}")
    assert not wrong, "\n".join(wrong)


def compared(framework, expression, given, answer):
    """What differs, if anything does."""
    computation = load_computation(framework)
    functions, operators = computation.bounded_functions, computation.operators

    def value(arrays):
        names = {**arrays, "inf": float("inf")}
        return parse_expression(expression).evaluate(names, functions, operators)

    try:
        output = flat(value(given))
        narrow = flat(
            value({n: a.astype("f4") if a.dtype.kind == "f" else a for n, a in given.items()})
        )
    except (ExpressionError, ShapeError) as error:
        return "" if isinstance(answer, str) or NO_AXES in str(error) else f"refused: {error}"
    if isinstance(answer, str):
        return f"accepted, where it says {answer}"
    dtype, wanted, gradient = answer
    if (narrow.dtype, output.dtype, output.shape) != (dtype, wanted.dtype, wanted.shape):
        return f"{narrow.dtype}, {output.dtype} {output.shape}, not {dtype}, {wanted.dtype} {wanted.shape}"
    is_exact = framework == "pytorch" and wanted.dtype != np.float32
    rtol = 1e-9 if is_exact else 1e-6  # TensorFlow and MXNet round constants to float32
    if not np.allclose(output, wanted, rtol, rtol, equal_nan=True):
        return f"{output}, not {wanted}"
    if not np.allclose(narrow, wanted, 1e-4, 1e-5, equal_nan=True):
        return f"in float32 {narrow}, not {wanted}"
    if gradient is None or expression.startswith(NO_DERIVATIVE[framework]):
        return ""
    weights = np.cos(np.arange(1, output.size + 1)).reshape(output.shape)
    name = next((n for n in "xupo" if re.search(rf"\b{n}\b", expression)), "x")
    slope = autograd.grad(lambda x: anp.sum(value({**given, name: x}) * weights))(given[name])
    rtol = 1e-7 if framework == "pytorch" else 1e-5
    is_same = np.allclose(slope, gradient, rtol, rtol, equal_nan=True)
    return "" if is_same else f"gradient {slope}, not {gradient}"


def flat(value):
    """One array of the output, the parts of several joined."""
    if isinstance(value, tuple | list):
        return np.concatenate([np.ravel(flat(one)) for one in value])
    return np.asarray(plain(value))


OURS = {"attend", "causal_mask", "shape"}


@pytest.mark.parametrize("framework", TEMPLATES)
def test_every_function_is_compared(framework):
    called = {name for one in TEMPLATES[framework] for name in re.findall(r"[a-z_0-9]+(?=\()", one)}
    assert load_computation(framework).functions.keys() - called - OURS == set()
