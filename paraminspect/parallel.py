"""Work that consists of independent tasks, done on every core."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Task = TypeVar("Task")


def for_each(work: Callable[[Task], object], tasks: Iterable[Task]) -> None:
    """Do `work` on every task, in threads. The first error ends it all and is raised.

    Tasks are taken one at a time: an endless stream of them needs no memory.
    """
    waiting = iter(tasks)
    lock = threading.Lock()
    stopped = threading.Event()

    def take_and_do() -> None:
        while not stopped.is_set():
            with lock:
                try:
                    task = next(waiting)
                except StopIteration:
                    return
            work(task)

    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        try:
            for done in [pool.submit(take_and_do) for _ in range(threads)]:
                done.result()
        finally:
            stopped.set()
