"""What Keras answers to the calls and models of the tests, kept for machines without it.

`make_answers.py PYTHON`, where PYTHON has Keras 3.15 and TensorFlow; this one needs paraminspect,
for the calls to ask about (`tests/support/keras_calls.py`). Writes signatures.json, layers.json, models.json and layouts.json beside
itself.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

from keras_calls import CALLS  # noqa: E402
from keras_models import HOLDERS, PAIRS, REFERENCE, random_pair  # noqa: E402

RANDOM_MODELS = 12


def ask(what, questions):
    asked = subprocess.run(
        [sys.argv[1], HERE / "oracle.py", what],
        input=json.dumps(questions),
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(asked.stdout)


def write(name, answers):
    lines = ",\n".join(json.dumps(answer) for answer in answers)
    Path(HERE, name).write_text(f"[\n{lines}\n]\n")


signatures = ask("signatures", None)
write("signatures.json", [[name, signatures[name]] for name in sorted(signatures)])
write("layers.json", zip(CALLS, ask("layers", CALLS), strict=True))
pairs = [*PAIRS.values(), *map(random_pair, range(RANDOM_MODELS))]
models = ask("models", [source for _, source in pairs])
write("models.json", zip((definition for definition, _ in pairs), models, strict=True))
stored = [*HOLDERS.values(), *REFERENCE.items(), *pairs]
layouts = ask("layouts", [source for _, source in stored])
write("layouts.json", zip((definition for definition, _ in stored), layouts, strict=True))
