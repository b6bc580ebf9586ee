"""Whether a checkpoint fits a definition: what `save_pretrained` and Keras write fits its model.

Names, shapes, dtypes and ties are those that transformers gives (tests/data/transformers), and
Keras (tests/data/keras).
"""

import hashlib
import itertools
import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from paraminspect.definition import load_definition
from paraminspect.errors import AddressError, ShapeError, TieError
from paraminspect.formats import open_checkpoint
from paraminspect.init.plan import complete
from paraminspect.operations.diff import diff_trees

DATA = Path(__file__).parents[1] / "data"
MODELS = json.loads((DATA / "transformers" / "ties.json").read_text())


def text_of(model):
    """A definition of bare parameters under the names of a state_dict, with its ties."""
    root = {}
    for name, shape, dtype in model["tensors"]:
        *above, last = name.split(".")
        node = root
        for part in above:
            node = node.setdefault(part, {})
        sizes = "".join(f"{size}, " for size in shape)
        kind = "Parameter" if dtype.startswith("float") else "Buffer"
        node[last] = f"{kind}({sizes}dtype='{dtype}')"
    ties = {alias: group[0] for group in model["tied"] for alias in group[1:]}
    return json.dumps({"framework": "pytorch", "layers": root, "ties": ties})


def write(path, names, shapes, **other):
    """A file with these names, as a writer that keeps one of each leaves it; `other` arrays win."""
    rng = np.random.default_rng(0)
    arrays = {n: rng.standard_normal(shapes[n]).astype("float32") for n in names}
    save_file(arrays | other, path, {"format": "pt"})
    return path


def of_model(name):
    model = MODELS[name]
    tree = load_definition(text_of(model).encode(), f"{name}.yaml")
    return model, tree, {n: tuple(shape) for n, shape, _ in model["tensors"]}


def kinds(*trees):
    return [(d.name, str(d.kind)) for d in diff_trees(*trees)]


def test_a_definition_lists_the_ties_of_the_state_dict():
    model, tree, shapes = of_model("bart")
    assert {n: p.shape for n, p in tree.items()} == shapes
    assert {tree.own_name(name) for name in model["tied"][0]} == {model["tied"][0][0]}


@pytest.mark.parametrize("name", MODELS)
def test_what_save_pretrained_writes_fits_its_model(name, tmp_path):
    model, tree, shapes = of_model(name)
    path = write(tmp_path / "m.safetensors", model["stored"], shapes)
    file = open_checkpoint(path)
    assert kinds(tree, file) == kinds(file, tree) == []
    values = load_file(path)
    for group in model["tied"]:
        (stored,) = (name for name in group if name in values)
        for other in group:
            np.testing.assert_array_equal(tree.load(file)[other].numpy(), values[stored])
    completed = complete(file, tree)
    dropped = {name for group in model["tied"] for name in group} - set(model["stored"])
    assert (completed.missing, completed.unexpected) == ((), ())
    assert set(completed.tied) == dropped


@pytest.mark.parametrize("name", MODELS)
def test_a_tied_array_may_be_stored_under_any_of_its_names(name, tmp_path):
    model, tree, shapes = of_model(name)
    rest = set(shapes) - {n for group in model["tied"] for n in group}
    for number, kept in enumerate(itertools.product(*model["tied"])):
        file = open_checkpoint(write(tmp_path / f"{number}", [*rest, *kept], shapes))
        assert kinds(tree, file) == []
        assert not complete(file, tree).missing
        tree.load(file)


def test_an_array_of_which_no_name_is_there_is_missing_once(tmp_path):
    model, tree, shapes = of_model("gpt2")
    names = set(shapes) - set(model["tied"][0])
    file = open_checkpoint(write(tmp_path / "m.safetensors", names, shapes))
    assert complete(file, tree).missing == ("transformer.wte.weight",)
    assert {d for d, _ in kinds(tree, file)} == set(model["tied"][0])
    with pytest.raises(AddressError, match=r"no parameter matches 'transformer.wte.weight'"):
        tree.load(file)


def test_a_tied_array_of_another_shape_does_not_fit_under_any_name(tmp_path):
    _, tree, shapes = of_model("gpt2")
    names = set(shapes) - {"transformer.wte.weight", "lm_head.weight"}
    head = {"lm_head.weight": np.ones((14, 8), "float32")}
    file = open_checkpoint(write(tmp_path / "m.safetensors", names, shapes, **head))
    assert kinds(tree, file) == [("transformer.wte.weight", "shape")]
    with pytest.raises(ShapeError, match=r"'transformer.wte.weight': .* shape .14, 8., .* .13, 8."):
        tree.load(file)
    with pytest.raises(ShapeError, match=r"MISMATCH: .* has shape .14, 8."):
        complete(file, tree)
    completed = complete(file, tree, redrawn={"transformer.wte.weight"})
    assert completed.mismatched == {"lm_head.weight": (14, 8)}
    assert completed.tree["lm_head.weight"].shape == (13, 8)


