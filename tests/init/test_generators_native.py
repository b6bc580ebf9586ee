"""The native generator: pinned values, independence of everything but seed, name and place."""

import hashlib
import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import NormalDist

import ml_dtypes
import numpy as np
import pytest

from paraminspect.arrays import DTYPES
from paraminspect.errors import SchemeError
from paraminspect.frameworks import open_generator
from paraminspect.init.distributions import (
    Constant,
    Custom,
    DeltaOrthogonal,
    Normal,
    Orthogonal,
    Sparse,
    Steps,
    TruncatedNormal,
    Uniform,
)
from paraminspect.init.generators import Draw
from paraminspect.init.generators._whole import Latest
from paraminspect.init.generators.streams._native_streams import BLOCK
from paraminspect.init.generators.streams._ziggurat import log, tables

INDEPENDENT = {
    "uniform": Uniform(-0.1, 0.3),
    "normal": Normal(0.5, 2.0),
    "cut": TruncatedNormal(0.0, 1.0, -2.0, 2.0, relative=False),
    "cut narrow": TruncatedNormal(1.0, 3.0, -0.1, 0.2, relative=True),
    "cut in the tail": TruncatedNormal(0.0, 1.0, 2.0, 4.0, relative=False),
}
WHOLE = {
    "orthogonal": Orthogonal(1.0, 6, 4),
    "sparse": Sparse(0.5, 1.0),
    "custom": Custom(lambda rng: rng.normal(size=(6, 4))),
}
each = pytest.mark.parametrize("distribution", INDEPENDENT.values(), ids=INDEPENDENT)


def drawn(distribution, shape, dtype="float32", name="w", seed=0):
    draw = Draw((name,), shape, DTYPES[dtype], distribution)
    return open_generator("native", seed).arrays([draw])[name]


PINNED = {
    ("uniform", "float32"): (
        [-0.09126134216785431, -0.020595572888851166, 0.2811774015426636],
        "f0d12401b8f877d7",
    ),
    ("uniform", "float64"): (
        [-0.02059556962718756, 0.2814639707052097, 0.0019203689506636784],
        "b5fd1e050c8770bb",
    ),
    ("uniform", "bfloat16"): ([-0.09130859375, -0.0206298828125, 0.28125], "3a3f382a8e490d59"),
    ("normal", "float32"): (
        [0.7080520391464233, 2.2118146419525146, -0.09251457452774048],
        "5d801e70a0b8ed4f",
    ),
    ("normal", "float64"): (
        [2.390478778692466, -0.08349368087262565, 2.6335802435946993],
        "d7859e8a7511cf1d",
    ),
    ("normal", "bfloat16"): ([0.70703125, 2.21875, -0.09228515625], "762b62ae021a9c19"),
    ("cut", "float32"): (
        [0.10402601957321167, 0.8559073209762573, -0.29625728726387024],
        "ebc514950a2d4734",
    ),
    ("cut", "float64"): (
        [0.9452393893462329, -0.2917468404363128, 1.0667901217973497],
        "6660f17a9f5f8406",
    ),
    ("cut", "bfloat16"): ([0.10400390625, 0.85546875, -0.296875], "2cf59c30b3cabc59"),
    ("cut narrow", "float32"): (
        [0.7791839838027954, 0.8883340358734131, 1.4316821098327637],
        "0781cbf91019fd80",
    ),
    ("cut narrow", "float64"): (
        [0.7791839671317133, 0.8883340290767705, 1.4316820347213686],
        "0f44cf218585adc0",
    ),
    ("cut narrow", "bfloat16"): ([0.77734375, 0.88671875, 1.4296875], "fde8ef773b8d28c4"),
    ("cut in the tail", "float32"): (
        [2.1861331462860107, 2.418519973754883, 2.091461658477783],
        "149f629b6b3780b5",
    ),
    ("cut in the tail", "float64"): (
        [2.186133220921863, 2.4185200646150458, 2.091461589168931],
        "337d36d7a77c5d3a",
    ),
    ("cut in the tail", "bfloat16"): ([2.1875, 2.421875, 2.09375], "746f9a49e3d6a383"),
    ("sparse", "float32"): ([0.0, 0.0, -0.29625728726387024], "866ecd1305cbeb48"),
}
"""The format is a promise: the first values and the hash of all may never change."""


