"""Reports: what is on the lines, what a screen leaves out, and that programs get all of it."""

import csv
import json
import random
import re

import pytest

from paraminspect.arrays import DTYPES, Unset
from paraminspect.definition import load_definition
from paraminspect.operations.stats import Stats
from paraminspect.report import MODULES, STYLES, Screen, View, sort_tree
from paraminspect.report._columns import aligned
from paraminspect.report._fold import fold_names
from paraminspect.report._outline import outline
from paraminspect.report._rows import format_nbytes, natural_key
from paraminspect.report._screen import cut, width_of
from paraminspect.report._shortening import shorten
from paraminspect.tree import Parameter, ParameterTree, Source

ANSI = re.compile(r"\x1b\[[0-9;]*m")

GPT = b"""
framework: pytorch
define:
  block():
    ln: LayerNorm(6)
    mlp:
      fc: Linear(6, 24)
      proj: Linear(24, 6)
layers:
  wte: Embedding(50, 6)
  h: 12 * block()
  head: Linear(6, 50, bias=False)
ties: {head.weight: wte.weight}
"""


@pytest.fixture
def gpt():
    return load_definition(GPT, "gpt.yaml")


def tree_of(shapes, ties=None, dtype="float32", **more):
    """A tree of shapes by name (or of names alone), as a bare file has it."""
    shapes = shapes if isinstance(shapes, dict) else {name: [3, 2] for name in shapes}
    entries = {
        name: Parameter(name, Unset(tuple(shape), DTYPES[dtype])) for name, shape in shapes.items()
    }
    return ParameterTree(entries, ties or {}, source=Source("m", "safetensors"), **more)


def lines_of(style, tree, **view):
    return list(
        (MODULES["table"] if style == "modules" else STYLES[style]).lines(View(tree, **view))
    )


def width_of_lines(lines):
    return max(width_of(ANSI.sub("", line)) for line in lines)


# Order


def test_numbers_in_names_sort_as_numbers_part_by_part():
    names = ["h", "h.2", "h.2.w", "h.10.b", "h.10.w", "h.1000000000000000000000.w", "h2", "h10"]
    assert sorted(random.Random(0).sample(names, len(names)), key=natural_key(".")) == names


def test_leading_zeros_and_other_scripts_do_not_break_the_order():
    names = ["w.00", "w.1", "w.02", "w.٣", "w." + "9" * 5000, "w.a", "w.ä", "w.重"]
    assert len(sorted(names, key=natural_key("."))) == len(names)
    assert sorted(["b.10", "b.09"], key=natural_key(".")) == ["b.09", "b.10"]


def test_a_definition_keeps_its_order_and_a_file_is_sorted(gpt):
    shapes = {"h.10.w": [3], "h.2.w": [2], "emb": [4]}
    assert list(sort_tree(tree_of(shapes), None)) == ["emb", "h.2.w", "h.10.w"]
    assert list(sort_tree(tree_of(shapes), "definition")) == list(shapes)
    assert list(sort_tree(tree_of(shapes), "size")) == ["emb", "h.10.w", "h.2.w"]
    assert list(sort_tree(gpt, None)) == list(gpt)
    assert next(iter(sort_tree(gpt, "name"))) == "h.0.ln.bias"


# Folding


