"""Trees from Python: what is reached, what stays as it was, and errors that say what to do."""

import operator
import pickle

import numpy as np
import pytest

import paraminspect as pi

HIDDEN = [
    "keys", "values", "items", "get", "source", "layout", "input", "format", "root", "keep", "select",
    "entries", "ties", "metadata", "parameters", "structure", "framework", "separator", "files",
    "totals", "replace", "tie", "untie", "load", "gradients", "own_name", "matching", "optimizer",
    "_tree", "_whole", "name", "child", "names", "others", "origin", "data", "shape", "grad",
]  # fmt: skip


def definition(tmp_path, text="layers:\n  - Linear(2, 3)\n  - ReLU()\n  - Linear(3, 1)"):
    path = tmp_path / "m.yaml"
    path.write_text(f"framework: pytorch\n{text}\n")
    return pi.open(str(path))


def net_with_children(tmp_path, names):
    lines = "\n".join(f"    {name}: Linear(2, 3)" for name in names)
    below = "\n".join(f"      {name}: Linear(3, 2)" for name in names)
    text = f"layers:\n{lines}\n    deep:\n{below}".replace("    ", "  ")
    return pi.initialize(definition(tmp_path, text), seed=0)


def test_a_child_of_any_name_is_reached_as_a_child_in_all_that_the_functions_give(tmp_path):
    net = net_with_children(tmp_path, HIDDEN)
    pi.save(net, tmp_path / "net.safetensors")
    stored = pi.open(str(tmp_path / "net.safetensors"))
    assigned = pi.set(net, {"keys.bias": 7})
    made = pi.ParameterTree({name: net[name] for name in net})
    for tree in (net, stored, assigned, made):
        for name in HIDDEN:
            assert getattr(tree, name).weight is tree[f"{name}.weight"]
            assert getattr(tree.deep, name).bias is tree[f"deep.{name}.bias"]
            assert getattr(tree["deep"], name)["bias"] is tree[f"deep.{name}.bias"]
        assert list(tree) == list(net)
        assert len(tree) == 4 * len(HIDDEN)
        assert f"({HIDDEN[-1]})" in repr(tree)
        assert isinstance(tree, pi.ParameterTree)
    assert (assigned["keys.bias"] == 7).all()
    assert pi.diff(net, stored).same
    assert [d.name for d in pi.diff(stored, assigned)] == ["keys.bias"]


def test_calling_a_method_that_a_child_hides_still_calls_it(tmp_path):
    net = net_with_children(tmp_path, ["keys", "items", "values", "get", "select", "parameters"])
    assert list(net.keys()) == list(net)
    assert dict(net) == {name: net[name] for name in net}
    assert {**net.deep}.keys() == {name.removeprefix("deep.") for name in net if "deep" in name}
    assert next(iter(net.deep.values())) is net["deep.keys.weight"]
    assert net.get("nothing") is None
    assert [p.name for p in net.deep.keys.parameters()] == ["deep.keys.weight", "deep.keys.bias"]
    assert list(net.select("keys.*")) == ["keys.weight", "keys.bias"]
    assert list(net.select("keys.*").keys) == ["weight", "bias"]


def test_a_parameter_wins_over_an_attribute_too(tmp_path):
    tree = pi.ParameterTree({"source": np.zeros(3), "ties": np.ones(2), "w": np.ones(1)})
    assert tree.source is tree["source"]
    assert tree.ties is tree["ties"]
    pi.save(tree, tmp_path / "t.npz")
    assert pi.open(str(tmp_path / "t.npz")).ties.sum() == 2


def test_a_model_whose_children_hide_its_fields_computes(tmp_path):
    names = ["entries", "ties", "root", "framework", "own_name", "parameters"]
    layers = "\n".join(f"  {name}: Linear(2, 2)" for name in names)
    path = (
        f"layers:\n{layers}\n  forward: " + "".join(f"{n}(" for n in names) + "x" + ")" * len(names)
    )
    plain = path
    for number, name in enumerate(names):
        plain = plain.replace(f"  {name}:", f"  l{number}:").replace(f"{name}(", f"l{number}(")
    x = np.float32([[1, 2]])
    net, other = (definition(tmp_path, text) for text in (path, plain))
    weights = {
        n: np.random.default_rng(i).normal(size=p.shape) for i, (n, p) in enumerate(other.items())
    }
    for old, new in zip(list(other), list(net), strict=True):
        net, other = pi.set(net, {new: weights[old]}), pi.set(other, {old: weights[old]})
    np.testing.assert_array_equal(net(x), other(x), strict=True)
    ours, theirs = net.gradients(x), other.gradients(x)
    assert list(ours) == list(net)
    for one, two in zip(ours.values(), theirs.values(), strict=True):
        np.testing.assert_array_equal(one, two, strict=True)
    assert net.entries.weight.grad is ours["entries.weight"]


