"""The contract of `paraminspect diff`: arguments, exit status, what is printed where."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from terminal import on_terminal

from paraminspect.cli import diff as command
from paraminspect.operations.diff import Change

BASE = {
    "emb.weight": np.arange(12, dtype=np.float32).reshape(4, 3),
    **{f"h.{i}.bias": np.full(3, i, np.float32) for i in range(4)},
    "h.0.weight": np.eye(3, dtype=np.float32),
    "head.weight": np.arange(6, dtype=np.float32),
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Saves checkpoints in the current folder; a name is enough to use one."""
    monkeypatch.chdir(tmp_path)

    def save(name, arrays, metadata=None):
        save_file(arrays, name, metadata)
        return name

    save("base", BASE)
    changed = {name: array.copy() for name, array in BASE.items()}
    del changed["h.2.bias"]
    changed["new.bias"] = np.zeros(2, np.float32)
    changed["head.weight"] = changed["head.weight"].reshape(2, 3)
    changed["h.1.bias"] = changed["h.1.bias"].astype(np.float64)
    changed["emb.weight"][2, 1] = -1.5
    save("changed", changed)
    save("renamed", {f"model.{name}": array for name, array in BASE.items()})
    return save


def test_equal_sources_give_status_0_and_one_line(run, files):
    done = run("diff", "base", "base")
    assert (done.status, done.out, done.err) == (0, "the same: 7 arrays\n", "")


def test_differences_give_status_1_and_tell_what_changed(run, files):
    done = run("diff", "base", "changed")
    assert done.status == 1
    assert done.out == (
        "  name         kind     change\n"
        "- h.2.bias     missing  [3] float32\n"
        "+ new.bias     extra    [2] float32\n"
        "~ head.weight  shape    [6] -> [2, 3]\n"
        "~ h.1.bias     dtype    float32 -> float64\n"
        "\n"
        "  name         differ  max |d|  max rel    rms    cosine  at      left -> right\n"
        "~ emb.weight  1 of 12      8.5    5.667  2.454  0.926236  [2, 1]  7 -> -1.5\n"
        "\n"
        "1 missing, 1 extra, 1 shape, 1 dtype, 1 value;"
        " 3 of 6 arrays in both are the same\n"
    )


def test_json_is_the_documented_object(run, files):
    done = run("diff", "base", "changed", "--format", "json")
    assert done.status == 1
    report = json.loads(done.out)
    assert list(report)[:4] == ["schema_version", "left", "right", "same"]
    assert (report["schema_version"], report["left"], report["right"]) == (1, "base", "changed")
    assert report["same"] is False
    assert report["totals"] == {
        "compared": 6,
        "same": 3,
        "missing": 1,
        "extra": 1,
        "shape": 1,
        "dtype": 1,
        "tie": 0,
        "value": 1,
    }
    by_kind = {record["kind"]: record for record in report["differences"]}
    assert (by_kind["shape"]["left"], by_kind["shape"]["right"]) == ([6], [2, 3])
    assert (by_kind["dtype"]["left"], by_kind["dtype"]["right"]) == ("float32", "float64")
    assert by_kind["missing"]["left"] is None
    value = by_kind["value"]
    assert list(value)[:11] == [
        "name",
        "kind",
        "left",
        "right",
        "differing",
        "count",
        "max_abs",
        "max_rel",
        "rms",
        "cosine",
        "worst_index",
    ]
    assert (value["differing"], value["count"], value["max_abs"]) == (1, 12, 8.5)
    assert (value["worst_index"], value["worst_left"], value["worst_right"]) == ([2, 1], 7.0, -1.5)


def test_json_of_equal_sources_is_complete_too(run, files):
    report = json.loads(run("diff", "base", "base", "--format", "json").out)
    assert (report["same"], report["differences"], report["totals"]["same"]) == (True, [], 7)


