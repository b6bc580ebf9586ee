"""Work that consists of independent tasks, done on every core."""

from __future__ import annotations

import gc
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

Task = TypeVar("Task")
Result = TypeVar("Result")

Progress = Callable[[int], None]
"""Is told of every part of some work as it is done, in its unit and by any thread."""


class Lock:
    """A lock that stays behind when its owner is pickled: what comes out has one of its own.

    So an array that is read on demand can go to another process.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def try_acquire(self) -> bool:
        """Take the lock, unless someone has it; who took it releases it."""
        return self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Give back what `try_acquire` took."""
        self._lock.release()

    def __reduce__(self) -> tuple[type[Lock], tuple[()]]:
        return Lock, ()


def unwatched(part: int) -> None:
    """The progress of work that nobody watches."""


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
    if threads == 1:
        take_and_do()
        return
    from concurrent.futures import ThreadPoolExecutor  # not for a command that does no work

    with ThreadPoolExecutor(threads) as pool:
        try:
            for done in [pool.submit(take_and_do) for _ in range(threads)]:
                done.result()
        finally:
            stopped.set()


def in_order(work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
    """The results of `work` on every task, done in threads, in the order of the tasks.

    Only a few tasks are done ahead of what is asked for: an endless stream of them needs no memory.
    """
    from concurrent.futures import ThreadPoolExecutor

    threads = os.cpu_count() or 1
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(work, task))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the collector: among a hundred thousand parameters it takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