def test_trees_are_equal_to_themselves_alone_and_pickle(tmp_path):
    net = pi.ParameterTree({"a.keys": np.arange(3.0), "b": np.ones(2)})
    assert net == net
    assert net != pi.ParameterTree({"a.keys": np.arange(3.0), "b": np.ones(2)})
    assert net.a == net.a
    assert len({net, net}) == 1
    back = pickle.loads(pickle.dumps(net))
    assert pi.diff(net, back).same
    assert isinstance(back, pi.ParameterTree)


# What two trees differ in


def test_a_comparison_is_a_record_true_when_the_trees_differ():
    one = pi.ParameterTree({"a": np.zeros(3), "b": np.ones(2)})
    two = pi.set(pi.set(one, {"a[1]": 5}), {"b": 2})
    same, found = pi.diff(one, one), pi.diff(one, two)
    assert (bool(same), same.same, same.differs, len(same), list(same)) == (
        False,
        True,
        False,
        0,
        [],
    )
    assert (bool(found), found.same, found.differs, len(found)) == (True, False, True, 2)
    assert [d.name for d in found] == [d.name for d in found] == ["a", "b"]
    assert not pi.diff(one, two, ignore="value")
    assert not pi.diff(one, two, atol=5)
    missing = pi.diff(one, one.select("a"))
    assert (bool(missing), len(missing), missing.same) == (True, 1, False)


# Frozen means frozen


