"""Keras' files: the names that Keras gives, from files that Keras wrote (tests/data/keras)."""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from paraminspect.arrays import DTYPES
from paraminspect.definition import load_definition
from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.formats.keras import _archive
from paraminspect.formats.keras._classes import variable_names
from paraminspect.frameworks.keras._groups import snake_case
from paraminspect.frameworks.keras._stored import stored_layers

DATA = Path(__file__).parents[1] / "data" / "keras"
WEIGHTS = json.loads((DATA / "weights.json").read_text())

UNTOLD = {
    "keras3_layers.weights.h5": {
        "batch_normalization/beta": "layers/batch_normalization/vars/0",
        "batch_normalization/moving_mean": "layers/batch_normalization/vars/1",
        "batch_normalization/moving_variance": "layers/batch_normalization/vars/2",
        "layer_normalization/gamma": "layers/layer_normalization/vars/0",
    },
    "keras3_attention.weights.h5": {
        "batch_normalization/beta": "layers/batch_normalization/vars/0",
        "batch_normalization/moving_mean": "layers/batch_normalization/vars/1",
        "batch_normalization/moving_variance": "layers/batch_normalization/vars/2",
        "layer_normalization/gamma": "layers/layer_normalization/vars/0",
    },
    "keras2_mlp.weights.h5": {
        "hidden/kernel": "layers/dense/vars/0",
        "hidden/bias": "layers/dense/vars/1",
        "dense/kernel": "layers/dense_1/vars/0",
        "dense/bias": "layers/dense_1/vars/1",
    },
    "keras2_subclassed.keras": {
        "net/dense/kernel": "tied/vars/0",
        "net/dense/bias": "tied/vars/1",
        "net/rest_0/kernel": "rest/dense/vars/0",
        "net/rest_0/bias": "rest/dense/vars/1",
        "net/rest_1/kernel": "rest/dense_1/vars/0",
        "net/rest_1/bias": "rest/dense_1/vars/1",
    },
}
"""Names that the file does not tell, and the paths that stand for them: which of gamma and beta a
layer lacks stands in a config alone, and Keras 2 writes no names of layers into weights files."""


def digest(parameter):
    return hashlib.sha256(parameter.numpy().tobytes()).hexdigest()


def assert_lists(path, weights):
    """The file lists just these weights of a model, with their values, in its order."""
    tree = open_checkpoint(path)
    untold = UNTOLD.get(path.name, {})
    expected = {
        untold.get(w["name"], w["name"]): (w["shape"], w["dtype"], w["sha256"]) for w in weights
    }
    found = {n: (list(p.shape), p.dtype.name, digest(p)) for n, p in tree.items()}
    assert found == expected
    assert tree.architecture.framework == "keras"
    assert list(tree) == list(expected)


@pytest.mark.parametrize("file", WEIGHTS)
def test_a_file_lists_the_weights_of_its_model_by_keras_own_names(file):
    assert_lists(DATA / file, WEIGHTS[file])


@pytest.mark.parametrize(
    ("file", "state"),
    [
        ("keras3_mlp.keras", ["optimizer/vars/0", "optimizer/vars/9"]),
        ("keras3_mlp.h5", ["optimizer_weights/adam/iteration"]),
        ("keras2_mlp.keras", ["optimizer/vars/8", "metrics/mean/vars/1"]),
        ("keras2_mlp.h5", ["optimizer_weights/Adam/m/dense/kernel:0"]),
        ("keras3_layers.keras", []),
    ],
)
def test_what_only_training_needs_stands_aside(file, state):
    tree = open_checkpoint(DATA / file)
    assert tree.source.optimizer.keys() >= set(state)
    assert not tree.keys() & tree.source.optimizer.keys()
    whole = tree.with_optimizer()
    assert list(whole) == [*tree, *tree.source.optimizer]
    for name in state:
        assert whole[name].numpy().shape == whole[name].shape


def test_the_path_under_which_a_parameter_is_stored_is_kept_and_found():
    tree = open_checkpoint(DATA / "keras3_mlp.weights.h5")
    kernel = tree["sequential/hidden/kernel"]
    assert kernel.stored_path == "layers/dense/vars/0"
    assert kernel.layer == "Dense"
    assert tree.matching("layers/dense/vars/0") == ["sequential/hidden/kernel"]
    assert tree["layers/dense/vars/0"] is kernel
    legacy = open_checkpoint(DATA / "keras2_mlp.h5")
    assert legacy["hidden/kernel"].stored_path == "model_weights/hidden/hidden/kernel:0"
    assert legacy["model_weights/hidden/hidden/kernel:0"].name == "hidden/kernel"


