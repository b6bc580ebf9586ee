"""Answers: a header of two lengths, a JSON text and raw bytes, on standard output."""

from __future__ import annotations

import json
import os
import struct
from typing import Any, NoReturn

_HEADER = struct.Struct("<QQ")


def send(answer: dict[str, Any], data: Any = b"") -> None:
    """Give an answer, with raw bytes."""
    text = json.dumps(answer).encode()
    for part in (_HEADER.pack(len(text), len(data)), text, data):
        view = memoryview(part)
        while view:
            view = view[os.write(1, view) :]


def fail_to_write(error: OSError) -> NoReturn:
    """Say what the system said, and end: the library crashes on what it cannot write."""
    text = error.strerror or str(error)
    send({"refused": f"cannot write: {text[:1].lower()}{text[1:]}; nothing was changed"})
    os._exit(0)
