"""Statistics equal those of NumPy in float64, for any block size and any dtype."""

import warnings

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

import paraminspect.operations.stats
from paraminspect.arrays import DTYPES, DType, Unset
from paraminspect.errors import DTypeError, UnsetError
from paraminspect.formats import open_checkpoint
from paraminspect.operations.stats import Stats, parameter_stats, tree_stats
from paraminspect.tree import Parameter, ParameterTree, Source


class Memory:
    """An array in memory."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, DType.of(values.dtype)

    def read(self, start, stop):
        return self.values.reshape(-1)[start:stop]


def numpy_stats(values):
    """The oracle: what NumPy says of all finite values at once, in float64."""
    if values.dtype.kind == "c":
        values = np.abs(values)
    wide = values.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "mean": finite.mean() if finite.size else None,
            "std": finite.std() if finite.size else None,
            "min": finite.min() if finite.size else None,
            "max": finite.max() if finite.size else None,
            "zeros": int((finite == 0).sum()),
            "nan": int(np.isnan(wide).sum()),
            "inf": int(np.isinf(wide).sum()),
        }


def assert_equal(found, values, **tolerance):
    for key, expected in numpy_stats(values).items():
        got = getattr(found, key)
        if key in ("mean", "std") and expected is not None:
            np.testing.assert_allclose(got, expected, err_msg=key, **tolerance)
        else:
            assert got == expected, key


def normal(*shape, scale=1.0, mean=0.0):
    return np.random.default_rng(7).normal(mean, scale, shape)


def with_some(values, **what):
    for place, value in enumerate(what.values()):
        values.reshape(-1)[place :: 5 + place] = value
    return values


ARRAYS = {
    "float32": normal(50, 41).astype(np.float32),
    "float64": normal(50, 41),
    "float16": normal(2000, scale=1e4).astype(np.float16),
    "bfloat16": normal(50, 41).astype(ml_dtypes.bfloat16),
    "float8_e4m3fn": normal(500).astype(ml_dtypes.float8_e4m3fn),
    "float8_e5m2": with_some(normal(500), inf=np.inf).astype(ml_dtypes.float8_e5m2),
    "float8_e8m0fnu": np.abs(normal(500)).astype(ml_dtypes.float8_e8m0fnu),
    "far from zero": normal(3000, mean=1e6).astype(np.float32),
    "NaN and infinities": with_some(normal(70, 9), a=np.nan, b=np.inf, c=-np.inf, d=0.0),
    "only NaN": np.full((3, 4), np.nan, np.float32),
    "only infinities": np.array([np.inf, -np.inf], np.float32),
    "constant": np.full(1000, 0.1, np.float32),
    "zeros": np.zeros((3, 4), np.float32),
    "negative zero": np.array([-0.0, 0.0, 1.0], np.float32),
    "int64": np.arange(-500, 501, dtype=np.int64) * 2**40,
    "int8": np.arange(-128, 128).astype(np.int8),
    "uint8": np.arange(256).astype(np.uint8),
    "uint64": np.array([0, 2**63, 2**60], np.uint64),
    "bool": np.arange(1000) % 3 == 0,
    "complex64": (normal(300) + 1j * normal(300)).astype(np.complex64),
    "scalar": np.array(3.25, np.float32),
    "empty": np.zeros((0, 4), np.float32),
    "large": np.array([1e300, -1e300, 3.0]),
}


@pytest.mark.parametrize("nbytes", [1, 64, 1000, 1 << 20])
@pytest.mark.parametrize("name", ARRAYS)
def test_statistics_equal_those_of_numpy_for_any_block_size(name, nbytes, monkeypatch):
    monkeypatch.setattr(paraminspect.operations.stats, "BLOCK_NBYTES", nbytes)
    assert_equal(parameter_stats(Memory(ARRAYS[name])), ARRAYS[name], rtol=1e-9, atol=1e-12)


@settings(max_examples=200)
@given(
    values=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
        elements=st.one_of(st.just(0.0), st.floats(width=32)),
    ),
    nbytes=st.sampled_from([4, 12, 4096]),
)
def test_statistics_equal_those_of_numpy_for_any_values(values, nbytes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paraminspect.operations.stats, "BLOCK_NBYTES", nbytes)
        found = parameter_stats(Memory(values))
    scale = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    assert_equal(found, values, rtol=1e-7, atol=scale * 1e-7)


def test_integers_have_exact_bounds():
    values = np.array([2**53, 2**53 + 1, -(2**63)], np.int64)
    found = parameter_stats(Memory(values))
    assert (found.min, found.max) == (-(2**63), 2**53 + 1)
    assert isinstance(found.max, int)


def test_merging_is_symmetric_and_empty_is_neutral():
    one, two = (parameter_stats(Memory(normal(n, mean=n))) for n in (10, 33))
    assert one.merged(two).mean == pytest.approx(two.merged(one).mean)
    assert one.merged(two).std == pytest.approx(two.merged(one).std)
    assert one.merged(Stats()) == Stats().merged(one) == one


@pytest.mark.parametrize(("block", "portion"), [(64, 100), (1000, 5000), (1 << 20, 1 << 24)])
def test_a_tree_has_the_statistics_of_every_array_once(block, portion, tmp_path, monkeypatch):
    monkeypatch.setattr(paraminspect.operations.stats, "BLOCK_NBYTES", block)
    monkeypatch.setattr(paraminspect.operations.stats, "PORTION_NBYTES", portion)
    arrays = {f"a.{i}": normal(30 + i, 7, mean=i).astype(np.float32) for i in range(9)}
    save_file(arrays, tmp_path / "m.safetensors", {"alias": "a.3"})
    tree = open_checkpoint(tmp_path / "m.safetensors")
    told = []
    found = tree_stats(tree, progress=told.append)
    assert set(found) == set(arrays)
    for name, values in arrays.items():
        assert_equal(found[name], values, rtol=1e-9)
    assert sum(told) == sum(values.nbytes for values in arrays.values())


def test_a_tree_leaves_out_what_cannot_be_decoded():
    class Packed:
        shape, dtype = (2, 4), DTYPES["float4_e2m1fn"]

        def read(self, start, stop):
            raise DTypeError("packed")

    arrays = {"p": Packed(), "w": Memory(normal(3)), "empty": Memory(normal(0, 3))}
    found = tree_stats(ParameterTree({name: Parameter(name, a) for name, a in arrays.items()}))
    assert set(found) == {"w", "empty"}
    assert found["empty"] == Stats()


def test_a_definition_has_no_statistics():
    tree = ParameterTree(
        {"w": Parameter("w", Unset((2, 3), DTYPES["float32"]))}, source=Source("m.yaml")
    )
    with pytest.raises(UnsetError, match="no values yet"):
        tree_stats(tree)
