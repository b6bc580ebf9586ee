"""Quantized weights: counted as the model's, dequantized as torch does, and never cast as numbers."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from paraminspect.arrays import DTYPES, DType, InMemory
from paraminspect.errors import CastError, DTypeError
from paraminspect.formats import open_checkpoint, save_checkpoint
from paraminspect.operations.edit import cast_tree
from paraminspect.operations.quantization import Scaled, dequantized
from paraminspect.tree import Parameter, ParameterTree

DATA = Path(__file__).parents[1] / "data" / "quantized"
GOLDEN = ["deepseek", "ue8m0", "compressed", "comfy"]

E4M3 = ml_dtypes.float8_e4m3fn


def save(path, shapes):
    """A file of arrays of zeros, by `{name: (dtype, shape)}`."""
    entries = {
        name: Parameter(name, InMemory(np.zeros(shape, DTYPES[dtype].to_numpy())))
        for name, (dtype, shape) in shapes.items()
    }
    save_checkpoint(ParameterTree(entries), path)
    return path


@pytest.mark.parametrize("name", GOLDEN)
def test_a_cast_gives_what_torch_and_transformers_make_of_the_file(name, run, tmp_path):
    source, new = DATA / f"{name}.safetensors", tmp_path / "new.safetensors"
    done = run("convert", "--dtype", "bf16", source, new)
    assert (done.status, done.err) == (0, "")
    assert "dequantize " in done.out
    same = run("diff", new, DATA / f"{name}.want.safetensors")
    assert (same.status, same.err) == (0, "")
    with safe_open(new, "np") as file, safe_open(source, "np") as before:
        gone = set(before.keys()) - set(file.keys())
    assert gone
    assert "leave out what only codes need: " in done.out


@pytest.mark.parametrize("name", GOLDEN)
def test_slices_are_dequantized_on_request_and_codes_otherwise(name, run):
    source = DATA / f"{name}.safetensors"
    want = open_checkpoint(DATA / f"{name}.want.safetensors")
    for parameter in open_checkpoint(source).parameters():
        if parameter.codes is None or not parameter.codes.weights:
            continue
        last = [-1] * len(parameter.shape)
        address = f"{parameter.name}{last}"
        decoded = run("slice", "--dequantize", source, address, "--format", "csv")
        value = np.float64(decoded.out).astype(ml_dtypes.bfloat16)
        assert (decoded.err, value) == ("", want[parameter.name].numpy()[tuple(last)])
        plain = run("slice", source, address, "--format", "csv")
        assert float(plain.out) == float(parameter.numpy()[tuple(last)])
        assert plain.err.count("codes of quantized weights") == 1
        assert "--dequantize" in plain.err


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from(["one", "scalar", "rows", "columns of rows", "blocks"]),
    st.data(),
)
def test_every_stretch_is_that_of_codes_times_repeated_scales(rows, columns, kind, data):
    rng = np.random.default_rng(rows * 1000 + columns)
    codes = rng.integers(-8, 8, (2, rows, columns)).astype(E4M3)
    grid = {
        "one": (1,),
        "scalar": (),
        "rows": (rows,),
        "columns of rows": (2, rows, 1),
        "blocks": (2, -(-rows // 128), -(-columns // 128)),
    }[kind]
    scales = rng.uniform(0.1, 2, grid).astype(np.float32)
    if kind == "rows":
        codes = codes[0]
    repeated = scales
    if kind == "blocks":
        repeated = scales.repeat(128, 1)[:, :rows].repeat(128, 2)[:, :, :columns]
    elif kind == "rows":
        repeated = scales[:, None]
    expected = (codes.astype(np.float32) * repeated).reshape(-1)
    array = Scaled("w", InMemory(codes), InMemory(scales))
    start = data.draw(st.integers(0, codes.size))
    stop = data.draw(st.integers(start, codes.size))
    np.testing.assert_array_equal(array.read(start, stop), expected[start:stop], strict=True)
    np.testing.assert_array_equal(array[...], expected.reshape(codes.shape), strict=True)


PACKED = {
    "GPTQ, 4 bits": {
        "l.qweight": ("int32", (64 // 8, 96)),
        "l.qzeros": ("int32", (2, 96 // 8)),
        "l.scales": ("float16", (2, 96)),
        "l.g_idx": ("int32", (64,)),
    },
    "GPTQ, 3 bits": {
        "l.qweight": ("int32", (64 * 3 // 32, 96)),
        "l.qzeros": ("int32", (2, 96 * 3 // 32)),
        "l.scales": ("float16", (2, 96)),
    },
    "GPTQ, 8 bits": {
        "l.qweight": ("int32", (64 // 4, 96)),
        "l.qzeros": ("int32", (1, 96 // 4)),
        "l.scales": ("bfloat16", (1, 96)),
        "l.g_idx": ("int32", (64,)),
    },
    "AWQ, 4 bits": {
        "l.qweight": ("int32", (64, 96 // 8)),
        "l.qzeros": ("int32", (2, 96 // 8)),
        "l.scales": ("float16", (2, 96)),
    },
    "MLX (groups of 64 assumed), 4 bits": {
        "l.weight": ("uint32", (96, 64 // 8)),
        "l.scales": ("float16", (96, 1)),
        "l.biases": ("float16", (96, 1)),
    },
    "MLX (groups of 64 assumed), 8 bits": {
        "l.weight": ("uint32", (48, 128 // 4)),
        "l.scales": ("bfloat16", (48, 2)),
        "l.biases": ("bfloat16", (48, 2)),
    },
    "MLX (MXFP4)": {
        "l.weight": ("uint32", (96, 64 // 8)),
        "l.scales": ("uint8", (96, 2)),
    },
    "bitsandbytes, 4 bits": {
        "l.weight": ("uint8", (64 * 96 // 2, 1)),
        "l.weight.absmax": ("uint8", (96,)),
        "l.weight.quant_map": ("float32", (16,)),
        "l.weight.nested_absmax": ("float32", (1,)),
        "l.weight.nested_quant_map": ("float32", (256,)),
        "l.weight.quant_state.bitsandbytes__nf4": ("uint8", (90,)),
    },
    "bitsandbytes, 8 bits": {
        "l.weight": ("int8", (96, 64)),
        "l.SCB": ("float32", (96,)),
        "l.weight_format": ("uint8", ()),
    },
    "packed integers (compressed-tensors; 4 bits assumed)": {
        "l.weight_packed": ("int32", (96, 64 // 8)),
        "l.weight_scale": ("bfloat16", (96, 2)),
        "l.weight_shape": ("int64", (2,)),
    },
    "NVFP4 (compressed-tensors)": {
        "l.weight_packed": ("uint8", (96, 32)),
        "l.weight_scale": ("float8_e4m3fn", (96, 4)),
        "l.weight_global_scale": ("float32", (1,)),
    },
    "NVFP4 (ModelOpt)": {
        "l.weight": ("uint8", (96, 32)),
        "l.weight_scale": ("float8_e4m3fn", (96, 4)),
        "l.weight_scale_2": ("float32", ()),
        "l.input_scale": ("float32", ()),
    },
    "MXFP4 (gpt-oss)": {
        "experts.up_blocks": ("uint8", (3, 64, 1, 16)),
        "experts.up_scales": ("uint8", (3, 64, 1)),
    },
    "scaled FP4 (DeepSeek)": {
        "l.weight": ("int8", (96, 32)),
        "l.weight_scale_inv": ("float32", (96, 2)),
    },
    "scaled INT8 (compressed-tensors)": {
        "l.weight": ("int8", (96, 64)),
        "l.weight_scale": ("float32", (96, 1)),
        "l.weight_zero_point": ("int8", (96, 1)),
    },
}
"""Layers of 64 inputs and 96 outputs (or as many weights), as each library shapes its arrays."""


@pytest.mark.parametrize("what", PACKED)
def test_weights_are_counted_as_the_model_has_them_and_never_cast(what, run, tmp_path):
    rest = {"l.bias": ("float16", (7,)), "norm.weight": ("float16", (5,))}
    path = save(tmp_path / "m.safetensors", PACKED[what] | rest)
    assert open_checkpoint(path).totals.weights == 64 * 96 + 7 + 5
    listed = run("list", path)
    assert "6,156 parameters in " in listed.out
    assert f"quantized: 1 weight by {what}\n" in listed.out
    found = json.loads(run("list", path, "--format", "json").out)
    assert found["totals"]["weights"] == 6156
    assert found["totals"]["count"] == sum(p["count"] for p in found["parameters"])
    by_name = {p["name"]: p for p in found["parameters"]}
    codes, *parts = PACKED[what]
    assert by_name[codes]["quantized"]["what"] == what
    for part in parts:
        assert by_name[part]["quantized"] == {
            "what": f"part of {codes}",
            "weights": 0,
            "decodable": False,
        }
    assert "quantized" not in by_name["l.bias"]
    module = run("list", path, "--depth", "1", "--format", "table").out
    assert "6,156" in module
    new = tmp_path / "new.safetensors"
    refused = run("convert", "--dtype", "float32", path, new)
    assert refused.status == 2
    assert f"{codes!r} is quantized ({what})" in refused.err
    assert not new.exists()
    assert run("slice", "--dequantize", path, codes).status == 2
    assert run("convert", path, tmp_path / "copy.safetensors").status == 0


ALIKE = {
    "a float beside a scale": {
        "l.weight": ("bfloat16", (4, 4)),
        "l.weight_scale": ("float32", (4, 1)),
    },
    "FP8 without a scale": {"l.weight": ("float8_e4m3fn", (4, 4))},
    "integers of their own": {"l.weight": ("uint8", (4, 4)), "l.scales": ("float16", (4,))},
    "scales of another": {
        "a.weight": ("float8_e4m3fn", (4, 4)),
        "b.weight_scale": ("float32", (1,)),
    },
    "a buffer of integers": {"position_ids": ("int32", (1, 4)), "scales": ("float32", (2,))},
}


@pytest.mark.parametrize("kind", ALIKE)
def test_what_only_looks_like_it_is_left_alone(kind, run, tmp_path):
    path = save(tmp_path / "m.safetensors", ALIKE[kind])
    assert all(p.codes is None for p in open_checkpoint(path).parameters())
    assert "quantized" not in run("list", path).out
    assert run("convert", "--dtype", "float32", path, tmp_path / "n.safetensors").status == 0
    after = open_checkpoint(tmp_path / "n.safetensors")
    assert set(after) == set(ALIKE[kind])


UNFIT = {
    "blocks that fit no grid": ((300, 300), (7, 3)),
    "128 down and something else across": ((300, 300), (3, 7)),
    "scales of other experts": ((2, 4, 4), (3, 1, 1)),
    "too many axes": ((4, 4), (1, 4, 1)),
    "one for each column": ((4, 6), (6,)),
    "no scales": ((4, 6), (0, 1)),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_scales_whose_shape_says_nothing_are_not_guessed_at(kind, run, tmp_path):
    codes, scales = UNFIT[kind]
    shapes = {"w": ("float8_e4m3fn", codes), "w_scale_inv": ("float32", scales)}
    path = save(tmp_path / "m.safetensors", shapes)
    done = run("convert", "--dtype", "bf16", path, tmp_path / "n.safetensors")
    assert (done.status, "of shapes that it does not have" in done.err) == (2, True)


def test_every_command_that_takes_codes_for_numbers_says_so(run, tmp_path):
    source, want = DATA / "comfy.safetensors", DATA / "comfy.want.safetensors"
    note = "blocks.0.weight: codes of quantized weights (scaled FP8 (ComfyUI)), not weights"
    assert note in run("diff", source, want).err
    assert run("diff", "--quiet", source, want).err == ""
    assert note in run("set", source, "blocks.0.weight=0", "-o", tmp_path / "n.safetensors").err
    assert run("set", source, "model.norm.weight=0", "-o", tmp_path / "o.safetensors").err == ""
    used = 'model.norm.weight=sum("blocks.0.weight")'
    assert note in run("set", source, used, "-o", tmp_path / "p.safetensors").err
    rule = ["--rule", "blocks.0.weight=zeros", "--seed", "0"]
    assert note in run("init", source, *rule, "-o", tmp_path / "q.safetensors").err
    assert "these statistics are of the codes" in run("list", "--stats", source).out
    assert run("slice", source, "model.norm.weight").err == ""


def test_a_model_does_not_compute_with_codes(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text("framework: pytorch\nlayers:\n  - Linear(7, 5, bias=False)\n")
    codes = {"0.weight": ("float8_e4m3fn", (5, 7)), "0.weight_scale": ("float32", (1,))}
    save(tmp_path / "m.safetensors", codes)
    np.save("x.npy", np.ones((1, 7), np.float32))
    done = run("run", "net.yaml", "--checkpoint", "m.safetensors", "--input", "x.npy")
    assert done.status == 2
    assert "'0.weight': m.safetensors has codes of quantized weights" in done.err
    assert run("convert", "--dtype", "f32", "m.safetensors", "n.safetensors").status == 0
    done = run("run", "net.yaml", "--checkpoint", "n.safetensors", "--input", "x.npy")
    assert (done.status, done.out) == (0, "[[0. 0. 0. 0. 0.]]\n")


def test_codes_without_their_scales_are_not_cast_in_python_either():
    tree = open_checkpoint(DATA / "comfy.safetensors").select("blocks.0.weight")
    with pytest.raises(DTypeError, match="what decodes it is not there"):
        cast_tree(tree, DTYPES["float32"])
    assert list(dequantized(tree, ())) == ["blocks.0.weight"]


def test_a_product_that_overflows_is_an_error():
    codes, scale = InMemory(np.full((2, 2), 448, E4M3)), InMemory(np.float32([3e38]))
    with pytest.raises(CastError, match="w: times its scale it does not fit float32"):
        Scaled("w", codes, scale)[...]
    assert DType("float32", 32) == Scaled("w", codes, scale).dtype
