"""The conformance suite: what every format of checkpoints must do, whoever wrote the file."""

import json
import os
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from formats import FORMATS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

from paraminspect.arrays import DTYPES, block_ranges
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError
from paraminspect.formats import open_checkpoint
from paraminspect.source import open_source

every_format = pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)

ARRAYS = {
    "h.0.weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    "h.0.bias": np.arange(12, 16, dtype=np.float32),
    "h.10.weight": np.arange(16, 46, dtype=np.float64).reshape(2, 3, 5),
    "h.2.weight": np.arange(46, 50, dtype=np.int64),
}


def values_of(dtype, shape):
    """Different values in every element, with the special ones of the dtype."""
    count = int(np.prod(shape))
    numbers = np.arange(count) % 2 if dtype.kind == "b" else np.arange(count) - count // 2
    with np.errstate(all="ignore"):
        values = (numbers + (1j * numbers if dtype.kind == "c" else 0)).astype(dtype)
        if dtype.kind not in "biu" and count > 3:
            values[1], values[2] = np.nan, np.inf
    return values.reshape(shape)


def bits(array):
    """The bytes of an array with its shape and dtype: NaN differs from itself, bits do not."""
    return array.shape, array.dtype, array.tobytes()


@every_format
def test_every_array_has_its_name_shape_dtype_and_values(format_, tmp_path):
    tree = open_checkpoint(format_.write(tmp_path, ARRAYS, {}, {}).path)
    assert tree.source.format == format_.name
    assert set(tree) == set(ARRAYS)
    for name, expected in ARRAYS.items():
        assert tree[name].shape == expected.shape
        assert tree[name].dtype == DTYPES[expected.dtype.name]
        np.testing.assert_array_equal(tree[name].numpy(), expected, strict=True)


