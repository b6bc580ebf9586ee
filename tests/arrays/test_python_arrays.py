"""Parameters and their `.data` do what a NumPy array of the same values does: NumPy is the oracle."""

import copy
import importlib
import inspect
import operator
import pkgutil

import ml_dtypes
import numpy as np
import pytest

import paraminspect as pi
from paraminspect.arrays import DTYPES, InMemory, Unset
from paraminspect.arrays.indexed import Indexed
from paraminspect.arrays.numpy_like import NumpyLike

VALUES = np.random.default_rng(0).normal(size=(5, 4, 3)).astype(np.float32)
ROW = np.float32([1, 2, 3])


class Counted(Indexed):
    """An array that knows how many elements were read of it."""

    def __init__(self, values):
        self.values, self.count = values, 0
        self.shape, self.dtype = values.shape, DTYPES[values.dtype.name]

    def read(self, start, stop):
        self.check_range(start, stop)
        self.count += stop - start
        return self.values.reshape(-1)[start:stop].copy()


def lazy_edit(tmp_path):
    tree = pi.ParameterTree({"w": VALUES / 2})
    return pi.set(tree, {"w": "x * 2"})["w"].data


def stored(tmp_path):
    pi.save(pi.ParameterTree({"w": VALUES}), tmp_path / "w.safetensors")
    return pi.open(tmp_path / "w.safetensors")["w"].data


def fortran(tmp_path):
    np.savez(tmp_path / "w.npz", w=np.asfortranarray(VALUES))
    return pi.open(tmp_path / "w.npz")["w"].data


def drawn(tmp_path):
    tree = pi.ParameterTree({"w": pi.Parameter("w", Unset((5, 4, 3), DTYPES["float32"]))})
    return pi.initialize(tree, seed=0, rules={"w": lambda rng, shape: VALUES})["w"].data


KINDS = {
    "in memory": lambda tmp_path: InMemory(VALUES),
    "in a file": stored,
    "in a file in Fortran order": fortran,
    "of an edit": lazy_edit,
    "of a scheme": drawn,
    "of a parameter": lambda tmp_path: pi.Parameter("w", VALUES),
}

CALLS = {
    "np.asarray(a)": np.asarray,
    "np.array(a)": np.array,
    "np.asarray(a, float64)": lambda a: np.asarray(a, np.float64),
    "a == 0": lambda a: a == 0,
    "a != a": lambda a: a != a,
    "a > 0": lambda a: a > 0,
    "0 <= a": lambda a: 0 <= a,  # noqa: SIM300
    "a + 1": lambda a: a + 1,
    "1 - a": lambda a: 1 - a,
    "a * a": lambda a: a * a,
    "a / row": lambda a: a / ROW,
    "row * a": lambda a: ROW * a,
    "a // 0.5": lambda a: a // 0.5,
    "a ** 2": lambda a: a**2,
    "2 ** a": lambda a: 2**a,
    "-a": operator.neg,
    "abs(a)": abs,
    "divmod(a, 2)[1]": lambda a: divmod(a, 2)[1],
    "a @ a.T": lambda a: a[0] @ a[0].T,
    "a @ row": lambda a: a @ ROW,
    "np.exp(a)": np.exp,
    "np.add(a, a)": lambda a: np.add(a, a),
    "np.allclose": lambda a: np.allclose(a, VALUES),
    "np.mean(a, axis=0)": lambda a: np.mean(a, axis=0),
    "np.linalg.norm(a)": np.linalg.norm,
    "np.concatenate": lambda a: np.concatenate([a, a]),
    "np.stack": lambda a: np.stack([a[0], a[1]]),
    "np.where(a > 0, a, 0)": lambda a: np.where(a > 0, a, 0),
    "a.mean()": lambda a: a.mean(),
    "a.std(axis=1, keepdims=True)": lambda a: a.std(axis=1, keepdims=True),
    "a.sum(0)": lambda a: a.sum(0),
    "a.min(), a.max()": lambda a: (a.min(), a.max()),
    "a.argmax()": lambda a: a.argmax(),
    "a.all()": lambda a: (a == a).all(),
    "a.tolist()": lambda a: a.tolist(),
    "a.astype(float16)": lambda a: a.astype(np.float16),
    "a.reshape(-1)": lambda a: a.reshape(-1),
    "a.ravel()[3]": lambda a: a.ravel()[3],
    "a.T": lambda a: a.T,
    "a.flatten().copy()": lambda a: a.flatten().copy(),
    "a.round(1)": lambda a: a.round(1),
    "a.clip(-1, 1)": lambda a: a.clip(-1, 1),
    "a.item(7)": lambda a: a.item(7),
    "a.tobytes()": lambda a: a.tobytes(),
    "a.transpose(2, 0, 1)": lambda a: a.transpose(2, 0, 1),
    "list(a)": list,
    "[row.sum() for row in a]": lambda a: [row.sum() for row in a],
    "sorted(a.ravel())": lambda a: sorted(a.ravel()),
    "len(a)": len,
    "a.shape, a.ndim, a.size": lambda a: (a.shape, a.ndim, a.size),
    "a.nbytes, a.itemsize": lambda a: (np.asarray(a).nbytes, a.itemsize),
    "a[0]": lambda a: a[0],
    "a[-1, 2]": lambda a: a[-1, 2],
    "a[1, 2, 0]": lambda a: a[1, 2, 0],
    "float(a[1, 2, 0])": lambda a: float(a[1, 2, 0]),
    "a[::-2, 1:]": lambda a: a[::-2, 1:],
    "a[..., 0]": lambda a: a[..., 0],
    "a[:, None]": lambda a: a[:, None],
    "a[np.newaxis, ..., 1]": lambda a: a[np.newaxis, ..., 1],
    "a[[0, 3]]": lambda a: a[[0, 3]],
    "a[[4, 0, 0], 1]": lambda a: a[[4, 0, 0], 1],
    "a[[0, -1], :, [2, 1]]": lambda a: a[[0, -1], :, [2, 1]],
    "a[1:, [0, 3]]": lambda a: a[1:, [0, 3]],
    "a[0, [1, 3], ::2]": lambda a: a[0, [1, 3], ::2],
    "a[a > 0]": lambda a: a[a > 0],
    "a[mask of rows]": lambda a: a[np.array([True, False, True, False, False])],
    "a[:, mask, 0]": lambda a: a[:, [True, False, True, False], 0],
    "a[np.ix_]": lambda a: a[np.ix_([0, 2], [1, 3], [2])],
    "a[[]]": lambda a: a[[]],
    "a[7:]": lambda a: a[7:],
    "VALUES[0, 0, 0] in a": lambda a: VALUES[0, 0, 0] in a,
    "99 in a": lambda a: 99 in a,
    "str(a)": lambda a: str(np.asarray(a)),
    "f'{a[0, 0, 0]:.3f}'": lambda a: f"{a[0, 0, 0]:.3f}",
    "copy.deepcopy of the values": lambda a: copy.deepcopy(np.asarray(a)),
    "np.testing": lambda a: np.testing.assert_array_equal(a, VALUES, strict=True),
    "np.savetxt's reshape": lambda a: np.reshape(a, (5, -1)),
}

