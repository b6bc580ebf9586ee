"""HDF5 files: what h5py writes is what is listed and read, and the library cannot hurt us."""

import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np
import pytest
from hdf5_damage import loop_in_the_global_heap, null_in_a_variable_length_type
from hypothesis import given, settings
from hypothesis import strategies as st

from paraminspect.errors import CheckpointError, DTypeError
from paraminspect.formats import open_checkpoint
from paraminspect.formats.files._reading import open_regular
from paraminspect.formats.hdf5._chunks import boxes
from paraminspect.libhdf5 import process, starting

W = np.arange(12, dtype=np.float32).reshape(4, 3)


def write(path, make, **how):
    with h5py.File(path, "w", **how) as file:
        make(file)
    return path


def assert_same(tree, path):
    """Every parameter has the values that h5py reads."""
    with h5py.File(path) as file:
        for name, parameter in tree.items():
            np.testing.assert_array_equal(parameter.numpy(), file[name][()], strict=True)


LAYOUTS = {
    "contiguous": {},
    "chunks": {"chunks": (7, 4)},
    "gzip": {"chunks": (7, 4), "compression": "gzip"},
    "gzip and shuffle": {"chunks": (7, 4), "compression": "gzip", "shuffle": True},
    "shuffle": {"chunks": (7, 4), "shuffle": True},
    "checksum": {"chunks": (7, 5), "fletcher32": True},
    "all three": {"chunks": (7, 5), "compression": 9, "shuffle": True, "fletcher32": True},
    "one chunk": {"chunks": (30, 10), "compression": "gzip"},
    "lzf": {"chunks": (7, 4), "compression": "lzf"},
    "lzf and shuffle": {"chunks": (7, 4), "compression": "lzf", "shuffle": True},
    "scale-offset": {"chunks": (7, 4), "scaleoffset": 0},
}


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    """A file with the same numbers in every layout and type."""

    def make(file):
        for name, how in LAYOUTS.items():
            for dtype in ["<i2"] if "scale" in name else ["<f4", ">i8", "|i1", "<c16"]:
                values = np.arange(300).reshape(30, 10).astype(dtype)
                file.create_dataset(f"{name}/{dtype}", data=values, **how)

    path = write(tmp_path_factory.mktemp("layouts") / "layouts.h5", make)
    return path, open_checkpoint(path)


def test_every_layout_and_filter_gives_the_values_that_h5py_reads(layouts):
    path, tree = layouts
    assert len(tree) == 4 * (len(LAYOUTS) - 1) + 1
    with h5py.File(path) as file:
        for name, parameter in tree.items():
            native = file[name].dtype.newbyteorder("=")
            expected = file[name][()].astype(native)
            np.testing.assert_array_equal(parameter.numpy(), expected, strict=True)
            np.testing.assert_array_equal(
                parameter.data[3:20:4, ::-3], expected[3:20:4, ::-3], strict=True
            )


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 5), max_size=4), st.data())
def test_boxes_cover_a_flat_stretch_in_order(shape, data):
    count = int(np.prod(shape))
    start = data.draw(st.integers(0, count))
    stop = data.draw(st.integers(start, count))
    numbers = np.arange(count).reshape(shape)
    found = []
    for at, begin, counts in boxes(tuple(shape), start, stop):
        assert at == len(found)
        box = numbers[tuple(slice(b, b + c) for b, c in zip(begin, counts, strict=True))]
        found += box.reshape(-1).tolist()
    assert found == list(range(start, stop))


def test_hard_links_are_ties_whose_own_name_is_the_first(tmp_path):
    def make(file):
        file["wte/weight"] = W
        file["lm_head/weight"] = file["wte/weight"]
        file.create_group("copy")["again"] = file["wte/weight"]
        file["group"] = file["wte"]

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    assert set(tree) == {"wte/weight", "lm_head/weight", "copy/again", "group/weight"}
    assert set(tree.ties.values()) == {"copy/again"}
    assert tree.totals.arrays == 1
    np.testing.assert_array_equal(tree["wte/weight"].numpy(), W, strict=True)
    assert tree["wte"]["weight"].shape == (4, 3)


def test_soft_links_are_followed_inside_the_file_and_never_own(tmp_path):
    def make(file):
        file["w"] = W
        file.create_group("a")["b"] = h5py.SoftLink("/w")
        file["a/chain"] = h5py.SoftLink("./b")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["circle"] = h5py.SoftLink("circle")
        file["to a"] = h5py.SoftLink("a")
        file["a/up"] = file["/"]

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    assert tree.ties == {"a/b": "w", "a/chain": "w"}
    assert tree.source.others == {
        "dangling": "a link to '/nowhere', which is not there",
        "circle": "a link that leads in a circle",
        "to a": "a link to the group '/a'",
        "a/up": "a link to the group '/'",
    }