@pytest.mark.parametrize(("name", "dtype"), PINNED)
def test_the_values_of_the_format_never_change(name, dtype):
    shape = (60, 40) if name == "sparse" else (BLOCK + 1000,)
    distribution = INDEPENDENT[name] if name in INDEPENDENT else WHOLE[name]
    values = drawn(distribution, shape, dtype, "h.0.weight", seed=42)[...]
    first, digest = PINNED[name, dtype]
    assert values.ravel()[:3].astype(float).tolist() == first
    assert hashlib.sha256(values.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("distribution", [*INDEPENDENT.values(), *WHOLE.values()])
def test_equal_seed_and_name_give_equal_values(distribution):
    one, two = (drawn(distribution, (6, 4))[...] for _ in range(2))
    np.testing.assert_array_equal(one, two, strict=True)


@each
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_a_slice_has_the_values_of_the_whole(distribution, dtype):
    array = drawn(distribution, (3, BLOCK - 7), dtype)
    whole = array[...]
    for index in (np.s_[1], np.s_[:, 5:9], np.s_[2, -3:], np.s_[0, 65_520:]):
        np.testing.assert_array_equal(array[index], whole[index], strict=True)


@each
def test_growing_an_array_leaves_its_first_values(distribution):
    short, long = drawn(distribution, (1000,))[...], drawn(distribution, (BLOCK + 9,))[...]
    np.testing.assert_array_equal(long[:1000], short, strict=True)


@each
def test_threads_and_order_do_not_matter(distribution):
    array = drawn(distribution, (4 * BLOCK,))
    pieces = [(i, i + 10_000) for i in range(0, 4 * BLOCK - 10_000, 10_000)]
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(lambda piece: array.read(*piece).copy(), reversed(pieces)))
    for piece, values in zip(reversed(pieces), backwards, strict=True):
        np.testing.assert_array_equal(array.read(*piece), values, strict=True)


@pytest.mark.parametrize("distribution", WHOLE.values(), ids=WHOLE)
def test_arrays_that_are_made_whole_are_read_in_any_order(distribution):
    draws = [Draw((name,), (6, 4), DTYPES["float32"], distribution) for name in "abc"]
    arrays = open_generator("native", 0).arrays(draws)
    for name in "abacbacca":
        expected = drawn(distribution, (6, 4), name=name)[...]
        np.testing.assert_array_equal(arrays[name][2:5], expected[2:5], strict=True)


@each
def test_16_bit_values_are_the_rounded_values_of_float32(distribution):
    single, half = drawn(distribution, (5000,))[...], drawn(distribution, (5000,), "bfloat16")[...]
    assert half.dtype == ml_dtypes.bfloat16
    assert np.mean(single.astype(ml_dtypes.bfloat16) == half) > 0.99


@each
def test_other_names_and_seeds_give_other_values(distribution):
    values = [
        drawn(distribution, (1000,), name=name, seed=seed).read(0, 1000)
        for name, seed in (("w", 0), ("w", 1), ("v", 0), ("w\0", 0), ("", 0), ("w", -1))
    ]
    for i, one in enumerate(values):
        for other in values[:i]:
            assert np.mean(one == other) < 0.01


@pytest.mark.parametrize("distribution", [Normal(0.0, 1.0), Uniform(-1.0, 1.0)])
def test_blocks_parameters_and_seeds_are_not_correlated(distribution):
    blocks = drawn(distribution, (8 * BLOCK,)).read(0, 8 * BLOCK).reshape(8, BLOCK)
    others = [
        drawn(distribution, (BLOCK,), name=name, seed=seed)[...]
        for name in ("h.0.weight", "h.1.weight", "h.0.bias")
        for seed in (0, 1, 1 << 32)
    ]
    values = np.concatenate([blocks, others]).astype(np.float64)
    for compared in (values, values**2):
        correlations = np.corrcoef(compared) - np.eye(len(compared))
        assert np.abs(correlations).max() < 5 / math.sqrt(BLOCK)


@each
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (7,)])
def test_every_shape_has_its_shape_dtype_and_bounds(distribution, dtype, shape):
    values = drawn(distribution, shape, dtype)[...]
    assert values.shape == shape
    assert values.dtype == DTYPES[dtype].to_numpy()
    if isinstance(distribution, TruncatedNormal):
        low, high = distribution.bounds
        assert np.all((values.astype(float) >= low) & (values.astype(float) <= high))