def folded(names, looks=None):
    return [fold.lead + fold.text for fold in fold_names((n, (looks or {}).get(n)) for n in names)]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ([f"h.{i}.w" for i in range(12)], ["12 x h.{0..11}.w"]),
        (["h.0.w", "h.0.b", "h.1.w", "h.1.b"], ["2 x h.{0..1}.w", "2 x h.{0..1}.b"]),
        (["h.0.w", "h.1.w", "h.3.w"], ["2 x h.{0..1}.w", "h.3.w"]),
        (["h.0.w", "h.1.w", "h.1.b"], ["h.0.w", "h.1.w", "h.1.b"]),
        (["layer1.w", "layer2.w"], ["2 x layer{1..2}.w"]),
        (["conv2d_1.w", "conv2d_2.w"], ["2 x conv2d_{1..2}.w"]),
        (["0.block 0.w", "0.block 1.w"], ["2 x 0.block {0..1}.w"]),
        ([f"h.{i}.e.{j}.w" for i in range(3) for j in range(4)], ["12 x h.{0..2}.e.{0..3}.w"]),
        (["w0", "w1", "w2"], ["w0", "w1", "w2"]),
        (["x.0", "x.1"], ["x.0", "x.1"]),
        (["h.9999999999.w", "h.10000000000.w"], ["h.9999999999.w", "h.10000000000.w"]),
        (["a.w", "b.w"], ["a.w", "b.w"]),
        (["h.0\x1b.w", "h.1\x1b.w"], ["2 x h.{0..1}\\x1b.w"]),
        ([], []),
    ],
    ids=str,
)
def test_equal_numbered_siblings_fold(names, labels):
    assert folded(names) == labels


def test_siblings_that_look_different_inside_stay_apart():
    names = [f"h.{i}.w" for i in range(5)]
    assert folded(names, {"h.2.w": "other"}) == ["2 x h.{0..1}.w", "h.2.w", "2 x h.{3..4}.w"]


def test_folded_lines_account_for_every_parameter(gpt):
    looks = [(name, p.shape) for name, p in gpt.entries.items()]
    folds = list(fold_names(looks))
    assert sum(fold.times for fold in folds) == len(gpt)
    assert sum(fold.times * gpt[fold.name].count for fold in folds) == sum(
        p.count for p in gpt.values()
    )


# The table


def test_the_table_of_a_pipe_has_every_name_whole_and_unfolded(gpt):
    lines = lines_of("table", gpt)
    assert [line.split("  ")[0] for line in lines[1:-2]] == list(gpt)
    assert lines[-1].startswith("74 names, 1 tied, ")


def test_the_table_of_a_screen_folds_and_puts_ties_with_the_names(gpt):
    text = "\n".join(lines_of("table", gpt, screen=Screen(100)))
    assert "12 x h.{0..11}.mlp.fc.weight    [24, 6]" in text
    assert "head.weight = wte.weight" in text
    assert "note" not in text


def test_totals_count_a_tied_array_once(gpt):
    expected = 50 * 6 + 12 * (2 * 6 + 24 * 6 + 24 + 6 * 24 + 6)
    assert lines_of("table", gpt)[-1] == (
        f"74 names, 1 tied, {expected:,} parameters (all trainable), {format_nbytes(4 * expected)}"
    )


def test_columns_that_say_nothing_are_left_out():
    header = lines_of("table", tree_of({"a": [2], "b": [3]}))[0].split()
    assert header == ["name", "shape", "dtype", "parameters", "bytes"]


def test_a_narrow_screen_does_without_a_common_dtype_and_tells_it_below():
    tree = tree_of({"a.rather.long.name.of.a.parameter.weight": [768, 768]})
    lines = lines_of("table", tree, screen=Screen(76))
    assert lines[0].split() == ["name", "shape", "parameters", "bytes"]
    assert lines[-1] == "1 name, 589,824 parameters, 2.25 MiB float32"
    assert "float32" not in "\n".join(lines[:-1])


def test_a_narrow_screen_keeps_dtypes_that_differ():
    entries = {
        **tree_of({"the.rather.long.name.of.a.parameter.weight": [768, 768]}).entries,
        **tree_of({"a.rather.long.name.of.a.parameter.scale": [768]}, dtype="int8").entries,
    }
    lines = lines_of("table", ParameterTree(entries), screen=Screen(70))
    assert "dtype" in lines[0]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("style", ["table", "tree", "modules"])
