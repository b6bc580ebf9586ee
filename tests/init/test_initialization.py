"""Initialization: which parameters are drawn, and with which values."""

import tracemalloc

import numpy as np
import pytest

from paraminspect.arrays import DTYPES, InMemory
from paraminspect.definition import load_definition
from paraminspect.errors import AddressError, CastError, SchemeError
from paraminspect.formats import save_checkpoint
from paraminspect.init.plan import initialize, plan_initialization
from paraminspect.init.schemes import user_scheme
from paraminspect.tree import Parameter, ParameterTree, Source

MLP = "layers:\n  - Linear(4, 8)\n  - ReLU()\n  - Linear(8, 1)\n"


def definition(text=MLP, framework="pytorch"):
    return load_definition(f"framework: {framework}\n{text}".encode(), "x.yaml")


def checkpoint(**shapes):
    parameters = {
        name: Parameter(name, InMemory(np.arange(np.prod(shape), dtype=np.float32).reshape(shape)))
        for name, shape in shapes.items()
    }
    return ParameterTree(parameters, source=Source(format="safetensors"))


def schemes(tree, **wishes):
    return {d.name: d.scheme for d in plan_initialization(tree, **wishes).drawings}


def test_every_parameter_of_a_definition_has_its_frameworks_default():
    assert schemes(definition()) == {
        "0.weight": "kaiming_uniform(a=5**0.5)",
        "0.bias": "uniform(-1/sqrt(4), 1/sqrt(4))",
        "2.weight": "kaiming_uniform(a=5**0.5)",
        "2.bias": "uniform(-1/sqrt(8), 1/sqrt(8))",
    }


def test_a_scheme_is_for_weights_and_rules_win_over_it():
    found = schemes(definition(), scheme="xavier_uniform", rules=["2.*=42", "2.bias=zeros"])
    assert found == {
        "0.weight": "xavier_uniform",
        "0.bias": "uniform(-1/sqrt(4), 1/sqrt(4))",
        "2.weight": "42",
        "2.bias": "zeros",
    }


def test_norms_biases_and_buffers_are_no_weights():
    text = (
        "layers:\n  - Conv2d(3, 4, 2)\n  - BatchNorm2d(4)\n  - LayerNorm((2, 3))\n"
        "  - MultiheadAttention(4, 2, add_bias_kv=True)\n  - m: {mask: 'Buffer(3, 3)'}\n"
    )
    found = schemes(definition(text), scheme="42")
    weights = ["0.weight", "3.in_proj_weight", "3.out_proj.weight"]
    assert [name for name, scheme in found.items() if scheme == "42"] == weights


def test_the_initializer_of_a_layer_wins_over_a_scheme_in_mxnet():
    text = (
        "input: [6, 3]\nlayers:\n  - LSTM(2, h2h_weight_initializer=Normal(0.1), layout='NTC')\n"
        "  - Dense(4)\n  - Dense(4, weight_initializer=Uniform(0.07))\n"
        "  - e: {w: 'Parameter(2, 3, init=One())'}\n"
    )
    found = schemes(definition(text, "mxnet"), scheme="xavier", rules=["dense0_*=42"])
    assert [name for name, scheme in found.items() if scheme == "xavier"] == ["lstm0_l0_i2h_weight"]
    assert found["dense0_weight"] == "42"
    with pytest.raises(SchemeError, match="there are no weights"):
        schemes(
            definition("layers: [\"Dense(2, in_units=3, weight_initializer='one')\"]\n", "mxnet"),
            scheme="1",
        )


def test_the_chapters_own_initialization_in_one_line():
    drawn = initialize(definition(), seed=0, rules=["0.weight=xavier_uniform", "2.weight=42"])
    assert np.abs(drawn["0.weight"].numpy()).max() <= np.sqrt(6 / 12)
    np.testing.assert_array_equal(
        drawn["2.weight"].numpy(), np.full((1, 8), 42, np.float32), strict=True
    )


def test_the_chapters_custom_scheme_in_one_expression():
    scheme = "[uniform(-10, 10), x * (abs(x) >= 5)]"
    values = initialize(definition("layers:\n  - Linear(40, 80)\n"), seed=0, scheme=scheme)
    kept = np.abs(values["0.weight"].numpy())
    assert 0.45 < np.mean(kept == 0) < 0.55
    assert np.all((kept == 0) | (kept >= 5))


