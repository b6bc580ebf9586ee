"""Dtypes: how much elements take, those that share bytes or blocks with others too."""

import ml_dtypes
import numpy as np
import pytest

from paraminspect.arrays import DTYPES, DType, block_ranges
from paraminspect.arrays.packed import unpacked
from paraminspect.errors import DTypeError
from paraminspect.formats.files._reading import StoredArray, open_regular
from paraminspect.tree import Parameter

GGUF = {
    "q4_0": (32, 18),
    "q4_1": (32, 20),
    "q5_0": (32, 22),
    "q5_1": (32, 24),
    "q8_0": (32, 34),
    "q2_k": (256, 84),
    "q3_k": (256, 110),
    "q4_k": (256, 144),
    "q5_k": (256, 176),
    "q6_k": (256, 210),
    "q8_k": (256, 292),
    "iq2_xxs": (256, 66),
    "iq1_s": (256, 50),
    "iq4_nl": (32, 18),
    "tq1_0": (256, 54),
    "mxfp4": (32, 17),
}
"""Elements and bytes of a block, as the gguf package publishes them (`GGML_QUANT_SIZES`)."""


def of_gguf(name):
    elements, nbytes = GGUF[name]
    return DType(name, 8 * nbytes, block=elements)


@pytest.mark.parametrize("name", GGUF)
def test_a_block_quantized_array_takes_the_bytes_of_its_blocks(name):
    elements, nbytes = GGUF[name]
    dtype = of_gguf(name)
    assert dtype.nbytes(0) == 0
    assert dtype.nbytes(elements) == nbytes
    assert dtype.nbytes(7 * elements) == 7 * nbytes
    assert dtype.nbytes(6 * elements + 1) == 7 * nbytes  # a block is stored whole
    assert dtype.is_packed


def test_a_matrix_of_a_published_model_has_the_size_of_its_file():
    # Llama 7B's attention, 4096 x 4096: 4.5 bits a weight in Q4_0, 6.5625 in Q6_K.
    assert of_gguf("q4_0").nbytes(4096 * 4096) == 4096 * 4096 * 45 // 80
    assert of_gguf("q6_k").nbytes(4096 * 4096) == 4096 * 4096 * 65625 // 80000


@pytest.mark.parametrize(
    ("name", "count", "nbytes"),
    [
        ("float4_e2m1fn", 3, 2),
        ("float4_e2m1fn", 4, 2),
        ("float6_e2m3fn", 1, 1),
        ("float6_e2m3fn", 4, 3),
        ("int2", 5, 2),
        ("int4", 1, 1),
    ],
)
def test_elements_of_less_than_a_byte_take_exactly_their_bits_rounded_up(name, count, nbytes):
    assert DTYPES[name].nbytes(count) == nbytes
    assert DTYPES[name].is_packed


@pytest.mark.parametrize("name", [n for n, d in DTYPES.items() if d.nbits >= 8])
def test_other_dtypes_take_what_numpy_says(name):
    expected = np.empty(3, getattr(ml_dtypes, name, name))
    assert DTYPES[name].nbytes(3) == expected.nbytes
    assert not DTYPES[name].is_packed


def test_blocks_that_are_read_never_cut_a_block_of_the_type():
    dtype = of_gguf("q4_0")

    class Array:
        shape = (8, 160)

    Array.dtype = dtype
    ranges = list(block_ranges(Array, 100))
    assert ranges[0] == (0, 5 * 32)  # five blocks are 90 bytes
    assert ranges[-1][1] == 8 * 160
    assert all(start % 32 == 0 and stop % 32 == 0 for start, stop in ranges)


def test_a_stored_array_of_blocks_knows_its_size_and_gives_its_bytes_alone(tmp_path):
    content = bytes(range(4)) + bytes(36 * i % 251 for i in range(72))
    (tmp_path / "m.bin").write_bytes(content)
    array = StoredArray(open_regular(tmp_path / "m.bin"), 4, (2, 64), of_gguf("q4_0"))
    assert Parameter("w", array).nbytes == 4 * 18
    assert unpacked(array)[...].tobytes() == content[4:]
    assert repr(array) == "StoredArray([2, 64], q4_0)"
    with pytest.raises(DTypeError, match=r"m\.bin: values of the packed type q4_0 are not decoded"):
        array.read(0, 32)
    with pytest.raises(DTypeError, match="q4_0, whose elements are stored 32 to a block"):
        array[0]


def test_types_that_differ_in_their_blocks_are_not_equal():
    assert DType("q", 144, block=32) == DType("q", 144, block=32)
    assert DType("q", 144, block=32) != DType("q", 144, block=16)
    assert DType("q", 144, block=32) != "float32"
