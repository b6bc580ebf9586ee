"""NPZ files: what NumPy reads, without NumPy's reader; what lies or needs a pickle is refused."""

import io
import random
import tracemalloc
import warnings
import zipfile

import ml_dtypes
import numpy as np
import pytest

from paraminspect.arrays import DTYPES, block_ranges
from paraminspect.errors import CheckpointError, DTypeError
from paraminspect.formats import open_checkpoint
from paraminspect.formats.npz import _reading as _npz
from paraminspect.formats.npz._npy import MAGIC, format_npy_header, parse_npy_header
from paraminspect.operations.diff import Change, diff_trees
from paraminspect.operations.edit import view_voids

W = np.arange(6, dtype=np.float32).reshape(2, 3)


def npz(path, *members, method=zipfile.ZIP_STORED):
    """An archive of `(name, bytes)`."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def npy(header, data=b"", version=1):
    text = header if isinstance(header, bytes) else header.encode("utf-8")
    return (
        MAGIC
        + bytes([version, 0])
        + len(text).to_bytes(2 if version == 1 else 4, "little")
        + text
        + data
    )


def saved(array, **keywords):
    buffer = io.BytesIO()
    np.save(buffer, array, **keywords)
    return buffer.getvalue()


HEADERS = {
    "NumPy": "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + " " * 58 + "\n",
    "no padding": "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
    "other order": "{'shape': (2,3), 'fortran_order': False, 'descr': '<f4'}\n",
    "double quotes": '{"descr": "<f4", "fortran_order": False, "shape": (2, 3,)}\n',
    "Python 2": "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }\n",
    "wide": "{ 'descr' : '<f4' ,\n 'fortran_order' : False , 'shape' : ( 2 , 3 , ) , }\n",
    "no byte order": "{'descr': 'f4', 'fortran_order': False, 'shape': (2, 3), }\n",
    "by name": "{'descr': 'float32', 'fortran_order': False, 'shape': (2, 3), }\n",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_way_to_write_a_header_that_numpy_reads_is_read(header, version, tmp_path):
    if "L" in header and version == 3:
        pytest.skip("Python 2 never wrote this version")
    path = npz(tmp_path / "a.npz", ("w.npy", npy(header, W.tobytes(), version)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy is slow on what Python 2 wrote, and says so
        np.testing.assert_array_equal(np.load(path)["w"], W, strict=True)
    np.testing.assert_array_equal(open_checkpoint(path)["w"].numpy(), W, strict=True)


def descr(text):
    return f"{{'descr': {text}, 'fortran_order': False, 'shape': (2,), }}\n"


def shape(text):
    return f"{{'descr': '<f4', 'fortran_order': False, 'shape': {text}, }}\n"


BAD_HEADERS = {
    "unknown dtype": (descr("'<f3'"), "unknown dtype 'f3'"),
    "no such kind": (descr("'<z4'"), "unknown dtype 'z4'"),
    "expression": (descr("__import__('os')"), "cannot be read"),
    "not a tuple": (shape("2"), "cannot be read"),
    "a number in brackets": (shape("(2)"), r"has '\(2\)' for shape"),
    "negative": (shape("(-2,)"), "cannot be read"),
    "text instead": (descr("'<f4' 'x'"), "cannot be read"),
    "leading zero": (shape("(02,)"), "for shape"),
    "no comma": (shape("(2 3,)"), r"has '\(2 3,\)' for shape"),
    "huge": (shape("(9223372036854775807, 2)"), r"over 2\*\*63"),
    "huge beside nothing": (shape("(0, 9223372036854775807, 2)"), r"over 2\*\*63"),
    "many digits": (shape("(" + "9" * 5000 + ",)"), "beyond what NumPy"),
    "many axes": (shape("(" + "1," * 65 + ")"), "beyond what NumPy"),
    "key twice": ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False}\n", "cannot be read"),
    "key missing": ("{'descr': '<f4', 'shape': (2,)}\n", "a .npy header has descr, fortran_order"),
    "key more": (shape("(2,), 'more': True"), "a .npy header has descr, fortran_order"),
    "no dictionary": ("import os\n", "not a dictionary"),
    "text after it": (shape("(2,)") + "\nx", "not a dictionary"),
    "empty": ("", "not a dictionary"),
    "order": (shape("(2,)").replace("False", "'C'"), "for fortran_order"),
    "too long": (" " * 10_000 + shape("(2,)"), "at most 10000 bytes"),
}


@pytest.mark.parametrize("kind", BAD_HEADERS)
def test_a_bad_header_is_refused_by_the_name_of_its_array(kind, tmp_path):
    header, message = BAD_HEADERS[kind]
    path = npz(tmp_path / "a.npz", ("ok.npy", saved(W)), ("w.npy", npy(header, bytes(8))))
    with pytest.raises(CheckpointError, match=message) as caught:
        open_checkpoint(path)
    assert str(caught.value).startswith(f"{path}: array 'w': ")


GOOD = npy(shape("(2,)"), bytes(8))
BAD_MEMBERS = {
    "not .npy": ([("w.npy", GOOD), ("readme.txt", b"hello")], "array 'readme.txt'.* is not a .npy"),
    "no magic": ([("w.npy", b"NUMPY" + bytes(200))], "not a .npy array"),
    "empty": ([("w.npy", b"")], "not a .npy array"),
    "version": ([("w.npy", GOOD[:6] + b"\7" + GOOD[7:])], r"version 7\.0 of the .npy format"),
    "too short": ([("w.npy", GOOD[:-1])], r"float32 \[2\] and its header take 76 bytes.* has 75"),
    "too long": ([("w.npy", GOOD + b"x")], "take 76 bytes, but it has 77"),
    "header cut": ([("w.npy", GOOD[:40])], "has 40 bytes, 68 are needed"),
    "pickled": (
        [("w.npy", saved(np.array([{}], object), allow_pickle=True))],
        "array 'w': an object array is a pickle, which runs code",  # and there is no other
    ),
    "4 TB": ([("w.npy", npy(shape("(1000000000000,)"), bytes(16)))], "take 4000000000080 bytes"),
}


@pytest.mark.parametrize("kind", BAD_MEMBERS)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_bad_member_is_refused(kind, method, tmp_path):
    members, message = BAD_MEMBERS[kind]
    path = npz(tmp_path / "a.npz", *members, method=method)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(path)


@pytest.mark.parametrize(
    ("array", "name", "nbytes"),
    [
        (np.array([1, 2], np.longdouble), np.dtype(np.longdouble).name, 32),
        (np.array([1, 2], np.clongdouble), np.dtype(np.clongdouble).name, 64),
        (np.array([1, 2], ml_dtypes.bfloat16), "void16", 4),
        (np.array([b"abc", b"d"], "V3"), "void24", 6),
    ],
)
def test_what_is_no_number_is_listed_as_numpy_names_it_and_not_read(array, name, nbytes, tmp_path):
    np.savez(tmp_path / "a.npz", w=array, v=W)
    tree = open_checkpoint(tmp_path / "a.npz")
    if name != "void16":
        assert array.dtype.name.startswith(name)
    assert (tree["w"].dtype.name, tree["w"].shape, tree["w"].nbytes) == (name, (2,), nbytes)
    with pytest.raises(DTypeError, match=r"values of the type .* are not read: .*a\.npz"):
        tree["w"].numpy()
    np.testing.assert_array_equal(tree["v"].numpy(), W, strict=True)


def test_two_raw_bytes_are_bfloat16_only_where_the_file_says_so(tmp_path):
    values = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    path = npz(tmp_path / "a.npz", ("w.npy", npy(descr("'bfloat16'"), values.tobytes())))
    np.testing.assert_array_equal(open_checkpoint(path)["w"].numpy(), values, strict=True)
    np.savez(path, w=values)
    with pytest.raises(DTypeError, match="bfloat16 saved by NumPy looks so"):
        open_checkpoint(path)["w"].numpy()


OTHERS = {
    "text": (np.array(["ab", "cde"]), "text, shape [2]"),
    "one text": (np.array("ab"), "text, shape []"),
    "bytes": (np.array([b"ab", b"cde"]), "text, shape [2]"),
    "dates": (np.array([1, 2], "M8[ns]"), "dates, shape [2]"),
    "durations": (np.array([1, 2], "m8[25s]"), "durations, shape [2]"),
    "objects": (np.array([{}, None, []], object), "Python objects (a pickle, not read), shape [3]"),
    "structured": (np.zeros(2, [("a", "<f4"), ("b", "<i4")]), "a structured array"),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_is_no_number_is_no_parameter_and_stays_in_the_file(save, run, tmp_path):
    model = tmp_path / "a.npz"
    save(model, w=W, **{name: array for name, (array, _) in OTHERS.items()})
    tree = open_checkpoint(model)
    assert list(tree) == ["w"]
    assert tree.source.others == {name: what for name, (_, what) in OTHERS.items()}
    assert run("set", "-i", model, "w=x*2").status == 0
    with np.load(model, allow_pickle=True) as after:
        assert set(after) == {"w", *OTHERS}
        np.testing.assert_array_equal(after["w"], W * 2, strict=True)
        for name, (array, _) in OTHERS.items():
            np.testing.assert_array_equal(after[name], array, strict=True)
    moved = run("convert", model, tmp_path / "b.safetensors")
    assert "left out, for it is no parameter: text, one text, bytes, ..." in moved.err
    assert run("convert", model, tmp_path / "b.npz").err == ""


@pytest.mark.parametrize(
    "dtype",
    [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz],  # NumPy loses e5m2
)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_bytes_are_read_as_the_dtype_that_the_user_names(dtype, order, save, run, tmp_path):
    values = np.arange(-20, 22).reshape(6, 7).astype(dtype, order=order)
    save(tmp_path / "a.npz", w=values, v=W)
    name = np.dtype(dtype).name
    new = tmp_path / "b.safetensors"
    done = run("convert", "--void-dtype", name, tmp_path / "a.npz", new)
    assert (done.status, done.out.splitlines()[0]) == (0, f"read 1 of 2 arrays as {name}")
    tree = open_checkpoint(new)
    np.testing.assert_array_equal(tree["w"].numpy(), values, strict=True)
    np.testing.assert_array_equal(tree["v"].numpy(), W, strict=True)
    data = view_voids(open_checkpoint(tmp_path / "a.npz"), DTYPES[name])["w"].data
    np.testing.assert_array_equal(data.read(3, 17), values.ravel()[3:17], strict=True)


def test_bytes_that_no_dtype_was_given_for_are_refused_with_the_way_out(run, tmp_path):
    np.savez(tmp_path / "a.npz", w=np.zeros(3, ml_dtypes.bfloat16))
    for more in ([], ["--dtype", "bf16"], ["--void-dtype", "float32"], ["--void-dtype", "f8_e5m2"]):
        done = run("convert", *more, tmp_path / "a.npz", tmp_path / "b.safetensors")
        assert done.status == 2
        assert "--void-dtype" in done.err or "no array is of bytes that" in done.err
        assert not (tmp_path / "b.safetensors").exists()


def test_names_stay_as_they_are_stored(tmp_path):
    names = ["arg:dense0_weight", "aux:batchnorm0_running_mean", "a/b/c", "x.npy", "", "ä b", "w"]
    path = npz(tmp_path / "a.npz", *((f"{name}.npy", saved(W)) for name in names))
    assert list(open_checkpoint(path)) == names == list(np.load(path))
    assert open_checkpoint(path)["a"]["b"]["c"].shape == (2, 3)


def test_an_archive_without_arrays_is_an_empty_tree(tmp_path):
    np.savez(tmp_path / "a.npz")
    assert not open_checkpoint(tmp_path / "a.npz")


def test_a_name_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = npz(tmp_path / "a.npz", ("w.npy", saved(W)), ("w.npy", saved(W)))
    with pytest.raises(CheckpointError, match=r"duplicate member 'w\.npy'"):
        open_checkpoint(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_changed_byte_is_found_when_an_array_is_read_whole(save, tmp_path):
    array = np.arange(100_000.0)
    save(tmp_path / "a.npz", w=array)
    tree = open_checkpoint(tmp_path / "a.npz")
    for start, stop in block_ranges(tree["w"].data):
        tree["w"].data.read(start, stop)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[len(data) * 3 // 4] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    tree = open_checkpoint(tmp_path / "a.npz")
    np.testing.assert_array_equal(tree["w"].data[:8], array[:8], strict=True)
    with pytest.raises(CheckpointError, match=r"a\.npz: the member 'w\.npy' is damaged"):
        tree["w"].numpy()
    backwards = open_checkpoint(tmp_path / "a.npz")["w"].data
    with pytest.raises(CheckpointError, match=r"a\.npz: the member 'w\.npy' is damaged"):
        sum(backwards[start : start + 100].size for start in range(99_900, -100, -100))


@pytest.mark.parametrize("slab", [1, 8, 100, 1000, 1 << 20])
def test_fortran_order_is_turned_slab_by_slab(slab, tmp_path, monkeypatch):
    monkeypatch.setattr(_npz, "INFLATED_SLAB_NBYTES", slab)
    arrays = {
        "x".join(map(str, shape)): np.asarray(
            np.random.default_rng(0).normal(size=shape), order="F"
        )
        for shape in [(7, 5), (3, 4, 5), (2, 1, 3, 4), (2, 9)]
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    tree = open_checkpoint(tmp_path / "a.npz")
    for nbytes in (8, 24, 1 << 20):
        for name, expected in arrays.items():
            data = tree[name].data
            blocks = [data.read(*r) for r in block_ranges(data, nbytes)]
            np.testing.assert_array_equal(np.concatenate(blocks), expected.ravel(), strict=True)
            assert not data._slabs


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_memory_does_not_grow_with_the_file(save, order, tmp_path, monkeypatch):
    monkeypatch.setattr(_npz, "INFLATED_SLAB_NBYTES", 1 << 22)
    save(tmp_path / "a.npz", w=np.zeros((2048, 4096), np.float32, order))  # 32 MiB
    data = open_checkpoint(tmp_path / "a.npz")["w"].data
    tracemalloc.start()
    for start, stop in block_ranges(data):
        assert not data.read(start, stop).any()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 22 << 20


def test_a_header_that_is_read_at_all_is_read_as_numpy_reads_it():
    """Thousands of headers with a few characters changed: NumPy is the oracle."""
    choose = random.Random(0)
    alphabet = 3 * " ,0123456789" + "'\"{}()[]:\n<>=|?LTFbcfimuMSUV"
    text = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 30), }          \n"
    accepted = 0
    for _ in range(6000):
        changed = list(text)
        for _ in range(choose.choice([1, 1, 2, 3])):
            at = choose.randrange(len(changed))
            changed[at : at + choose.choice([0, 1])] = [choose.choice(alphabet)]
        header = npy("".join(changed))
        try:
            ours = parse_npy_header(header)
        except CheckpointError:
            continue
        accepted += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stream = io.BytesIO(header[8:])
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
        assert ours.shape == shape
        assert ours.fortran_order == fortran_order
        assert ours.dtype.nbits == dtype.itemsize * 8
        assert ours.dtype.name == dtype.name or dtype.itemsize == 0
        assert ours.byteorder == ("<" if dtype.byteorder in "=|<" else ">")
    assert accepted > 100


@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3), (123456, 1), (1,) * 64, (10**17, 0)])
@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u8", "f2", "c16", "g", "G", "M8[ns]", "U3", "S5", "V4"]
)
def test_a_new_header_is_byte_for_byte_the_one_of_numpy(shape, dtype):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"shape": shape, "fortran_order": False, "descr": np.dtype(dtype).str}
    )
    ours = parse_npy_header(stream.getvalue()).dtype
    assert format_npy_header(shape, ours) == stream.getvalue()


def test_a_dtype_that_numpy_would_not_read_back_has_no_header():
    for name in ("bfloat16", "float8_e4m3fn", "int4"):
        with pytest.raises(
            DTypeError, match=f"cannot hold {name}.* write safetensors, or cast it; use dtype="
        ):
            format_npy_header((2,), DTYPES[name])


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_values_that_are_no_numbers_are_compared_by_their_bytes(save, tmp_path):
    save(tmp_path / "a.npz", w=np.array([b"ab", b"c"], "V3"))
    save(tmp_path / "b.npz", w=np.array([b"ab", b"d"], "V3"))
    left, right = (open_checkpoint(tmp_path / name) for name in ("a.npz", "b.npz"))
    assert not list(diff_trees(left, left))
    assert [(d.name, d.kind) for d in diff_trees(left, right)] == [("w", Change.VALUE)]
