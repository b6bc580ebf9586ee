"""A layer takes the arguments of a call that it takes in its framework, and gives what it gives.

The outputs are the frameworks' own (`data/compute/calls/make.py`).
"""

import json
from pathlib import Path

import numpy as np
import pytest
from layer_cases import called

from paraminspect.compute import run
from paraminspect.definition import load_definition
from paraminspect.errors import ParamInspectError

DATA = Path(__file__).parents[1] / "data/compute/calls"
CASES = json.loads((DATA / "cases.json").read_text())
EVERY = [
    pytest.param(
        framework, number, id=f"{framework}-{case['layer'].partition('(')[0]}-{case['call']}"
    )
    for framework, cases in CASES.items()
    for number, case in enumerate(cases)
]


@pytest.mark.parametrize(("framework", "number"), EVERY)
def test_a_call_gives_what_it_gives_in_its_framework(framework, number):
    case = CASES[framework][number]
    with np.load(DATA / f"{framework}.npz") as file:
        found = {name: file[name] for name in file.files}
    given = {name.partition("/")[2]: x for name, x in found.items() if name.startswith("input/")}
    start = f"{number}/value/"
    values = {name.removeprefix(start): v for name, v in found.items() if name.startswith(start)}
    ours = called(framework, case, given, values)
    np.testing.assert_allclose(ours, found[f"{number}/output"], rtol=1e-8, atol=1e-12, strict=True)


def test_an_argument_that_a_call_does_not_have_is_told_the_nearest():
    text = "framework: pytorch\nlayers:\n  m: MultiheadAttention(8, 2)\n"
    net = load_definition(f"{text}  forward: m(x, x, x, need_wights=True)\n".encode(), "m.yaml")
    values = {p.name: np.ones(p.shape) for p in net.parameters()}
    with pytest.raises(
        ParamInspectError, match=r"layer m, .*'need_wights', did you mean 'need_weights'\?"
    ):
        run(net, [np.ones((3, 1, 8))], values)