def test_what_no_parameter_can_be_is_told_and_not_listed(tmp_path):
    def make(file):
        file["w"] = W
        file["text"] = ["a", "b"]
        file["fixed"] = np.array([b"a"])
        file["compound"] = np.zeros(3, [("x", "f4"), ("y", "i8")])
        file["colour"] = np.array([1], h5py.enum_dtype({"RED": 1}, "i4"))
        file["references"] = np.array([file["w"].ref], h5py.ref_dtype)
        file.create_dataset("lists", (1,), h5py.vlen_dtype("f4"))
        file["nothing"] = h5py.Empty("f4")
        file["type"] = np.dtype("f8")
        file["odd"] = np.zeros(2, np.longdouble)

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    assert list(tree) == ["w"]
    assert tree.source.others == {
        "text": "text, shape [2]",
        "fixed": "text, shape [1]",
        "compound": "compounds of x, y, shape [3]",
        "colour": "enumerated values, shape [1]",
        "references": "references, shape [1]",
        "lists": "lists of various lengths, shape [1]",
        "nothing": "a dataset without a shape",
        "type": "a named type",
        "odd": "floats of 80 bits in 16 bytes, shape [2]",
    }


def test_bytes_are_bfloat16_only_where_the_file_says_so(tmp_path):
    values = np.arange(3).astype(ml_dtypes.bfloat16)

    def make(file):
        file["told"] = values
        file["told"].attrs["dtype"] = "bfloat16"
        file["untold"] = values
        file["wrong"] = values
        file["wrong"].attrs["dtype"] = "float64"

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    np.testing.assert_array_equal(tree["told"].numpy(), values, strict=True)
    for name in ("untold", "wrong"):
        assert tree[name].dtype.name == "void16"
        with pytest.raises(DTypeError, match=r"m.h5 does not say what numbers they are"):
            tree[name].numpy()


def test_what_was_never_written_is_the_fill_value(tmp_path):
    def make(file):
        file.create_dataset("zeros", (3, 2), "f4")
        file.create_dataset("sevens", (3, 2), ">i4", fillvalue=7)
        some = file.create_dataset("some", (9, 4), "f8", chunks=(4, 3), fillvalue=-1.5)
        some[4:6, 1] = 3
        file.create_dataset("true", (2,), "bool", fillvalue=True)
        larger = file.create_dataset("shrunk", (9,), "i2", chunks=(2,), maxshape=(None,))
        larger[...] = range(9)
        larger.resize((3,))

    path = write(tmp_path / "m.h5", make)
    tree = open_checkpoint(path)
    with h5py.File(path) as file:
        for name, parameter in tree.items():
            expected = file[name][()].astype(file[name].dtype.newbyteorder("="))
            np.testing.assert_array_equal(parameter.numpy(), expected, strict=True)


@pytest.mark.parametrize("how", [{}, {"libver": "latest"}, {"userblock_size": 1024}], ids=str)
def test_every_version_of_the_file_format_is_read(how, tmp_path):
    def make(file):
        file["w"] = W
        file.create_dataset("z", data=W, chunks=(2, 2), compression="gzip")
        file.create_dataset("unwritten", (2,), "f4", fillvalue=2)
        file.create_dataset("grows", data=W, chunks=(2, 2), maxshape=(None, None))

    path = write(tmp_path / "m.h5", make, **how)
    assert_same(open_checkpoint(path), path)


def test_a_compact_dataset_is_read_through_the_library(tmp_path):
    def make(file):
        for name, values in {"matrix": W, "scalar": np.float64(3), "empty": W[:0]}.items():
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_layout(h5py.h5d.COMPACT)
            kind = h5py.h5t.py_create(np.asarray(values).dtype)
            space = h5py.h5s.create_simple(values.shape) if values.shape else None
            space = space or h5py.h5s.create(h5py.h5s.SCALAR)
            dataset = h5py.h5d.create(file.id, name.encode(), kind, space, creation)
            dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.asarray(values))

    path = write(tmp_path / "m.h5", make)
    assert_same(open_checkpoint(path), path)


def test_a_chunk_that_skipped_its_filters_is_read(tmp_path):
    def make(file):
        dataset = file.create_dataset("w", (4,), "<i4", chunks=(2,), compression="gzip")
        dataset.id.write_direct_chunk((0,), np.array([1, 2], "<i4").tobytes(), filter_mask=1)
        dataset[2:] = [3, 4]

    path = write(tmp_path / "m.h5", make)
    assert_same(open_checkpoint(path), path)


