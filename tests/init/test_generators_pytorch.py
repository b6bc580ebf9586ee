"""PyTorch's random numbers, against hashes of what PyTorch 2.13 drew (tests/data/init/torch)."""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from paraminspect.arrays import DTYPES
from paraminspect.arrays.indexing import normalize, selected_shape
from paraminspect.definition import load_definition
from paraminspect.errors import SchemeError
from paraminspect.frameworks import load_words, open_generator
from paraminspect.init.distributions import (
    Custom,
    DeltaOrthogonal,
    Normal,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators import Draw
from paraminspect.init.generators.streams._mt19937 import MARK_DISTANCE, Mt19937
from paraminspect.init.plan import initialize
from paraminspect.init.schemes import Target, parse_scheme
from paraminspect.language import format_call
from paraminspect.tree.address import parse_index

DATA = Path(__file__).parents[1] / "data" / "init" / "torch"
FROZEN = json.loads((DATA / "torch.json").read_text())
ORTHOGONAL = np.load(DATA / "orthogonal.npz")
FOLLOWING = Draw(("following",), (4,), DTYPES["float32"], Normal(0.0, 1.0))


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def scheme_of(function, arguments):
    return parse_scheme(format_call(function, [], arguments), load_words("pytorch"))


def by_function(cases):
    groups = {}
    for case in cases:
        groups.setdefault(f"{case[0]} {case[4]}", []).append(case)
    return [pytest.param(group, id=name) for name, group in groups.items()]


@pytest.mark.parametrize("cases", by_function(FROZEN["init"]))
def test_every_function_of_nn_init_draws_the_same_bits(cases):
    for function, arguments, shape, seed, dtype, expected, following in cases:
        scheme = scheme_of(function, arguments)
        target = Target(tuple(shape), layout="out_in")
        draw = Draw(("w",), tuple(shape), DTYPES[dtype], scheme(target))
        arrays = open_generator("pytorch", seed).arrays([draw, FOLLOWING])
        values = arrays["w"][...]
        assert values.shape == tuple(shape)
        if function == "orthogonal_":
            tolerance = 1e-5 if dtype == "float32" else 1e-13
            np.testing.assert_allclose(values, ORTHOGONAL[expected], atol=tolerance)
        else:
            assert digest(values) == expected, (function, arguments, shape, seed, dtype)
        assert arrays["following"][...].tolist() == following, (function, arguments, shape, seed)


@pytest.mark.parametrize("cases", by_function(FROZEN["parts"]))
def test_a_part_of_a_parameter_is_drawn_as_nn_init_draws_a_view(cases):
    for function, arguments, shape, index, dtype, expected, following in cases:
        whole = np.zeros(shape, DTYPES[dtype].to_numpy())
        items = parse_index(index)
        part_shape = selected_shape(normalize(items, tuple(shape)))
        is_dense = whole[items].flags.c_contiguous
        distribution = scheme_of(function, arguments)(Target(part_shape))
        draw = Draw(("w",), part_shape, DTYPES[dtype], distribution, is_dense)
        arrays = open_generator("pytorch", 3).arrays([draw, FOLLOWING])
        whole[items] = arrays["w"][...]
        assert digest(whole) == expected, (function, arguments, shape, index, dtype)
        assert arrays["following"][...].tolist() == following


@pytest.mark.parametrize(
    "case", FROZEN["modules"], ids=lambda case: f"{case['name']} {case['seed']}"
)
def test_constructed_modules_have_the_same_bits(case):
    text = f"framework: pytorch\n{case['definition']}"
    tree = load_definition(text.encode(), "x.yaml")
    drawn = initialize(tree, seed=case["seed"], rng="pytorch")
    assert {name: digest(p.numpy()) for name, p in drawn.items()} == case["state"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "distribution",
    [
        Uniform(-0.1, 0.3),
        Normal(0.5, 2.0),
        TruncatedNormal(0.0, 1.0, -2.0, 2.0, relative=False),
        TruncatedNormal(0.0, 1.0, 2.0, 4.0, relative=False),
    ],
    ids=["uniform", "normal", "cut", "cut in the tail"],
)
@pytest.mark.parametrize("count", [0, 9, 16, 167])
def test_a_slice_has_the_values_of_the_whole(distribution, dtype, count):
    before = Draw(("spare",), (3,), DTYPES["float32"], Normal(0.0, 1.0))
    draw = Draw(("w",), (count,), DTYPES[dtype], distribution)
    array = open_generator("pytorch", 1).arrays([before, draw])["w"]
    whole = array[...]
    cuts = sorted({0, 1, 5, 15, 16, 17, 151, 160, count} & set(range(count + 1)))
    for start in cuts:
        for stop in cuts:
            if start <= stop:
                np.testing.assert_array_equal(array.read(start, stop), whole[start:stop])


def test_parameters_may_be_read_in_any_order_by_any_thread():
    draws = [
        Draw((str(i),), (count,), DTYPES["float32"], distribution)
        for i, (count, distribution) in enumerate(
            [
                (700_001, Normal(0.0, 1.0)),
                (5, Normal(0.0, 1.0)),
                (900_000, Uniform(-1.0, 1.0)),
                (20_000, TruncatedNormal(0.0, 1.0, -1.0, 1.0, relative=False)),
                (300_000, Normal(0.0, 1.0)),
            ]
        )
    ]
    expected = [a[...] for a in open_generator("pytorch", 5).arrays(draws).values()]
    arrays = list(open_generator("pytorch", 5).arrays(draws).values())
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(lambda array: array[...], reversed(arrays)))
    for values, wanted in zip(reversed(backwards), expected, strict=True):
        np.testing.assert_array_equal(values, wanted, strict=True)


