"""Compact listings of models that real Keras built: `make_listings.py KERAS3 KERAS2 > listings.json`.

Each folder holds one JSON per model with its `model.weights`: path (Keras 3) or name (Keras 2),
shape, dtype, trainable.
"""

import json
import sys
from pathlib import Path

for version, folder in zip(("keras3", "keras2"), sys.argv[1:], strict=True):
    print("{" if version == "keras3" else "},", f'"{version}":', "{")
    paths = sorted(Path(folder).glob("*.json"))
    for path in paths:
        model = json.loads(path.read_text())
        weights = [
            [w["path"] or w["name"], w["shape"], w["dtype"], w["trainable"]]
            for w in model["weights"]
        ]
        listing = {"weights": weights, "count": model["param_count"]}
        end = "" if path == paths[-1] else ","
        print(f"{json.dumps(path.stem)}: {json.dumps(listing)}{end}")
print("}}")