def test_groups_keep_the_order_in_which_they_were_made(tmp_path):
    def make(file):
        for name in ("b", "a", "c"):
            file[name] = W

    assert list(open_checkpoint(write(tmp_path / "m.h5", make, track_order=True))) == list("bac")
    assert list(open_checkpoint(write(tmp_path / "n.h5", make))) == list("abc")


def test_a_name_that_is_not_utf_8_is_kept(tmp_path):
    def make(file):
        file[b"caf\xe9"] = W

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    assert list(tree) == ["caf\udce9"]
    np.testing.assert_array_equal(tree["caf\udce9"].numpy(), W, strict=True)


def external_link(file):
    file["leak"] = h5py.ExternalLink("secret.h5", "/w")


def external_values(file):
    file.create_dataset("raw", (16,), "u1", external=[("secret.h5", 0, 16)])


def virtual(file):
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "w", (4, 3))
    file.create_virtual_dataset("view", layout)


def deep(file):
    for _ in range(200):
        file = file.create_group("g")


def doubling(file):
    """Two links from each group to the next: 2**30 paths in a few kilobytes."""
    group = file
    for _ in range(30):
        group["a"] = below = group.file.create_group(None)
        group["b"] = group = below


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (external_link, "'leak' is an external link: other files are not opened"),
        (external_values, "'raw' has its values in external files, which are not opened"),
        (virtual, "'view' is a virtual dataset: other files are not opened"),
        (deep, "its groups are nested deeper than 100 levels"),
        (doubling, "hard links repeat its groups more than 10000 times"),
    ],
)
def test_a_file_is_refused_that_leads_elsewhere_or_has_no_end(make, message, tmp_path):
    write(tmp_path / "secret.h5", lambda file: file.create_dataset("w", data=W))
    path = write(tmp_path / "m.h5", make)
    with pytest.raises(CheckpointError, match=f"m.h5: {message}"):
        open_checkpoint(path)


def test_a_dataset_of_four_tebibytes_in_a_small_file_is_listed(tmp_path):
    def make(file):
        file.create_dataset("sparse", (1 << 40,), "f4", chunks=(1024,))
        file.create_dataset("never", (1 << 62,), "u1")
        file.create_dataset("bomb", (1 << 28,), "f4", chunks=(1 << 20,), compression="gzip")
        file["bomb"][: 1 << 20] = 1

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    assert [p.shape for p in tree.values()] == [(1 << 28,), (1 << 62,), (1 << 40,)]
    np.testing.assert_array_equal(
        tree["bomb"].data[(1 << 20) - 1 : (1 << 20) + 1], np.array([1, 0], "f4"), strict=True
    )
    assert tree["sparse"].data[1 << 39] == 0


