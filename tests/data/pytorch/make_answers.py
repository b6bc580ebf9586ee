"""What PyTorch says of its layers: `make_answers.py PYTHON` writes the JSON files beside it.

PYTHON is an interpreter that has torch and transformers; this one needs paraminspect, for the
calls to ask about (`tests/support/pytorch_calls.py`).
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

from pytorch_calls import EDGES, random_calls  # noqa: E402


def ask(questions):
    process = subprocess.run(
        [sys.argv[1], str(HERE / "oracle.py")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(process.stdout)


def write(name, rows):
    (HERE / name).write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


calls = [*EDGES, *random_calls(0, 400)]
write("signatures.json", ask("signatures").items())
write("layers.json", [[*call, answer] for call, answer in zip(calls, ask(calls))])
