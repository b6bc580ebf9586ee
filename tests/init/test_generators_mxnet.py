"""MXNet's random numbers, against hashes of what MXNet 1.9.1 drew (tests/data/init/mxnet)."""

import hashlib
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from paraminspect.arrays import DTYPES
from paraminspect.definition import load_definition
from paraminspect.errors import SchemeError
from paraminspect.frameworks import open_generator
from paraminspect.init.distributions import Normal, TruncatedNormal, Uniform
from paraminspect.init.generators import Draw
from paraminspect.init.generators._mxnet import parse_float32
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import Target, parse_scheme

FROZEN = json.loads((Path(__file__).parents[1] / "data/init/mxnet/mxnet.json").read_text())
FLOAT32 = DTYPES["float32"]
DISTRIBUTIONS = {"uniform": Uniform, "normal": Normal}


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("function", DISTRIBUTIONS)
def test_consecutive_draws_have_the_same_bits(function):
    for name, arguments, shape, seed, *expected in FROZEN["random"]:
        if name == function:
            distribution = DISTRIBUTIONS[name](*arguments)
            draws = [Draw((x,), tuple(shape), FLOAT32, distribution) for x in "ab"]
            arrays = open_generator("mxnet", seed).arrays(draws)
            assert [digest(arrays[x][...]) for x in "ab"] == expected, (arguments, shape, seed)


@pytest.mark.parametrize("case", FROZEN["nets"], ids=lambda case: f"{case[0][0]} {case[3]}")
def test_initialized_nets_have_the_same_bits(case):
    calls, shape, scheme, seed, expected = case
    known = f"input: {shape}\n" if shape else ""
    text = f"framework: mxnet\n{known}layers:\n" + "".join(f"  - {call}\n" for call in calls)
    tree = load_definition(text.encode(), "x.yaml")
    drawn = initialize(tree, seed=seed, rng="mxnet-1.9", scheme=scheme)
    assert [digest(parameter.numpy()) for parameter in drawn.values()] == expected


@pytest.mark.parametrize(("shape", "rand_type", "expected"), FROZEN["orthogonal"])
def test_orthogonal_matrices_agree_up_to_the_signs_of_lapack(shape, rand_type, expected):
    distribution = parse_scheme(f"orthogonal_svd(rand_type={rand_type!r})")(Target(tuple(shape)))
    draw = Draw(("w",), tuple(shape), FLOAT32, distribution)
    values = open_generator("mxnet", 3).arrays([draw])["w"][...]
    axis = 1 if shape[0] < shape[1] else 0
    signs = np.sign((values * np.array(expected)).sum(axis=axis, keepdims=True))
    np.testing.assert_allclose(values * signs, expected, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 65, 70_000, 3_000_000])
@pytest.mark.parametrize("distribution", [Uniform(-1.0, 1.0), Normal(0.0, 1.0)])
def test_a_slice_has_the_values_of_the_whole_in_any_order(distribution, count):
    draws = [Draw((x,), (count,), FLOAT32, distribution) for x in "ab"]
    sizes = [0, 1, 64, 65, 1000, 16_384, 19_531, 40_000]
    cuts = sorted({c for c in (*sizes, count // 2) if c <= min(count, 50_000)})
    whole = open_generator("mxnet", 1).arrays(draws)["a"].read(0, cuts[-1])
    array = open_generator("mxnet", 1).arrays(draws)["a"]
    for start in reversed(cuts):
        for stop in cuts:
            if start <= stop:
                np.testing.assert_array_equal(array.read(start, stop), whole[start:stop])


def test_parameters_may_be_read_in_any_order_by_any_thread():
    distributions = [Normal(0.0, 1.0), Uniform(-1.0, 1.0), Normal(0.5, 2.0), Uniform(0.0, 1.0)]
    draws = [Draw((str(i),), (100_000 + i,), FLOAT32, one) for i, one in enumerate(distributions)]
    expected = [a[...] for a in open_generator("mxnet", 5).arrays(draws).values()]
    arrays = list(open_generator("mxnet", 5).arrays(draws).values())
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(lambda array: array[...], reversed(arrays)))
    for values, wanted in zip(reversed(backwards), expected, strict=True):
        np.testing.assert_array_equal(values, wanted, strict=True)


def test_a_draw_behind_many_others_costs_no_more_than_where_they_begin():
    draws = [Draw((str(i),), (70_000,), FLOAT32, Uniform(0.0, 1.0)) for i in range(100)]
    arrays = open_generator("mxnet", 1).arrays(draws)
    arrays["0"].read(0, 70_000)  # what all draws share is made
    tracemalloc.start()
    arrays["99"].read(0, 70_000)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100 * 1024 * 16


@pytest.mark.parametrize(
    ("text", "value"),
    [("-0.07", -0.07), ("1e-05", 1e-05), ("2.5e+20", 2.5e20), ("3", 3.0), ("0.0", 0.0)],
)
def test_a_number_is_read_from_text_to_a_few_units_of_the_last_place(text, value):
    np.testing.assert_allclose(float(parse_float32(text)), value, rtol=4e-7)


@pytest.mark.parametrize(
    ("distribution", "dtype", "message"),
    [
        (TruncatedNormal(0.0, 1.0, -2.0, 2.0, True), "float32", "MXNet has no TruncatedNormal"),
        (Normal(0.0, 1.0), "float64", "only float32 is reproduced, not float64"),
    ],
)
def test_what_mxnet_does_not_draw_is_refused(distribution, dtype, message):
    draw = Draw(("w",), (2, 3), DTYPES[dtype], distribution)
    with pytest.raises(SchemeError, match=message):
        open_generator("mxnet", 0).arrays([draw])
