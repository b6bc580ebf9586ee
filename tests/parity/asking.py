"""Questions to installed frameworks, each asked by a script that runs in their own interpreter."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def ask(python, *command, questions=None, **environment):
    """What a script prints as JSON when it is given questions as JSON."""
    asked = subprocess.run(
        [python, *command],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return json.loads(asked.stdout)


def digest(values):
    """The SHA-256 of the bytes of an array."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
