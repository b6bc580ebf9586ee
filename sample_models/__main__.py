"""Copies the sample models of an installed paraminspect: `python -m paraminspect.sample_models`."""

import shutil
import sys
from pathlib import Path


def copy_here() -> None:
    """Copy this folder to `sample_models` in the current one, unless something is there."""
    target = Path("sample_models")
    leave_out = shutil.ignore_patterns("__main__.py", "__pycache__")
    try:
        shutil.copytree(Path(__file__).parent, target, ignore=leave_out)
    except OSError as error:
        sys.exit(f"{target}: {error.strerror or error}")
    sys.stdout.write(f"copied the sample models to {target}\n")


if __name__ == "__main__":
    copy_here()