GIVEN = {
    "assign": lambda a: pi.set(pi.ParameterTree({"w": np.zeros((2, 3))}), {"w": a}),
    "assign a part": lambda a: pi.set(pi.ParameterTree({"w": np.zeros((2, 2, 3))}), {"w[0]": a}),
    "assign a view": lambda a: pi.set(pi.ParameterTree({"w": np.zeros((3, 2))}), {"w": a.T}),
    "a parameter": lambda a: pi.ParameterTree({"w": pi.Parameter("w", a)}),
    "a tree of arrays": lambda a: pi.ParameterTree({"w": a}),
    "a scheme of one's own": lambda a: pi.initialize(
        pi.ParameterTree({"w": np.zeros((2, 3))}), seed=0, rules={"w": lambda rng, shape: a}
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", GIVEN)
def test_what_is_written_to_an_array_later_is_not_in_the_tree(way):
    array = np.arange(6.0).reshape(2, 3)
    tree = GIVEN[way](array)
    if way == "a scheme of one's own":
        tree["w"].numpy()
    before = tree["w"].numpy()
    array[:] = 9
    np.testing.assert_array_equal(tree["w"].numpy(), before, strict=True)


@pytest.mark.parametrize(
    "edit",
    [
        lambda net: pi.set(net, {"0.weight": 1}),
        lambda net: pi.initialize(net, seed=1, scheme="ones"),
        lambda net: net.load(pi.initialize(net, seed=2, scheme="normal(0, 1)")),
        lambda net: pi.tie(net, "0.bias", "2.bias"),
    ],
    ids=["assign", "initialize", "load", "tie"],
)
def test_gradients_belong_to_the_model_that_made_them(edit, tmp_path):
    text = "layers:\n  - Linear(2, 3)\n  - ReLU()\n  - Linear(3, 3)"
    net = pi.initialize(definition(tmp_path, text), seed=0)
    x = np.float32([[1, 2]])
    weight = net[0].weight
    found = net.gradients(x)
    assert weight.grad is found["0.weight"] is net[0].weight.grad
    assert net.select("0.*")[0].weight.grad is weight.grad
    edited = edit(net)
    assert [p.grad for p in edited.values()] == [None] * 4
    other = edited.gradients(x * 3)
    assert weight.grad is found["0.weight"]
    assert edited["2.weight"].grad is other["2.weight"]
    assert net["2.weight"].grad is found["2.weight"]


@pytest.mark.parametrize(
    "write",
    [
        lambda net: operator.setitem(net, "0.weight", 0),
        lambda net: operator.setitem(net[0], "weight", 0),
        lambda net: operator.setitem(net[0].weight, 0, 1),
        lambda net: operator.setitem(net[0].weight.data, (0, 0), 1),
        lambda net: setattr(net, "weight", 0),
        lambda net: setattr(net, "entries", {}),
        lambda net: setattr(net[0], "weight", 0),
        lambda net: setattr(net[0].weight, "data", 0),
        lambda net: setattr(net[0].weight, "new", 0),
    ],
)
def test_setting_is_refused_with_the_way_to_do_it(write, tmp_path):
    net = pi.initialize(definition(tmp_path), seed=0)
    with pytest.raises(pi.ParamInspectError, match=r"pi\.set\(tree, .*: value\}\) gives another"):
        write(net)
    with pytest.raises((TypeError, AttributeError)):
        write(net)


# What a caller may give


def ramp(rng, shape, slope=1):
    return slope * np.arange(float(np.prod(shape))).reshape(shape)


VALUES = {
    "a list": [1, 2, 3],
    "a tuple": (1.0, 2.0, 3.0),
    "a number": 4,
    "a NumPy number": np.float32(2.5),
    "a bool": True,
    "nan": float("nan"),
    "a range": range(3),
    "integers": np.arange(3),
    "a parameter": pi.Parameter("other", np.arange(3.0)),
    "its data": pi.Parameter("other", np.arange(3.0)).data,
    "a row": [[1, 2, 3]],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_whatever_numpy_makes_an_array_of_can_be_assigned(value, tmp_path):
    net = pi.initialize(definition(tmp_path), seed=0)
    wanted = np.empty(3, np.float32)
    wanted[:] = np.asarray(value)
    np.testing.assert_array_equal(pi.set(net, {"0.bias": value})["0.bias"], wanted, strict=True)


DRAWN = {
    "a dict": {"rules": {"0.bias": "constant(2)"}},
    "a dict of numbers": {"rules": {"*.bias": 2}},
    "a dict of a part": {"rules": {"0.bias[:]": 2.0}},
    "a text": {"rules": "0.bias=2"},
    "a tuple": {"rules": ("*=0", "0.bias=2")},
    "a function": {"rules": {"0.bias": lambda rng, shape: np.full(shape, 2)}},
    "steps": {"rules": {"0.bias": ["ones", "x * 2"]}},
    "steps with a function": {"rules": {"0.bias": [ramp, "0 * x + 2"]}},
    "functions by name": {"rules": {"0.bias": "two"}, "functions": {"two": lambda shape: np.full(shape, 2)}},
    "a list of functions": {"rules": {"0.bias": "ramp(slope=0) "}, "functions": [ramp]},
    "a NumPy seed": {"rules": {"0.bias": 2}, "seed": np.int64(3)},
}  # fmt: skip


@pytest.mark.parametrize("wishes", DRAWN.values(), ids=DRAWN)
def test_rules_are_taken_in_every_form_that_one_would_try(wishes, tmp_path):
    drawn = pi.initialize(definition(tmp_path), **{"seed": 0, **wishes})
    wanted = 0 if "slope" in str(wishes) else 2
    np.testing.assert_array_equal(drawn["0.bias"], np.full(3, wanted, np.float32), strict=True)


def test_two_functions_without_a_name_are_two_schemes(tmp_path):
    rules = {f"{i}.bias": (lambda rng, shape, i=i: np.full(shape, i)) for i in (0, 2)}
    drawn = pi.initialize(definition(tmp_path), seed=0, rules=rules)
    assert (drawn["0.bias"] == 0).all()
    assert (drawn["2.bias"] == 2).all()


@pytest.mark.parametrize("dtype", ["float16", np.float16, np.dtype("float16"), "torch.float16"])
def test_a_dtype_may_be_given_as_numpy_takes_it(dtype, tmp_path):
    drawn = pi.initialize(definition(tmp_path), seed=0, dtype=dtype)
    assert {p.numpy().dtype.name for p in drawn.values()} == {"float16"}


WRONG = [
    ("an array as a rule", {"rules": {"0.bias": np.ones(3)}}, "values are set by pi.set"),
    ("numbers as a rule", {"rules": {"0.bias": [1, 2, 3]}}, "values are set by pi.set"),
    ("None as a rule", {"rules": {"0.bias": None}}, "a scheme is a text like"),
    ("a bool", {"scheme": True}, "a scheme is a text like"),
    ("no rules", {"rules": 3}, "rules are a list or a dict, got 3"),
    ("pairs", {"rules": [("0.bias", "ones")]}, "a rule is a text like"),
    ("a rule without =", {"rules": ["ones"]}, "expected ADDRESS=EXPRESSION"),
    ("another key", {"rules": {3: "ones"}}, "a rule is for an address like"),
    ("no functions", {"functions": 3}, "functions are a list or a dict"),
    ("a value as a function", {"functions": {"f": 3}}, "'f' is not a function"),
    ("a lambda in a list", {"functions": [lambda shape: 0]}, "cannot be called '<lambda>'"),
    ("a name", {"functions": {"a b": ramp}}, "cannot be called 'a b'"),
    ("a dtype", {"dtype": 3}, "expected a dtype like"),
    ("another dtype", {"dtype": "flo"}, "unknown dtype 'flo'"),
    ("a layout", {"layout": "oi"}, "layout must be out_in or in_out"),
    ("a seed", {"seed": "1"}, "the seed must be an integer, got '1'"),
    ("no seed", {"seed": None}, "the seed must be an integer, got None"),
    ("half a seed", {"seed": 0.5}, "the seed must be an integer, got 0.5"),
    ("a generator", {"rng": np.random.default_rng(0)}, "rng is whose random numbers"),
    ("a wish", {"schem": "ones"}, "there is no argument 'schem', did you mean 'scheme'"),
]  # fmt: skip


@pytest.mark.parametrize(("wishes", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_initialize_cannot_take_is_a_clear_error(wishes, message, tmp_path):
    with pytest.raises(pi.ParamInspectError, match=message) as caught:
        pi.initialize(definition(tmp_path), **{"seed": 0, **wishes})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [None, {}, {"a": 1}, object(), b"abc", [[1], [2, 3]], [None], {1, 2}, np.array("a"), 2**70],
    ids=repr,
)
def test_what_is_no_array_of_numbers_cannot_be_assigned(value, tmp_path):
    net = pi.initialize(definition(tmp_path), seed=0)
    with pytest.raises(pi.ParamInspectError, match="values must be an array of numbers"):
        pi.set(net, {"0.bias": value})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: pi.set("m.yaml", {"0.bias": 0}), r"expected a tree, got str: pi.open\('m"),
        (lambda net: pi.set(net, {0: 0}), "an address is a text"),
        (lambda net: pi.initialize(None, seed=0), "expected a tree, got NoneType"),
        (lambda net: pi.diff(net, {"0.bias": 3}), "expected a tree, got dict"),
        (lambda net: pi.diff(net, net, ignore="values"), "ignore: expected some of missing"),
        (lambda net: pi.diff(net, net, rtol="a"), "rtol must be a number"),
        (lambda net: pi.diff(net, net, atol=-1), "atol must be a number"),
        (lambda net: pi.save({"a": 1}, "a.npz"), "expected a tree, got dict"),
        (lambda net: net[0](1), "call the whole model"),
        (lambda net: pi.ParameterTree([1]), "expected parameters or arrays by name"),
        (lambda net: pi.ParameterTree({1: 2}), "a name is a text"),
        (lambda net: pi.ParameterTree({"a": 1}, {"b": "a"}), "ties: there is no parameter 'b'"),
    ],
)
def test_a_call_with_something_else_is_a_clear_error(call, message, tmp_path):
    with pytest.raises(pi.ParamInspectError, match=message) as caught:
        call(definition(tmp_path))
    assert isinstance(caught.value, TypeError)


def test_a_model_takes_lists_as_numpy_does(tmp_path):
    net = pi.initialize(definition(tmp_path), seed=0)
    x = [[1.0, 2.0], [3.0, 4.0]]
    np.testing.assert_array_equal(net(x), net(np.array(x)), strict=True)
    parameter = pi.Parameter("x", np.array(x))
    np.testing.assert_array_equal(net(parameter), net(np.array(x)), strict=True)
