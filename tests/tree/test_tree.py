"""Trees: laws of a mapping, selecting, replacing, tying, and the ways in by place and name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraminspect.arrays import DTYPES, Unset
from paraminspect.definition import load_definition
from paraminspect.errors import AddressError, TieError
from paraminspect.operations.tying import tie, untie
from paraminspect.tree import Branch, Parameter, ParameterTree, Source, held

NESTED = """
framework: pytorch
define:
  block():
    - Linear(4, 8)
    - ReLU()
    - Linear(8, 4)
  blocks():
    repeat: 2
    name: block {i}
    of: block()
share:
  tied: Linear(4, 4)
layers:
  - blocks()
  - tied
  - {a: tied, scale: Parameter(3), mask: Buffer(2)}
  - [Parameter(5), Parameter(6)]
"""


def parameter(name, shape=(2,), dtype="float32"):
    return Parameter(name, Unset(shape, DTYPES[dtype]), trainable=True)


def tree_of(*names, ties=None, **fields):
    return ParameterTree({name: parameter(name) for name in names}, ties or {}, **fields)


@pytest.fixture
def net():
    return load_definition(NESTED.encode(), "nested.yaml")


NAMES = [
    "0.block 0.0.weight", "0.block 0.0.bias", "0.block 0.2.weight", "0.block 0.2.bias",
    "0.block 1.0.weight", "0.block 1.0.bias", "0.block 1.2.weight", "0.block 1.2.bias",
    "1.weight", "1.bias", "2.scale", "2.mask", "2.a.weight", "2.a.bias", "3.0", "3.1",
]  # fmt: skip


def test_a_tree_is_a_mapping_in_definition_order(net):
    assert list(net) == list(net.keys()) == NAMES
    assert len(net) == 16
    assert [p.name for p in net.values()] == NAMES
    assert all(net[name] is p for name, p in net.items())
    assert "1.weight" in net
    assert "1" not in net  # a part, which can be reached, but no key
    assert net.get("nothing") is None


def test_a_part_is_a_mapping_with_names_of_its_own(net):
    part = net[0][1]
    assert isinstance(part, Branch)
    assert list(part) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert len(part) == 4
    assert all(part[name] is p for name, p in part.items())
    assert part["2.bias"] is net["0.block 1.2.bias"]
    assert "0" not in part


@pytest.mark.parametrize(
    ("reach", "name"),
    [
        (lambda net: net["0.block 1.0.bias"], "0.block 1.0.bias"),
        (lambda net: net[0][1][0].bias, "0.block 1.0.bias"),
        (lambda net: net[0][-1][-1].weight, "0.block 1.2.weight"),
        (lambda net: net[0]["block 1"]["2"]["bias"], "0.block 1.2.bias"),
        (lambda net: net["0.block 1"]["0.bias"], "0.block 1.0.bias"),
        (lambda net: net["0.block 1.2"].bias, "0.block 1.2.bias"),
        (lambda net: net[0]["block 0.2"]["weight"], "0.block 0.2.weight"),
        (lambda net: net[2].a.weight, "2.a.weight"),
        (lambda net: net[2].scale, "2.scale"),
        (lambda net: net[2][0].bias, "2.a.bias"),
        (lambda net: net[3][1], "3.1"),
        (lambda net: net[3][-2], "3.0"),
    ],
)
def test_a_parameter_is_reached_by_position_name_and_attribute(net, reach, name):
    assert reach(net) is net[name]


def test_parameters_of_a_part_are_its_arrays_once(net):
    assert [p.name for p in net[0][0].parameters()] == NAMES[:4]
    assert [p.name for p in net[2].parameters()] == ["2.scale", "2.mask", "1.weight", "1.bias"]
    assert len(net.parameters()) == len(NAMES) - 2


@pytest.mark.parametrize(
    ("reach", "message"),
    [
        (lambda net: net[7], "no part at position 7: there are 4"),
        (lambda net: net[-5], "no part at position -5: there are 4"),
        (lambda net: net[0]["block 2"], "no 'block 2' here; there are block 0, block 1"),
        (lambda net: net["2.scal"], "nested.yaml: no parameter matches '2.scal', the nearest is '2.scale'"),
        (lambda net: net["*.bias"], r"'\*\.bias' is not a name: use select\('\*\.bias'\)"),
        (lambda net: net["[0][1]"], r"is not a name: use select\('\[0\]\[1\]'\)"),
        (lambda net: net[2]["x.y"], "no .x.y. here; there are a, scale, mask"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_answered_with_what_is(net, reach, message):
    with pytest.raises((AddressError, AttributeError), match=message):
        reach(net)


def test_an_unknown_attribute_is_an_attribute_error(net):
    with pytest.raises(AttributeError, match="no 'wight' here; there are weight, bias"):
        _ = net[1].wight
    assert not hasattr(net, "__array__")


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["*.bias"], [n for n in NAMES if n.endswith(".bias")]),
        (["[0][1]"], NAMES[4:8]),
        (["[0][1].*.bias"], ["0.block 1.0.bias", "0.block 1.2.bias"]),
        (["[0][1][0].bias"], ["0.block 1.0.bias"]),
        (["[2]"], ["2.scale", "2.mask", "2.a.weight", "2.a.bias"]),
        (["2.scale[0]"], ["2.scale"]),
        (["1.*", "0.block 0.0.bias"], ["0.block 0.0.bias", "1.weight", "1.bias"]),
        (["?.bias"], ["1.bias"]),
    ],
)
def test_select_keeps_what_any_address_matches_in_tree_order(net, addresses, expected):
    assert list(net.select(*addresses)) == expected


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("x.*", r"no parameter matches 'x\.\*'"),
        ("1", r"no parameter matches '1', did you mean '1\.\*'"),
        ("[9].bias", "no part at position 9"),
        ("2.a.wieght", r"the nearest is '2\.a\.weight'"),
    ],
)
def test_an_address_that_matches_nothing_is_an_error(net, address, message):
    with pytest.raises(AddressError, match=message):
        net.select(address)


def test_a_selection_leaves_the_tree_as_it_was(net):
    chosen = net.select("2.*")
    assert list(net) == NAMES
    assert chosen.ties == {}
    assert net.ties == {"2.a.weight": "1.weight", "2.a.bias": "1.bias"}
    assert chosen[2].a.weight is net["2.a.weight"]


def test_replace_changes_an_array_under_all_of_its_names(net):
    new = Unset((4, 4), DTYPES["float16"])
    changed = net.replace([Parameter("1.weight", new, scheme="zeros")])
    assert changed["1.weight"].data is changed["2.a.weight"].data is new
    assert changed["2.a.weight"].scheme == "zeros"
    assert changed["2.a.weight"].layer == "Linear"
    assert net["1.weight"].data is not new
    assert changed["1.bias"].data is net["1.bias"].data


def test_a_tied_name_shares_the_array_and_the_count():
    tree = tree_of("a", "b", "c")
    tied = tie(tree, "c", "a")
    assert tied.ties == {"c": "a"}
    assert tied["c"].data is tied["a"].data
    assert (tied.totals.arrays, tied.totals.count, tied.totals.nbytes) == (2, 4, 16)
    assert tied.aliases("a") == ["c"]
    assert tree.ties == {}
    assert tree["c"].data is not tree["a"].data


def test_tying_an_owner_takes_its_aliases_along():
    tree = tie(tie(tie(tree_of("a", "b", "c", "d"), "b", "a"), "d", "c"), "a", "d")
    assert tree.ties == {"a": "c", "b": "c", "d": "c"}
    assert len({id(tree[n].data) for n in "abcd"}) == 1


def test_untying_gives_a_name_its_own_array():
    tree = tree_of("a", "b", ties={"b": "a"}, metadata={"b": "a", "format": "pt"})
    assert untie(tree, "b").ties == {}
    assert untie(tree, "b").metadata == {"format": "pt"}
    assert untie(tree, "b").totals.arrays == 2


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda tree: tie(tree, "b", "a"), "'b' and 'a' are one array already"),
        (lambda tree: tie(tree, "a", "b"), "'a' and 'b' are one array already"),
        (lambda tree: tie(tree, "c", "c"), "'c' and 'c' are one array already"),
        (lambda tree: untie(tree, "c"), "'c' is not an alias of another parameter"),
        (lambda tree: untie(tree, "a"), "'a' is not an alias .* it owns the array; its aliases are 'b'"),
        (lambda tree: tie(tree, "a", "x"), "no parameter matches 'x'"),
        (lambda tree: tie(tree, "x", "y"), "no parameter matches 'y'"),
        (lambda tree: tie(tree, "a.b", "c"), "'a.b' cannot stand beside 'a': one is in the other"),
        (lambda tree: tie(tree, "", "a"), "a new name must be printable, got ''"),
    ],
)  # fmt: skip
def test_a_tie_that_cannot_be_says_why(edit, message):
    with pytest.raises((TieError, AddressError), match=message):
        edit(tree_of("a", "b", "c", ties={"b": "a"}))


def test_arrays_of_other_shapes_or_dtypes_cannot_be_tied():
    odd = [parameter("a"), parameter("s", (3,)), parameter("t", dtype="float64")]
    tree = ParameterTree({p.name: p for p in odd})
    with pytest.raises(TieError, match=r"cannot tie 's' to 'a': float32\[3\] is not float32\[2\]"):
        tie(tree, "s", "a")
    with pytest.raises(TieError, match=r"cannot tie 't' to 'a': float64\[2\] is not float32\[2\]"):
        tie(tree, "t", "a")


steps = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=12)


@given(steps, st.sets(st.sampled_from("abcdef"), min_size=1))
def test_ties_are_the_classes_that_the_steps_join_and_survive_a_selection(pairs, kept):
    tree = tree_of(*"abcdef")
    classes = {name: {name} for name in "abcdef"}
    for alias, target in pairs:
        if classes[alias] is classes[target]:
            with pytest.raises(TieError):
                tie(tree, alias, target)
            continue
        joined = classes[alias] | classes[target]
        owner = tree.own_name(target)
        tree = tie(tree, alias, target)
        assert tree.own_name(alias) == owner
        classes |= dict.fromkeys(joined, joined)
    for names in (set("abcdef"), kept):
        chosen = tree.subset(names)
        assert list(chosen) == sorted(names)
        groups = {}
        for name in chosen:
            groups.setdefault(chosen.own_name(name), set()).add(name)
            assert chosen.own_name(chosen.own_name(name)) == chosen.own_name(name)
        assert sorted(map(sorted, groups.values())) == sorted(
            map(sorted, {tuple(sorted(c & names)) for c in classes.values() if c & names})
        )
        assert all(own in group for own, group in groups.items())
        assert chosen.totals.arrays == len(groups)


def test_a_bare_file_is_reached_as_its_names_spell():
    tree = tree_of("h.0.w", "h.2.w", "h.10.w", "h.w", "w", "h", "x/y.z", source=Source("f"))
    assert tree["h.2"]["w"] is tree["h.2"].w is tree["h.2.w"]
    assert tree["h"] is held(tree).h  # a parameter wins over the part of its name
    assert tree[0][2].w is tree["h.2.w"]
    assert sorted(tree.select("h.*")) == ["h.0.w", "h.10.w", "h.2.w", "h.w"]


def test_a_bare_file_whose_parameter_has_the_name_of_a_part_keeps_both():
    for names in (("h", "h.w"), ("h.w", "h")):
        tree = tree_of(*names, source=Source("f"))
        assert str(tree).splitlines() == ["f  h [2]", "  (h)  w [2]"]
        assert tree["h.w"] is tree[0].w


def test_a_tree_prints_its_parts_with_their_shapes(net):
    assert str(net).splitlines() == [
        "Sequential",
        "  (0): Sequential",
        "    (block 0): Sequential",
        "      (0): Linear(4, 8)  weight [8, 4]  bias [8]",
        "      (1): ReLU()",
        "      (2): Linear(8, 4)  weight [4, 8]  bias [4]",
        "    (block 1): Sequential",
        "      (0): Linear(4, 8)  weight [8, 4]  bias [8]",
        "      (1): ReLU()",
        "      (2): Linear(8, 4)  weight [4, 8]  bias [4]",
        "  (1): Linear(4, 4)  weight [4, 4]  bias [4]",
        "  (2): Module  scale [3]  mask [2]",
        "    (a): Linear(4, 4)  weight [4, 4] = 1.weight  bias [4] = 1.bias",
        "  (3): ParameterList  0 [5]  1 [6]",
    ]
    assert str(net[1]) == "(1): Linear(4, 4)  weight [4, 4]  bias [4]"
    assert repr(net["2.mask"]) == "Parameter('2.mask', [2], float32, not trainable)"


def test_names_from_a_file_cannot_steer_the_terminal():
    tree = tree_of("a\x1b[31m.w\u202e", source=Source("f\n"))
    assert str(tree).isprintable() or "\n" in str(tree)
    assert "\x1b" not in str(tree)
    assert "\u202e" not in str(tree)


def test_a_parameter_gives_its_values_as_an_array():
    values = np.arange(6.0).reshape(2, 3)

    class Held:
        shape, dtype = values.shape, DTYPES["float64"]

        def read(self, start, stop):
            return values.ravel()[start:stop]

        def __getitem__(self, index):
            return values[index].copy()

    kept = Parameter("w", Held())
    np.testing.assert_array_equal(kept.numpy(), values, strict=True)
    assert (kept.count, kept.nbytes, kept.trainable) == (6, 48, None)


def test_a_stored_path_is_looked_for_only_where_the_positions_lead():
    stored = {"0.w": "layers/dense/vars/0", "1.w": "layers/dense_1/vars/0"}
    unset = Unset((2,), DTYPES["float32"])
    tree = ParameterTree({n: Parameter(n, unset, stored_path=p) for n, p in stored.items()})
    assert tree.matching("layers/dense_1/vars/0") == ["1.w"]
    assert tree.matching("[1].layers/*/vars/0") == ["1.w"]
    with pytest.raises(AddressError, match=r"no parameter matches '\[0\]\.layers/dense_1"):
        tree.matching("[0].layers/dense_1/vars/0")
