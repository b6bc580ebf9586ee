"""Every command that prints a table prints it in every format, with the same rows."""

import csv
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from paraminspect.cli.main import COMMANDS, main
from paraminspect.report import RECORD_STYLES

MODEL = """framework: pytorch
layers:
  - Linear(2, 3)
  - Linear(3, 1)
"""
NAMES = ["0.weight", "0.bias", "1.weight", "1.bias"]

TABLES = {
    "list": ("list", "m.yaml"),
    "slice --stats": ("slice", "--stats", "m.safetensors", "*"),
    "slice --hist": ("slice", "--hist", "m.safetensors", "*"),
    "diff": ("diff", "m.safetensors", "n.safetensors"),
    "list --depth": ("list", "--depth", "1", "m.yaml"),
    "diff --stat": ("diff", "--stat", "m.safetensors", "n.safetensors"),
    "tie --find": ("tie", "--find", "n.safetensors"),
    "init --report": ("init", "m.yaml", "-o", "o.npz", "--report", "--dry-run", "--seed", "0"),
    "grad": ("grad", "m.yaml", "--seed", "0", "--input", "ones(1, 2)"),
    "train": ("train", "m.yaml", "--seed", "0", "--data", "xy.npz", "--steps", "1", "--dry-run"),
}


@pytest.fixture
def table(run, tmp_path, monkeypatch):
    """Runs a command in a format: its standard output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(MODEL)
    assert run("init", "m.yaml", "--seed", "1").status == 0
    values = {name: np.ones((2, 2), np.float32) for name in NAMES}
    save_file(values, tmp_path / "n.safetensors")
    np.savez("xy.npz", x=np.ones((4, 2), np.float32), y=np.ones((4, 1), np.float32))

    def table(command, style):
        done = run(*TABLES[command], "--format", style)
        assert done.status == command.startswith("diff"), done.err
        return done.out

    return table


def names_of(rows):
    """The names in records: of one, or of several that one record is about."""
    return {name for row in rows for name in row.get("names", [row.get("name")])}


OF_MODULES = {"list --depth": {".", "0", "1"}, "diff --stat": {"0", "1"}}


@pytest.mark.parametrize("command", TABLES)
def test_every_format_has_the_same_names(command, table):
    names = OF_MODULES.get(command, set(NAMES))
    assert set(table(command, "names").splitlines()) == names
    lines = [json.loads(line) for line in table(command, "jsonl").splitlines()]
    whole = json.loads(table(command, "json"))
    assert whole.pop("schema_version") == 1
    [rows] = [value for value in whole.values() if isinstance(value, list) and value == lines]
    if command == "train":
        assert [*rows[0]["parameters"]] == NAMES
    else:
        assert names_of(rows) == names
    for style, dialect in (("csv", "excel"), ("tsv", "excel-tab")):
        cells = list(csv.DictReader(table(command, style).splitlines(), dialect=dialect))
        columns = "names" if command == "tie --find" else "name"
        assert {n for row in cells for n in row[columns].split(" = ")} == names
    for style in ("table", "markdown"):
        assert all(name in table(command, style) for name in names)
    assert table(command, "markdown").splitlines()[1].startswith("|:-")


def test_a_format_means_the_same_in_every_command():
    for name in COMMANDS:
        for option in main.get_command(None, name).params:
            if "--format" in option.opts:
                assert set(RECORD_STYLES) <= set(option.type.choices), name


@pytest.mark.parametrize("command", ["init --report", "train"])
def test_what_was_done_does_not_mix_with_data(command, run, table, tmp_path):
    arguments = [argument for argument in TABLES[command] if argument != "--dry-run"]
    done = run(*arguments, "-o", tmp_path / "new.safetensors", "--format", "json")
    assert json.loads(done.out)
    assert "write " in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "m.safetensors", "0.bias=0"),
        ("tie", "n.safetensors", "0.bias", "1.bias"),
        ("convert", "m.safetensors", "--dtype", "float16"),
        ("init", "m.safetensors", "--rule", "0.bias=zeros"),
        ("train", "m.yaml", "--data", "xy.npz", "--seed", "0", "--steps", "1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_dry_run_needs_no_place_to_write(arguments, run, table, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert run(*arguments).status == 2
    done = run(*arguments, "--dry-run")
    assert (done.status, bool(done.out)) == (0, True), done.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("command", COMMANDS)
def test_shells_complete_files_for_every_source(command):
    for argument in main.get_command(None, command).params:
        if argument.name in ("source", "definition", "left", "right", "output"):
            completions = argument.type.shell_complete(None, argument, "m")
            assert [item.type for item in completions] == ["file"], argument.name