def test_the_stream_is_numpys_from_any_position():
    words, expected = Mt19937(7), np.random.RandomState(7)
    whole = expected.randint(0, 1 << 32, 3 * MARK_DISTANCE, dtype=np.uint32)
    for position in (2 * MARK_DISTANCE + 5, 3, MARK_DISTANCE - 1, 0, 2 * MARK_DISTANCE + 5):
        np.testing.assert_array_equal(words.read(position, 700), whole[position : position + 700])


def test_few_states_of_a_long_stream_are_kept():
    words, expected = Mt19937(7, most_marks=4), np.random.RandomState(7)
    whole = expected.randint(0, 1 << 32, 9 * MARK_DISTANCE, dtype=np.uint32)
    for position in (*range(0, 9 * MARK_DISTANCE, MARK_DISTANCE // 2), 5, 4 * MARK_DISTANCE + 5):
        np.testing.assert_array_equal(words.read(position, 70), whole[position : position + 70])
        assert words.kept <= 4


@pytest.mark.parametrize("seed", [1 << 64, -(1 << 63) - 1])
def test_a_seed_that_torch_does_not_take_is_refused(seed):
    with pytest.raises(SchemeError, match="takes seeds from"):
        open_generator("pytorch", seed)


@pytest.mark.parametrize("name", ["pytorch-2.5", "pytorch-cuda", "pytorch-2.13-cuda"])
def test_what_is_not_reproduced_is_refused_with_the_reason(name):
    with pytest.raises(SchemeError, match=r"not reproduced: they differ .* pytorch-2.13 \(CPU\)"):
        open_generator(name, 0)


@pytest.mark.parametrize(
    ("distribution", "dtype", "message"),
    [
        (DeltaOrthogonal(1.0, True), "float32", "PyTorch has no delta_orthogonal"),
        (Custom(lambda rng: 0), "float32", "PyTorch has no functions of yours"),
        (Normal(0.0, 1.0), "int32", "PyTorch draws no int32"),
        (Uniform(-6e4, 6e4), "float16", "from no width that it cannot hold: -60000.0 to 60000.0"),
        (TruncatedNormal(0.0, 1.0, 3.0, math.inf, False), "float32", "no width .*: 3.0 to inf"),
    ],
)
def test_what_pytorch_does_not_draw_is_refused(distribution, dtype, message):
    draw = Draw(("w",), (2, 3, 4), DTYPES[dtype], distribution)
    with pytest.raises(SchemeError, match=message):
        open_generator("pytorch", 0).arrays([draw])


def test_a_generator_repeats_only_its_own_frameworks_construction():
    tree = load_definition(b"framework: mxnet\nlayers:\n  - Dense(4, in_units=3)\n", "x.yaml")
    with pytest.raises(SchemeError, match="cannot draw one of mxnet"):
        initialize(tree, seed=0, rng="pytorch")
