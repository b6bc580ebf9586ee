"""Containers of a definition: which layers they name, and what a call around layers is."""

import pytest

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError

BLOCK = "define:\n  block(d):\n    fc: Linear(d, d)\n"


def names(layers, define=BLOCK):
    text = f"framework: pytorch\n{define}layers:\n{layers}"
    return list(load_definition(text.encode(), "x.yaml"))


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("  - block(2)\n  - 2 * block(2)\n", ["0.fc", "1.fc", "2.fc"]),
        ("  - {repeat: 2, name: 'b{i}', of: block(2)}\n", ["b0.fc", "b1.fc"]),
        ("  h: {repeat: 2, name: 'b{i+1}', of: block(2)}\n", ["h.b1.fc", "h.b2.fc"]),
        ("  h: {repeat: 2, of: block(2)}\n", ["h.0.fc", "h.1.fc"]),
        ("  h: 2 * block(2)\n", ["h.0.fc", "h.1.fc"]),
    ],
)
def test_a_list_numbers_what_has_no_name(layers, expected):
    assert names(layers) == [f"{e}.{p}" for e in expected for p in ("weight", "bias")]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("  - {repeat: 2, name: b, of: block(2)}\n", r"two layers are named 'b' @ \$.layers\[0\]"),
        ("  h: {repeat: 2, name: b, of: block(2)}\n", r"two layers are named 'b' @ \$.layers.h"),
        ("  - Linear(2, 2):\n      - ReLU()\n", r"Linear\(2, 2\) takes no layers below it @ \$"),
        ("  - ReLU(): {a: ReLU()}\n    Tanh(): {a: ReLU()}\n", "must be alone in its mapping"),
        ("  - Conv(2): [ReLU()]\n", "unknown layer 'Conv'"),
    ],
)
def test_a_container_that_cannot_be_says_why(layers, message):
    with pytest.raises(DefinitionError, match=message):
        names(layers)


def test_a_module_is_called_as_the_block_that_it_is_the_body_of():
    text = f"framework: pytorch\n{BLOCK}layers:\n  - block(2)\n"
    assert load_definition(text.encode(), "x.yaml").structure.children["0"].kind == "block"


def test_a_shared_layer_that_is_used_nowhere_is_refused():
    text = "framework: pytorch\nshare:\n  s: Linear(2, 2)\n  t: Linear(2, 2)\nlayers:\n  - s\n"
    with pytest.raises(DefinitionError, match=r"'t' is used nowhere @ \$\.share\.t \(line 4\)"):
        load_definition(text.encode(), "x.yaml")
