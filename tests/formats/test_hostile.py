"""Files made to deceive: refused in one clear line or listed right, and no other file is opened.

Each case is its bytes, made here, and the verdict: words that the one line on stderr must hold, or
the names that are listed.
"""

import json
import os
import re
import resource
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paraminspect.__main__ import run
from paraminspect.errors import CheckpointError
from paraminspect.formats import open_checkpoint


def header(text, data=b"", length=None):
    """A safetensors file with this header (an object, or text as it stands)."""
    if isinstance(text, dict):
        text = json.dumps(text)
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype, shape, begin, end, **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


def tensor(**fields):
    """A file with one tensor `w` of two float32 numbers, except for these fields."""
    return header({"w": {**entry("F32", [2], 0, 8), **fields}}, bytes(8))


W = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
ODD_NAMES = [
    "new\nline",
    "red\x1b[31m",
    "nul\0",
    "rtl\u202e",
    "a/b",
    "../../etc/passwd",
    "",
    "😀",
    "\t",
]
DTYPES = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}


def packed(entries):
    """A file of `(name, dtype, shape, nbytes)`, one after the other."""
    made, at = {}, 0
    for name, dtype, shape, nbytes in entries:
        made[name] = entry(dtype, shape, at, at + nbytes)
        at += nbytes
    return header(made, bytes(at))


