"""The program: `paraminspect`, and `python -m paraminspect`."""

from __future__ import annotations

import sys
from typing import NoReturn

from paraminspect.libhdf5.ahead import end_unwanted, start_ahead


def run() -> NoReturn:
    """The console script."""
    start_ahead(sys.argv[2:])
    # Imported while that starts.
    from paraminspect.cli.main import run_command

    try:
        sys.exit(run_command())
    finally:
        end_unwanted()


if __name__ == "__main__":
    run()
