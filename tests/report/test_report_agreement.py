"""Every view of a source says the same: JSON, lines of JSON, CSV, TSV, tables, names and Python."""

import csv
import json
import re
from pathlib import Path

import pytest

from paraminspect.errors import escape
from paraminspect.operations.stats import tree_stats
from paraminspect.report import STYLES, View, format_nbytes
from paraminspect.source import open_source

ROOT = Path(__file__).parents[2]
SUFFIXES = (".safetensors", ".npz", ".h5", ".hdf5", ".keras", ".yaml")


def sources(*folders):
    return [p for folder in folders for p in sorted(folder.rglob("*")) if p.name.endswith(SUFFIXES)]


SOURCES = sources(ROOT / "tests" / "data", ROOT / "sample_models")
IDS = [str(path.relative_to(ROOT)) for path in SOURCES]

CODES = ("quantized", "weights", "decodable")
MEASURES = ("mean", "std", "min", "max", "zeros", "nan", "inf")


def known_to_python(tree, found=None):
    """What `tree` knows of each parameter, asked for attribute by attribute."""
    for name, parameter in tree.items():
        row = {
            "name": name,
            "shape": list(parameter.shape),
            "dtype": str(parameter.dtype),
            "count": parameter.count,
            "nbytes": parameter.nbytes,
            "trainable": parameter.trainable,
            "tied_to": tree.ties.get(name),
            "layer": parameter.layer,
            "scheme": parameter.scheme,
            "stored_path": parameter.stored_path,
        }
        if (codes := parameter.codes) is not None:
            row["quantized"] = {
                "what": codes.what,
                "weights": codes.weights,
                "decodable": codes.decodable,
            }
        if found is not None:
            stats = found.get(tree.own_name(name))
            row["stats"] = {key: getattr(stats, key, None) for key in MEASURES}
        yield row


def as_separated(row):
    """A row of JSON as the cells of CSV: shapes as `8x4`, null as empty, True and False."""
    cells = {**row, **row.get("stats", {})}
    cells.pop("stats", None)
    if codes := cells.pop("quantized", None):
        cells |= dict(zip(CODES, codes.values(), strict=True))
    cells["shape"] = "x".join(map(str, row["shape"]))
    return {
        key: "" if value is None else escape(value) if isinstance(value, str) else str(value)
        for key, value in cells.items()
    }


def as_cells(row, tree):
    """A row of JSON as a table for people writes it."""
    tied = f"= {escape(row['tied_to'])}" if row["tied_to"] is not None else ""
    kind = "frozen" if tree[row["name"]].frozen else "buffer"
    left_alone = kind if row["trainable"] is False else ""
    parameters = row["count"]
    if codes := row.get("quantized"):
        parameters = codes["weights"]
        left_alone = codes["what"] if parameters else "of codes"
    numbers = (f"{parameters:,}", format_nbytes(row["nbytes"]))
    stored = escape(row["stored_path"] or row["name"])
    cells = [escape(row["name"]), str(row["shape"]), row["dtype"], *numbers]
    return [*cells, tied or left_alone, row["scheme"] or "", stored]


def lines_of(style, view):
    return "\n".join(STYLES[style].lines(view)).splitlines()


def check_agreement(path):
    """Compare every view of the source at `path` with what Python says, field by field."""
    tree = open_source(str(path))
    found = None if tree.source.format == "definition" else tree_stats(tree)
    for stats in (None, found) if found is not None else (None,):
        view = View(tree, stats, stored=True)
        rows = list(known_to_python(tree, stats))
        assert json.loads("\n".join(lines_of("json", view)))["parameters"] == rows
        assert list(map(json.loads, lines_of("jsonl", view))) == rows
        for style, dialect in (("csv", "excel"), ("tsv", "excel-tab")):
            read = list(csv.DictReader(lines_of(style, view), dialect=dialect))
            unlike = dict.fromkeys(CODES, "") if any("quantized" in row for row in rows) else {}
            assert read == [{**unlike, **as_separated(row)} for row in rows]
    view = View(tree, stored=True)
    wanted = [[cell for cell in as_cells(row, tree) if cell] for row in rows]
    table = lines_of("table", view)
    assert [re.split(r" {2,}", line) for line in table[1 : len(rows) + 1]] == wanted
    markdown = [line[2:-2].split(" | ") for line in lines_of("markdown", view)[2 : len(rows) + 2]]
    cells = [[cell.strip().replace("\\|", "|") for cell in line] for line in markdown]
    assert [[cell for cell in line if cell] for line in cells] == wanted
    assert lines_of("names", view) == [escape(row["name"]) for row in rows]


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_every_view_of_a_source_says_the_same(path):
    check_agreement(path)
