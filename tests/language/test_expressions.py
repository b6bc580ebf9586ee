"""Expressions: what the language computes, as Python does, and what it has not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraminspect.errors import ExpressionError
from paraminspect.language import format_value, parse_expression
from paraminspect.language.forward import parse_statement

NAMES = {"d": 8, "n": 3, "name": "abc", "sizes": [4, 5, 6], "x": np.arange(6.0).reshape(2, 3)}
FUNCTIONS = {"double": lambda a: 2 * a, "pair": lambda a, b=1, *, c=2: (a, b, c)}


def value(text):
    return parse_expression(text).evaluate(NAMES, FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", 42),
        (" 4 * d + 1 ", 33),
        ("d // n", 2),
        ("d / 4", 2.0),
        ("d % 5", 3),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("-d", -8),
        ("not d", False),
        ("1e-3", 0.001),
        ("0x10", 16),
        ("'a' + \"b\"", "ab"),
        ("(1, d)", (1, 8)),
        ("[1, [2]]", [1, [2]]),
        ("sizes + [7]", [4, 5, 6, 7]),
        ("sizes[1]", 5),
        ("sizes[-1]", 6),
        ("sizes[:2]", [4, 5]),
        ("name[::-1]", "cba"),
        ("d if n > 2 else 0", 8),
        ("1 < n <= 3", True),
        ("1 < n < 3", False),
        ("n == 3 and d", 8),
        ("0 or None", None),
        ("double(n)", 6),
        ("pair(1, c=double(n))", (1, 1, 6)),
        ("True", True),
    ],
)
def test_an_expression_has_the_value_that_python_gives_it(text, expected):
    assert value(text) == expected
    assert type(value(text)) is type(expected)


def test_expressions_work_element_by_element_on_arrays():
    x = NAMES["x"]
    np.testing.assert_array_equal(value("x * 2 + 1"), x * 2 + 1, strict=True)
    np.testing.assert_array_equal(value("x[1, ::2]"), x[1, ::2], strict=True)
    np.testing.assert_array_equal(value("(1 < x) & (x <= 4)"), (x > 1) & (x <= 4), strict=True)
    np.testing.assert_array_equal(value("1 < x <= 4"), (x > 1) & (x <= 4), strict=True)
    with pytest.raises(ExpressionError, match=r"truth value of an array .* ambiguous"):
        value("1 if x else 2")


REFUSED = {
    # what the language has not
    "d.real": "attribute access is not part of the language, in 'd.real'",
    "().__class__": "attribute access",
    "torch.float16": "there is no torch here: write 'float16' for torch.float16",
    "lambda: 1": "a lambda is not part",
    "[i for i in sizes]": "a comprehension is not part",
    "{i: 1 for i in sizes}": "a comprehension is not part",
    "f'{d}'": "a formatted string is not part",
    "(y := 3)": "an assignment is not part",
    "double(*sizes)": r"unpacking with '\*' is not part",
    "pair(**d)": r"unpacking with '\*\*' is not part",
    "{1: 2}": "a dictionary is not part",
    "{1, 2}": "a set is not part",
    "b'ab'": "Constant is not part",
    "1j": "Constant is not part",
    "sizes[0](1)": "only a name can be called",
    "d in sizes": "only == != < <= > >= compare",
    "d is 1": "only == != < <= > >= compare, in 'd is 1'",
    "1(d)": r"only a name can be called, in '1\(d\)'",
    "1 << d": "the operator LShift is not part",
    "'a' * 3": "only numbers can be multiplied",
    "sizes * 3": "only numbers can be multiplied",
    "'%d' % d": "only numbers can be multiplied",
    # what cannot be read
    "": "cannot read ''",
    "4 +": "cannot read '4 \\+': invalid syntax",
    "(1, 2": r"cannot read '\(1, 2': '\(' was never closed",
    "1; 2": "cannot read",
    "x = 3": "cannot read 'x = 3': invalid syntax",
    "import os": "cannot read",
    "\0": "cannot read",
    "010": "cannot read '010': leading zeros in decimal integer literals are not permitted",
    # what cannot be computed
    "1 / 0": "^division by zero$",
    "d // 0": "^division by zero$",
    "d + 'a'": "unsupported operand",
    "sizes[3]": "list index out of range",
    "sizes[::0]": "slice step cannot be zero",
    "1e308 ** 2": "out of range|too large",
    # names
    "dd": "unknown name 'dd', did you mean 'd'",
    "nam": "unknown name 'nam', did you mean 'name'",
    "qqq": "unknown name 'qqq'; known are d, n, name, sizes, x",
    "true": "unknown name 'true': write True",
    "double": r"double is a function: write double\(\.\.\.\)",
    "doubl(3)": "unknown function 'doubl', did you mean 'double'",
    "qqq(3)": "unknown function 'qqq'; known are double, pair",
    "__import__('os')": "unknown function '__import__'",
    "double()": r"double\(\) is wrong: missing a required argument: 'a'; it takes a",
    "double(1, 2)": r"double\(\) is wrong: too many positional arguments; it takes a",
    "pair(1, dd=2)": r"pair\(\) has no argument 'dd'; it takes a, b, c",
    "pair(1, a=2)": "multiple values for argument 'a'",
    # what is too large
    "9**9**9": r"is too large: the limit is 2\*\*128",
    "1e400": "a number is beyond the largest float, in '1e400'",
    "2**129": r"2\*\*129 is too large|a number is too large",
    "10**30 * 10**30": r"a number is too large: the limit is 2\*\*128",
    "9" * 5000: "an expression has at most 4000 characters",
    "9" * 3999: "a number is too large",
    "(" * 60 + ")" * 60: "nested deeper than 50 levels",
    "-" * 3000 + "1": "nested too deep",
    "not " * 500 + "d": "more than 200 levels of operations",
    "1" + "+1" * 500: "more than 200 levels of operations",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=[k[:20] for k in REFUSED])
def test_what_the_language_has_not_is_refused_with_the_reason(text, message):
    with pytest.raises(ExpressionError, match=message):
        value(text)


def test_what_grows_is_refused_before_it_takes_memory():
    names = {"s": "x" * 9_999, "t": [0] * 9_999}
    for text in ("s + 'xx'", "t + [1, 2]"):
        with pytest.raises(ExpressionError, match="a value is too large: the limit is 10000 items"):
            parse_expression(text).evaluate(names, {})


numbers = st.integers(-9, 9).map(str)
operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "==", " and ", " or "])
arithmetic = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.builds("({}{}{})".format, inner, operators, inner),
        st.builds("(-{})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
    ),
    max_leaves=8,
)


@given(arithmetic)
def test_arithmetic_is_that_of_python(text):
    try:
        expected = eval(text)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="division by zero"):
            value(text)
        return
    found = value(text)
    assert (found, type(found)) == (expected, type(expected))


@given(st.text(max_size=40))
def test_any_text_is_a_value_or_an_error_of_ours(text):
    try:
        value(text)
    except ExpressionError as error:
        assert str(error)  # noqa: PT017 (that nothing else is raised is what is tested)


def test_an_expression_knows_its_parts():
    expression = parse_expression("block(2 * d, act=relu(n))")
    assert (expression.called, expression.name) == ("block", None)
    assert expression.calls == {"block", "relu"}
    assert expression.names == {"block", "relu", "d", "n"}
    assert parse_expression(" shared ").name == "shared"
    count, of = parse_expression("2 * n * block(d)").repetition()
    assert (count.text, of.text, of.called) == ("2 * n", "block(d)", "block")
    assert parse_expression("3 * shared").repetition()[1].name == "shared"
    assert parse_expression("block(d) * 3").repetition() is None
    assert parse_expression("2 * 3").repetition() is None


def test_names_can_be_written_in():
    expression = parse_expression("normal(0, s) if d else d(1)")
    assert expression.bind({"s": 0.02, "d": 8}).text == "normal(0, 0.02) if 8 else d(1)"
    assert expression.bind({"other": 1}) is expression


@pytest.mark.parametrize("written", [3, 0.1, "a'b", True, None, (1, 2), [1, (2.5,)], math.inf])
def test_a_value_is_written_as_the_language_reads_it(written):
    assert parse_expression(format_value(written)).evaluate({"inf": math.inf}, {}) == written


@pytest.mark.parametrize(
    ("text", "expected"), [("1if n else 2", 1), (r"'\d'", "\\d"), ("'a'[0]", "a"), ("0x1for n", 31)]
)
def test_python_warns_of_nothing_on_the_terminal(text, expected):
    """Warnings are errors in these tests: one would be a `SyntaxError`."""
    assert value(text) == expected
    assert parse_expression(text).bind({"n": 3}).evaluate({}, {}) == expected
    statement = parse_statement(f"y = {text}", "")
    assert statement.value.evaluate(NAMES, {}) == expected