REFUSED = {
    "empty": (b"", "the file is empty"),
    "seven bytes": (bytes(7), "truncated: 7 bytes"),
    "length beyond the file": (header({"w": entry("F32", [2], 0, 8)}, bytes(8), 999), "999 bytes"),
    "length of 2**63": (header("{}", bytes(8), 2**63), "9,223,372,036,854,775,808"),
    "length 0": (header(b"", b"{}" + bytes(9)), "must begin with '{'"),
    "one byte short": (header({"w": entry("F32", [2], 0, 8)}, bytes(7)), "truncated"),
    "one byte more": (header({"w": entry("F32", [2], 0, 8)}, bytes(9)), "trailing bytes"),
    "name not UTF-8": (header(b'{"a\xff":' + W.encode() + b"}", bytes(8)), "not UTF-8"),
    "UTF-16": (header(f'{{"w":{W}}}'.encode("utf-16"), bytes(8)), "must begin with"),
    "byte order mark": (header("\ufeff" + f'{{"w":{W}}}', bytes(8)), "must begin with"),
    "leading space": (header(f' {{"w":{W}}}', bytes(8)), "must begin with"),
    "NUL padding": (header(f'{{"w":{W}}}\0', bytes(8)), "not JSON"),
    "text after": (header(f'{{"w":{W}}} x', bytes(8)), "not JSON"),
    "comment": (header(f'{{"w":{W}}} // c', bytes(8)), "not JSON"),
    "array on top": (header(f"[{W}]", bytes(8)), "must begin with"),
    "name twice": (header(f'{{"w":{W},"w":{W}}}', bytes(8)), "duplicate key 'w'"),
    "name twice, escaped": (header(f'{{"w":{W},"\\u0077":{W}}}', bytes(8)), "duplicate key 'w'"),
    "metadata twice": (
        header(f'{{"__metadata__":{{}},"__metadata__":{{}},"w":{W}}}', bytes(8)),
        "duplicate key '__metadata__'",
    ),
    "field twice": (
        header('{"w":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}', bytes(8)),
        "duplicate key 'dtype' in 'w'",
    ),
    "NaN": (header(W.join(['{"w":', "}"]).replace("[2]", "[NaN]"), bytes(8)), "NaN"),
    "lone surrogate": (header(f'{{"w\\ud800":{W}}}', bytes(8)), "lone surrogate"),
    "nested deep": (header('{"w":' + "[" * 100_000), "nested too deep"),
    "5000 digits": (header(f'{{"w":{W}}}'.replace("[2]", f"[{'9' * 5000}]"), bytes(8)), "digits"),
    "entry is an array": (header('{"w":["F32",[2],[0,8]]}', bytes(8)), "tensor 'w': expected an"),
    "no shape": (
        header({"w": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)),
        "shape is miss",
    ),
    "unknown dtype": (tensor(dtype="F128"), "unknown dtype 'F128', expected one of BOOL, F4"),
    "dtype is a number": (tensor(dtype=32), "unknown dtype 32"),
    "negative lengths": (tensor(shape=[-2, -1]), "-2 in shape"),
    "a length is true": (tensor(shape=[True, 2]), "True in shape"),
    "shape is null": (tensor(shape=None), "shape must be a list"),
    "shape wraps to 0": (header({"w": entry("F32", [2**32, 2**32], 0, 0)}), "over 2**64 elements"),
    "shape wraps, then 0": (header({"w": entry("F32", [2**63, 4, 0], 0, 0)}), "over 2**64"),
    "shape and offsets differ": (tensor(shape=[2, 2]), "takes 16 bytes"),
    "half a byte": (header({"w": entry("F4", [3], 0, 2)}, bytes(2)), "takes 1.5 bytes"),
    "offset is a float": (header(f'{{"w":{W}}}'.replace("8]", "8.0]"), bytes(8)), "two integers"),
    "three offsets": (tensor(data_offsets=[0, 4, 8]), "two integers"),
    "end before begin": (tensor(data_offsets=[8, 0]), "end before they begin"),
    "offset of 2**62": (tensor(dtype="U8", shape=[2**62], data_offsets=[0, 2**62]), "truncated"),
    "overlap": (
        header({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 0, 8)}, bytes(8)),
        "tensor 'b': begins at byte 0 of the data, overlaps tensor 'a'",
    ),
    "hole": (
        header({"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 12, 20)}, bytes(20)),
        "leaves a hole after tensor 'a', which ends at 8",
    ),
    "metadata is nested": (
        header({"__metadata__": {"a": {"b": "c"}}, "w": entry("F32", [2], 0, 8)}, bytes(8)),
        "__metadata__ must map strings to strings",
    ),
    "pickle": (b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x8c\x01wK\x01s.", "runs code when it is read"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
}

LISTED = {
    "no tensors": (header({}), {}),
    "a scalar": (header({"s": entry("F64", [], 0, 8)}, bytes(8)), {"s": []}),
    "33 axes": (header({"w": entry("F32", [1] * 33, 0, 4)}, bytes(4)), {"w": [1] * 33}),
    "2**62 times 0": (header({"w": entry("F32", [0, 2**62], 0, 0)}), {"w": [0, 2**62]}),
    "metadata is null": (
        header({"__metadata__": None, "w": entry("F32", [2], 0, 8)}, bytes(8)),
        {"w": [2]},
    ),
    "metadata that steers": (
        header({"__metadata__": {"k\x1b[2J": "v\x07"}, "w": entry("F32", [2], 0, 8)}, bytes(8)),
        {"w": [2]},
    ),
    "a field more": (tensor(strides=[1]), {"w": [2]}),
    "not in the order of the data": (
        header({"a": entry("F32", [2], 4, 12), "b": entry("F32", [1], 0, 4)}, bytes(12)),
        {"a": [2], "b": [1]},
    ),
    "odd names": (packed((n, "U8", [1], 1) for n in ODD_NAMES), {n: [1] for n in ODD_NAMES}),
    "every dtype": (packed((d, d, [8], n) for d, n in DTYPES.items()), {d: [8] for d in DTYPES}),
    "3000 empty arrays": (
        packed((f"{i}.w", "F32", [0, i], 0) for i in range(3000)),
        {f"{i}.w": [0, i] for i in range(3000)},
    ),
}

ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
GOOD = {
    ONE: header({"a": entry("F32", [2], 0, 8)}, bytes(8)),
    TWO: header(f'{{"b":{W}}}', bytes(8)),
}


def index(**weight_map):
    return json.dumps({"metadata": {"total_size": 16}, "weight_map": weight_map})


REFUSED_INDICES = {
    "goes up": (index(a=ONE, b="../secret.safetensors"), GOOD, "'../secret.safetensors'"),
    "goes down": (index(a=ONE, b="x/y.safetensors"), GOOD, "not the plain name"),
    "is absolute": (index(a=ONE, b="/etc/hostname"), GOOD, "not the plain name"),
    "is a dot": (index(a=ONE, b=".."), GOOD, "not the plain name"),
    "holds NUL": (index(a=ONE, b="a\0.safetensors"), GOOD, "not the plain name"),
    "names a pickle": (index(a=ONE, b="pytorch_model.bin"), GOOD, "not the plain name"),
    "lacks a shard": (
        index(a=ONE, b="model-3.safetensors"),
        GOOD,
        "1 of 2 shards missing: model-3",
    ),
    "misplaces a tensor": (index(a=ONE, b=ONE), GOOD, f"places 'b' in {ONE}, which has no such"),
    "forgets a tensor": (
        index(a=ONE, b=TWO),
        {**GOOD, TWO: packed([("b", "F32", [2], 8), ("c", "F32", [2], 8)])},
        f"{TWO} holds 'c', but weight_map does not name it",
    ),
    "has a tensor in two shards": (
        index(a=ONE, b=TWO),
        {**GOOD, TWO: packed([("a", "F32", [2], 8), ("b", "F32", [2], 8)])},
        f"{TWO} holds 'a', but weight_map places it in {ONE}",
    ),
    "maps to a list": (index(a=[ONE]), GOOD, "weight_map gives ['model-0"),
    "has no weight_map": ('{"metadata": {}}', GOOD, "no weight_map"),
    "names a tensor twice": (
        f'{{"weight_map":{{"a":"{ONE}","a":"{TWO}"}}}}',
        GOOD,
        "duplicate key 'a' in 'weight_map'",
    ),
    "has a broken shard": (index(a=ONE, b=TWO), {**GOOD, TWO: GOOD[TWO][:-1]}, f"{TWO}: truncated"),
}

TOP = "framework: pytorch\nlayers:\n"
REFUSED_DEFINITIONS = {
    "empty": ("", "empty"),
    "alias bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in pairwise("abcdefghi"))
        + TOP
        + "  *i\n",
        "alias",
    ),
    "nested deep in flow": (f"a: {'[' * 60_000}{']' * 60_000}\n{TOP}", "nest"),
    "nested deep in blocks": ("\n".join(" " * i + "a:" for i in range(600)), "nest"),
    "nested deep in parentheses": (f"{TOP}  - Linear({'(' * 20_000}4{')' * 20_000}, 8)\n", "long"),
    "key twice": (f"{TOP}  - ReLU()\nlayers:\n  - ReLU()\n", "duplicate"),
    "tag": (f"{TOP}  - !!python/object/apply:os.system ['true']\n", "tag"),
    "attribute": (f"{TOP}  - Linear(().__class__, 8)\n", "attribute"),
    "import": (f"{TOP}  - Linear(__import__('os').getpid(), 8)\n", "line 3"),
    "power tower": (f"{TOP}  - Linear(9**9**9, 8)\n", "limit"),
    "huge repeat": (f"{TOP}  h:\n    repeat: 1000000000\n    of: Linear(4, 4)\n", "repeat"),
    "recursion": ("framework: pytorch\ndefine:\n  b(): b()\nlayers: b()\n", "itself"),
    "5000 digits": (f"{TOP}  - Linear({'9' * 5000}, 8)\n", "too long"),
    "not UTF-8": (TOP.encode() + b"  - caf\xe9()\n", "UTF-8"),
    "unknown layer": (f"{TOP}  - Linaer(4, 8)\n", "'Linear'"),
    "tie of shapes": (f"{TOP}  - Linear(4, 8)\nties: {{0.bias: 0.weight}}\n", "0.bias"),
}

STEERS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Opened:
    """Files that Python code opens while this is in use."""

    paths: list[Path] | None = None

    @classmethod
    def hook(cls, event, arguments):
        if event == "open" and cls.paths is not None and not isinstance(arguments[0], int):
            cls.paths.append(Path(os.fsdecode(arguments[0])))


sys.addaudithook(Opened.hook)


def _is_python(path):
    """Whether it is of the Python that runs: a module, or what packages say of themselves."""
    return path.suffix in (".py", ".pyc", ".so") or str(path).startswith(tuple(sys.path[1:]))


@pytest.fixture
def list_json(monkeypatch, capsys):
    """`list --format json` of a path: (status, stdout, stderr); nothing beside it is opened."""

    def run_list(path):
        arguments = ["paraminspect", "list", str(path), "--format", "json"]
        monkeypatch.setattr(sys, "argv", arguments)
        monkeypatch.setattr(Opened, "paths", [])
        with pytest.raises(SystemExit) as exit_:
            run()
        opened, Opened.paths = Opened.paths, None
        beside = [p for p in opened if p.parent != path.parent]
        assert not [p for p in beside if not _is_python(p)]
        out, err = capsys.readouterr()
        assert not STEERS.search(out + err)
        return exit_.value.code, out, err

    return run_list


def assert_refused(result, path, message):
    status, out, err = result
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("paraminspect: ")
    assert path.name in err or path.parent.name in err
    assert message in err, err


@pytest.mark.parametrize("case", REFUSED)
def test_a_malformed_file_is_refused(case, tmp_path, list_json):
    content, message = REFUSED[case]
    (path := tmp_path / "x.safetensors").write_bytes(content)
    assert_refused(list_json(path), path, message)


@pytest.mark.parametrize("case", LISTED)
def test_a_tricky_file_is_listed_right(case, tmp_path, list_json):
    content, shapes = LISTED[case]
    (path := tmp_path / "x.safetensors").write_bytes(content)
    status, out, err = list_json(path)
    assert (status, err) == (0, "")
    assert {p["name"]: p["shape"] for p in json.loads(out)["parameters"]} == shapes
    safetensors.safe_open(path, "np", backend="pread")  # the authority agrees


@pytest.mark.parametrize("case", REFUSED_INDICES)
def test_an_index_is_refused_that(case, tmp_path, list_json):
    text, files, message = REFUSED_INDICES[case]
    (tmp_path / "secret.safetensors").write_bytes(GOOD[TWO])
    (folder := tmp_path / "model").mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (path := folder / "model.safetensors.index.json").write_text(text)
    assert_refused(list_json(path), path, message)


@pytest.mark.parametrize("case", REFUSED_DEFINITIONS)
def test_a_definition_is_refused_that_is(case, tmp_path, list_json):
    text, message = REFUSED_DEFINITIONS[case]
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert_refused(list_json(path), path, message)


def test_a_file_name_cannot_steer_the_terminal(tmp_path, list_json):
    (path := tmp_path / "esc\x1b[31m\nname.safetensors").write_bytes(b"\x01" + bytes(7) + b"{")
    status, _, err = list_json(path)
    assert status == 2
    assert len(err.splitlines()) == 1
    assert r"esc\x1b[31m\x0aname.safetensors" in err


def _make_fifo(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_make_fifo, "not a regular file but a FIFO"),
        (lambda path: path.symlink_to(path.name), "too many levels of symbolic links"),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file but a character device"),
        (lambda path: path.symlink_to("nowhere"), "no such file"),
        (lambda path: path.write_bytes(header("{}", bytes(8), 2**40)), "truncated"),
    ],
    ids=["FIFO", "loop", "device", "dangling", "1 TiB header"],
)
def test_a_special_file_neither_hangs_nor_takes_memory(make, message, tmp_path):
    make(path := tmp_path / "x.safetensors")
    done = subprocess.run(
        [sys.executable, "-m", "paraminspect", "list", str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000)),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert_refused((done.returncode, done.stdout, done.stderr), path, message)


