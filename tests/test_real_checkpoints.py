"""Files that other programs wrote read as the program that wrote them says."""

import hashlib
import json
from pathlib import Path

import pytest

from paraminspect.arrays import block_ranges
from paraminspect.checkpoint import open_checkpoint
from paraminspect.stats import tree_stats

FOLDER = Path(__file__).parent / "data" / "real"
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