ERRORS = {
    "bool(a)": bool,
    "float(a)": float,
    "int(a)": int,
    "a[5]": lambda a: a[5],
    "a[0, 0, 3]": lambda a: a[0, 0, 3],
    "a[0, 0, 0, 0]": lambda a: a[0, 0, 0, 0],
    "a[[0, 9]]": lambda a: a[[0, 9]],
    "a['x']": lambda a: a[1.5],
    "a[mask of another length]": lambda a: a[np.array([True, False])],
    "a[..., ...]": lambda a: a[..., ...],
    "a + shape that does not fit": lambda a: a + np.zeros(7),
    "a @ shape that does not fit": lambda a: a @ np.zeros(7),
    "a.reshape(7)": lambda a: a.reshape(7),
    "np.array(a[0, 0]).item()": lambda a: a[0].item(),
    "a.nothing": lambda a: a.nothing,
}


def same(ours, wanted):
    assert type(ours) is type(wanted)
    if isinstance(wanted, np.ndarray):
        np.testing.assert_array_equal(ours, wanted, strict=True)
    elif isinstance(wanted, list | tuple):
        assert len(ours) == len(wanted)
        for one, two in zip(ours, wanted, strict=True):
            same(one, two)
    else:
        assert ours == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_a_natural_call_gives_what_numpy_gives(kind, tmp_path):
    array = KINDS[kind](tmp_path)
    for call in CALLS.values():
        same(call(array), call(VALUES))


@pytest.mark.parametrize("call", ERRORS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_numpy_refuses_is_refused_with_the_same_kind_of_error(kind, call, tmp_path):
    with pytest.raises(Exception) as wanted:  # noqa: PT011 (the oracle says which)
        ERRORS[call](VALUES)
    with pytest.raises(wanted.type):
        ERRORS[call](KINDS[kind](tmp_path))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3), (3, 0), (2000,), (40, 30), (7, 300),
                                   (300, 7), (6, 200), (2, 3, 4, 60), (1001, 1), (7, 7, 7, 7)])  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "bfloat16", "complex64"])
def test_values_print_as_numpy_prints_them_and_only_the_shown_ones_are_read(shape, dtype):
    numbers = np.random.default_rng(1).normal(size=shape) * 50
    values = np.asarray(numbers).astype(DTYPES[dtype].to_numpy())
    array = Counted(values)
    assert repr(array) == repr(values)
    assert str(array) == str(values)
    assert array.count <= 2 * max(1000, 2**4 * 7**4)


def test_a_large_array_prints_its_edges_and_reads_little_else():
    array = Counted(np.arange(10.0**6).reshape(1000, 1000))
    assert "9.99999e+05]]" in repr(array)
    assert array.count <= 20_000


