"""What the real MXNet draws for nets: `mxnet_draws.py FOLDER < questions`, JSON.

A question is a net (see `mxnet_listings.py`), a seed and the initializer that `initialize` is
given, or null. The answer to question 3 is `3.npz`, by name; there is none where MXNet refuses.
"""

import json
import sys
from pathlib import Path

from mxnet_listings import batch_of, build_net, mx, np


def answer(question):
    model = build_net(question["net"])
    mx.random.seed(question["seed"])
    given = question["init"]
    model.initialize(*([eval(given, vars(mx.init))] if given else []))  # our own text
    model(batch_of(question["net"]))
    return {name: p.data().asnumpy() for name, p in model.collect_params().items()}


if __name__ == "__main__":
    for i, question in enumerate(json.load(sys.stdin)):
        try:
            drawn = answer(question)
        except Exception as error:  # noqa: BLE001 (what MXNet refuses is tested elsewhere)
            print(i, error)
        else:
            np.savez(Path(sys.argv[1], f"{i}.npz"), **drawn)
