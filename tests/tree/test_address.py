"""Addresses: what users type to point into a tree, and what is said when they slip."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraminspect.errors import AddressError
from paraminspect.tree.address import (
    Address,
    format_index,
    is_pattern,
    matches,
    parse_address,
    parse_assignment,
    parse_index,
)


@pytest.mark.parametrize(
    ("text", "pattern", "index", "positions"),
    [
        ("0.weight", "0.weight", None, ()),
        ("h.*.attn.*.weight", "h.*.attn.*.weight", None, ()),
        ("0.weight[0]", "0.weight", (0,), ()),
        ("0.weight[0, :8]", "0.weight", (0, slice(None, 8)), ()),
        ("w[-1, ::2]", "w", (-1, slice(None, None, 2)), ()),
        ("w[1:-1:3]", "w", (slice(1, -1, 3),), ()),
        ("w[...]", "w", (Ellipsis,), ()),
        ("w[..., 0]", "w", (Ellipsis, 0), ()),
        ("w[ 0 , 1 ]", "w", (0, 1), ()),
        ("w[0,]", "w", (0,), ()),
        ("0.block 1.0.bias[0:3]", "0.block 1.0.bias", (slice(0, 3),), ()),
        ("sequential/dense/kernel", "sequential/dense/kernel", None, ()),
        ("[2]", "*", None, (2,)),
        ("[0][1][0].bias", "bias", None, (0, 1, 0)),
        ("[0][-1]/kernel[1]", "kernel", (1,), (0, -1)),
        ("[0].*.bias", "*.bias", None, (0,)),
        ("[ 0 ].bias", "bias", None, (0,)),
        (".layers[0].weight", ".layers[0].weight", None, ()),
        (".layers[*].weight[0, 1]", ".layers[*].weight", (0, 1), ()),
        ("[0].x[1].bias[2]", "x[1].bias", (2,), (0,)),
    ],
)
def test_an_address_has_positions_a_pattern_and_an_index(text, pattern, index, positions):
    address = parse_address(text)
    assert address == Address(pattern, index, positions, text)
    assert str(address) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an address begins with a name or a position, got ''"),
        ("w]", r"'\]' without '\[' in address 'w\]'"),
        ("w[0", r"an index ends the address with '\]', got 'w\[0'"),
        ("w[]", r"cannot read the index \[\]"),
        ("w[a]", r"an index is made of integers, slices and '\.\.\.', got \[a\]"),
        ("w[1.5]", "an index is made of integers"),
        ("w[True]", "an index is made of integers"),
        ("w[None]", "an index is made of integers"),
        ("w[--1]", "an index is made of integers"),
        ("w[0:x]", "an index is made of integers"),
        ("w[[0, 1]]", "an index is made of integers"),
        ("w[0 1]", r"cannot read the index \[0 1\]"),
        ("w[010]", "cannot read the index"),
        ("w[1if 1 else 0]", "an index is made of integers"),
        (r"w['\d']", "an index is made of integers"),
        ("w[x := 1]", "cannot read the index|an index is made of"),
        ("w[" + "1," * 300 + "]", "an index has at most 500 characters"),
        ("w[" + "(" * 400 + "]", "cannot read the index"),
        ("[0]bias", r"expected '\.NAME' after the positions in '\[0\]bias', got 'bias'"),
    ],
)
def test_a_slip_is_answered_with_what_was_expected(text, message):
    with pytest.raises(AddressError, match=message):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "address", "expression"),
    [
        ("0.weight=42", "0.weight", "42"),
        ("0.weight[0, 0] = x + 1", "0.weight[0, 0]", "x + 1"),
        ("*.bias=x == 1", "*.bias", "x == 1"),
        ("w[0]=[1, 2][0]", "w[0]", "[1, 2][0]"),
    ],
)
def test_an_assignment_is_split_at_its_first_equals_sign(text, address, expression):
    assert parse_assignment(text) == (parse_address(address), expression)


def test_an_assignment_needs_an_equals_sign():
    with pytest.raises(AddressError, match=r"expected ADDRESS=EXPRESSION, got '0\.weight'"):
        parse_assignment("0.weight")


JAX = (".layers[0].weight", ".layers[0].weight[0]", "['params']['dense']['kernel']", "a=b[0]", "w*")
"""Names that `jax.tree_util.keystr` writes, and worse."""


@pytest.mark.parametrize("name", JAX)
@pytest.mark.parametrize(("ending", "index"), [("", None), ("[1, :2]", (1, slice(None, 2)))])
def test_a_name_that_is_there_wins_over_all_syntax(name, ending, index):
    address = parse_address(name + ending, JAX)
    assert (address.pattern, address.index, address.literal) == (name, index, True)
    assigned, expression = parse_assignment(f"{name}{ending} = x == 1", JAX)
    assert (assigned.pattern, assigned.index, expression) == (name, index, "x == 1")


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_name_in_quotes_is_neither_a_pattern_nor_an_index(quote):
    assert parse_address(f"{quote}w*[0]{quote}[1]").literal
    assert parse_address(f"{quote}w*[0]{quote}").pattern == "w*[0]"
    assert parse_address(f"{quote}w*[0]{quote}[1]").index == (1,)
    assert parse_assignment(f"{quote}a=b{quote}=c")[1] == "c"


integers = st.integers(-99, 99)
bounds = st.none() | integers
items = integers | st.builds(slice, bounds, bounds, bounds) | st.just(Ellipsis)


@given(st.lists(items, min_size=1, max_size=4).map(tuple))
def test_an_index_is_read_as_it_is_written(index):
    assert parse_index(format_index(index)) == index


letters = st.text("ab./0 ", max_size=8)


@given(st.text("ab.*?", max_size=8), letters)
def test_a_pattern_matches_as_in_the_shell_but_over_dots_and_slashes_too(pattern, name):
    assert matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


@given(letters)
def test_a_name_matches_itself_and_a_star(name):
    assert matches(name, name)
    assert matches("*", name)
    assert not is_pattern(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*a*ab", "aab"), ("a*a", "aa"), ("*b*b*", "abab"), ("a*b*b", "abb"), ("?*a", "ba")],
)
def test_a_star_takes_as_little_as_the_rest_needs(pattern, name):
    assert matches(pattern, name)
    assert not matches(pattern, f"{name}c") or pattern.endswith("*")


def test_only_stars_and_question_marks_are_special_and_lines_do_not_end_a_name():
    assert matches("a+(b)|c$", "a+(b)|c$")
    assert not matches("a.b", "axb")
    assert matches("a*c", "a\nb\nc")
    assert not matches("a?", "ab\n")


def test_many_stars_take_linear_time():
    start = time.process_time()
    assert not matches("*a" * 200 + "b", "a" * 400)
    assert time.process_time() - start < 1
