"""Parameters: named arrays, with what their source knows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from paraminspect.arrays import Array, DType, Shape, count_elements
from paraminspect.errors import AddressError
from paraminspect.layers import Fans

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False, slots=True)
class Parameter:
    """A named array. What its source does not know (`trainable`, `layer`, `scheme`) is None."""

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
    grad: np.ndarray[Any, Any] | None = None
    """The gradient of the last backward pass, None before one; the only thing that changes."""

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
    def nbytes(self) -> int:
        """The bytes that its values take when stored densely."""
        return self.data.dtype.nbytes(self.count)

    def numpy(self) -> np.ndarray[Any, Any]:
        """All values, as a new NumPy array."""
        return self.data[...]

    def hold_gradient(self, gradient: np.ndarray[Any, Any] | None) -> None:
        """Keep the gradient of a backward pass, as the frameworks' parameters do."""
        object.__setattr__(self, "grad", gradient)

    def __getitem__(self, key: object) -> NoReturn:
        raise AddressError(f"nothing lies below the parameter {self.name!r}: its values are .data")

    __iter__ = None  # else Python would take it for a sequence

    def __repr__(self) -> str:
        kind = "" if self.trainable is not False else ", not trainable"
        return f"Parameter({self.name!r}, {list(self.shape)}, {self.dtype}{kind})"