def test_an_archive_that_was_packed_again_reads_the_same(tmp_path):
    source = zipfile.ZipFile(DATA / "keras3_mlp.keras")
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in reversed(source.namelist()):
            packed.writestr(name, source.read(name))
    tree, original = (
        open_checkpoint(tmp_path / "m.keras"),
        open_checkpoint(DATA / "keras3_mlp.keras"),
    )
    assert list(tree) == list(original)
    assert [digest(p) for p in tree.values()] == [digest(p) for p in original.values()]


@pytest.mark.parametrize("wrong", [0, 1])
def test_the_crc_of_stored_weights_is_checked_once_all_parameters_are_read(wrong, tmp_path):
    path = Path(shutil.copy(DATA / "keras3_mlp.keras", tmp_path))
    data = bytearray(path.read_bytes())
    kernel = open_checkpoint(path)["sequential/hidden/kernel"]
    data[kernel.data.offset + 5] ^= wrong
    path.write_bytes(data)
    tree = open_checkpoint(path)
    for _ in range(2):
        told = []
        for parameter in reversed(tree.parameters()):
            for start in reversed(range(parameter.count)):
                try:
                    parameter.data.read(start, start + 1)
                except CheckpointError as error:
                    told.append(str(error))
        expected = f"{path}: the member 'model.weights.h5' is damaged: its CRC is another"
        assert told == [expected] * wrong
    if wrong:
        with pytest.raises(CheckpointError, match="is damaged: its CRC is another"):
            save_checkpoint(tree, tmp_path / "new.safetensors")
        assert [path.name for path in tmp_path.iterdir()] == ["keras3_mlp.keras"]


