"""The conformance suite, run over files of our formats that other programs wrote."""

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

from paraminspect import testing
from paraminspect.errors import CheckpointError, DTypeError, ParamInspectError
from paraminspect.formats import FORMATS as OURS
from paraminspect.formats import Holds, open_checkpoint
from paraminspect.formats.files._reading import StoredArray
from paraminspect.frameworks import framework_of
from paraminspect.source import open_source
from paraminspect.testing import Specimen

ARRAYS = testing.ARRAYS


def specimen_of(format_):
    """What the suite checks, as another program writes it."""
    holds = Holds(format_.dtypes, format_.ties, format_.metadata)
    return Specimen(OURS[format_.name], format_.write, holds, format_.not_truncated)


every_format = pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)


@every_format
@pytest.mark.parametrize("check", testing.FORMAT_CHECKS, ids=lambda check: check.__name__)
def test_every_format_passes_the_conformance_suite(check, format_, tmp_path):
    check(specimen_of(format_), tmp_path)


@pytest.mark.parametrize("name", ["hdf5", "npz", "safetensors"])
def test_a_format_passes_the_suite_with_files_of_its_own_saver(name, tmp_path):
    testing.check_format(OURS[name], tmp_path)


def test_the_suite_finds_what_a_reader_does_wrong(tmp_path, monkeypatch):
    real = StoredArray.read
    monkeypatch.setattr(StoredArray, "read", lambda self, *ends: real(self, *ends)[::-1])
    with pytest.raises(AssertionError):
        testing.check_format(OURS["npz"], tmp_path)


@pytest.fixture(scope="module")
def sliced(tmp_path_factory):
    """Format name to (arrays by shape, the tree of a file with them)."""
    shapes = [(), (0,), (7,), (6, 2), (4, 0, 3), (2, 3, 5), (1, 4, 1, 3)]
    arrays = {
        "x".join(map(str, shape)) or "scalar": testing.special_values(np.dtype("float32"), shape)
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
    tree = open_checkpoint(tmp_path / "m.safetensors")
    assert framework_of(tree.architecture.framework, tree.metadata) == "pytorch"


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
