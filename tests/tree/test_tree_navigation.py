"""The ways in which the chapter reaches parameters, on definitions and on selections of them."""

from pathlib import Path

import pytest

import paraminspect as pi
from paraminspect.errors import AddressError

SAMPLES = Path(__file__).parents[2] / "sample_models"


@pytest.fixture
def net():
    return pi.open(str(SAMPLES / "mlp.yaml"))


def test_a_part_is_reached_by_position_name_and_attribute(net):
    assert [p.name for p in net[2].parameters()] == ["2.weight", "2.bias"]
    assert net["2.bias"] is net[2].bias is net[2]["bias"] is net[-1].bias
    nested = pi.open(str(SAMPLES / "nested_blocks.yaml"))
    assert nested[0][1][0].bias is nested["0.block 1.0.bias"]


def test_a_tree_is_a_mapping_that_knows_what_it_lacks(net):
    assert "2.bias" in net
    assert "2.bais" not in net
    assert net.get("2.bais") is None
    with pytest.raises(
        KeyError, match=r"mlp.yaml: no parameter matches '2.bais', the nearest is '2\.bias'$"
    ):
        net["2.bais"]


@pytest.mark.parametrize("key", [(0, 0), slice(0, 1), 1.5, None], ids=repr)
def test_a_part_is_reached_by_position_or_name_alone(net, key):
    for part in (net, net[0]):
        with pytest.raises(AddressError, match=r"by its position or its name, got"):
            part[key]


def test_nothing_lies_below_a_parameter(net):
    with pytest.raises(AddressError, match=r"below the parameter '0.weight': its values are"):
        net[0].weight["foo"]


@pytest.mark.parametrize("address", ["[0][0][0]", "[0][0][7]", "[0][0].foo", "[0][0].0.weight"])
def test_an_address_that_goes_on_below_a_parameter_is_refused(net, address):
    with pytest.raises(AddressError) as caught:
        net.select(address)
    assert f"mlp.yaml: '{address}' goes on below the parameter '0.weight'" in str(caught.value)
    assert str(caught.value).endswith("an index into its values is written '0.weight[...]'")
    assert [*net.select("[0][0]")] == ["0.weight"]


@pytest.mark.parametrize("address", ["[9]", "[0][5].weight"])
def test_a_position_that_is_not_there_is_told_with_its_address(net, address):
    with pytest.raises(AddressError, match=r"no part at position \d: there are") as caught:
        net.select(address)
    assert f"mlp.yaml: '{address}': no part" in str(caught.value)


def test_values_of_a_definition_are_said_to_be_unset(net):
    assert "no values yet" in repr(net["2.bias"].data)
    with pytest.raises(pi.ParamInspectError, match="draw them with `init`"):
        net["2.bias"].data[0]


def test_a_selection_keeps_positions_and_prints_only_what_it_holds(net):
    biases = net.select("*.bias")
    assert str(biases).splitlines() == [
        "Sequential",
        "  (0): Linear(4, 8)  bias [8]",
        "  (2): Linear(8, 1)  bias [1]",
    ]
    assert biases[2].bias is net["2.bias"]


def test_every_public_name_is_there_and_an_unknown_one_is_an_attribute_error():
    assert all(hasattr(pi, name) for name in pi.__all__)
    assert sorted(pi.__all__) == dir(pi)
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        pi.opne  # noqa: B018


def test_setting_a_part_is_refused_for_trees_stay_as_they_are(net):
    with pytest.raises(
        AttributeError, match=r"cannot set 'weight': trees stay as they are; pi\.set"
    ):
        net[0].weight = 3
    with pytest.raises(AttributeError):
        net.weight = 3


def test_a_wish_that_there_is_not_is_refused(net):
    with pytest.raises(TypeError, match="there is no argument 'schem', did you mean 'scheme'"):
        pi.initialize(net, seed=0, schem="ones")