@pytest.mark.parametrize(
    ("format_", "dtype"),
    [(f, dtype) for f in FORMATS.values() for dtype in DTYPES.values() if dtype.name in f.dtypes],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_dtype_of_a_format_keeps_its_bits(format_, dtype, tmp_path):
    arrays = {
        f"a{shape}".replace(", ", "_"): values_of(dtype.to_numpy(), shape)
        for shape in ((3, 5), (), (0, 4), (1,))
    }
    tree = open_checkpoint(format_.write(tmp_path, arrays, {}, {}).path)
    for name, expected in arrays.items():
        assert tree[name].dtype == dtype
        assert tree[name].nbytes == expected.nbytes
        assert bits(tree[name].numpy()) == bits(expected)


@pytest.fixture(scope="module")
def sliced(tmp_path_factory):
    """Format name to (arrays by shape, the tree of a file with them)."""
    shapes = [(), (0,), (7,), (6, 2), (4, 0, 3), (2, 3, 5), (1, 4, 1, 3)]
    arrays = {
        "x".join(map(str, shape)) or "scalar": values_of(np.dtype("float32"), shape)
        for shape in shapes
    }
    return {
        name: (
            arrays,
            open_checkpoint(f.write(tmp_path_factory.mktemp(name), arrays, {}, {}).path),
        )
        for name, f in FORMATS.items()
    }


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_format_slices_like_numpy(name, sliced, data):
    arrays, tree = sliced[name]
    array = data.draw(st.sampled_from(list(arrays)))
    expected = arrays[array]
    index = data.draw(hnp.basic_indices(expected.shape, allow_newaxis=False))
    result = tree[array].data[index]
    np.testing.assert_array_equal(result, np.asarray(expected[index]), strict=True)


@pytest.mark.parametrize(
    ("array", "index"),
    [
        ("6x2", np.s_[-2:]),
        ("6x2", np.s_[0:99]),
        ("6x2", np.s_[::-1]),
        ("6x2", np.s_[-99:2, ::-2]),
        ("6x2", np.s_[5:1]),
        ("6x2", np.s_[-1, -1]),
        ("6x2", np.s_[..., 0]),
        ("0", np.s_[:3]),
        ("4x0x3", np.s_[1:, ::-1]),
        ("scalar", np.s_[()]),
        ("scalar", np.s_[...]),
        ("2x3x5", np.s_[::-1, 1, 4:0:-2]),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", FORMATS)
def test_the_slices_that_formats_refuse_are_read(name, array, index, sliced):
    arrays, tree = sliced[name]
    expected = np.asarray(arrays[array][index])
    np.testing.assert_array_equal(tree[array].data[index], expected, strict=True)


@every_format
@pytest.mark.parametrize("nbytes", [8, 40, 1 << 20])
def test_blocks_of_any_size_make_up_the_array(format_, nbytes, tmp_path):
    tree = open_checkpoint(format_.write(tmp_path, ARRAYS, {}, {}).path)
    for name, expected in ARRAYS.items():
        ranges = list(block_ranges(tree[name].data, nbytes))
        blocks = {r: tree[name].data.read(*r).copy() for r in reversed(ranges)}
        joined = np.concatenate([blocks[r] for r in ranges])
        np.testing.assert_array_equal(joined, expected.reshape(-1), strict=True)


@every_format
def test_what_was_read_stays_as_it_is_while_more_is_read(format_, tmp_path):
    tree = open_checkpoint(format_.write(tmp_path, ARRAYS, {}, {}).path)
    kept = {name: tree[name].data.read(0, 4) for name in ARRAYS}
    for _ in range(10):
        for name in ARRAYS:
            tree[name].data.read(0, 2)
    for name, values in kept.items():
        np.testing.assert_array_equal(values, ARRAYS[name].reshape(-1)[:4], strict=True)


@every_format
def test_ties_are_seen_and_counted_once(format_, tmp_path):
    if not format_.ties:
        pytest.skip(f"{format_.name} records no ties")
    ties = {"lm_head.weight": "h.0.weight", "again": "h.0.weight"}
    tree = open_checkpoint(format_.write(tmp_path, ARRAYS, ties, {}).path)
    assert set(tree) == {*ARRAYS, *ties}
    groups = {frozenset({own, *tree.aliases(own)}) for own in tree.ties.values()}
    assert groups == {frozenset({"lm_head.weight", "h.0.weight", "again"})}
    for alias in ties:
        np.testing.assert_array_equal(tree[alias].numpy(), ARRAYS["h.0.weight"], strict=True)
    assert tree.totals.names == 6
    assert tree.totals.arrays == 4
    assert tree.totals.count == sum(array.size for array in ARRAYS.values())
    assert tree.totals.nbytes == sum(array.nbytes for array in ARRAYS.values())


@every_format
def test_metadata_of_others_is_carried_through(format_, tmp_path):
    if not format_.metadata:
        pytest.skip(f"{format_.name} has no metadata")
    metadata = {"licence": "MIT", "note": "naïve"}
    tree = open_checkpoint(format_.write(tmp_path, ARRAYS, {}, metadata).path)
    assert tree.metadata.items() >= metadata.items()
    assert not tree.ties


@every_format
def test_opening_reads_no_values(format_, tmp_path):
    read = []
    for count in (1, 1, 1 << 20):  # what Python imports is read by the first
        (folder := tmp_path / str(len(read))).mkdir()
        arrays = {f"h.{i}.w": np.ones((count,), np.float32) for i in range(8)}
        written = format_.write(folder, arrays, {}, {})
        before = _bytes_read()
        open_checkpoint(written.path)
        read.append(_bytes_read() - before)
    assert read[2] - read[1] < 1 << 20


def _bytes_read():
    """By this process, and by its children that have ended."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs /proc")
    return int(Path("/proc/self/io").read_text().split()[1])


@every_format
def test_a_truncated_file_is_refused_by_its_name(format_, tmp_path):
    written = format_.write(tmp_path, ARRAYS, {}, {})
    last = written.files[-1]
    whole = last.read_bytes()
    sizes = {len(whole) - 1, *range(0, len(whole), 61)} - format_.not_truncated
    for size in sorted(sizes):
        last.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match=last.name):
            open_checkpoint(written.path)


@every_format
def test_a_file_released_is_opened_again_by_the_next_read(format_, tmp_path):
    tree = open_checkpoint(format_.write(tmp_path, ARRAYS, {}, {}).path)
    for parameter in tree.values():
        parameter.data.file.release()
    for name, expected in ARRAYS.items():
        np.testing.assert_array_equal(tree[name].numpy(), expected, strict=True)


@every_format
@pytest.mark.parametrize("released", [False, True], ids=["kept open", "released"])
def test_a_file_that_changes_after_opening_is_not_read(format_, released, tmp_path):
    written = format_.write(tmp_path, ARRAYS, {}, {})
    tree = open_checkpoint(written.path)
    for parameter in tree.values() if released else ():
        parameter.data.file.release()
    for file in written.files:
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
        os.utime(file, ns=(0, 0))  # a clock may be too coarse to tell the moments apart
    for parameter in tree.values():
        with pytest.raises(CheckpointError, match="has changed since it was opened"):
            parameter.numpy()


@every_format
def test_a_file_cut_short_after_opening_is_an_error_not_a_crash(format_, tmp_path):
    written = format_.write(tmp_path, ARRAYS, {}, {})
    tree = open_checkpoint(written.path)
    for file in written.files:
        os.truncate(file, 10)
    for parameter in tree.values():
        with pytest.raises(CheckpointError, match=r"\.\w+: the file has changed"):
            parameter.numpy()


@every_format
def test_a_file_that_vanishes_after_opening_is_still_read(format_, tmp_path):
    written = format_.write(tmp_path, ARRAYS, {}, {})
    tree = open_checkpoint(written.path)
    kept = {name: p.numpy() for name, p in tree.items()}
    for file in written.files:
        file.unlink()
    for name, expected in kept.items():
        np.testing.assert_array_equal(tree[name].numpy(), expected, strict=True)


@every_format
def test_a_format_is_told_by_content_whatever_the_name(format_, tmp_path):
    written = format_.write(tmp_path, ARRAYS, {}, {})
    renamed = written.path.rename(tmp_path / "weights.bin")
    assert set(open_checkpoint(renamed)) == set(ARRAYS)


@every_format
def test_a_folder_stands_for_the_checkpoint_in_it(format_, tmp_path):
    written = format_.write(tmp_path, ARRAYS, {}, {})
    assert set(open_checkpoint(tmp_path)) == set(ARRAYS)
    other = written.path.rename(tmp_path / written.path.name.replace("model", "unet"))
    assert open_checkpoint(tmp_path).source.path == str(other)


@every_format
def test_links_are_followed_as_hub_caches_need_it(format_, tmp_path):
    (blobs := tmp_path / "blobs").mkdir()
    (snapshot := tmp_path / "snapshots").mkdir()
    written = format_.write(snapshot, ARRAYS, {}, {})
    for number, file in enumerate({written.path, *written.files}):
        file.rename(blobs / str(number))
        file.symlink_to(f"../blobs/{number}")
    assert set(open_checkpoint(written.path)) == set(ARRAYS)


# What is particular to safetensors


def raw_safetensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


@pytest.mark.parametrize(
    ("code", "name", "nbits"),
    [
        ("F4", "float4_e2m1fn", 4),
        ("F6_E2M3", "float6_e2m3fn", 6),
        ("F6_E3M2", "float6_e3m2fn", 6),
    ],
)
def test_a_packed_dtype_has_its_size_and_says_that_values_are_not_decoded(
    code, name, nbits, tmp_path
):
    entry = {"dtype": code, "shape": [2, 4], "data_offsets": [0, nbits]}
    path = raw_safetensors(tmp_path / "packed.safetensors", {"w": entry}, bytes(nbits))
    parameter = open_checkpoint(path)["w"]
    assert (parameter.dtype.name, parameter.count, parameter.nbytes) == (name, 8, nbits)
    with pytest.raises(DTypeError, match=f"packed.safetensors.*{name}"):
        parameter.numpy()


def test_any_byte_but_zero_is_true_in_a_bool(tmp_path):
    entry = {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}
    path = raw_safetensors(tmp_path / "b.safetensors", {"w": entry}, b"\0\1\2")
    np.testing.assert_array_equal(
        open_checkpoint(path)["w"].numpy(), [False, True, True], strict=True
    )


def test_metadata_that_names_no_tensor_is_no_tie(tmp_path):
    metadata = {"format": "h.0.bias", "h.0.bias": "h.0.weight", "x": "nowhere", "y": "h.0.bias"}
    save_file(ARRAYS, tmp_path / "m.safetensors", metadata)
    tree = open_checkpoint(tmp_path / "m.safetensors")
    assert tree.ties == {"y": "h.0.bias"}
    assert tree.metadata == metadata


def test_what_torch_wrote_is_a_pytorch_tree(tmp_path):
    save_file(ARRAYS, tmp_path / "m.safetensors", {"format": "pt"})
    assert open_checkpoint(tmp_path / "m.safetensors").architecture.framework == "pytorch"


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        (["model.safetensors", "adapter.safetensors"], "model.safetensors"),
        (["only.safetensors", "model.txt"], "only.safetensors"),
        (["a.safetensors.index.json", "a-1.safetensors", "a-2.safetensors"], "a.safetensors.index"),
        (["a.safetensors", "b.safetensors"], "2 checkpoints: name one of a.safetensors, b.saf"),
        (["model.safetensors", "model.safetensors.index.json"], "2 checkpoints: name one of"),
        (["model.txt"], "holds no checkpoint"),
        ([], "holds no checkpoint"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_the_file_meant_by_a_folder_is_certain_or_asked_for(files, chosen, tmp_path):
    for file in files:
        (tmp_path / file).write_bytes(b"?")
    with pytest.raises(CheckpointError, match=chosen):  # no file of these is a checkpoint
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\x80\x04\x95\x10\0\0\0\0", "pickle"),
        (b"PK\x03\x04" + bytes(30), "zip"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (bytes(64), "all zeros"),
        (b"layers:\n  - Linear(2, 3)\n", r"a definition is named \*.yaml"),
        (b"\x1f\x8b\x08" + bytes(9), "gzip"),
        (b'{"config": 1}', "no weight_map"),
        (b"\xff" * 64, "not a safetensors header"),
    ],
    ids=["empty", "pickle", "zip", "lfs", "html", "zeros", "yaml", "gzip", "json", "binary"],
)
def test_what_is_no_checkpoint_is_told_apart(content, message, tmp_path):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path / "x")


@pytest.mark.parametrize("nbytes", [640, 896, 1152, 1408, 0x8B1F])
def test_a_header_whose_length_looks_like_another_format_is_read(nbytes, tmp_path):
    header = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    text = json.dumps(header).encode().ljust(nbytes)
    path = raw_safetensors(tmp_path / "m.safetensors", text, bytes(8))
    assert list(open_checkpoint(path)) == ["w"]


@pytest.mark.parametrize("name", ["file", "folder", "folder/inside", "folder/x.yaml"])
def test_what_a_user_may_not_read_is_named(name):
    root = os.geteuid() == 0  # who may read anything
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        (place / "file").touch(0o000)
        (place / "folder").mkdir(0o000)
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(ParamInspectError, match=f"{name}: cannot open: permission denied"):
                open_source(str(place / name))
        finally:
            if root:
                os.seteuid(0)
        (place / "folder").chmod(0o700)
