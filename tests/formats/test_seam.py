"""Bytes come and go through `formats/files` alone: whatever opens files elsewhere plugs in there."""

import ast
from pathlib import Path

import pytest

import paraminspect.formats

ROOT = Path(paraminspect.formats.__file__).parent
ELSEWHERE = [path for path in sorted(ROOT.rglob("*.py")) if path.parent.name != "files"]

LIBRARIES = {"fcntl", "io", "mmap", "shutil", "tempfile"}
OF_OS = {
    *("dup", "fdopen", "fsync", "ftruncate", "link", "mkdir", "open", "pread", "preadv", "pwrite"),
    *("pwritev", "read", "remove", "rename", "replace", "rmdir", "symlink", "unlink", "write"),
}
OF_PATHS = {
    *("hardlink_to", "mkdir", "read_bytes", "read_text", "rename", "rmdir", "symlink_to", "touch"),
    *("unlink", "write_bytes", "write_text"),
}
LIBRARY_OPENS = "safe_open"
"""The safetensors library opens a file by its name; in one place, and only for its opinion."""


def opens_files(tree):
    """The names by which a module opens, makes, moves or removes files itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            yield from LIBRARIES & {name.partition(".")[0] for name in names}
        elif isinstance(node, ast.Name) and node.id == "open":
            yield "open"
        elif isinstance(node, ast.Attribute):
            is_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            if node.attr in (OF_OS if is_os else OF_PATHS) or node.attr == LIBRARY_OPENS:
                yield node.attr


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_beside_files_opens_makes_or_removes_files(path):
    allowed = {LIBRARY_OPENS} if path.parent.name == "safetensors" else set()
    assert set(opens_files(ast.parse(path.read_text()))) <= allowed


@pytest.mark.parametrize(
    "text", ["import tempfile", "os.pread(f, 1, 0)", "open(p)", "p.read_bytes()", "p.unlink()"]
)
def test_what_opens_files_is_seen(text):
    assert list(opens_files(ast.parse(text)))
