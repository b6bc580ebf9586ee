"""A kill at any system call leaves the old or the new, and what is left over goes next time."""

from concurrent.futures import ThreadPoolExecutor
from signal import Signals

import pytest
from harness import SCENARIOS, inject, litter, new_folder, system_calls

pytestmark = pytest.mark.fault

ALIKE = {"keras shards": "keras weights", "new keras archive": "keras archive, packed"}
"""Scenarios that make the calls of another: killing that one is enough."""

KILLED = {name: scenario for name, scenario in SCENARIOS.items() if name not in ALIKE}

every_scenario = pytest.mark.parametrize("scenario", KILLED.values(), ids=KILLED)


def at_every_call(scenario, tmp_path, signal, check):
    """Run the command once for each of its system calls, with a signal there."""
    folder = new_folder(tmp_path, "clean", scenario)
    old = scenario.state(folder)
    points = system_calls(scenario, folder)
    new = scenario.state(folder)
    assert old != new

    def one(point):
        folder = new_folder(tmp_path, f"{point[0]}-{point[1]}", scenario)
        done = inject(scenario, folder, point[0], f"signal={signal}:when={point[1]}")
        state = scenario.state(folder)
        assert state in (old, new), (point, "neither old nor new")
        check(point, folder, done)
        scenario.run_again(folder)
        assert scenario.state(folder) is not None
        assert litter(folder) == [], point
        return done.returncode, state == new

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, points))
    statuses = [status for status, _ in results]
    assert {is_new for _, is_new in results} == {False, True}
    return statuses


@every_scenario
def test_a_kill_at_any_system_call_leaves_the_old_or_the_new(scenario, tmp_path):
    def check(point, folder, done):
        assert len(litter(folder)) <= scenario.leftovers, (point, litter(folder))

    statuses = at_every_call(scenario, tmp_path, "KILL", check)
    ended = [-9, 137, *([2] if scenario.has_child else [])]  # the child may be the one that dies
    assert sum(map(statuses.count, ended)) > 0.9 * len(statuses)
    assert len(statuses) > (10 if scenario.has_child else 40)


@pytest.mark.parametrize(
    ("signal", "status", "name"),
    [
        (Signals.SIGINT, 130, "in place, named"),
        (Signals.SIGINT, 130, "shards in place"),
        (Signals.SIGTERM, 143, "new shards"),
    ],
)
def test_an_interrupt_at_any_system_call_leaves_no_litter(signal, status, name, tmp_path):
    def check(point, folder, done):
        assert litter(folder) == [], point
        # Python itself drops an interrupt that falls into the end of an object, and says so; a
        # SIGTERM before or after the writing ends the program as always.
        assert not done.stderr.strip() or "ignored in: <finalize" in done.stderr, point
        assert done.returncode in (0, status, -signal), (point, done.stderr)

    statuses = at_every_call(SCENARIOS[name], tmp_path, signal.name.removeprefix("SIG"), check)
    assert statuses.count(status) > 0.6 * len(statuses)
