"""Time and memory of commands, each against a rival in the same run: only ratios mean something."""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass

PARAMINSPECT = [sys.executable, "-c", "from paraminspect.__main__ import run; run()"]
"""The console script, whatever is installed where."""

ROUNDS = 5


@dataclass(frozen=True)
class Usage:
    """What a command took: seconds on the clock and on all processors, and the most memory."""

    wall: float
    cpu: float
    mib: float

    def __str__(self):
        return f"{self.wall:6.2f} s wall {self.cpu:6.2f} s cpu {self.mib:6.0f} MiB"


LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
wall = time.perf_counter() - started
status = os.waitstatus_to_exitcode(status)
print(json.dumps([status, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
"""Starts the command: a process is charged with the memory of the one that it was forked from."""


def use(command, statuses=(0,)):
    """Run a command to its end; its output goes nowhere."""
    launch = [sys.executable, "-S", "-c", LAUNCHER, *map(str, command)]
    # As installed, modules are compiled once, not in every process.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    told = subprocess.run(launch, env=environment, stdout=subprocess.PIPE, check=True).stdout
    status, wall, cpu, mib = json.loads(told)
    assert status in statuses, (command, status)
    return Usage(wall, cpu, mib)


def race(title, ours, rival, statuses=(0,), rounds=ROUNDS):
    """Both in turn, several times: `(ours, rival)`, the median of each.

    In turn, so that what else the machine does slows both; a first round fills the page cache.
    """
    found = [(use(ours, statuses), use(rival, statuses)) for _ in range(rounds + 1)][1:]
    medians = [
        Usage(
            *(
                statistics.median(getattr(one[side], key) for one in found)
                for key in ("wall", "cpu", "mib")
            )
        )
        for side in (0, 1)
    ]
    print(f"\n{title}\n  ours  {medians[0]}\n  rival {medians[1]}")
    return medians


def times_as_slow(ours, rival):
    """How many times the rival's time we take: on the clock, or on the processors if that is less.

    On a machine that is shared the clock tells how busy it is; processor time hardly does.
    """
    return min(ours.wall / rival.wall, ours.cpu / rival.cpu)
