"""What optimizers of torch make of an array: questions in, answers out, as JSON.

A question holds a class of `torch.optim`, its arguments, the array's values and the gradients of
the steps; the answer, the values after each step, or null where torch refuses the arguments.
"""

import json
import sys

import torch


def stepped(question):
    parameter = torch.tensor(question["values"], dtype=torch.float64, requires_grad=True)
    try:
        optimizer = getattr(torch.optim, question["kind"])([parameter], **question["arguments"])
    except ValueError:
        return None
    after = []
    for gradient in question["gradients"]:
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        after.append(parameter.tolist())
    return after


if __name__ == "__main__":
    print(json.dumps([stepped(question) for question in json.load(sys.stdin)]))
