"""An error knows its place: what it is about stands before the message, where it is behind it."""

import pickle

import pytest

from paraminspect.errors import AddressError, CastError, DefinitionError, ParamInspectError


def test_subjects_stand_before_the_message_outermost_first_and_the_place_behind_it():
    error = ParamInspectError("expected a list", "$.layers (line 3)").at("layers").at("m.yaml")
    assert str(error) == "m.yaml: layers: expected a list @ $.layers (line 3)"
    assert error.message == "expected a list"


def test_an_error_keeps_its_class_and_its_position_when_it_learns_what_it_is_about():
    with pytest.raises(CastError, match=r"^w: too large$") as caught:
        raise CastError("too large", 7).at("w")
    assert caught.value.position == 7


@pytest.mark.parametrize("kind", [AddressError, DefinitionError])
def test_an_error_that_left_its_process_says_the_same(kind):
    error = kind("no such name", "line 2").at("m.yaml")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "m.yaml: no such name @ line 2"


def test_an_error_names_the_argument_that_would_allow_it_as_python_spells_it():
    error = ParamInspectError("exists already", "line 2").at("m.npz").unless(overwrite=True)
    assert str(error) == "m.npz: exists already; use overwrite=True @ line 2"
    assert str(ParamInspectError("void16").unless(dtype=...)) == "void16; use dtype=..."
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
