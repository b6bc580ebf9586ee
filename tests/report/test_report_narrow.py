"""On a screen of any width two rows never look the same, whatever the table.

The names are those of models that the frameworks built, and of files that other programs wrote.
"""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraminspect.arrays import DTYPES, Unset
from paraminspect.operations.diff import Change, Difference, ValueDifference, diff_trees
from paraminspect.operations.stats import Stats, block_stats
from paraminspect.report import MODULES, STYLES, Screen, View, sort_tree
from paraminspect.report import diff as diff_report
from paraminspect.report._columns import aligned
from paraminspect.report._screen import width_of
from paraminspect.report._shortening import shared_beginning, shorten, shortened
from paraminspect.source import open_source
from paraminspect.tree import Architecture, Parameter, ParameterTree, Source

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
WIDTHS = range(40, 201)

SHARED = "every name begins with "


def listed(path):
    """Rows `(name, shape, dtype, trainable)` of every listing in a file of them, by where it is."""
    waiting = [(path.parent.name, json.loads(path.read_text()))]
    while waiting:
        label, found = waiting.pop()
        if isinstance(found, dict):
            waiting += [(f"{label}/{key}", value) for key, value in found.items()]
        elif found and isinstance(found, list) and all(map(_is_row, found)):
            yield label, [(name, shape, dtype) for name, shape, dtype, *_ in found]


def _is_row(row):
    return isinstance(row, list) and len(row) > 2 and isinstance(row[1], list)


def tree_of(rows, separator="."):
    entries = {
        name: Parameter(name, Unset(tuple(shape), DTYPES[dtype])) for name, shape, dtype in rows
    }
    return ParameterTree(
        entries, source=Source("m", "safetensors"), architecture=Architecture(separator=separator)
    )


def trees():
    for folder in ("torch", "keras", "mxnet"):
        for label, rows in listed(DATA / "arch" / folder / "listings.json"):
            separator = "/" if folder == "keras" else "."
            yield pytest.param(tree_of(rows, separator), id=label)
    for path in (*(DATA / "real").glob("*.safetensors"), *DATA.rglob("*.keras")):
        yield pytest.param(open_source(str(path)), id=path.name)


TREES = list(trees())


def measured(tree, seed=0):
    """Statistics as wide as they come, some with NaN."""
    numbers = random.Random(seed)
    return {
        p.name: Stats(
            p.count,
            numbers.uniform(-1e-4, 1e-4),
            numbers.uniform(0, p.count),
            -numbers.random(),
            numbers.random(),
            nan=numbers.choice([0, 0, 3]),
        )
        for p in tree.parameters()
    }


def rows_of(lines):
    """The rows of a table: what stands between its header and the next empty line."""
    lines = list(lines)
    start = 2 if lines and lines[0].startswith(SHARED) else 1
    return lines[start : lines.index("")] if "" in lines else lines[start:]


def widths(seed):
    """Some of the widths, others for each table: all of them for every table take too long."""
    return [40, 80, *random.Random(seed).sample(WIDTHS, 2)]


def check_distinct(lines, width):
    rows = rows_of(lines)
    assert len(set(rows)) == len(rows), (width, [row for row in rows if rows.count(row) > 1][:3])
    assert not [row for row in rows if width_of(row) > width and "..." in row], width


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("style", ["table", "modules", "stats", "stored"])
def test_rows_of_a_list_never_look_the_same(tree, style):
    lines = (MODULES["table"] if style == "modules" else STYLES["table"]).lines
    tree = sort_tree(tree, None)
    found = measured(tree) if style == "stats" else None
    for width in widths(f"{style} {list(tree)[:3]}"):
        view = View(tree, found, depth=9, screen=Screen(width), stored=style == "stored")
        check_distinct(lines(view), width)


def differences(tree):
    """A difference of every kind for each parameter, so that names are there several times."""
    numbers = random.Random(1)
    for name, p in tree.entries.items():
        worst = tuple(length - 1 for length in p.shape)
        yield Difference(name, Change.SHAPE, p.shape, (*p.shape, 1))
        yield Difference(name, Change.DTYPE, p.dtype, DTYPES["float16"])
        size = numbers.uniform(0, 1e-3)
        values = ValueDifference(p.count, p.count, size, size, size, 0.5, worst, 0.1234567, size)
        yield Difference(name, Change.VALUE, values=values)


@pytest.mark.parametrize("tree", TREES)
def test_rows_of_a_diff_never_look_the_same(tree):
    comparison = diff_trees(tree, tree)
    found = list(differences(tree))
    structure = [d for d in found if d.kind is not Change.VALUE]
    values = [d for d in found if d.kind is Change.VALUE]
    for width in widths(f"diff {list(tree)[:3]}"):
        for some in (structure, values):
            check_distinct(diff_report.rendered("table", comparison, some, Screen(width)), width)
        for depth in (1, 2, None):
            lines = diff_report.rendered_stat(
                "table", comparison, values, Screen(width), depth, worst_first=False
            )
            check_distinct(lines, width)


def test_what_all_names_begin_with_is_said_once_where_there_is_no_room():
    names = [f"model.encoder.layers.{i}.self_attention.weight" for i in range(3)]
    wide, narrow = (
        list(aligned(["name", "n"], [[name, "1"] for name in names], Screen(width)))
        for width in (60, 45)
    )
    assert wide[1] == f"{names[0]}  1"
    assert narrow[0] == "every name begins with model.encoder.layers."
    assert narrow[2] == "0.self_attention.weight  1"
    assert shared_beginning(["a.b", "a.b.c"]) == "a."
    assert shared_beginning(["a.", "a.b"]) == ""
    assert shared_beginning(["h.{0..3}.a", "h.{0..3}.b"]) == "h."
    assert shared_beginning(["layer.10", "layer.11"]) == "layer."


