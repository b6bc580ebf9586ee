"""The program: it loads the library, gives up all rights, and answers questions about one file.

The file is open already, as descriptor 3; no other can be opened. The first line on standard input
says who answers and where in the file the HDF5 file lies, the others are questions: a line of JSON
each, perhaps with bytes after it. An answer is a header of two lengths, a JSON text and
raw bytes. Who asks checks every answer: this process may be in the hands of a hostile file.
"""

from __future__ import annotations

import codecs
import gc
import importlib
import json
import os
import platform
import resource
import sys
import types
from typing import Any

from .answering import send
from .reading import Reader
from .rights import FILE_DESCRIPTOR, RefusedError, allow_seconds

READER = "Reader"

EXTRA_MEMORY_NBYTES = 1 << 30
"""Address space for the library's work, beyond what it takes to load it."""

_MODULES = ("h5", "h5a", "h5d", "h5f", "h5fd", "h5g", "h5l", "h5o", "h5p", "h5s", "h5t", "h5z")

_LIBRARY_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def main() -> None:
    """Answer questions until there are no more."""
    gc.disable()  # nothing here has cycles, and a large answer makes many objects
    h5 = _load(sys.argv[1:])
    first = sys.stdin.buffer.readline()
    if not first:  # nobody wants to know anything
        os._exit(0)
    task = json.loads(first)
    role = _role(task["role"])
    _give_up_rights(task["role"] == READER)
    opened: Any = None
    for line in sys.stdin.buffer:
        question = json.loads(line)
        seconds, payload = question.pop("seconds"), question.pop("payload", 0)
        if payload:
            question["payload"] = sys.stdin.buffer.read(payload)
        allow_seconds(seconds)
        data: Any = b""
        answer: dict[str, Any]
        try:
            opened = opened or role(h5, task["base"], task["size"])
            opened.seconds = seconds
            found = getattr(opened, question.pop("do"))(**question)
            if isinstance(found, tuple):
                found, data = found
            answer = {"found": found}
        except RefusedError as error:
            answer = {"refused": str(error)}
        except MemoryError:
            answer = {"refused": "the HDF5 library would need too much memory"}
        except _LIBRARY_ERRORS as error:
            answer = {"damaged": str(error)}
        send(answer, data)
    # Not a normal exit: the library's own clean-up crashes on files that it reads through Python.
    os._exit(0)


def _load(folders: list[str]) -> Any:
    """The low-level modules of h5py, without its package, which takes as long again to import."""
    sys.path[:0] = folders
    # h5py asks for it, and platform would run a program to learn it.
    vars(platform.uname())["processor"] = ""
    package = types.ModuleType("h5py")
    package.__path__ = [f"{folders[0]}/h5py"]
    sys.modules["h5py"] = package
    try:
        loaded = {name: importlib.import_module(f"h5py.{name}") for name in _MODULES}
        importlib.import_module("h5py._conv").register_converters()
        loaded["h5z"]._register_lzf()
    except (ImportError, AttributeError):  # another version may need what its package does first
        for name in [n for n in sys.modules if n.partition(".")[0] == "h5py"]:
            del sys.modules[name]
        importlib.import_module("h5py")
        loaded = {name: importlib.import_module(f"h5py.{name}") for name in _MODULES}
    codecs.lookup("ascii")  # which reading attributes imports, when no file can be opened any more
    return types.SimpleNamespace(np=importlib.import_module("numpy"), **loaded)


def _role(name: str) -> Any:
    """The class that answers the questions."""
    if name == READER:
        return Reader
    from . import writing  # who reads does not need it

    return getattr(writing, name)


def _give_up_rights(is_reader: bool) -> None:
    """From now on no file can be opened, no core is dumped, memory is bounded; none grows."""
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 (pathlib is not loaded)
            taken = int(statm.read().split()[0]) * resource.getpagesize()
        most = taken + EXTRA_MEMORY_NBYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except OSError:  # not Linux: what is taken already is not known
        pass
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILE_DESCRIPTOR + 1, FILE_DESCRIPTOR + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if is_reader:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
