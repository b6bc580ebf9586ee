"""A power cut at any system call leaves the old or the new; what is reported done stays done.

The disk is an image of ext4, mounted through a loop device. FS_IOC_SHUTDOWN stops it as a power
cut does: flag 2 drops all that was not flushed, flag 1 flushes the journal alone.
"""

import fcntl
import os
import shutil
import struct
import subprocess

import pytest
from harness import (
    CHANGING,
    NO_FSYNC,
    SCENARIOS,
    Scenario,
    inject,
    litter,
    new_folder,
    system_calls,
)

pytestmark = pytest.mark.fault

SHUTDOWN = 0x8004587D


class Disk:
    """A file system of its own, whose power can be cut."""

    def __init__(self, image, place):
        self.image, self.place = image, place

    def mount(self):
        return subprocess.run(
            ["mount", "-o", "loop", str(self.image), str(self.place)],
            capture_output=True,
            text=True,
            check=False,
        )

    def cut(self, flag):
        """Cut the power, and switch on again."""
        descriptor = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", flag))
        os.close(descriptor)
        subprocess.run(["umount", str(self.place)], check=True)
        assert self.mount().returncode == 0


@pytest.fixture
def disk(tmp_path):
    image, place = tmp_path / "disk.image", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("no mkfs.ext4")
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    disk = Disk(image, place)
    done = disk.mount()
    if done.returncode:
        pytest.skip(f"no loop mount: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(place)], check=True)


def prepared(disk, name, scenario):
    folder = new_folder(disk.place, name, scenario)
    subprocess.run(["sync", "-f", str(disk.place)], check=True)
    return folder


@pytest.mark.parametrize("name", ["in place", "in place, named", "new file", "shards in place"])
def test_a_power_cut_at_any_system_call_leaves_the_old_or_the_new(name, disk, tmp_path):
    scenario = SCENARIOS[name]
    folder = new_folder(tmp_path, "clean", scenario)
    old = scenario.state(folder)
    points = [p for p in system_calls(scenario, folder) if p[0] in CHANGING]
    new = scenario.state(folder)
    seen = set()
    for number, (call, when) in enumerate(points):
        for flag in (1, 2):
            folder = prepared(disk, f"{number}-{flag}", scenario)
            inject(scenario, folder, call, f"signal=KILL:when={when}")
            disk.cut(flag)
            state = scenario.state(folder)
            assert state in (old, new), (call, when, flag)
            seen.add(state == new)
            scenario.run_again(folder)
            assert litter(folder) == []
            shutil.rmtree(folder)
    assert seen == {False, True}
    assert len(points) >= 10


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_reported_done_survives_a_power_cut(name, disk, tmp_path):
    scenario = SCENARIOS[name]
    folder = new_folder(tmp_path, "clean", scenario)
    assert scenario.run(folder).returncode == 0
    new = scenario.state(folder)
    for flag in (1, 2):
        folder = prepared(disk, f"folder-{flag}", scenario)
        assert scenario.run(folder).returncode == 0
        disk.cut(flag)
        assert scenario.state(folder) == new


def test_a_writer_that_does_not_sync_is_found_out(disk, tmp_path):
    """The tests above can fail: without fsync, what was reported done is lost."""
    scenario = SCENARIOS["in place"]
    careless = Scenario(scenario.prepare, scenario.arguments, scenario.state, NO_FSYNC)
    folder = prepared(disk, "folder", careless)
    old = careless.state(folder)
    assert careless.run(folder).returncode == 0
    assert careless.state(folder) != old
    disk.cut(2)
    assert careless.state(folder) == old
