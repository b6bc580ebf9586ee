"""Numbers of things in sentences."""

import pytest

from paraminspect.errors import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 arrays"), (1, "1 array"), (2, "2 arrays"), (2048, "2,048 arrays")]
)
def test_one_thing_is_singular_and_any_other_number_plural(number, words):
    assert counted(number, "array") == words


def test_a_plural_of_its_own_is_given():
    assert [counted(n, "axis", "axes") for n in (1, 2)] == ["1 axis", "2 axes"]
