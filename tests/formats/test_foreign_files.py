"""Files of formats that are not read: what is said of them is true, and the way out works."""

from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data" / "foreign"

FILES = {
    "zip.pt": ("a PyTorch file", "torch"),
    "lightning.ckpt": ("a PyTorch file", "torch"),
    "legacy.pth": ("a PyTorch file", "torch"),
    "script.pt": ("a TorchScript file", "torch"),
    "flax_model.msgpack": ("a msgpack file, as flax writes them", "flax"),
    "mxnet.params": ("an MXNet file", "mxnet"),
    "model-1.index": ("a TensorFlow checkpoint", "tensorflow"),
    "model-1.data-00000-of-00001": ("a TensorFlow checkpoint", "tensorflow"),
    "checkpoint": ("a TensorFlow checkpoint", "tensorflow"),
}
"""Files that the frameworks wrote, what they are, and whose program reads them."""


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_a_framework_is_called_what_it_is_and_gets_a_way_out(name, run):
    what, library = FILES[name]
    done = run("list", DATA / name)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"paraminspect: {DATA / name}: {what}")
    assert f"import {library}" in done.err or f", {library}" in done.err
    assert "text" not in done.err


@pytest.mark.parametrize("name", ["zip.pt", "flax_model.msgpack", "mxnet.params"])
def test_a_folder_with_nothing_else_says_what_it_holds(name, run, tmp_path):
    (tmp_path / name).write_bytes((DATA / name).read_bytes())
    (tmp_path / "config.json").write_text("{}")
    done = run("list", tmp_path)
    assert done.status == 2
    assert done.err.startswith(f"paraminspect: {tmp_path / name}: {FILES[name][0]}")


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["zarr.json", "a/zarr.json"], "a zarr store"),
        ([".zgroup", "w/.zarray"], "a zarr store"),
        (["_METADATA", "_CHECKPOINT_METADATA", "d/0", "manifest.ocdbt"], "an Orbax checkpoint"),
        (["model-1.index", "model-1.data-00000-of-00001"], "a TensorFlow checkpoint"),
        (["checkpoint", "x.txt"], "a TensorFlow checkpoint"),
        (["saved_model.pb", "variables/variables.index"], "a TensorFlow checkpoint"),
    ],
)
def test_folders_that_are_checkpoints_themselves_are_recognised(names, what, run, tmp_path):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"?")
    done = run("list", tmp_path)
    assert (done.status, what in done.err, "python -c" in done.err) == (2, True, True)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("m.gguf", b"GGUF\x03\0\0\0" + bytes(16), "a GGUF file"),
        ("m.tflite", b"\x1c\0\0\0TFL3" + bytes(16), "a TensorFlow Lite model"),
        ("m.onnx", b"\x08\x08\x12\x07pytorch\x1a\x03" + bytes(16), "an ONNX model"),
        ("model.json", b'{"format": "layers-model", "weightsManifest": []}', "TensorFlow.js"),
        ("group1-shard1of2.bin", np.float32([3.14] * 9).tobytes(), "TensorFlow.js"),
        ("zarr.json", b'{"zarr_format": 3, "node_type": "group"}', "a zarr store"),
    ],
)
def test_signatures_of_the_formats_are_known(name, content, what, run, tmp_path):
    (tmp_path / name).write_bytes(content)
    done = run("list", tmp_path / name)
    assert (done.status, what in done.err, "text" in done.err) == (2, True, False)


@pytest.mark.parametrize(
    "content",
    [
        b"\x81\xa6params\x82\xa6kernel",
        np.float32([3.1, -2.7, 1e9] * 99).tobytes(),
        b"abcdefgh\x00\x01\x02",
        "naïve".encode("latin-1"),
        "layers".encode("utf-16"),
    ],
)
def test_only_text_is_called_text(content, run, tmp_path):
    (tmp_path / "x").write_bytes(content)
    assert "it is text" not in run("list", tmp_path / "x").err


@pytest.mark.parametrize("text", ["layers: [Linear(2, 3)]\n", "# naïve ü\n\t- x\r\n", "é" * 4096])
def test_text_is_called_text(text, run, tmp_path):
    (tmp_path / "x").write_text(text, "utf-8")
    assert "it is text" in run("list", tmp_path / "x").err


def test_a_header_as_long_as_another_format_begins_is_read(run, tmp_path):
    header = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.ljust(0x112)
    (tmp_path / "m.safetensors").write_bytes((0x112).to_bytes(8, "little") + header + bytes(8))
    assert run("list", tmp_path / "m.safetensors", "--format", "names").out == "w\n"
