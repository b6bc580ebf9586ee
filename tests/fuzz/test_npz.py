"""Thousands of changed npz files: read as NumPy reads them, or refused in one clear line."""

import io
import random
import warnings

import numpy as np
import pytest

from paraminspect.arrays import block_ranges
from paraminspect.errors import CheckpointError, DTypeError
from paraminspect.formats import open_checkpoint

pytestmark = pytest.mark.fuzz

COUNT = 5_000

ARRAYS = {
    "w": np.arange(12, dtype=np.float32).reshape(3, 4),
    "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "ä/b": np.array([1, -2], ">i2"),
    "flag": np.array([True, False]),
    "empty": np.zeros((0, 2)),
    "names": np.array(["ab", "c"]),
}


def packed(save):
    buffer = io.BytesIO()
    save(buffer, **ARRAYS)
    return buffer.getvalue()


SEEDS = [packed(np.savez), packed(np.savez_compressed)]
INTERESTING = [
    b"\0",
    b"\xff",
    b"\x01",
    b"\x7f\xff",
    b"\xff\xff\xff\xff",
    b"PK\x05\x06",
    b"PK\x01\x02",
]


def changed(choose):
    data = bytearray(choose.choice(SEEDS))
    for _ in range(choose.choice([1, 1, 1, 2, 4])):
        at = choose.randrange(len(data))
        kind = choose.randrange(5)
        if kind == 0:
            data[at] ^= 1 << choose.randrange(8)
        elif kind == 1:
            data[at] = choose.randrange(256)
        elif kind == 2:
            piece = choose.choice(INTERESTING)
            data[at : at + len(piece)] = piece
        elif kind == 3:
            del data[at : at + choose.randrange(1, 20)]
        else:
            start = choose.randrange(len(data))
            data[at:at] = data[start : start + choose.randrange(1, 60)]
    return bytes(data)


def refusal(path):
    """Why the file is refused, None if it is read."""
    try:
        read_whole(path)
    except CheckpointError as error:
        return str(error)
    return None


def read_whole(path):
    """Every array by name, None where it is no number; raises CheckpointError."""
    tree = open_checkpoint(path)
    found = {}
    for name, parameter in tree.items():
        try:
            blocks = [parameter.data.read(*r).copy() for r in block_ranges(parameter.data, 16)]
        except DTypeError:
            found[name] = None
            continue
        empty = np.empty(0, parameter.dtype.to_numpy())
        found[name] = np.concatenate([empty, *blocks]).reshape(parameter.shape)
    return found


def test_a_changed_file_is_read_as_numpy_reads_it_or_refused(tmp_path):
    choose = random.Random(0)
    path = tmp_path / "x.npz"
    accepted = 0
    for _ in range(COUNT):
        path.write_bytes(data := changed(choose))
        reason = refusal(path)
        if reason is not None:
            assert str(path) in reason
            assert "\n" not in reason
            continue
        accepted += 1
        found = read_whole(path)
        with warnings.catch_warnings(), np.load(io.BytesIO(data)) as expected:
            warnings.simplefilter("ignore")
            assert list(found) == expected.files
            for name, array in found.items():
                if array is not None:
                    wanted = expected[name]
                    assert array.dtype == wanted.dtype.newbyteorder("=")
                    assert array.shape == wanted.shape
                    assert array.tobytes() == wanted.astype(array.dtype).tobytes("C")
    assert accepted > COUNT // 50
