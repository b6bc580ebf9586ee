"""Renaming rules: what matches takes its new name, and no name is ever lost."""

import numpy as np
import pytest

from paraminspect.arrays import InMemory
from paraminspect.errors import AddressError
from paraminspect.operations.renaming import parse_renaming, rename
from paraminspect.tree import Parameter, ParameterTree

NAMES = ["model.h.0.w", "model.h.1.w", "head"]


def tree_of(names, ties=None):
    return ParameterTree({n: Parameter(n, InMemory(np.zeros(1))) for n in names}, ties or {})


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (["model.*=*"], ["h.0.w", "h.1.w", "head"]),
        (["*=net.*"], ["net.model.h.0.w", "net.model.h.1.w", "net.head"]),
        (["model.h.?.*=block ?/*"], ["block 0/w", "block 1/w", "head"]),
        (["*.w=*.weight"], ["model.h.0.weight", "model.h.1.weight", "head"]),
        (["head=lm_head", "model.h.0.*=first.*"], ["first.w", "model.h.1.w", "lm_head"]),
        (["model.h.0.w=x", "model.*=*"], ["x", "h.1.w", "head"]),
        (
            ["model.h.0.w=model.h.1.w", "model.h.1.w=model.h.0.w"],
            ["model.h.1.w", "model.h.0.w", "head"],
        ),
    ],
    ids=lambda value: " ".join(value),
)
def test_the_first_rule_that_matches_gives_the_name(rules, expected):
    renamed = rename(tree_of(NAMES), [parse_renaming(rule) for rule in rules])
    assert list(renamed) == expected
    assert [p.name for p in renamed.values()] == expected


@pytest.mark.parametrize("old", ["w[0]*", "a=b"])
@pytest.mark.parametrize("form", ["{}", '"{}"', "'{}'"])
def test_a_name_that_is_there_or_in_quotes_is_renamed_alone(old, form):
    tree = tree_of([old, "w[0]x"])
    renamed = rename(tree, [parse_renaming(form.format(old) + "=new", tree.entries)])
    assert list(renamed) == ["new", "w[0]x"]


def test_ties_are_renamed_with_their_names():
    renamed = rename(tree_of(["a.x", "a.y"], {"a.y": "a.x"}), [parse_renaming("a.*=*")])
    assert renamed.ties == {"y": "x"}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (["model.h.?.w=w"], "the same wildcards in the same order"),
        (["model.h.0.w=head"], "'model.h.0.w' and 'head' would both be named 'head'"),
        (["nope.*=*"], "no parameter matches 'nope.\\*'"),
        (["model.*=*", "model.h.0.w=x"], "'model.h.0.w=x' renames nothing"),
        (["model.*"], "expected OLD=NEW"),
        (["=x"], "expected OLD=NEW"),
    ],
)
def test_a_rule_that_would_lose_or_find_nothing_is_refused(rules, message):
    with pytest.raises(AddressError, match=message):
        rename(tree_of(NAMES), [parse_renaming(rule) for rule in rules])
