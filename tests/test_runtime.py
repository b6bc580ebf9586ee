"""Tasks on every core: results in order, errors raised, endless streams taken lazily."""

import itertools
import threading

import pytest

from paraminspect.runtime import in_order


def test_results_come_in_the_order_of_the_tasks():
    done = threading.Event()

    def work(number):
        if number == 0:  # the first ends last
            done.wait(10)
        elif number == 1:
            done.set()
        return number

    assert list(in_order(work, range(50))) == list(range(50))


def test_an_endless_stream_is_taken_as_it_is_needed():
    taken = []

    def tasks():
        for number in itertools.count():
            taken.append(number)
            yield number

    results = in_order(lambda number: number, tasks())
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    results.close()
    assert len(taken) < 1000


def test_an_error_is_raised_where_its_result_would_be():
    results = in_order(lambda number: 1 // (number - 2), range(100))
    assert [next(results), next(results)] == [-1, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)