def fails(ask, *arguments):
    with pytest.raises((IndexError, ValueError)):
        ask(*arguments)


QUESTIONS = {
    "len": (len, 0),
    "shape": (lambda a: (a.shape, a.ndim, a.size, a.nbytes, a.dtype, a.itemsize), 0),
    "truth": (lambda a: fails(bool, a), 0),
    "one element": (lambda a: a[700, 3], 1),
    "a row": (lambda a: a[700], 100),
    "rows by number": (lambda a: a[[1, 900]], 200),
    "first of the rows": (lambda a: next(iter(a)), 300_000),
    "out of bounds": (lambda a: fails(operator.getitem, a, 1000), 0),
    "all": (lambda a: a.mean(), 100_000),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_more_is_read_than_the_answer_needs(question):
    ask, most = QUESTIONS[question]
    array = Counted(np.ones((1000, 100)))
    ask(pi.Parameter("w", array))
    assert array.count <= most


def test_scalars_are_as_numpys():
    for array in (InMemory(np.array(2.5)), Counted(np.array(2.5)), pi.Parameter("s", 2.5)):
        assert float(array) == 2.5
        assert int(array) == 2
        assert bool(array)
        assert array[()] == 2.5
        assert array.tolist() == 2.5
        assert f"{array:.2f}" == "2.50" or isinstance(array, pi.Parameter)
        for ask in (len, list, lambda a: a[0]):
            with pytest.raises((TypeError, IndexError)) as wanted:
                ask(np.array(2.5))
            with pytest.raises(wanted.type):
                ask(array)
    assert operator.index(InMemory(np.array(3))) == 3


@pytest.mark.parametrize(
    "name", ["float32", "float64", "int64", "bool", "bfloat16", "float8_e4m3fn"]
)
def test_a_dtype_equals_what_numpy_takes_for_it_and_numpy_takes_it(name):
    dtype, real = DTYPES[name], DTYPES[name].to_numpy()
    for other in (real, real.type, name):
        assert dtype == other
        assert other == dtype
    assert np.dtype(dtype) == real
    assert np.zeros(2, dtype).dtype == real
    assert np.ones(2).astype(dtype).dtype == real
    assert dtype.itemsize == real.itemsize
    for other in (np.int32, "uint4", None, 3, "nothing", object()):
        assert dtype != other
    assert dtype in {DTYPES[name]}
    assert np.issubdtype(DTYPES["float32"], np.floating)
    assert DTYPES["bfloat16"] == ml_dtypes.bfloat16


def test_values_cannot_be_written_to_by_any_way(tmp_path):
    net = pi.ParameterTree({"w": VALUES})
    for array in (*(make(tmp_path) for make in KINDS.values()), net["w"], net["w"].data):
        before = np.array(array)
        for write in (
            lambda a: operator.setitem(a, 0, 9),
            lambda a: operator.setitem(a[0], 0, 9),
            lambda a: operator.setitem(a[[0]], 0, 9),
            lambda a: operator.setitem(np.asarray(a), 0, 9),
            lambda a: operator.setitem(a.T, 0, 9),
            lambda a: operator.iadd(np.asarray(a), 1),
            lambda a: np.add(a, 1, out=np.asarray(a)),
        ):
            with pytest.raises((ValueError, TypeError)):
                write(array)
        np.testing.assert_array_equal(np.array(array), before, strict=True)
        free = np.array(array)
        free[:] = 0  # a copy may be written to
        np.testing.assert_array_equal(np.array(array), before, strict=True)
    free = net["w"].numpy()
    free[:] = 0
    np.testing.assert_array_equal(net["w"].numpy(), VALUES, strict=True)


def test_a_definition_without_values_says_so_and_answers_what_it_knows():
    weight = pi.Parameter("w", Unset((2, 3), DTYPES["float32"]))
    assert (len(weight), weight.shape, weight.size, weight.dtype) == (2, (2, 3), 6, np.float32)
    assert "no values yet" in str(weight.data)
    for ask in (np.asarray, lambda a: a == 0, lambda a: a.mean(), lambda a: a[0], list):
        with pytest.raises(pi.ParamInspectError, match="no values yet"):
            ask(weight)


def test_every_array_of_the_package_behaves_so():
    names = [m.name for m in pkgutil.walk_packages(pi.__path__, "paraminspect.")]
    modules = [
        importlib.import_module(n) for n in names if not n.endswith(("__main__", "_child.main"))
    ]
    classes = {c for m in modules for _, c in inspect.getmembers(m, inspect.isclass)}
    arrays = {
        c
        for c in classes
        if c.__module__.startswith("paraminspect.") and not getattr(c, "_is_protocol", False)
        and {"read", "__getitem__"} <= set(dir(c))
    }  # fmt: skip
    assert len(arrays) > 10
    assert {c.__name__ for c in arrays if not issubclass(c, NumpyLike)} == set()