def test_no_line_is_wider_than_the_screen(style, width, gpt):
    wide = {f"模型.層{i}.{'重' * (i + 1)}.weight": [i + 1, 3] for i in range(30)}
    for tree in (gpt, tree_of(wide), tree_of({"x" * 300 + ".w": [1] * 30})):
        for colored in (False, True):
            lines = lines_of(style, tree, depth=3, screen=Screen(width, colored))
            *lines, _ = (line for line in lines if "every name begins" not in line)
            assert width_of_lines(lines) <= width  # but for what wraps as prose does


def test_wide_characters_take_two_columns():
    rows = [["重み", "1"], ["weight", "22"]]
    assert list(aligned(["name", "n"], rows, None, {"n"})) == [
        "name     n",
        "重み     1",
        "weight  22",
    ]
    assert width_of("e\u0301") == 1


@pytest.mark.parametrize(
    ("text", "width", "short"),
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghijk", 10, "abc...hijk"),
        ("重み重み重み", 9, "重...み"),
        ("abcdefgh", 3, "..."),
        ("abcdefgh", 0, ""),
    ],
)
def test_names_are_shortened_in_their_middle(text, width, short):
    assert shorten(text, width) == short
    assert width_of(short) <= width


def test_lines_are_cut_at_their_end():
    assert cut("abcdefgh", 6) == "abc..."
    assert cut("abcdef", 6) == "abcdef"


def test_colours_are_sparing_and_only_where_asked_for(gpt):
    plain, colored = (lines_of("table", gpt, screen=Screen(80, c)) for c in (False, True))
    assert not ANSI.search("".join(plain))
    assert [ANSI.sub("", line) for line in colored] == plain
    assert [i for i, line in enumerate(colored) if ANSI.search(line)] == [0, len(colored) - 1]


def test_a_limit_says_what_is_left(gpt):
    lines = lines_of("table", gpt, limit=3)
    assert len(lines) == 1 + 3 + 1 + 2
    assert lines[4] == "... 71 more of 74"
    assert lines_of("names", gpt, limit=3) == ["wte.weight", "h.0.ln.weight", "h.0.ln.bias"]


STATS = {
    "a": Stats(4, -0.25, 1.0, -1.5, 2.0, zeros=1, nan=2, inf=0),
    "b": Stats(nan=3),
}


def test_statistics_have_columns_and_what_was_not_found_has_none():
    tree = tree_of({"a": [6], "b": [3], "packed": [8]})
    lines = lines_of("table", tree, stats=STATS)
    header = lines[0].split()
    assert header[-6:] == ["mean", "std", "min", "max", "zeros", "nan"]
    assert lines[1].split()[-6:] == ["-0.25", "0.5", "-1.5", "2", "1", "2"]
    assert lines[2].split()[-1] == "3"
    assert lines[3].split()[-1] == "B"
    assert lines[-1].endswith(", 5 NaN, 0 Inf (1 array not decoded)")


def test_a_screen_shows_statistics_rather_than_sizes():
    tree = tree_of({f"{c}.long.name.of.a.parameter.number.{c}": [768, 768] for c in "abc"})
    stats = dict.fromkeys(tree, Stats(4, -0.00012345, 1e-9, -0.0012345, 0.0012345))
    lines = lines_of("table", tree, stats=stats, screen=Screen(80))
    assert lines[0].split() == ["name", "mean", "std", "min", "max"]
    assert lines[1].startswith("a.long.name.of.a.parameter.number.a  ")
    header = lines_of("table", tree, stats=stats, screen=Screen(92))[0]
    assert header.split() == ["name", "shape", "mean", "std", "min", "max"]


# The tree and the modules


def test_the_tree_shows_modules_with_their_totals(gpt):
    lines = lines_of("tree", gpt)
    assert lines[0] == "gpt.yaml  4,260 (16.6 KiB)"
    assert "├── h  Sequential  3,960 (15.5 KiB)" in lines
    assert "│   └── 11  block  330 (1.29 KiB)" in lines
    assert "    └── weight  [50, 6] float32  = wte.weight" in lines