def test_two_copies_of_a_tied_array_fit_if_they_agree(tmp_path):
    model, tree, shapes = of_model("gpt2")
    head = load_file(write(tmp_path / "m", model["stored"], shapes))["transformer.wte.weight"]
    same = open_checkpoint(
        write(tmp_path / "same", model["stored"], shapes, **{"lm_head.weight": head})
    )
    assert kinds(tree, same) == []
    tree.load(same)
    other = open_checkpoint(
        write(tmp_path / "other", model["stored"], shapes, **{"lm_head.weight": head + 1})
    )
    assert kinds(tree, other) == [("lm_head.weight", "tie")]
    (difference,) = diff_trees(other, tree)
    assert (difference.left, difference.right) == ("lm_head.weight", "transformer.wte.weight")
    with pytest.raises(TieError, match=r"'lm_head.weight' and 'transformer.wte.weight' are one"):
        tree.load(other)
    assert [*diff_trees(tree, other, ignore=["tie"])] == []


def test_dtypes_are_compared_for_the_definition_knows_them(tmp_path):
    model, tree, shapes = of_model("gpt2")
    half = np.ones(8, ml_dtypes.bfloat16)
    path = write(tmp_path / "m", model["stored"], shapes, **{"transformer.ln_f.bias": half})
    file = open_checkpoint(path)
    assert kinds(tree, file) == [("transformer.ln_f.bias", "dtype")]
    (difference,) = diff_trees(tree, file)
    assert (difference.left.name, difference.right.name) == ("float32", "bfloat16")
    tree.load(file)  # values are cast as they are loaded


def test_the_commands_agree_on_a_head_that_is_tied(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, _, shapes = of_model("gpt2")
    Path("m.yaml").write_text(text_of(model))
    write("m.safetensors", model["stored"], shapes)
    assert run("diff", "m.yaml", "m.safetensors").status == 0
    assert run("diff", "m.yaml", "m.safetensors", "lm_head.*").status == 0
    done = run("init", "m.safetensors", "--missing-from", "m.yaml", "-o", "n.safetensors")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(
        "TIED        lm_head.weight = transformer.wte.weight: added\nadd 1 tied name\n"
    )
    run("tie", "m.safetensors", "lm_head.weight", "transformer.wte.weight", "-o", "t.safetensors")
    for written in ("n.safetensors", "t.safetensors"):
        tree = open_checkpoint(Path(written))
        assert tree.ties == {"lm_head.weight": "transformer.wte.weight"}
        values, before = load_file(written), load_file("m.safetensors")
        assert values.keys() == before.keys()
        assert all(np.array_equal(values[name], before[name]) for name in before)
    done = run("init", "-i", "n.safetensors", "--missing-from", "m.yaml")
    assert (done.status, done.out) == (2, "")
    assert "nothing is missing" in done.err


KERAS = json.loads((DATA / "keras" / "weights.json").read_text())
MLP = """
framework: keras
input: [4]
layers:
  - Dense(3, name='hidden')
  - Dense(1)
"""
WRAPPED = """
framework: keras
input: [7]
layers:
  - Embedding(20, 4)
  - Bidirectional(GRU(3, return_sequences=True))
  - Bidirectional(LSTM(2, return_sequences=True), merge_mode='sum', name='both_ways')
  - RNN([LSTMCell(3), GRUCell(2, use_bias=False)], return_sequences=True)
  - TimeDistributed(Dense(3, use_bias=False))
  - TimeDistributed(BatchNormalization(scale=False))
  - RNN(SimpleRNNCell(2))
  - LayerNormalization(center=False)
  - Dense(1)
"""


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (MLP, "keras2_mlp.weights.h5"),
        (MLP, "keras2_mlp.h5"),
        (MLP, "keras2_mlp.keras"),
        (MLP, "keras3_mlp.weights.h5"),
        (WRAPPED, "keras2_wrapped.keras"),
        (WRAPPED, "keras3_wrapped.keras"),
    ],
)
def test_a_definition_tells_the_names_in_a_file_that_keras_wrote_for_it(text, file):
    model = load_definition(text.encode(), "model.yaml")
    found = open_checkpoint(DATA / "keras" / file)
    assert kinds(model, found) == kinds(found, model) == []
    loaded = model.load(found)
    expected = [(w["shape"], w["dtype"], w["sha256"]) for w in KERAS[file]]
    assert [digest(p) for p in loaded.values()] == expected


def digest(parameter):
    values = hashlib.sha256(parameter.numpy().tobytes()).hexdigest()
    return list(parameter.shape), parameter.data.dtype.name, values


def test_a_file_of_another_model_keeps_the_names_that_it_tells():
    grown = MLP.replace("  - Dense(1)\n", "  - Dense(1)\n  - Dense(2, name='more')\n")
    model = load_definition(grown.encode(), "model.yaml")
    told = open_checkpoint(DATA / "keras" / "keras3_mlp.weights.h5")
    untold = open_checkpoint(DATA / "keras" / "keras2_mlp.weights.h5")
    more = [("sequential/more/kernel", "missing"), ("sequential/more/bias", "missing")]
    assert kinds(model, told) == kinds(model, untold) == more
    other = MLP.replace("Dense(3,", "Dense(5,")
    model = load_definition(other.encode(), "model.yaml")
    shapes = ["sequential/hidden/kernel", "sequential/hidden/bias", "sequential/dense/kernel"]
    assert kinds(model, told) == kinds(model, untold) == [(name, "shape") for name in shapes]
