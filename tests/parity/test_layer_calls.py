"""A layer takes and refuses the arguments of its calls as in its framework, at random."""

import json
import random
import subprocess

import asking
import numpy as np
import pytest
from layer_cases import called
from random_layer_calls import random_call

from paraminspect.errors import ParamInspectError

pytestmark = pytest.mark.parity

MODULES = {"pytorch": "torch", "keras": "keras"}
COUNT = 240
RTOL = {"float64": 1e-8, "float32": 2e-4}


def answered(python, framework, cases, inputs, folder):
    """Outputs and values by case of the installed framework, and why it refuses others."""
    paths = [folder / name for name in ("cases.json", "inputs.npz", "out.npz")]
    paths[0].write_text(json.dumps(cases))
    np.savez(paths[1], **{f"{i}/{n}": x for i, xs in enumerate(inputs) for n, x in xs.items()})
    subprocess.run([python, asking.HERE / "layer_calls.py", framework, *paths], check=True)
    with np.load(paths[2]) as file:
        found = {name: file[name] for name in file.files}
    return found, json.loads(str(found.pop("refused")))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("framework", MODULES)
def test_a_call_with_any_arguments_gives_what_it_gives_in_its_framework(
    framework, framework_python, tmp_path
):
    python = framework_python(MODULES[framework])
    entropy = random.randrange(10**6)
    rng = random.Random(entropy)
    made = [random_call(framework, number, rng) for number in range(COUNT)]
    cases, inputs = zip(*made, strict=True)
    found, refused = answered(python, framework, cases, inputs, tmp_path)
    assert len(refused) < COUNT / 3
    wrong = []
    for number, (case, given) in enumerate(made):
        start = f"{number}/value/"
        values = {n.removeprefix(start): v for n, v in found.items() if n.startswith(start)}
        expected = found.get(f"{number}/output")
        trouble = compared(framework, case, given, values, expected)
        if trouble:
            wrong.append(f"{case}: {trouble}; {refused.get(str(number), '')}")
    assert not wrong, f"entropy {entropy}\n" + "\n".join(wrong)


def compared(framework, case, given, values, expected):
    """What differs, if anything does; `expected` is None where the framework refuses."""
    try:
        ours = called(framework, case, given, values)
    except ParamInspectError as error:
        return "" if expected is None else f"refused: {error}"
    if expected is None:
        return "accepted"
    if (ours.shape, ours.dtype) != (expected.shape, expected.dtype):
        return f"{ours.dtype}{list(ours.shape)}, not {expected.dtype}{list(expected.shape)}"
    rtol = RTOL[case["dtype"]]
    off = ~np.isclose(ours, expected, rtol, rtol, equal_nan=True)
    return f"{ours[off][:3]}, not {expected[off][:3]}" if off.any() else ""