def test_the_tree_of_a_screen_folds_siblings(gpt):
    lines = lines_of("tree", gpt, screen=Screen(80))
    assert "│   └── 12 x {0..11}  block  330 each (1.29 KiB)" in lines
    assert len(lines) < 25


def test_a_depth_cuts_the_tree(gpt):
    assert lines_of("tree", gpt, depth=0)[:-2] == ["gpt.yaml  4,260 (16.6 KiB)"]
    lines = lines_of("tree", gpt, depth=1)[1:-2]
    assert [re.search(r"\w+", line)[0] for line in lines] == ["wte", "h", "head"]


def test_modules_have_totals_down_to_a_depth(gpt):
    rows = [line.split() for line in lines_of("modules", gpt, depth=1)[1:-2]]
    assert [row[0] for row in rows] == [".", "wte", "h", "head"]
    assert [row[-5] for row in rows] == ["73", "1", "72", "1"]
    assert [row[-1] for row in rows] == ["100.0%", "7.0%", "93.0%", "7.0%"]


def test_modules_sort_by_size_and_fold(gpt):
    lines = lines_of("modules", gpt, depth=2, order="size", screen=Screen(80))
    assert [line.split("  ")[0] for line in lines[1:4]] == [".", "h", "12 x h.{0..11}"]


def by_hand(tree, module):
    """Sums of a module, by listing all that is below it."""
    own = {tree.own_name(name) for name in _names(module)}
    return (
        sum(tree[name].count for name in own),
        sum(tree[name].nbytes for name in own),
        len(own),
    )


def _names(module):
    yield from module.parameters.values()
    for child in module.children.values():
        yield from _names(child)


@pytest.mark.parametrize(
    "ties",
    [
        {},
        {"a.x.w": "a.y.w"},
        {"a.x.w": "b.w", "c.w": "b.w"},
        {"a.x.w": "a.y.w", "a.y.v": "a.y.w", "b.w": "a.y.w"},
    ],
    ids=str,
)
def test_every_module_counts_an_array_once_however_it_is_tied(ties):
    names = ["a.w", "a.x.w", "a.x.v", "a.y.w", "a.y.v", "b.w", "c.w", "d"]
    tree = tree_of(names, ties)

    def check(node):
        assert (node.count, node.nbytes, node.arrays) == by_hand(tree, node.module)
        for below in node.below.values():
            check(below)

    check(outline(tree))


def test_a_name_with_thousands_of_dots_is_shown():
    tree = tree_of({"a." * 5000 + "w": [2]})
    for style in ("table", "tree", "modules"):
        for screen in (None, Screen(80)):
            assert lines_of(style, tree, screen=screen, depth=1000)


def test_box_characters_are_for_terminals_that_have_them(gpt, monkeypatch):
    class Latin:
        encoding = "iso-8859-1"

    monkeypatch.setattr("sys.stdout", Latin)
    assert "".join(lines_of("tree", gpt)).isascii()


# Machine formats


def loaded(style, tree, **view):
    return json.loads("\n".join(lines_of(style, tree, **view)), parse_constant=pytest.fail)


def test_json_is_the_contract(gpt):
    report = loaded("json", gpt)
    keys = {"schema_version", "source", "format", "metadata", "parameters", "totals"}
    assert set(report) >= keys  # more keys may be added, none removed
    assert report["schema_version"] == 1
    head, weight = report["parameters"][-1], report["parameters"][3]
    expected = {
        "name": "head.weight",
        "shape": [50, 6],
        "dtype": "float32",
        "count": 300,
        "nbytes": 1200,
        "trainable": True,
        "tied_to": "wte.weight",
        "layer": "Linear",
    }
    assert {key: head[key] for key in expected} == expected
    assert (weight["name"], weight["tied_to"]) == ("h.0.mlp.fc.weight", None)
    assert weight["scheme"] == "kaiming_uniform(a=5**0.5)"
    totals = {"names": 74, "arrays": 73, "count": 4260, "trainable": 4260, "nbytes": 17040}
    assert {key: report["totals"][key] for key in totals} == totals