def archive(path, members):
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def weights(tmp_path, groups):
    """The bytes of a weights file: group to the arrays of its layer."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        for group, arrays in groups.items():
            for number, array in enumerate(arrays):
                file[f"{group}/vars/{number}"] = array
    return (tmp_path / "w.h5").read_bytes()


KERNEL, BIAS = np.ones((2, 3), "f4"), np.zeros(3, "f4")


def config(*layers):
    made = [{"class_name": kind, "config": options} for kind, options in layers]
    return json.dumps({"class_name": "Sequential", "config": {"name": "net", "layers": made}})


@pytest.mark.parametrize(
    ("version", "layers", "names"),
    [
        ("3.3.3", [("Dense", {"name": "a", "units": 3})], ["net/a/bias", "net/a/kernel"]),
        ("2.15.0", [("Dense", {"name": "a", "units": 3})], ["a/bias", "a/kernel"]),
        ("3.15.1", [("Dense", {"name": "a", "units": 3})], None),
        ("3.3.3", [("Dense", {"name": "a", "units": 4})], None),
        ("3.3.3", [("Dense", {"name": "a"}), ("Dense", {"name": "b"})], None),
        ("3.3.3", [("Conv2D", {"name": "a", "filters": 3})], None),
        ("nightly", [("Dense", {"name": "a", "units": 3})], None),
    ],
    ids=["3.3", "2", "writes names itself", "units", "a layer more", "class", "no version"],
)
def test_a_config_names_layers_only_where_it_fits_the_file(version, layers, names, tmp_path):
    members = {
        "metadata.json": json.dumps({"keras_version": version}),
        "config.json": config(("InputLayer", {"name": "in"}), *layers),
        "model.weights.h5": weights(tmp_path, {"layers/dense": [KERNEL, BIAS], "": []}),
    }
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file.create_group("vars")
    members["model.weights.h5"] = (tmp_path / "w.h5").read_bytes()
    tree = open_checkpoint(archive(tmp_path / "m.keras", members))
    assert sorted(tree) == (names or ["layers/dense/vars/0", "layers/dense/vars/1"])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"config.json": "{}"}, "a zip archive without model.weights.h5: no Keras model; it holds"),
        ({"x/data.pkl": "", "x/version": "3"}, r"a PyTorch file \(a pickle\)"),
        ({"config.json": "{}", "model.weights.h5": "no"}, "'model.weights.h5' is not an HDF5 file"),
        (
            {"config.json": "{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"},
            "is truncated: 1 of the 9",
        ),
    ],
    ids=["no weights", "torch", "text", "signature"],
)
def test_an_archive_without_weights_is_told_what_it_is(members, message, tmp_path):
    with pytest.raises(CheckpointError, match=f"m.keras: .*{message}"):
        open_checkpoint(archive(tmp_path / "m.keras", members))


def test_weights_that_inflate_out_of_proportion_are_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(_archive, "BOMB_NBYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(2 << 20))
    with pytest.raises(CheckpointError, match=r"m.keras: .*'model.weights.h5'.*a bomb, no weights"):
        open_checkpoint(tmp_path / "m.keras")


def legacy(path, layers, weights_, datasets, pieces=False):
    with h5py.File(path, "w") as file:
        if pieces:
            for number, layer in enumerate(layers):
                file.attrs[f"layer_names{number}"] = [layer]
        else:
            file.attrs["layer_names"] = layers
        for layer, names in weights_.items():
            file.require_group(layer).attrs["weight_names"] = names
        for name, array in datasets.items():
            file[name] = array
    return path


def test_lists_of_names_may_be_cut_into_pieces(tmp_path):
    names = {"b": ["b/kernel:0"], "a": ["a/kernel:0"]}
    datasets = {"b/b/kernel:0": KERNEL, "a/a/kernel:0": BIAS}
    tree = open_checkpoint(legacy(tmp_path / "m.h5", ["b", "a"], names, datasets, pieces=True))
    assert list(tree) == ["b/kernel", "a/kernel"]


def test_weights_of_one_name_in_two_layers_have_the_layer_before_it(tmp_path):
    names = {"left": ["dense/kernel:0"], "right": ["dense/kernel:0", "dense/bias:0"]}
    datasets = {
        "left/dense/kernel:0": KERNEL,
        "right/dense/kernel:0": KERNEL,
        "right/dense/bias:0": BIAS,
    }
    tree = open_checkpoint(legacy(tmp_path / "m.h5", ["left", "right"], names, datasets))
    assert list(tree) == ["left/dense/kernel:0", "right/dense/kernel:0", "dense/bias"]


def test_a_layer_name_with_a_slash_is_a_path(tmp_path):
    names = {"cqt/mag": ["cqt/mag/kernel:0"], "empty": np.zeros(0)}
    datasets = {"cqt/mag/cqt/mag/kernel:0": KERNEL, "more/left": BIAS}
    tree = open_checkpoint(legacy(tmp_path / "m.h5", ["cqt/mag", "empty"], names, datasets))
    assert list(tree) == ["cqt/mag/kernel", "more/left"]


@pytest.mark.parametrize("root", ["", "model_weights"])
def test_names_that_begin_with_a_slash_lead_where_hdf5_finds_them(root, tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:  # as Keras writes, with h5py, below a group
        group = file.require_group(root) if root else file
        group.attrs["layer_names"] = ["/dense_1", "out"]
        for number, (layer, weight) in enumerate(
            [("/dense_1", "dense_1/k:0"), ("out", "/top/k:0")]
        ):
            below = group.create_group(layer)
            below.attrs["weight_names"] = [weight]
            below.create_dataset(weight, data=KERNEL + number)
        found = [np.array(group["/dense_1"]["dense_1/k:0"]), np.array(group["out"]["/top/k:0"])]
    tree = open_checkpoint(tmp_path / "m.h5")
    assert list(tree) == ["dense_1/k", "top/k"]
    for array, expected in zip(tree.values(), found, strict=True):
        np.testing.assert_array_equal(array.numpy(), expected, strict=True)


@pytest.mark.parametrize(
    ("layers", "names", "message"),
    [
        (["a"], {"a": ["kernel", "bias"]}, "layer 'a': weight_names lists 'bias', but there is no"),
        (["a", "b"], {"a": ["kernel"]}, "layer_names lists the layer 'b', but there is no such"),
        (["a"], {}, "layer 'a' has no attribute weight_names"),
        ([1, 2], {"a": ["kernel"]}, r"layer_names of the group '' is not a list of names: \[1, 2"),
        (["a"], {"a": "kernel"}, "weight_names of the group 'a' is not a list of names: 'kernel'"),
    ],
    ids=["weight", "layer", "no list", "numbers", "text"],
)
def test_a_legacy_file_that_contradicts_itself_is_refused(layers, names, message, tmp_path):
    path = legacy(tmp_path / "m.h5", layers, names, {"a/kernel": KERNEL})
    with pytest.raises(CheckpointError, match=f"m.h5: .*{message}"):
        open_checkpoint(path)


SHARDS = ("keras3_nested_00000.weights.h5", "keras3_nested_00001.weights.h5")


@pytest.fixture
def sharded(tmp_path):
    for shard in SHARDS:
        shutil.copy(DATA / shard, tmp_path)
    index = json.loads((DATA / "keras3_nested.weights.json").read_text())
    return tmp_path / "m.weights.json", index


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update({"/layers/dense/vars": "../x.weights.h5"}), "'../x.weights.h5', which"),
        (lambda m: m.update({"/layers/dense/vars": [1]}), "in 1, which is not"),
        (lambda m: m.update({"/layers/dense/vars": "y.weights.h5"}), "y.weights.h5: cannot open"),
        (
            lambda m: m.pop("/layers/dense/vars"),
            "holds 'layers/dense/vars/0', but weight_map places",
        ),
        (lambda m: m.update({"/layers/dense/vars": list(SHARDS)}), "which holds nothing of it"),
        (lambda m: m.clear(), "no weight_map"),
    ],
    ids=["elsewhere", "number", "missing", "forgotten", "nothing", "empty"],
)
def test_an_index_of_shards_that_contradicts_them_is_refused(change, message, sharded):
    path, index = sharded
    change(index["weight_map"])
    path.write_text(json.dumps({"weight_map": index["weight_map"], "x": ".weights.h5"}))
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(path)


@pytest.mark.parametrize(
    ("class_name", "options", "shapes", "names"),
    [
        ("Dense", None, [(2, 3), (3,)], ("kernel", "bias")),
        ("Dense", None, [(2, 3)], ("kernel",)),
        ("Dense", None, [(2, 3, 4), (3,)], None),
        ("Dense", None, [(2, 3), (3,), (3,)], None),
        (
            "BatchNormalization",
            None,
            [(3,)] * 4,
            ("gamma", "beta", "moving_mean", "moving_variance"),
        ),
        ("BatchNormalization", None, [(3,)] * 3, None),
        (
            "BatchNormalization",
            {"scale": False, "center": True},
            [(3,)] * 3,
            ("beta", "moving_mean", "moving_variance"),
        ),
        ("BatchNormalization", None, [(3,)] * 2, ("moving_mean", "moving_variance")),
        ("LayerNormalization", {"scale": True, "center": False}, [(3,)], ("gamma",)),
        (
            "LayerNormalization",
            {"scale": False, "center": True, "rms_scaling": True},
            [(3,)],
            ("gamma",),
        ),
        ("LayerNormalization", None, [(3,)], None),
        ("MyLayer", None, [(3,)], None),
    ],
)
def test_variables_are_named_only_where_one_possibility_is_left(class_name, options, shapes, names):
    variables = [(shape, DTYPES["float32"]) for shape in shapes]
    assert variable_names(stored_layers(class_name, options), variables) == names


@pytest.mark.parametrize(
    ("class_name", "mode", "count", "names"),
    [
        ("Dense", None, 2, ("kernel", "kernel_scale")),
        ("Dense", "int8", 3, ("kernel", "bias", "kernel_scale")),
        ("Dense", "int4", 5, ("kernel", "bias", "kernel_scale", "kernel_zero", "g_idx")),
        ("Embedding", None, 2, ("embeddings", "embeddings_scale")),
        ("Dense", "int2", 7, None),
        ("LSTMCell", None, 1, None),
    ],
)
def test_quantized_variables_have_the_names_of_their_mode(class_name, mode, count, names):
    variables = [((2, 3), DTYPES["int8"]), *[((3,), DTYPES["float32"])] * (count - 1)]
    assert variable_names(stored_layers(class_name, None), variables, mode) == names


LAYERS = [
    (call, shape, [name.split("/")[1] for name, *_ in answer["weights"]])
    for (call, shape), answer in json.loads((DATA / "layers.json").read_text())
    if answer.get("weights") and all(name.count("/") == 1 for name, *_ in answer["weights"])
]


@pytest.mark.parametrize(("call", "shape", "names"), LAYERS)
def test_whatever_a_definition_can_describe_has_its_names_in_files(call, shape, names):
    text = f"framework: keras\ninput: {shape}\nlayers:\n  - {call}\n"
    tree = load_definition(text.encode(), "model.yaml")
    (layer,) = (child.layer for child in tree.structure.children.values())
    stored = [p for p in tree.values() if "lora" not in p.name]  # merged when Keras saves
    variables = [(p.shape, p.dtype) for p in stored]
    found = variable_names(stored_layers(layer.kind, layer.arguments), variables)
    assert found == tuple(name for name in names if "lora" not in name)


def test_the_order_of_a_model_is_that_of_a_listing(run):
    for file in ("keras3_quantized.keras", "keras2_mlp.h5", "keras3_mlp.weights.h5"):
        expected = [w["name"] for w in WEIGHTS[file]]
        assert run("list", DATA / file, "--format", "names").out.split() == expected
        by_name = run("list", DATA / file, "--format", "names", "--sort", "name").out.split()
        assert by_name == sorted(expected)


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("Dense", "dense"),
        ("PReLU", "p_re_lu"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("LSTM", "lstm"),
        ("ConvLSTM2D", "conv_lstm2d"),
        ("MultiHeadAttention", "multi_head_attention"),
        ("GlobalAveragePooling2D", "global_average_pooling2d"),
    ],
)
def test_groups_are_named_as_keras_names_them(class_name, expected):
    assert snake_case(class_name) == expected
