"""Compact listings of models that real MXNet built: `make_listings.py FOLDER > listings.json`.

FOLDER holds one JSON per model with what `collect_params()` and `_collect_params_with_prefix()`
gave (name, shape, dtype, grad_req), and which structural names are one parameter.
"""

import json
import sys
from pathlib import Path


def row(parameter):
    trainable = parameter["grad_req"] != "null"
    return [parameter["name"], parameter["shape"], parameter["dtype"], trainable]


listings = {}
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    if path.name.endswith("-symbol.json"):
        continue
    model = json.loads(path.read_text())
    listings[model["name"]] = {
        "prefixed": list(map(row, model["collect_params"])),
        "structural": list(map(row, model["structural"])),
        "tied": model["tied_groups"],
        "count": model["param_count_unique"],
    }
print("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in listings.items()) + "\n}")
