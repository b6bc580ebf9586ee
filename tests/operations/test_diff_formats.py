"""Trees are compared whatever the files are: across formats, shards, and a real pair of files."""

import json
from pathlib import Path

import numpy as np
import pytest
from formats import FORMATS

from paraminspect.formats import open_checkpoint
from paraminspect.operations.diff import Change, diff_trees
from paraminspect.source import open_source

PAIR = Path(__file__).parents[1] / "data" / "diff"

ARRAYS = {
    "h.0.weight": np.random.default_rng(4).standard_normal((40, 7)).astype(np.float32),
    "h.0.bias": np.array([0.5, np.nan, -0.0, np.inf], np.float64),
    "h.10.step": np.array([2**53 + 1, -5], np.int64),
    "h.2.scalar": np.array(3, np.float32),
    "h.2.empty": np.empty((0, 3), np.float32),
}

every_format = pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)


def opened(folder, format_, arrays, ties=None):
    folder.mkdir()
    return open_checkpoint(format_.write(folder, arrays, ties or {}, {}).path)


@every_format
def test_equal_arrays_are_the_same_in_any_two_formats(format_, tmp_path):
    one = opened(tmp_path / "one", FORMATS["safetensors"], ARRAYS)
    two = opened(tmp_path / "two", format_, ARRAYS)
    assert list(diff_trees(one, two)) == list(diff_trees(two, one)) == []


@every_format
def test_changed_arrays_differ_as_in_numpy_in_any_two_formats(format_, tmp_path):
    changed = {name: array.copy() for name, array in ARRAYS.items()}
    changed["h.0.weight"][33, 5] += 2
    changed["h.10.step"][0] -= 1
    one = opened(tmp_path / "one", FORMATS["safetensors"], ARRAYS)
    two = opened(tmp_path / "two", format_, changed)
    found = {d.name: d.values for d in diff_trees(one, two)}
    assert set(found) == {"h.0.weight", "h.10.step"}
    weight = found["h.0.weight"]
    a, b = (arrays["h.0.weight"].astype(np.float64).reshape(-1) for arrays in (ARRAYS, changed))
    assert (weight.differing, weight.worst_index) == (1, (33, 5))
    assert weight.max_abs == np.abs(a - b).max()
    assert weight.rms == pytest.approx(np.sqrt(np.mean((a - b) ** 2)), rel=1e-14)
    assert weight.cosine == pytest.approx(a @ b / np.sqrt(a @ a * (b @ b)), rel=1e-14)
    assert found["h.10.step"].max_abs == 1


@pytest.mark.parametrize(
    "format_",
    [f for f in FORMATS.values() if f.ties],
    ids=[n for n, f in FORMATS.items() if f.ties],
)
def test_ties_are_the_same_in_any_two_formats(format_, tmp_path):
    arrays = {"b.weight": ARRAYS["h.0.weight"], "c.bias": ARRAYS["h.0.bias"]}
    one = opened(tmp_path / "one", FORMATS["safetensors"], arrays, {"z.weight": "b.weight"})
    two = opened(tmp_path / "two", format_, arrays, {"z.weight": "b.weight"})
    assert list(diff_trees(one, two)) == []
    untied = opened(tmp_path / "three", format_, {**arrays, "z.weight": arrays["b.weight"]})
    assert [(d.name, d.kind) for d in diff_trees(one, untied)] == [("z.weight", Change.TIE)]


def test_a_real_cast_differs_by_the_numbers_that_pytorch_has():
    left, right = (
        open_source(str(PAIR / f"fracast_{kind}.safetensors")) for kind in ("f32", "bf16")
    )
    found = {d.name: d.values for d in diff_trees(left, right) if d.kind is Change.VALUE}
    expected = json.loads((PAIR / "fracast.json").read_text())
    assert found.keys() == expected.keys()
    for name, numbers in expected.items():
        values = found[name]
        assert (values.differing, values.count) == (numbers["differing"], numbers["count"])
        assert (values.max_abs, values.max_rel) == (numbers["max_abs"], numbers["max_rel"])
        assert values.rms == pytest.approx(numbers["rms"], rel=1e-14)
        assert values.cosine == pytest.approx(numbers["cosine"], rel=1e-13)
        assert values.worst_index == np.unravel_index(numbers["worst"], left[name].shape)