def test_steps_of_a_definition_are_a_list():
    text = MLP + "init:\n  0.weight:\n    - uniform(-10, 10)\n    - where(abs(x) >= 5, x, 0)\n"
    drawn, in_line = (
        initialize(tree, seed=0)["0.weight"].numpy()
        for tree in (
            definition(text),
            initialize(definition(), seed=0, rules=["0.weight=[uniform(-10, 10), x*(abs(x)>=5)]"]),
        )
    )
    np.testing.assert_array_equal(drawn, in_line, strict=True)


def test_a_step_may_use_statistics_of_the_whole():
    drawn = initialize(definition(), seed=0, rules=["0.weight=[normal(3, 2), x - mean(x)]"])
    assert abs(drawn["0.weight"].numpy().mean()) < 1e-6


def test_adding_a_layer_changes_no_other():
    one = initialize(definition(), seed=3)
    two = initialize(definition(MLP + "  - Linear(1, 5)\n"), seed=3)
    for name in one:
        np.testing.assert_array_equal(one[name].numpy(), two[name].numpy(), strict=True)


def test_two_layers_never_get_equal_values():
    drawn = initialize(definition("layers:\n  - 3 * Linear(8, 8)\n"), seed=0)
    values = [drawn[f"{i}.weight"].numpy() for i in range(3)]
    assert not np.any(values[0] == values[1])
    assert not np.any(values[1] == values[2])


def test_a_shared_layer_is_drawn_once():
    text = "share: {s: 'Linear(8, 8)'}\nlayers:\n  - s\n  - s\n"
    drawn = initialize(definition(text), seed=0)
    assert drawn["1.weight"].data is drawn["0.weight"].data


@pytest.mark.parametrize("rng", ["native", "pytorch"])
def test_of_a_checkpoint_only_what_rules_match_is_drawn(rng):
    tree = checkpoint(a=(3, 4), b=(5,))
    drawn = initialize(tree, seed=0, rng=rng, rules=["a=normal(0, 1)"])
    assert drawn["b"].data is tree["b"].data
    assert not np.any(drawn["a"].numpy() == tree["a"].numpy())


@pytest.mark.parametrize("rng", ["native", "pytorch"])
def test_a_part_of_a_parameter_is_drawn_and_the_rest_stays(rng):
    tree = checkpoint(wte=(6, 4))
    drawn = initialize(tree, seed=0, rng=rng, rules=["wte[4:]=normal(0, 1)", "wte[0, ::2]=7"])
    values, old = drawn["wte"].numpy(), tree["wte"].numpy()
    np.testing.assert_array_equal(values[1:4], old[1:4], strict=True)
    np.testing.assert_array_equal(values[0], np.float32([7, 1, 7, 3]), strict=True)
    assert not np.any(values[4:] == old[4:])


def test_parts_of_a_parameter_do_not_get_equal_values():
    drawn = initialize(
        checkpoint(w=(8, 4)), seed=0, rules=["w[:4]=normal(0, 1)", "w[4:]=normal(0, 1)"]
    )
    values = drawn["w"].numpy()
    assert not np.any(values[:4] == values[4:])


def test_a_later_rule_for_the_whole_takes_the_place_of_parts():
    tree = checkpoint(w=(8, 4))
    found = plan_initialization(tree, rules=["w[:4]=1", "w=2", "w[0]=3"]).drawings
    assert [(d.scheme, d.index is None) for d in found] == [("2", True), ("3", False)]


def test_fans_of_a_part_are_those_of_the_whole():
    plan = plan_initialization(checkpoint(w=(8, 4)), rules=["w[:2]=xavier_normal"], layout="out_in")
    assert plan.drawings[0].fans == (4, 8)


def test_dtypes_are_of_floats_alone():
    text = "layers:\n  - BatchNorm1d(3)\n  - Linear(3, 2)\n"
    drawn = initialize(definition(text), seed=0, dtype=DTYPES["bfloat16"])
    assert {name: p.dtype.name for name, p in drawn.items()} == {
        "0.weight": "bfloat16",
        "0.bias": "bfloat16",
        "0.running_mean": "bfloat16",
        "0.running_var": "bfloat16",
        "0.num_batches_tracked": "int64",
        "1.weight": "bfloat16",
        "1.bias": "bfloat16",
    }
    np.testing.assert_array_equal(
        drawn["1.weight"].numpy(),
        initialize(definition(text), seed=0)["1.weight"]
        .numpy()
        .astype(drawn["1.weight"].numpy().dtype),
        strict=True,
    )


