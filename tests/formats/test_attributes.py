"""A file that replaces another has the extended attributes and the access list of that one."""

import errno
import os
import stat
import struct

import numpy as np
import pytest
import safetensors.numpy

from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.operations.edit import assign

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"

OWNER, USER, GROUP, MASK, OTHER = 1, 2, 4, 16, 32
NOBODY = 0xFFFFFFFF
"""The tags of an access list, and the id of entries that have none (acl(5), Linux)."""


def access_list(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


READER = access_list((OWNER, 6, NOBODY), (USER, 4, 12345), (GROUP, 4, NOBODY), (MASK, 4, NOBODY),
                     (OTHER, 0, NOBODY))  # fmt: skip


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m.safetensors"
    safetensors.numpy.save_file({"w": np.arange(6.0)}, path)
    return path


def set_attribute(path, key, value):
    if not hasattr(os, "setxattr"):
        pytest.skip("this system has no extended attributes in Python")
    try:
        os.setxattr(path, key, value)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM):
            raise
        pytest.skip(f"the file system has no {key}: {error}")


def edit(path, **options):
    save_checkpoint(assign(open_checkpoint(path), "w", "x + 1"), path, overwrite=True, **options)
    assert open_checkpoint(path)["w"].numpy()[0] == 1


def test_attributes_are_kept(path):
    set_attribute(path, "user.origin", b"https://example.org\0")
    set_attribute(path, "user.empty", b"")
    before = path.stat().st_ino
    edit(path)
    assert path.stat().st_ino != before
    assert os.getxattr(path, "user.origin") == b"https://example.org\0"
    assert os.getxattr(path, "user.empty") == b""


def test_attributes_of_shards_that_change_are_kept(tmp_path):
    values = {"w": np.arange(6.0), "v": np.arange(300.0)}
    safetensors.numpy.save_file(values, tmp_path / "one.safetensors")
    folder = tmp_path / "shards"
    save_checkpoint(open_checkpoint(tmp_path / "one.safetensors"), folder, max_shard_nbytes=600)
    shards = sorted(folder.glob("*.safetensors"))
    assert len(shards) == 2
    for shard in shards:
        set_attribute(shard, "user.name", shard.name.encode())
    edit(folder)
    assert [os.getxattr(shard, "user.name") for shard in shards] == [
        shard.name.encode() for shard in shards
    ]


def test_the_access_list_is_kept(path):
    set_attribute(path, ACCESS, READER)
    mode = path.stat().st_mode
    edit(path)
    assert os.getxattr(path, ACCESS) == READER
    assert path.stat().st_mode == mode


def test_nobody_gets_access_from_the_list_that_the_folder_gives_to_new_files(path):
    path.chmod(0o600)
    set_attribute(path.parent, DEFAULT, READER)
    (path.parent / "new").touch()
    assert ACCESS in os.listxattr(path.parent / "new")
    edit(path)
    assert ACCESS not in os.listxattr(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_nobody_may_read_is_replaced_all_the_same(path, tmp_path):
    target = tmp_path / "other.safetensors"
    target.write_bytes(b"old")
    target.chmod(0o200)
    save_checkpoint(open_checkpoint(path), target, overwrite=True)
    assert stat.S_IMODE(target.stat().st_mode) == 0o200
