"""A framework as another package would add it: its first layer in 25 lines."""

from paraminspect.compute import Computation
from paraminspect.frameworks import Framework, Modelling, declare, name_by_path
from paraminspect.tree.layers import Fans, Layer, Spec, UnknownInputError, chained, fixed


def dense(a):
    def build(shape):
        if shape is None:
            raise UnknownInputError("Dense")
        kernel = Spec((shape[-1], a.features), "lecun_normal", Fans(shape[-1], a.features))
        bias = Spec((a.features,), "zeros") if a.use_bias else None
        own = {"kernel": kernel, "bias": bias}
        return fixed(own, output=lambda shape: (*shape[:-1], a.features))(shape)

    return build


MODELLING = Modelling(
    layers=dict([declare("Dense(features: Size, use_bias: Flag = True)", dense)]),
    sequential=lambda children: Layer("Sequential", chained(children)),
    module=lambda children, block, forward: Layer(block or "Module", chained(children)),
    name_parameters=name_by_path,
)
COMPUTATION = Computation({"Dense": lambda part, x: x @ part.p["kernel"] + part.p.get("bias", 0.0)})
FRAMEWORK = Framework("flax", modelling=lambda: MODELLING, computation=lambda: COMPUTATION)
