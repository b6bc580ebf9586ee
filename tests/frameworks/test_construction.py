"""What constructing a PyTorch model draws, in order (the values are compared in parity tests)."""

import pytest

from paraminspect.definition import load_definition
from paraminspect.errors import DefinitionError


def drawn(text):
    tree = load_definition(f"framework: pytorch\n{text}".encode(), "x.yaml")
    return [(d.names, d.spec.scheme) for d in tree.architecture.construction({})]


def random_names(text):
    return [names for names, scheme in drawn(text) if scheme not in ("zeros", "ones")]


def test_a_shared_layer_draws_once_where_it_is_constructed():
    text = "share: {s: 'Linear(8, 8, bias=False)'}\nlayers:\n  - Linear(4, 8, bias=False)\n  - s\n  - s\n"
    assert random_names(text) == [("1.weight",), ("0.weight",)]


def test_deep_copies_get_the_values_of_one_draw():
    text = "layers:\n  - TransformerEncoder(TransformerEncoderLayer(4, 2, 8), 2)\n"
    first = ("0.layers.0.self_attn.out_proj.weight", "0.layers.1.self_attn.out_proj.weight")
    assert random_names(text)[0] == first


def test_attention_draws_its_projection_first_and_overwrites_its_bias():
    assert drawn("layers:\n  - MultiheadAttention(4, 2)\n") == [
        (("0.out_proj.weight",), "kaiming_uniform(a=5**0.5)"),
        (("0.out_proj.bias",), "uniform(-1/sqrt(4), 1/sqrt(4))"),
        (("0.out_proj.bias",), "zeros"),
        (("0.in_proj_weight",), "xavier_uniform"),
        (("0.in_proj_bias",), "zeros"),
    ]


def test_a_transformer_draws_its_matrices_again_when_all_is_constructed():
    text = "layers:\n  - Transformer(4, 2, 2, 1, 8)\n"
    again = random_names(text)[-14:]
    assert again[:3] == [
        ("0.encoder.layers.0.self_attn.in_proj_weight",),
        ("0.encoder.layers.0.self_attn.out_proj.weight",),
        ("0.encoder.layers.0.linear1.weight",),
    ]
    assert all(len(names) == 1 for names in again)
    assert ("0.encoder.layers.1.linear1.weight",) in again


def test_lazy_layers_draw_last():
    text = "input: [3]\nlayers:\n  - LazyLinear(4, bias=False)\n  - Linear(4, 5, bias=False)\n"
    assert random_names(text) == [("1.weight",), ("0.weight",)]


GPT2 = """
layers:
  transformer:
    wte: Embedding(5, 2)
    c_proj: Conv1D(2, 2)
  lm_head: Linear(2, 5, bias=False)
ties: {lm_head.weight: transformer.wte.weight}
init:
  "*.weight": normal(0, 0.02)
  "*.c_proj.weight":
    - normal(0, 0.02)
    - normal(0, 0.02/2)
"""


def test_rules_run_at_the_end_and_a_tied_array_is_drawn_once():
    assert random_names(GPT2) == [
        ("transformer.wte.weight",),
        ("transformer.c_proj.weight",),
        (),
        ("transformer.wte.weight",),
        ("transformer.c_proj.weight",),
    ]


def test_post_init_runs_rules_when_its_module_is_constructed_and_ties_last():
    assert [(n, s) for n, s in drawn(GPT2 + "post_init: [transformer]\n") if s != "zeros"] == [
        (("transformer.wte.weight",), "normal(0, 1)"),
        (("transformer.c_proj.weight",), "normal(0, 0.02)"),
        (("transformer.wte.weight",), "normal(0, 0.02)"),
        (("transformer.c_proj.weight",), "[normal(0, 0.02), normal(0, 0.02/2)]"),
        ((), "kaiming_uniform(a=5**0.5)"),
        ((), "normal(0, 0.02)"),
    ]


def test_a_rule_may_use_the_names_of_let():
    text = "let: {n: 4}\nlayers:\n  - Linear(2, 2)\ninit: {'*': 'normal(0, 1/sqrt(2*n))'}\n"
    tree = load_definition(f"framework: pytorch\n{text}".encode(), "x.yaml")
    assert tree["0.weight"].scheme == "normal(0, 1 / sqrt(2 * 4))"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("post_init: [fc]\n", r"there is no module 'fc' .* @ \$.post_init\[0\]"),
        ("post_init: 0\n", r"expected a list of names of modules @ \$.post_init"),
        ("init: {'0.weight': {a: 1}}\n", r"expected a scheme .* @ \$.init.0.weight"),
        ("init: [zeros]\n", r"expected a mapping from patterns to schemes @ \$.init"),
        ("init: {'1.*': zeros}\n", r"no parameter matches '1\.\*' @ \$.init"),
    ],
)
def test_rules_that_cannot_be_say_where(text, message):
    with pytest.raises(DefinitionError, match=message):
        drawn(f"layers:\n  - Linear(2, 2)\n{text}")