@each
def test_moments_are_those_of_the_theory(distribution):
    n = 400_000
    values = drawn(distribution, (n,)).read(0, n).astype(np.float64)
    mean, std = distribution.mean_std
    assert abs(values.mean() - mean) < 5 * std / math.sqrt(n)
    assert abs(values.std() / std - 1) < 5 / math.sqrt(n)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_values_are_normal(dtype):
    n = 1_000_000
    values = drawn(Normal(0.0, 1.0), (n,), dtype, seed=7).read(0, n)
    edges = [NormalDist().inv_cdf(i / 500) for i in range(1, 500)]
    counts = np.bincount(np.searchsorted(edges, values), minlength=500)
    chi_squared = np.sum((counts - n / 500) ** 2) / (n / 500)
    assert abs(chi_squared - 499) < 5 * math.sqrt(2 * 499)
    for far in (3.0, 3.7, 4.2):
        expected = n * math.erfc(far / math.sqrt(2))
        assert abs(np.sum(np.abs(values) > far) - expected) < 5 * math.sqrt(expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.1), (1.0, 1.001), (0.3, 0.3), (-1e-3, 2.0)])
def test_uniform_values_stay_below_the_high_bound(dtype, low, high):
    values = drawn(Uniform(low, high), (200_000,), dtype)[...].astype(float)
    assert values.max() < high or values.min() == values.max()
    if low < high and dtype == "float32":
        assert values.min() >= low


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (1, 7), (7, 1), (1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_orthogonal_matrices_are_orthogonal(shape, dtype):
    matrix = drawn(Orthogonal(2.0, *shape), shape, dtype)[...].astype(np.float64)
    small = matrix if shape[0] <= shape[1] else matrix.T
    tolerance = 0.05 if dtype == "bfloat16" else 1e-5
    np.testing.assert_allclose(small @ small.T, 4 * np.eye(len(small)), atol=tolerance)


@pytest.mark.parametrize(("shape", "kernel_first"), [((3, 3, 4, 6), True), ((6, 4, 3, 5), False)])
def test_delta_orthogonal_kernels_are_orthogonal_at_the_centre(shape, kernel_first):
    values = drawn(DeltaOrthogonal(1.0, kernel_first), shape)[...].astype(np.float64)
    centre = values[1, 1] if kernel_first else values[:, :, 1, 2].T
    np.testing.assert_allclose(centre @ centre.T, np.eye(4), atol=1e-6)
    assert np.count_nonzero(values) == np.count_nonzero(centre)


@pytest.mark.parametrize(("shape", "zeros"), [((10, 4), 5), ((5, 9), 3), ((1, 3), 1), ((0, 3), 0)])
def test_sparse_matrices_have_equally_many_zeros_in_each_column(shape, zeros):
    values = drawn(Sparse(0.5, 1.0), shape)[...]
    assert values.shape == shape
    assert np.all(np.sum(values == 0, axis=0) == zeros)


def test_of_steps_the_last_scheme_stays():
    steps = Steps((Normal(0.0, 1.0), Constant(3.0), Uniform(-1.0, 1.0)))
    np.testing.assert_array_equal(drawn(steps, (9,))[...], drawn(Uniform(-1.0, 1.0), (9,))[...])


def test_integers_are_not_drawn():
    with pytest.raises(SchemeError, match="int64 cannot hold random numbers"):
        drawn(Normal(0.0, 1.0), (2,), "int64")


def test_a_function_that_makes_another_shape_is_refused():
    with pytest.raises(SchemeError, match=r"made shape \[2\], not \[3\]"):
        drawn(Custom(lambda rng: [0, 1]), (3,))[...]


def test_an_unknown_generator_is_answered_with_the_known_ones():
    with pytest.raises(SchemeError, match=r"unknown rng 'nativ', .* did you mean 'native'"):
        open_generator("nativ", 0)


def test_the_logarithm_is_within_an_ulp():
    x = np.concatenate([np.linspace(1e-9, 2, 10_001), 10.0 ** np.arange(-300, 1, 7)])
    expected = np.array([math.log(v) for v in x])
    assert np.all(np.abs(log(x) - expected) <= np.spacing(np.abs(expected)))


def test_the_layers_of_the_ziggurat_have_equal_areas():
    t = tables()
    area = t.width * (t.density[1:] - t.density[:-1])
    np.testing.assert_allclose(area[1:], area[1], rtol=1e-12)
    np.testing.assert_allclose(t.density[1:-1], np.exp(-(t.inner[:-1] ** 2) / 2), rtol=1e-13)


def test_arrays_made_whole_by_one_function_keep_their_own_dtypes():
    latest = Latest()
    make = partial(np.arange, 3.0)
    arrays = [latest.whole((3,), DTYPES[name], make) for name in ("float32", "float64")]
    assert [array.read(0, 3).dtype for array in arrays] == [np.float32, np.float64]
