"""Files that other programs wrote read as the program that wrote them says."""

import hashlib
import importlib.resources
import json
from pathlib import Path

import h5py
import pytest
from safetensors.numpy import load_file

from paraminspect.arrays import block_ranges
from paraminspect.formats import open_checkpoint
from paraminspect.operations.stats import tree_stats

FOLDER = Path(__file__).parents[1] / "data" / "real"
LISTINGS = json.loads((FOLDER / "listings.json").read_text())


@pytest.mark.parametrize("file", LISTINGS)
def test_a_real_file_has_the_names_values_and_statistics_that_pytorch_reads(file):
    tree = open_checkpoint(FOLDER / file)
    tensors = LISTINGS[file]["tensors"]
    assert {p.name for p in tree.parameters()} == set(tensors)
    assert tree.metadata == LISTINGS[file]["metadata"]
    statistics = tree_stats(tree)
    for name, (shape, dtype, digest, total, low, high) in tensors.items():
        parameter = tree[name]
        assert (list(parameter.shape), parameter.dtype.name) == (shape, dtype)
        found = hashlib.sha256()
        for block in block_ranges(parameter.data, 1000):
            found.update(parameter.data.read(*block).tobytes())
        assert found.hexdigest() == digest
        stats = statistics[name]
        assert (stats.min, stats.max) == (low, high)
        assert stats.mean * stats.count == pytest.approx(total, rel=1e-9, abs=1e-9)


def test_the_ties_that_torch_recorded_are_those_of_the_shared_layer():
    tree = open_checkpoint(FOLDER / "torch_shared_mlp.safetensors")
    assert tree.ties == {"4.bias": "2.bias", "4.weight": "2.weight"}
    assert tree.totals.count == 121


def test_a_file_of_h5py_s_own_survives_a_round_trip(run, tmp_path):
    """Big-endian numbers, text that is no parameter and attributes, from a machine of IBM's."""
    found = importlib.resources.files("h5py") / "tests" / "data_files" / "vlen_string_s390x.h5"
    path = tmp_path / "s390x.h5"
    path.write_bytes(found.read_bytes())
    before = _by_h5py(path)
    assert run("set", "-i", path, "*=x").status == 0
    assert _by_h5py(path) == before
    out = tmp_path / "out.safetensors"
    assert run("convert", path, out).status == 0
    numbers = {name: values for name, (values, _) in before.items() if name in load_file(out)}
    assert len(numbers) == 4
    for name, values in load_file(out).items():
        assert (values.tolist(), values.dtype.byteorder) == (numbers[name], "=")


def _by_h5py(path):
    """The values and attributes of all datasets."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.update({name: (item[()].tolist(), _attributes(item))})
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found


def _attributes(item):
    return {key: repr(value) for key, value in item.attrs.items()}
