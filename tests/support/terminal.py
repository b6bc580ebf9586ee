"""Commands run on a terminal of a given width: what people see, colours and all."""

import os
import pty
import subprocess
import sys


def on_terminal(*arguments, width=80, **environment):
    """What a command prints on the terminal, standard error apart: `(out, err)`."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from paraminspect.__main__ import run; run()", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": str(width), "TERM": "xterm", **environment},
    )
    os.close(follower)
    pieces = []
    while True:
        try:
            piece = os.read(leader, 1 << 16)
        except OSError:  # how Linux tells that nobody writes any more
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(leader)
    err = process.stderr.read().decode()
    process.stderr.close()
    process.wait()
    return b"".join(pieces).decode().replace("\r\n", "\n"), err
