"""The table of formats: one record a format, ours and those of other packages."""

import importlib.metadata
import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from formats import FORMATS as WRITTEN
from safetensors.numpy import save_file
from trees import tree_of

from paraminspect import formats
from paraminspect.arrays import DTYPES
from paraminspect.errors import CheckpointError
from paraminspect.formats import FORMATS, Format, Holds, open_checkpoint, save_checkpoint
from paraminspect.formats._table import added_formats
from paraminspect.formats.files._reading import StoredArray
from paraminspect.tree import Parameter, ParameterTree, Source

ARRAYS = {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}


def open_plain(file):
    """`PLAIN`, a length, and so many float32."""
    count = int.from_bytes(file.read(5, 4), "little")
    array = StoredArray(file, 9, (count,), DTYPES["float32"])
    entries = {"all": Parameter("all", array)}
    return ParameterTree(entries, source=Source(str(file.path), "plain", (file,)))


def save_plain(tree, path, *, overwrite, progress):
    from paraminspect.formats.files._replacing import replacing

    (parameter,) = tree.parameters()
    values = parameter.numpy().tobytes()
    with replacing(
        path, 0, inputs=tree.source.files, overwrite=overwrite, progress=progress
    ) as new:
        new.write(b"PLAIN" + struct.pack("<I", parameter.count) + values, 0)
    return []


PLAIN = Format(
    name="plain",
    description="floats, one after another",
    suffixes=(".plain",),
    fits=lambda first: first.startswith(b"PLAIN"),
    opener=f"{__name__}:open_plain",
    saver=f"{__name__}:save_plain",
    holds=Holds(frozenset(["float32"])),
)


@pytest.fixture
def added(monkeypatch):
    """Pretends that packages are installed whose entry points lead to these things."""

    def add(*things):
        entries = [
            SimpleNamespace(name="its", value="a:b", dist=None, load=lambda thing=thing: thing)
            for thing in things
        ]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: entries)
        added_formats.cache_clear()

    yield add
    added_formats.cache_clear()


def test_every_format_has_one_record_under_its_name():
    assert list(FORMATS) == [format_.name for format_ in FORMATS.values()]
    assert {f.name for f in WRITTEN.values()} <= set(FORMATS)
    for format_ in FORMATS.values():
        assert format_.description
        assert format_.holds.dtypes <= set(DTYPES)


@pytest.mark.parametrize("format_", WRITTEN.values(), ids=WRITTEN)
def test_exactly_one_record_fits_the_first_bytes_of_a_file(format_, tmp_path):
    first = format_.write(tmp_path, ARRAYS, {}, {}).path.read_bytes()[:4096]
    assert [name for name, f in FORMATS.items() if f.fits(first)] == [format_.name]


def test_a_format_of_another_package_is_opened_saved_and_found_in_a_folder(added, tmp_path):
    added(PLAIN)
    tree = tree_of(ARRAYS, {"alias": "w"}, metadata={"licence": "MIT"})
    assert save_checkpoint(tree, tmp_path / "m.plain") == [
        "plain cannot store ties; 1 tied parameter was written as a copy",
        "plain cannot store metadata; left out: licence",
    ]
    for path in (tmp_path, tmp_path / "m.plain"):
        opened = open_checkpoint(path)
        assert opened.source.format == "plain"
        np.testing.assert_array_equal(opened["all"].numpy(), np.arange(6, dtype=np.float32))
    assert save_checkpoint(opened, tmp_path / "copy", format_="plain") == []


def test_our_formats_are_found_without_looking_for_other_packages(monkeypatch, tmp_path):
    monkeypatch.setattr("paraminspect.formats._table.added_formats", lambda: pytest.fail("looked"))
    save_file(ARRAYS, tmp_path / "model.safetensors")
    save_checkpoint(open_checkpoint(tmp_path), tmp_path / "other.npz")
    assert open_checkpoint(tmp_path).source.format == "safetensors"


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (FORMATS["npz"], r"the format its of a:b: there is a format named 'npz' already"),
        ("a text", r"the format its of a:b: expected a Format, got str"),
    ],
)
def test_what_another_package_adds_wrongly_is_refused_by_its_name(thing, message, added, tmp_path):
    (tmp_path / "x.unknown").write_bytes(b"\x01\x02\x03\x04" * 8)
    added(thing)
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path / "x.unknown")


def test_a_package_that_fails_when_imported_is_named(monkeypatch, tmp_path):
    def load():
        raise RuntimeError("no such driver")

    entry = SimpleNamespace(name="its", value="a:b", dist=SimpleNamespace(name="pkg"), load=load)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [entry])
    added_formats.cache_clear()
    (tmp_path / "x.unknown").write_bytes(b"\x01\x02\x03\x04" * 8)
    with pytest.raises(CheckpointError, match=r"the format its of pkg: cannot be loaded: Runtime"):
        open_checkpoint(tmp_path / "x.unknown")
    added_formats.cache_clear()


def test_our_files_are_read_while_another_package_is_broken(added, tmp_path):
    added("a text")
    save_file(ARRAYS, tmp_path / "m.safetensors")
    assert list(open_checkpoint(tmp_path / "m.safetensors")) == ["w"]


def test_the_page_of_the_room_lists_every_format():
    page = (Path(formats.__file__).parent / "README.md").read_text()
    rows = [tuple(cell.strip() for cell in line.split("|")[1:4]) for line in page.splitlines()]
    for format_ in FORMATS.values():
        assert (format_.name, ", ".join(format_.suffixes), format_.description) in rows
