"""Parameters: named arrays, with what their source knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from paraminspect.arrays import Array, DType, Shape, copied, count_elements
from paraminspect.arrays.numpy_like import NumpyLike
from paraminspect.errors import AddressError, FrozenError
from paraminspect.tree.layers import Fans

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Codes:
    """What an array of a quantized model stands for."""

    what: str
    """The convention of codes, `GPTQ, 4 bits`; or whose part it is, `part of l.qweight`."""
    weights: int
    """How many parameters of the model it is: 0 for what only codes need."""
    decodable: bool = False
    """Whether the weights can be had from here: codes times their scales."""


@dataclass(frozen=True, eq=False, slots=True)
class Parameter(NumpyLike):
    """A named array. What its source does not know (`trainable`, `layer`, `scheme`) is None.

    It behaves as the NumPy array of its values, which cannot be written to; `numpy()` gives a copy
    that can. Values that are given as a NumPy array are copied.

        >>> import paraminspect as pi
        >>> bias = pi.Parameter("bias", [1.0, 2.0])
        >>> bias.shape, str(bias.dtype), float(bias.mean())
        ((2,), 'float64', 1.5)

    Setting anything raises `FrozenError`, values that are no array of numbers raise `ShapeError`
    or `DTypeError`.
    """

    name: str
    data: Array
    trainable: bool | None = None
    layer: str | None = None
    scheme: str | None = None
    fans: Fans | None = None
    layout: str | None = None
    own_scheme: bool = False
    """Whether the call of its layer names the scheme, and one for the whole model leaves it."""
    stored_path: str | None = None
    """Where the file keeps it, when that is not its name."""
    frozen: bool = False
    """Whether it is not trained because its layer says so, and no buffer."""
    codes: Codes | None = None
    """For codes of quantized weights, and for what only these need."""
    grad: np.ndarray[Any, Any] | None = None
    """The gradient of the last backward pass, None before one; the only thing that changes."""

    def __post_init__(self) -> None:
        if not hasattr(self.data, "read"):
            object.__setattr__(self, "data", copied(self.data))

    @property
    def shape(self) -> Shape:
        """The lengths of the axes."""
        return self.data.shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self.data.dtype

    @property
    def count(self) -> int:
        """The number of elements."""
        return count_elements(self.data.shape)

    @property
    def weights(self) -> int:
        """The number of parameters of the model that it is: of elements, unless these are codes."""
        return self.count if self.codes is None else self.codes.weights

    @property
    def nbytes(self) -> int:
        """The bytes that its values take when stored densely."""
        return self.data.dtype.nbytes(self.count)

    def numpy(self) -> np.ndarray[Any, Any]:
        """All values, as a new NumPy array that may be written to."""
        import numpy as np

        return np.array(self.data[...])

    def hold_gradient(self, gradient: np.ndarray[Any, Any] | None) -> None:
        """Keep the gradient of a backward pass, as the frameworks' parameters do."""
        object.__setattr__(self, "grad", gradient)

    def __getitem__(self, index: Any, /) -> Any:
        if isinstance(index, str):
            raise AddressError(
                f"nothing lies below the parameter {self.name!r}: its values are .data"
            )
        return self.data[index]

    def __repr__(self) -> str:
        kind = "" if self.trainable is not False else ", not trainable"
        return f"Parameter({self.name!r}, {list(self.shape)}, {self.dtype}{kind})"

    __str__ = __repr__


def _refuse(parameter: Any, name: str, value: Any) -> NoReturn:  # noqa: ARG001 (`__setattr__`)
    way = f"pi.set(tree, {{{parameter.name!r}: value}}) gives another tree"
    raise FrozenError(f"cannot set {name!r} of {parameter.name!r}: {way}")


Parameter.__setattr__ = _refuse  # type: ignore[method-assign]  # dataclass's tells no way
