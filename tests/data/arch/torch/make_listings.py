"""Compact listings of models that real PyTorch built: `make_listings.py FOLDER > listings.json`.

FOLDER holds one JSON per model with its `state_dict()` (name, shape, dtype, trainable) and ties.
"""

import json
import sys
from pathlib import Path

listings = {}
for path in sorted(Path(sys.argv[1]).glob("*.json")):
    if path.name.endswith(".config.json"):
        continue
    model = json.loads(path.read_text())
    listings[model["name"]] = {
        "tensors": [[t["name"], t["shape"], t["dtype"], t["trainable"]] for t in model["tensors"]],
        "tied": model["tied_groups"],
        "count": model["param_count_unique"],
        # The parts in the order of `named_modules()`, of models small enough to be told.
        "modules": [name for name, _ in model["modules"] or [] if name],
    }
print("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in listings.items()) + "\n}")