def test_json_says_null_for_what_a_bare_file_does_not_know():
    row = loaded("json", tree_of({"a": []}))["parameters"][0]
    assert (row["shape"], row["count"]) == ([], 1)
    assert [row[key] for key in ("trainable", "layer", "scheme", "tied_to")] == [None] * 4


def test_json_is_strict_and_ascii_and_complete_with_odd_names_and_numbers():
    names = ["a\x1b[31m", "b\n", '"', "重み", "\\", ""]
    tree = tree_of(names, metadata={"k\x07": "v\u202e"})
    stats = dict.fromkeys(names, Stats(2, float("inf"), float("nan"), float("-inf"), None))
    text = "\n".join(lines_of("json", tree, stats=stats))
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    report = loaded("json", tree, stats=stats)
    assert [row["name"] for row in report["parameters"]] == names
    assert report["metadata"] == {"k\x07": "v\u202e"}
    assert report["parameters"][0]["stats"] == {
        "mean": "inf",
        "std": "nan",
        "min": "-inf",
        "max": None,
        "zeros": 0,
        "nan": 0,
        "inf": 0,
    }


def test_statistics_that_could_not_be_had_are_null_in_json():
    row = loaded("json", tree_of({"packed": [8]}), stats={})["parameters"][0]
    assert set(row["stats"].values()) == {None}


def test_json_of_nothing_is_json():
    assert loaded("json", tree_of({}))["parameters"] == []


def test_jsonl_has_the_same_objects_a_line_each(gpt):
    rows = [json.loads(line) for line in lines_of("jsonl", gpt)]
    assert rows == loaded("json", gpt)["parameters"]
    stats = {"a": STATS["a"]}
    tree = tree_of({"a": [6]})
    assert (
        json.loads(*lines_of("jsonl", tree, stats=stats))
        == loaded("json", tree, stats=stats)["parameters"][0]
    )


@pytest.mark.parametrize(("style", "dialect"), [("csv", "excel"), ("tsv", "excel-tab")])
def test_separated_values_say_the_same_as_json(style, dialect, gpt):
    rows = list(csv.DictReader(lines_of(style, gpt), dialect=dialect))
    for row, expected in zip(rows, loaded("json", gpt)["parameters"], strict=True):
        assert row["shape"] == "x".join(map(str, expected["shape"]))
        for key in ("name", "dtype", "count", "nbytes", "layer", "scheme"):
            assert row[key] == str(expected[key])
        assert row["tied_to"] == (expected["tied_to"] or "")


def test_separated_values_keep_odd_names_on_one_line():
    names = ['a,"b"', "c\td", "e\nf"]
    for style, dialect in (("csv", "excel"), ("tsv", "excel-tab")):
        lines = lines_of(style, tree_of(names), stats={})
        rows = list(csv.DictReader(lines, dialect=dialect))
        assert [row["name"] for row in rows] == ['a,"b"', r"c\x09d", r"e\x0af"]
        assert rows[0]["mean"] == ""


def test_markdown_is_a_table_with_totals():
    lines = "\n".join(lines_of("markdown", tree_of({"a|b": [2, 3]}))).splitlines()
    assert lines[0].startswith("| name")
    assert re.fullmatch(r"\|[-:|]+\|", lines[1])
    assert lines[2].startswith("| a\\|b")
    assert lines[-1] == "1 name, 6 parameters, 24 B"


@pytest.mark.parametrize(
    ("nbytes", "text"),
    [
        *((0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB")),
        *((1024 * 1000, "1000 KiB"), (1024**2 - 1, "1024 KiB"), (2359296, "2.25 MiB")),
        *((5 * 1024**4, "5 TiB"), (2**70, "1024 EiB")),
    ],
)
def test_bytes_are_written_for_people(nbytes, text):
    assert format_nbytes(nbytes) == text