def test_memory_is_bounded_by_the_chunks_and_not_by_the_values(tmp_path):
    def make(file):
        file.create_dataset("w", (1 << 26,), "f4", chunks=(1 << 18,), compression="gzip")
        file["w"][: 1 << 22] = np.arange(1 << 22)

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    tracemalloc.start()
    for start in range(0, 1 << 26, 1 << 20):
        tree["w"].data.read(start, start + (1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20  # 256 MiB in all


@pytest.mark.parametrize(
    ("how", "at", "message"),
    [
        ({"fletcher32": True}, 0, "its checksum is another"),
        ({"compression": "gzip"}, 0, "cannot inflate"),
        ({"compression": "gzip"}, -1, "cannot inflate"),
    ],
    ids=["checksum", "header", "end"],
)
def test_a_damaged_chunk_is_told_with_its_place(how, at, message, tmp_path):
    values = np.random.default_rng(0).standard_normal(64)
    path = write(
        tmp_path / "m.h5", lambda f: f.create_dataset("w", data=values, chunks=(64,), **how)
    )
    with h5py.File(path) as file:
        chunk = file["w"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + (at if at >= 0 else chunk.size + at)] ^= 0x55
    path.write_bytes(content)
    expected = f"m.h5: dataset 'w': the chunk at byte {chunk.byte_offset}: {message}"
    with pytest.raises(CheckpointError, match=expected):
        open_checkpoint(path)["w"].numpy()


def test_a_filter_that_nobody_has_is_listed_and_told_when_values_are_wanted(tmp_path):
    def make(file):
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((2, 3))
        creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        space = h5py.h5s.create_simple((4, 3))
        dataset = h5py.h5d.create(file.id, b"zstd", h5py.h5t.IEEE_F32LE, space, creation)
        dataset.write_direct_chunk((0, 0), b"1234")

    tree = open_checkpoint(write(tmp_path / "m.h5", make))
    assert tree["zstd"].shape == (4, 3)
    with pytest.raises(CheckpointError, match=r"m.h5: the HDF5 library cannot read it.*filter"):
        tree["zstd"].numpy()


# The process


def keras_file(path):
    """A legacy Keras file, whose lists of names are of variable-length text."""

    def make(file):
        layer = file.create_group("dense")
        layer.attrs["weight_names"] = ["kernel"]
        layer["kernel"] = W
        file.attrs["layer_names"] = ["dense"]

    return write(path, make)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (null_in_a_variable_length_type, r"the HDF5 library crashed \(SIG\w+\): the file is dam"),
        (loop_in_the_global_heap, "the HDF5 library did not come to an end in the time that one"),
    ],
    ids=["crash", "loop"],
)
def test_one_changed_byte_that_ends_the_library_is_one_line(damage, message, tmp_path):
    path = keras_file(tmp_path / "m.h5")
    assert list(open_checkpoint(path)) == ["kernel"]
    content = path.read_bytes()
    changed = damage(content)
    assert sum(a != b for a, b in zip(content, changed, strict=True)) == 1
    path.write_bytes(changed)
    begin = time.monotonic()
    with pytest.raises(CheckpointError, match=f"m.h5: {message}"):
        open_checkpoint(path)
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("pass", "could not do its work"),
        ("import os; os.write(1, b'x' * 99)", "no sensible answer"),
        ("import os; os.write(1, b'\\2' + bytes(15) + b'[]')", "no sensible answer"),
        ("import os; os.write(1, b'\\x0c' + bytes(15) + b'{\"found\":[1]}')", "no sensible answer"),
        ("import os; os.kill(os.getpid(), 11)", "crashed .SIGSEGV."),
    ],
    ids=["silence", "noise", "a list", "wrong rows", "a crash"],
)
def test_a_process_that_answers_nonsense_is_one_line(program, message, tmp_path, monkeypatch):
    path = write(tmp_path / "m.h5", lambda file: file.create_dataset("w", data=W))
    monkeypatch.setattr(starting, "CODE", program)
    with pytest.raises(CheckpointError, match=f"m.h5: .*{message}"):
        open_checkpoint(path)


def test_a_process_that_is_gone_is_started_again(tmp_path):
    values = np.arange(6).reshape(2, 3)
    path = write(tmp_path / "m.h5", lambda f: f.create_dataset("w", data=values, compression="lzf"))
    tree = open_checkpoint(path)
    library = tree["w"].data.file.library
    library.start()
    os.kill(library._child.pid, 9)
    with pytest.raises(CheckpointError, match=r"crashed \(SIGKILL\)"):
        tree["w"].numpy()
    np.testing.assert_array_equal(tree["w"].numpy(), values, strict=True)


def test_the_process_can_open_no_file_and_has_limits(tmp_path):
    path = write(tmp_path / "m.h5", lambda file: file.create_dataset("w", data=W))
    library = process.Library(open_regular(path), process.Extent(0, path.stat().st_size))
    library.ask("walk")
    lines = Path(f"/proc/{library._child.pid}/limits").read_text().splitlines()
    limits = {line[:25].strip(): line[26:46].strip() for line in lines}
    assert limits["Max open files"] == "4"
    assert limits["Max core file size"] == limits["Max file size"] == "0"
    assert int(limits["Max address space"]) < 3 << 30
    library.stop()


def test_no_process_is_left_when_a_file_has_been_opened(tmp_path):
    path = write(tmp_path / "m.h5", lambda file: file.create_dataset("w", data=W))
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    before = children.read_text()
    tree = open_checkpoint(path)
    assert tree["w"].shape == (4, 3)
    assert children.read_text() == before


def test_a_process_that_reading_may_need_again_ends_in_a_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "MOMENT_SECONDS", 0.2)
    path = write(tmp_path / "m.h5", lambda f: f.create_dataset("w", data=W, chunks=(2, 2)))
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    before = children.read_text()
    tree = open_checkpoint(path)
    assert children.read_text() != before
    until = time.monotonic() + 20
    while children.read_text() != before and time.monotonic() < until:
        time.sleep(0.05)
    assert children.read_text() == before
    np.testing.assert_array_equal(tree["w"].numpy(), W, strict=True)


def test_our_own_process_imports_neither_h5py_nor_numpy_to_list(tmp_path):
    path = write(tmp_path / "m.h5", lambda file: file.create_dataset("w", data=W))
    program = (
        "import sys; from pathlib import Path; from paraminspect.formats import open_checkpoint;"
        "open_checkpoint(Path(sys.argv[1])); print('h5py' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert done.stdout == "False False\n"