def test_values_come_from_a_file(tmp_path):
    path = tmp_path / "values.npy"
    np.save(path, np.arange(32.0).reshape(8, 4))
    drawn = initialize(definition(), seed=0, rules=[f"0.weight=@{path}"])
    np.testing.assert_array_equal(
        drawn["0.weight"].numpy(), np.arange(32, dtype=np.float32).reshape(8, 4), strict=True
    )
    with pytest.raises(SchemeError, match=r"2.weight: .* has shape \[8, 4\], not \[1, 8\]"):
        initialize(definition(), seed=0, rules=[f"2.weight=@{path}"])
    np.save(path, np.full((8, 4), 1e300))
    with pytest.raises(CastError, match=r"values.npy: 1e\+300"):
        initialize(definition(), seed=0, rules=[f"0.weight=@{path}"])["0.weight"].numpy()


def test_functions_of_ones_own_are_schemes():
    def ramp(rng, shape, fan_in, slope=1.0):
        return slope * np.arange(np.prod(shape)).reshape(shape) / fan_in + rng.random()

    functions = {"ramp": user_scheme(ramp)}
    drawn = initialize(definition(), seed=0, rules=["0.weight=ramp(slope=2)"], functions=functions)
    steps = np.diff(drawn["0.weight"].numpy().ravel())
    np.testing.assert_allclose(steps, 0.5, rtol=1e-5)


def raised():
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: np.ones((8, 4)) * 1j, "0.weight: 1j has an imaginary part"),
        (lambda: np.full((8, 4), "a"), "0.weight: the function made <U1, not numbers"),
        (lambda: np.zeros((8, 4), [("a", "i4")]), r"0.weight: the function made \[.*not numbers"),
        (lambda: np.full((8, 4), 1e300), r"0.weight: 1e\+300 does not fit float32"),
        (lambda: None, "0.weight: the function made object, not numbers"),
        (lambda: np.zeros((4, 8)), r"0.weight: the function made shape \[4, 8\], not \[8, 4\]"),
        (raised, "0.weight: raised: SystemExit: 3"),
    ],
)
def test_what_a_function_makes_is_checked(made, message):
    tree = definition()
    functions = {"made": user_scheme(made)}
    drawn = initialize(tree, seed=0, rules=["0.weight=made"], functions=functions)
    with pytest.raises((SchemeError, CastError), match=message):
        drawn["0.weight"].numpy()


@pytest.mark.parametrize(
    ("wishes", "error", "message"),
    [
        ({"rules": ["3.weight=zeros"]}, AddressError, "no parameter matches '3.weight'"),
        ({"rules": ["0.weight"]}, AddressError, "expected ADDRESS=EXPRESSION"),
        ({"rules": ["0.weight=zeroes"]}, SchemeError, "0.weight: unknown scheme 'zeroes', did you"),
        ({"rules": ["0.bias=xavier_normal"]}, SchemeError, r"0.bias: the fans of shape \[8\]"),
        ({"rules": ["0.weight[9]=1"]}, AddressError, "0.weight: index 9 is out of bounds"),
        (
            {"rules": ["0.weight[8:]=1"]},
            AddressError,
            r"0.weight: the index \[8:\] selects nothing",
        ),
        ({"rules": ["?.weight[5]=1"]}, AddressError, "2.weight: index 5 .*1 other match has it"),
        ({"rules": ["0.weight=normal(0, 1e39)"]}, CastError, r"0.weight: 1e\+39 .* float32"),
        ({"rules": ["0.weight=orthogonal(1e39)"]}, CastError, r"0.weight: 1e\+39 .* float32"),
        ({"rules": ["0.weight=1e39"]}, CastError, r"0.weight: 1e\+39 .* float32"),
        ({"scheme": "sparse"}, SchemeError, "missing a required argument"),
        ({"rules": ["0.weight=@nothing.npy"]}, SchemeError, "nothing.npy: cannot open"),
    ],
)
def test_what_cannot_be_drawn_is_told_with_its_name(wishes, error, message):
    with pytest.raises(error, match=message):
        initialize(definition(), seed=0, **wishes)


@pytest.mark.parametrize("rng", ["native", "pytorch"])
def test_ten_times_the_model_takes_no_more_memory(rng, tmp_path):
    peaks = []
    for depth in (4, 40):  # of 1 MB each
        tree = definition(f"layers:\n  - {depth} * Linear(512, 512)\n")
        tracemalloc.start()
        drawn = initialize(tree, seed=0, rng=rng, scheme="normal(0, 1)")
        save_checkpoint(drawn, tmp_path / f"{depth}.safetensors")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    few, many = peaks
    assert many < few + (4 << 20)


def test_a_scheme_needs_weights():
    with pytest.raises(SchemeError, match="there are no weights"):
        initialize(checkpoint(a=(3,)), seed=0, scheme="zeros")