def test_numbers_that_are_not_finite_are_strings_in_strict_json(run, files):
    files("nan", {"x": np.array([1, np.nan, 2], np.float32), "y": np.array([0.0, 1.0])})
    files("inf", {"x": np.array([1, 1, 2], np.float32), "y": np.array([0.0, np.inf])})

    def refuse(constant):
        raise AssertionError(constant)

    for style in ("json", "jsonl"):
        out = run("diff", "nan", "inf", "--format", style).out
        assert out.isascii()
        for text in [out] if style == "json" else out.splitlines():
            json.loads(text, parse_constant=refuse)
    records = [json.loads(line) for line in out.splitlines()]
    assert [(r["name"], r["max_abs"], r["worst_right"]) for r in records] == [
        ("x", "nan", 1.0),
        ("y", "inf", "inf"),
    ]


@pytest.mark.parametrize(("style", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_separated_values_have_a_header_and_every_record(run, files, style, delimiter):
    done = run("diff", "base", "changed", "--format", style)
    rows = list(csv.DictReader(io.StringIO(done.out), delimiter=delimiter))
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("h.2.bias", "missing"),
        ("new.bias", "extra"),
        ("head.weight", "shape"),
        ("h.1.bias", "dtype"),
        ("emb.weight", "value"),
    ]
    assert (rows[2]["left"], rows[2]["right"]) == ("6", "2x3")
    assert (rows[4]["max_abs"], rows[4]["worst_index"]) == ("8.5", "2,1")


def test_names_are_listed_once_each(run, files):
    done = run("diff", "base", "changed", "--format", "names", "--sort", "name")
    assert done.out.split() == ["emb.weight", "h.1.bias", "h.2.bias", "head.weight", "new.bias"]


def test_markdown_is_a_table(run, files):
    lines = run("diff", "base", "changed", "--format", "markdown").out.splitlines()
    assert len(lines) == 2 + 5
    assert all(line.startswith("|") for line in lines)


@pytest.mark.parametrize(
    ("order", "first"),
    [("change", "h.2.bias"), ("name", "emb.weight"), ("definition", "emb.weight")],
)
def test_the_order_can_be_chosen(run, files, order, first):
    out = run("diff", "base", "changed", "--sort", order, "--format", "names").out
    assert out.split()[0] == first


def test_the_worst_values_come_first(run, files):
    small, large, nan, inf = (np.array([x], np.float32) for x in (0.1, 9, np.nan, np.inf))
    files("left", {"a": small * 0, "b": small * 0, "c": small * 0, "d": small * 0})
    files("right", {"a": small, "b": nan, "c": inf, "d": large})
    assert run("diff", "left", "right", "--format", "names").out.split() == ["b", "c", "d", "a"]


def test_quiet_prints_nothing_and_tells_by_the_status(run, files):
    assert run("diff", "-q", "base", "changed") == run("diff", "-q", "base", "changed", "emb.*")
    done = run("diff", "--quiet", "base", "changed")
    assert (done.status, done.out, done.err) == (1, "", "")
    assert run("diff", "--quiet", "base", "base").status == 0


@pytest.mark.parametrize("option", [(), ("--quiet",), ("--stat",), ("--format", "json")])
def test_an_unreadable_file_is_trouble_on_either_side(run, files, option):
    whole = Path("base").read_bytes()
    Path("cut").write_bytes(whole[: len(whole) // 2])
    for sides in (("base", "cut"), ("cut", "base"), ("cut", "cut"), ("base", "absent")):
        done = run("diff", *option, *sides)
        assert (done.status, done.out) == (2, "")
        assert done.err.count("\n") == 1
        assert "cut: truncated" in done.err or "absent: cannot open" in done.err


def test_patterns_choose_what_is_compared(run, files):
    assert run("diff", "base", "changed", "h.0.*").status == 0
    assert run("diff", "base", "changed", "h.0.*", "emb.*").status == 1
    names = run("diff", "base", "changed", "*.bias", "--exclude", "h.*", "--format", "names").out
    assert names.split() == ["new.bias"]  # a pattern that matches on one side only is fine


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nope*",), "no parameter matches 'nope*'"),
        (("--exclude", "nope*"), "no parameter matches 'nope*', neither in base nor changed"),
        (("--exclude", "*"), "nothing is left to compare"),
        (("emb.wieght",), "did you mean 'emb.weight'?"),
        (("emb.weight[0]",), "whole arrays are compared"),
        (("--map", "model.*=*"), "no parameter matches 'model.*'"),
        (("--map", "h.*=x"), "the same wildcards"),
        (("--map", "h.?.bias=h.0.bias"), "the same wildcards"),
        (("--map", "h.1.bias=h.0.bias"), "would both be named 'h.0.bias'"),
        (("--map", "h.*"), "expected OLD=NEW"),
        (("--map", "h.*=g.*", "--map", "h.0.bias=x"), "earlier rules take all"),
        (("--rtol", "-1"), "Invalid value for '--rtol'"),
        (("--atol", "nan"), "is no number"),
        (("--atol", "much"), "'much' is not a valid number"),
        (("--ignore", "colour"), "Invalid value for '--ignore'"),
        (("--format", "xml"), "Invalid value for '--format'"),
        (("--depth", "2"), "--depth goes with --stat"),
        (("-q", "--format", "json"), "--format does not go with --quiet"),
        (("-q", "--stat"), "--stat does not go with --quiet"),
        (("-q", "--sort", "name"), "--sort does not go with --quiet"),
    ],
)
def test_bad_use_is_trouble_and_says_why(run, files, arguments, message):
    done = run("diff", "base", "changed", *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_names_of_the_left_side_can_be_mapped(run, files):
    assert run("diff", "renamed", "base", "--map", "model.*=*").status == 0
    assert run("diff", "base", "renamed", "--map", "*=model.*").status == 0
    done = run("diff", "base", "base", "--map", "h.0.bias=x", "--format", "names")
    assert done.out.split() == ["x", "h.0.bias"]


@pytest.mark.parametrize(
    ("sides", "rule"), [(("renamed", "base"), "'model.*=*'"), (("base", "renamed"), "'*=model.*'")]
)
def test_names_that_only_differ_in_a_prefix_get_a_hint(run, files, sides, rule):
    assert f"--map {rule}" in run("diff", *sides).err


def test_the_prefix_of_a_hint_is_the_one_under_which_shapes_agree(run, files):
    inner = {"weight": np.ones((2, 3)), "bias": np.ones(2)}
    outer = {"weight": np.ones((4, 2)), "bias": np.ones(4)}
    both = {
        f"{part}.{n}": a for part, of in {"a": outer, "b": inner}.items() for n, a in of.items()
    }
    files("parts", both)
    files("part", inner)
    assert "--map 'b.*=*'" in run("diff", "parts", "part").err
    assert "--map '*=b.*'" in run("diff", "part", "parts").err
    files("foreign", {"weight": np.ones((5, 5)), "bias": np.ones(5)})
    assert "--map OLD=NEW" in run("diff", "parts", "foreign").err


@pytest.mark.parametrize("kind", [*command.KINDS, "ties"])
def test_each_kind_can_be_ignored(run, files, kind):
    done = run("diff", "base", "changed", "--ignore", kind, "--format", "json")
    report = json.loads(done.out)
    kind = kind.removesuffix("s")
    assert report["totals"][kind] == 0
    assert report["not_compared"] == [kind]
    ignored = run("diff", "base", "changed", *(x for k in command.KINDS for x in ("--ignore", k)))
    assert ignored.status == 0
    assert "not compared: missing, extra, shape, dtype, tie, value" in ignored.out


def test_tolerances_and_nan(run, files):
    files("left", {"x": np.array([1.0, np.nan])})
    files("right", {"x": np.array([1.05, np.nan])})
    assert run("diff", "left", "right").status == 1
    assert run("diff", "left", "right", "--rtol", "0.1").status == 0
    assert run("diff", "left", "right", "--atol", "0.06").status == 0
    assert run("diff", "left", "right", "--atol", "0.06", "--nan-differs").status == 1
    assert run("diff", "left", "left", "--nan-differs", "-q").status == 1


def test_a_definition_says_what_is_not_compared(run, files):
    Path("model.yaml").write_text(
        "framework: pytorch\nlayers:\n  - Linear(3, 2)\n  - Linear(2, 1)\n"
    )
    files(
        "fits",
        {
            "0.weight": np.ones((2, 3), np.float32),
            "0.bias": np.ones(2, np.float32),
            "1.weight": np.ones((1, 2), np.float32),
            "1.bias": np.ones(1, np.float32),
        },
    )
    done = run("diff", "model.yaml", "fits")
    assert done.status == 0
    assert "not compared: value (model.yaml: a definition has no values)" in done.out
    shapes = {"0.weight": (3, 2), "0.bias": (2,), "2.weight": (1,)}
    files("other", {n: np.ones(s, np.float32) for n, s in shapes.items()})
    done = run("diff", "model.yaml", "other")
    assert done.status == 1
    assert [line.split()[:3] for line in done.out.splitlines()[1:6] if line] == [
        ["-", "1.bias", "missing"],
        ["-", "1.weight", "missing"],
        ["+", "2.weight", "extra"],
        ["~", "0.weight", "shape"],
    ]


def test_a_definition_is_one_though_no_name_of_it_is_compared(run, files):
    Path("model.yaml").write_text("framework: pytorch\nlayers:\n  - Linear(3, 2)\n")
    files("more", {"0.weight": np.ones((2, 3)), "more": np.ones(2)}, {"format": "pt"})
    done = run("diff", "model.yaml", "more", "mo*")
    assert done.status == 1
    assert done.out.splitlines()[-2:] == [
        "1 extra; no array is in both",
        "not compared: value (model.yaml: a definition has no values)",
    ]


def test_stat_has_a_line_per_module(run, files):
    done = run("diff", "base", "changed", "--stat")
    assert done.status == 1
    assert done.out.splitlines()[0].split() == ["module", "arrays", "rms", "change"]
    assert [line.split()[:3] for line in done.out.splitlines()[1:7] if line] == [
        ["emb", "~1", "of"],
        ["h.2", "-1", "of"],
        ["new", "+1", "of"],
        ["head", "~1", "of"],
        ["h.1", "~1", "of"],
    ]
    deep = run("diff", "base", "changed", "--stat", "--depth", "1").out
    assert "h       ~1 -1 of 5" in deep


def test_the_choices_are_those_of_the_library():
    assert list(command.KINDS) == [str(kind) for kind in Change]


def test_help_says_what_the_exit_status_means(run):
    done = run("diff", "--help")
    assert done.status == 0
    assert "Exit status: 0 the same, 1 different, 2 trouble." in done.out


def test_a_terminal_folds_equal_siblings_and_colours_lines(files):
    fewer = {name: array for name, array in BASE.items() if "bias" not in name}
    files("fewer", fewer)
    out = on_terminal("diff", "base", "fewer")[0]
    assert "\x1b[31m- 4 x h.{0..3}.bias  missing  [3] float32\x1b[0m\n" in out
    plain = on_terminal("diff", "base", "fewer", NO_COLOR="1")[0]
    assert "\x1b" not in plain
    assert "4 x h.{0..3}.bias" in plain


def test_a_terminal_gets_one_line_for_a_model_that_was_cast(files):
    model = {f"w{i}": np.full(2, i, np.float32) for i in range(12)}
    files("left", model)
    files("right", {name: array.astype(np.float64) for name, array in model.items()})
    out, _ = on_terminal("diff", "left", "right", NO_COLOR="1")
    assert out.splitlines()[1] == "~ 12 names  dtype  float32 -> float64"
    assert out.splitlines()[3] == "12 dtype; 0 of 12 arrays in both are the same"


def test_a_terminal_is_never_wider_than_it_is(files):
    name = "a.very.long.name.of.a.module.that.has.no.room." + "x" * 60
    files("left", {name: np.arange(9.0)})
    files("right", {name: np.arange(9.0) + 0.123456789})
    for width in (40, 80):
        out = on_terminal("diff", "left", "right", width=width, NO_COLOR="1")[0]
        assert max(map(len, out.splitlines()[:2])) <= width