def test_statistics_of_siblings_fold_where_each_has_no_room():
    names = [f"transformer.encoder.block{i}.self.output.dense.weight" for i in range(12)]
    tree = tree_of([(name, [6, 4], "float32") for name in names] + [("head", [3], "float32")])
    found = {name: Stats(24, i, 24.0, -i, i, zeros=i, nan=1) for i, name in enumerate(names)}
    found["head"] = Stats(3, 0.0, 0.0, 0.0, 0.0)
    rows = {
        width: rows_of(STYLES["table"].lines(View(tree, found, screen=Screen(width))))
        for width in (60, 120)
    }
    assert (len(rows[60]), len(rows[120])) == (2, 13)
    name, *cells = re.split(r" {2,}", rows[60][0])
    assert name == "12 x ...dense.weight"
    assert cells[-4:] == ["-11", "11", "66", "12"]


def test_statistics_of_folded_siblings_are_those_of_all_their_values():
    values = [np.arange(5.0), np.array([7.0, -3.0, np.nan])]
    names = [f"transformer.encoder.block{i}.attention.output.w" for i in range(2)]
    tree = tree_of([(name, [4], "float32") for name in [*names, "b"]])
    found = {name: block_stats(v) for name, v in zip(tree, [*values, values[0]], strict=True)}
    (row,) = (
        row
        for row in rows_of(STYLES["table"].lines(View(tree, found, screen=Screen(60))))
        if row.startswith("2 x ")
    )
    both = np.concatenate(values)
    numbers = (np.nanmean(both), np.nanstd(both), np.nanmin(both), np.nanmax(both))
    assert row.split()[-6:] == [*(f"{x:.4g}" for x in numbers), "1", "1"]


@pytest.mark.parametrize(
    ("names", "width", "short"),
    [
        (["h.10.attn.weight", "h.11.attn.weight"], 15, ["h.10...weight", "h.11...weight"]),
        (["a.attn.q.weight", "a.attn.k.weight"], 14, ["...q.weight", "...k.weight"]),
        (["enc.0.x.self.w", "dec.0.x.self.w"], 12, ["enc...self.w", "dec...self.w"]),
        (["h.{0..11}.attn.c.w", "h.{0..11}.mlp.c.w"], 12, ["...attn.c.w", "...mlp.c.w"]),
        (
            ["stage1_conv0_weight", "stage2_conv0_weight"],
            16,
            ["stage1...weight", "stage2...weight"],
        ),
    ],
    ids=str,
)
def test_parts_are_left_out_in_which_names_do_not_differ(names, width, short):
    assert shortened(names, [width] * len(names)) == short


def test_no_number_is_cut_in_two():
    for width in range(8, 30):
        for head in range(width - 2):
            text = shorten("transformer.h.1234.attention.{0..11}.weight", width, head)
            for number in re.findall(r"\d+", text):
                assert number in ("1234", "0", "11"), text
            assert ("{0..11}" in text) == ("11" in text)


def test_names_that_cannot_be_told_apart_are_shown_whole():
    names = [f"{'x' * 100}{i}{'y' * 100}" for i in range(3)]
    lines = list(aligned(["name", "n"], [[name, "1"] for name in names], Screen(40)))
    assert lines[1:] == names


@given(st.lists(st.text("ab1.", min_size=1, max_size=40), unique=True), st.integers(4, 30))
def test_short_names_are_distinct_and_fit_or_are_none(names, width):
    for whole_parts in (True, False):
        found = shortened(names, [width] * len(names), whole_parts=whole_parts)
        if found is None:
            continue
        assert len(set(found)) == len(names)
        assert all(len(text) <= width for text in found)
        assert all(s == n for s, n in zip(found, names, strict=True) if len(n) <= width)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_siblings_in_a_drawn_tree_never_look_the_same(width):
    names = [f"{c * 12}{i}{'y' * 90}.w" for c in "xz" for i in (1, 3, 5)]
    tree = tree_of([(name, [2], "float32") for name in names])
    lines = list(STYLES["tree"].lines(View(tree, depth=1, screen=Screen(width))))
    assert len(set(lines[1:-2])) == len(names)
    assert all(width_of(line) <= width for line in lines)


PARTS = st.lists(st.sampled_from(["a", "b", "core", "block", "ffn"]), min_size=1, max_size=6)


@given(st.lists(PARTS.map(".".join), min_size=2, max_size=8, unique=True), st.integers(6, 24))
def test_a_shortened_name_never_reads_like_one_that_stands_whole(names, width):
    for whole_parts in (True, False):
        texts = shortened(names, [width] * len(names), whole_parts=whole_parts) or names
        standing = [name for name, text in zip(names, texts, strict=True) if name == text]
        for name, text in zip(names, texts, strict=True):
            head, cut, tail = text.partition("...")
            if cut and name != text:
                pattern = re.compile(re.escape(head) + ".*" + re.escape(tail))
                assert not any(map(pattern.fullmatch, standing)), (name, text)


def test_a_name_that_ends_like_a_whole_one_shows_its_beginning():
    names = ["encoder.core.block.ffn.up.weight", "core.block.ffn.up.weight"]
    assert shortened(names, [24, 24]) == ["encoder...ffn.up.weight", "core.block.ffn.up.weight"]
