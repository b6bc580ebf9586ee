"""Arrays without elements whose other axes are longer than C can count: safetensors has them."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraminspect.arrays.indexing import normalize

SHAPES = {"a": [0, 2**63], "b": [2**64 - 1, 0], "c": [2**62, 0, 3]}


@pytest.fixture
def huge(tmp_path):
    entries = {n: {"dtype": "F32", "shape": s, "data_offsets": [0, 0]} for n, s in SHAPES.items()}
    header = json.dumps(entries).encode()
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("index", ["", "[:, ::2]", "[::-1]", "[..., :2]", "[:, 2]"])
def test_commands_say_what_they_cannot_hold_and_never_break(run, huge, tmp_path, name, index):
    for arguments in (
        ("slice", huge, name + index),
        ("slice", huge, name + index, "--format", "json"),
        ("set", huge, f"{name}{index}=x + 1", "-o", tmp_path / "set.safetensors", "--force"),
        ("convert", huge, tmp_path / "huge.npz", "--force"),
    ):
        done = run(*arguments)
        assert done.status in (0, 2), done.err
        assert "read back" not in done.err
        assert done.err.count("\n") == (done.status == 2)


@given(
    st.integers(0, 40),
    st.one_of(st.none(), st.integers(-50, 50)),
    st.one_of(st.none(), st.integers(-50, 50)),
    st.one_of(st.none(), st.integers(-7, 7).filter(bool)),
)
def test_a_slice_has_as_many_positions_as_in_python(length, start, stop, step):
    [axis] = normalize((slice(start, stop, step),), (length,))
    assert axis.length == len(range(length)[slice(start, stop, step)])