@pytest.fixture(scope="module")
def mutated(tmp_path_factory):
    return tmp_path_factory.mktemp("mutated") / "m.safetensors"


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_we_accept_the_safetensors_library_accepts_and_reads_alike(data, mutated):
    names = data.draw(st.lists(st.sampled_from(["w", "\\u0077", "b", "__metadata__"]), max_size=3))
    number = st.one_of(st.integers(-1, 9), st.sampled_from(["8.0", "-0", "true", "1e0", 2**64]))
    fields = []
    for name in names:
        dtype = data.draw(st.sampled_from(["F32", "U8", "F4", "f32", "BF16"]))
        shape = data.draw(st.lists(number, max_size=3))
        offsets = data.draw(st.lists(number, min_size=2, max_size=2))
        more = data.draw(st.sampled_from(["", ',"x":1', ',"dtype":"U8"']))
        fields.append(
            f'"{name}":{{"dtype":"{dtype}","shape":[{",".join(map(str, shape))}],'
            f'"data_offsets":[{",".join(map(str, offsets))}]{more}}}'
        )
    text = "{" + ",".join(fields) + "}" + data.draw(st.sampled_from(["", " ", "\n", "\0", "x"]))
    mutated.write_bytes(header(text, bytes(data.draw(st.integers(0, 9)))))
    try:
        ours = open_checkpoint(mutated)
    except CheckpointError:
        return
    with safetensors.safe_open(mutated, "np", backend="pread") as theirs:
        assert set(theirs.keys()) == set(ours)
        for name in ours:
            assert theirs.get_slice(name).get_shape() == list(ours[name].shape)
