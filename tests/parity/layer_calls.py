"""What calls of layers give: `layer_calls.py FRAMEWORK CASES.json INPUTS.npz OUT.npz`.

For each case the values of the layer and the output; the output is missing where it is refused.
"""

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parents[1] / "data/compute/calls"))

import make
import numpy as np


def main(framework, cases_path, inputs_path, out_path):
    of = {"pytorch": make.of_torch, "keras": make.of_keras}[framework]
    found, refused = {}, {}
    with np.load(inputs_path) as file:
        inputs = {name: file[name] for name in file.files}
    for number, case in enumerate(json.loads(Path(cases_path).read_text())):
        start = f"{number}/"
        given = {n.removeprefix(start): x for n, x in inputs.items() if n.startswith(start)}
        try:
            output, values = of(case, number, given)
        except Exception as error:  # noqa: BLE001 any of the framework's own
            refused[number] = f"{type(error).__name__}: {error}"
            continue
        found[f"{number}/output"] = output
        found |= {f"{number}/value/{name}": value for name, value in values.items()}
    np.savez(out_path, refused=json.dumps(refused), **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
