"""Random nets list under real MXNet 1.9.1 what their definitions list; its signatures are ours."""

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mxnet_nets import definition, random_net

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError

pytestmark = pytest.mark.parity

HERE = Path(__file__).parent
ARCH = HERE.parent / "data/arch/mxnet"

COUNT = 80
"""Random nets; some of them MXNet refuses, because a window is too large or channels do not fit."""


@pytest.fixture(scope="module")
def nets():
    return [random_net(seed) for seed in range(COUNT)]


@pytest.fixture(scope="module")
def listings(nets, framework_python, tmp_path_factory):
    """What MXNet lists for each net; each is built as if in a fresh process."""
    path = tmp_path_factory.mktemp("mxnet") / "listings.json"
    command = [framework_python("mxnet"), HERE / "mxnet_listings.py", path]
    subprocess.run(command, input=json.dumps(nets), capture_output=True, text=True, check=True)
    return json.loads(path.read_text())


@pytest.mark.parametrize("names", ["prefixed", "structural"])
def test_random_nets_have_the_parameters_that_mxnet_gives_them(names, nets, listings):
    compared = 0
    for net, expected in zip(nets, listings, strict=True):
        text = definition(net, names)
        if "error" in expected:
            continue
        compared += 1
        tree = load_definition(text.encode(), text)
        listed = [[p.name, list(p.shape), p.dtype.name, p.trainable] for p in tree.values()]
        assert listed == expected[names], text
        groups = [[own, *tree.aliases(own)] for own in dict.fromkeys(tree.ties.values())]
        assert groups == (expected["tied"] if names == "structural" else []), text
    assert compared >= COUNT / 2


def expected_range(parameter):
    """What its scheme can draw: the least and the greatest value."""
    match parameter.scheme:
        case "zeros":
            return 0, 0
        case "ones":
            return 1, 1
        case "constant(0.25)":
            return 0.25, 0.25
        case "uniform(-0.07, 0.07)":
            bound = 0.07
        case "xavier":
            bound = math.sqrt(6 / sum(parameter.fans))
        case "normal(0, 0.01)":
            bound = 0.06  # six deviations
    return -bound, bound


def test_default_schemes_and_fans_are_those_of_which_mxnet_draws(nets, listings):
    seen = set()
    for net, found in zip(nets, listings, strict=True):
        if "error" in found:
            continue
        for parameter in load_definition(definition(net, "prefixed").encode(), "x").values():
            least, greatest = expected_range(parameter)
            low, high = found["ranges"][parameter.name]
            assert least - 1e-6 <= low <= high <= greatest + 1e-6, parameter
            if parameter.count > 40 and parameter.scheme != "normal(0, 0.01)":
                assert high - low >= 0.8 * (greatest - least), parameter
            seen.add(parameter.scheme)
    assert len(seen) == 6


def test_what_mxnet_refuses_is_refused(nets, listings):
    refused = [
        (net, found["error"]) for net, found in zip(nets, listings, strict=True) if "error" in found
    ]
    assert refused
    for net, error in refused:
        text = definition(net, "prefixed")
        with pytest.raises(DefinitionError):
            print(load_definition(text.encode(), "x.yaml"), text, error)


def test_signatures_are_those_of_the_installed_mxnet(framework_python):
    done = subprocess.run(
        [framework_python("mxnet"), ARCH / "make_signatures.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == json.loads((ARCH / "signatures.json").read_text())


def test_the_frozen_listings_are_those_of_the_installed_mxnet(framework_python, tmp_path):
    script, path = ARCH / "make_listings.py", tmp_path / "listings.json"
    command = [framework_python("mxnet"), script, path, tmp_path]
    subprocess.run(command, capture_output=True, check=True)
    assert json.loads(path.read_text()) == json.loads((ARCH / "listings.json").read_text())
    for frozen in (ARCH / "npz").iterdir():
        with np.load(frozen) as before, np.load(tmp_path / frozen.name) as after:
            assert {n: a.shape for n, a in before.items()} == {n: a.shape for n, a in after.items()}
