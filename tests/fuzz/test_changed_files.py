"""Thousands of files with a few bytes changed: each is read, or refused in one clear line.

Reading happens in this process, as a user's program would do it; libhdf5 has its own. The numbers
are drawn from a seed: a failure names its own, and can be had again.
"""

import io
import json
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
from safetensors.numpy import save

from paraminspect.errors import ParamInspectError
from paraminspect.formats import open_checkpoint

pytestmark = pytest.mark.fuzz

FILES_OF_A_KIND = 250
LARGEST_NBYTES = 1 << 20
"""Values of more are not read: a changed length can declare terabytes, which is no error."""
LONGEST_SECONDS = 60
"""The library is stopped after two; this is for a machine that does other things too."""

VALUES = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


def hdf5(make, **how):
    file = io.BytesIO()
    with h5py.File(file, "w", **how) as root:
        make(root)
    return file.getvalue()


def generic(root):
    root["a/weight"] = VALUES
    root["a/tied"] = root["a/weight"]
    root["soft"] = h5py.SoftLink("/a/weight")
    root.create_dataset("packed", data=VALUES, chunks=(3, 4), compression="gzip", shuffle=True)
    root.create_dataset("fill", (5, 5), "f4", chunks=(2, 2), fillvalue=3)
    root.attrs["note"] = "text of variable length"


def legacy(root):
    root.attrs.update({"layer_names": ["dense"], "keras_version": "2.15.0"})
    group = root.create_group("dense")
    group.attrs["weight_names"] = ["dense/kernel:0", "dense/bias:0"]
    group["dense/kernel:0"], group["dense/bias:0"] = VALUES, VALUES[0]


def weights(root):
    group = root.create_group("layers/dense/vars")
    group.attrs["name"] = "hidden"
    group["0"], group["1"] = VALUES.astype(np.float16).view("V2"), VALUES[0]
    group["0"].attrs["dtype"] = "bfloat16"
    root.create_group("vars").attrs["name"] = "sequential"


def archive(method):
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": []}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        made.writestr("metadata.json", json.dumps({"keras_version": "3.3.3"}))
        made.writestr("config.json", json.dumps(config))
        made.writestr("model.weights.h5", hdf5(weights))
    return file.getvalue()


def npz():
    file = io.BytesIO()
    np.savez(file, weight=VALUES, bias=VALUES[0])
    return file.getvalue()


KINDS = {
    "hdf5": hdf5(generic),
    "hdf5, new": hdf5(generic, libver="latest"),
    "keras legacy": hdf5(legacy),
    "keras weights": hdf5(weights),
    "keras archive": archive(zipfile.ZIP_STORED),
    "keras archive, deflated": archive(zipfile.ZIP_DEFLATED),
    "safetensors": save({"weight": VALUES, "bias": VALUES[0]}, {"format": "pt"}),
    "npz": npz(),
}


def changed(content, seed):
    """1 to 4 bytes become others, half of the time within the first kilobyte, where headers are."""
    rng = np.random.default_rng(seed)
    made = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        end = len(made) if rng.random() < 0.5 else min(len(made), 1024)
        made[rng.integers(end)] ^= rng.integers(1, 256)
    return bytes(made)


def read_all(path, with_metadata):
    """Open, and read whatever is not too large."""
    tree = open_checkpoint(path)
    if with_metadata:
        tree.with_metadata()
    for parameter in tree.values():
        if parameter.nbytes <= LARGEST_NBYTES:
            parameter.numpy()


def outcome(path, content, seed):
    """The message of the error, empty if the file was read. Any other error ends the test."""
    path.write_bytes(changed(content, seed))
    message = ""
    begin = time.monotonic()
    try:
        read_all(path, with_metadata=seed % 4 == 0)
    except ParamInspectError as error:
        message = str(error)
    assert time.monotonic() - begin < LONGEST_SECONDS, f"seed {seed}"
    assert not message or path.name in message, f"seed {seed}: {message}"
    path.unlink()
    return message


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_file_is_read_or_refused(kind, tmp_path):
    content = KINDS[kind]
    (path := tmp_path / "whole").write_bytes(content)
    read_all(path, with_metadata=True)
    assert len(content) <= 12_000
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        seeds = range(FILES_OF_A_KIND)
        messages = list(pool.map(lambda s: outcome(tmp_path / f"seed {s}", content, s), seeds))
    print(f"{kind}: {len(content)} bytes, {messages.count('')} of {len(messages)} still read")
    assert any(messages)
