"""What NumPy's arrays do, for anything that has a shape and gives its values at an index.

Importing this module does not import NumPy, so that listing never pays for it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from paraminspect.errors import FrozenError

if TYPE_CHECKING:
    import numpy as np

Operation = Callable[..., Any]

REPR_EDGE = 3
"""Elements that NumPy prints at each end of an axis that it does not print whole."""

NEW_LINE = "\n" + " " * len("array(")

ROWS_NBYTES = 1 << 20
"""Iteration reads about so much at a time: rows one by one would each cost a system call."""


def _operator(operation: Operation) -> Operation:
    def method(self: NumpyLike, *others: Any) -> Any:
        return operation(self.__array__(), *others)

    return method


def _reflected(operation: Operation) -> Operation:
    def method(self: NumpyLike, other: Any) -> Any:
        return operation(other, self.__array__())

    return method


def _method(name: str) -> Operation:
    def method(self: NumpyLike, *arguments: Any, **keywords: Any) -> Any:
        return getattr(self.__array__(), name)(*arguments, **keywords)

    method.__name__ = name
    method.__doc__ = f"As `numpy.ndarray.{name}`, of all values."
    return method


def _view(name: str) -> property:
    return property(lambda self: getattr(self.__array__(), name), doc=f"As `numpy.ndarray.{name}`.")


class NumpyLike:
    """Behaves as a NumPy array that cannot be written to.

    A child has `shape`, `dtype` and `__getitem__`. Values are read when an answer depends on them:
    `len(a)`, `a.size` and `a.ndim` read nothing, `a[0]` reads a row, `a.mean()` and `a + 1` all.

        >>> from paraminspect.arrays import InMemory
        >>> import numpy as np
        >>> a = InMemory(np.arange(3.0))
        >>> a * 2, (a > 0).sum(), a.mean(), list(a)[-1], a.dtype == np.float64
        (array([0., 2., 4.]), np.int64(2), np.float64(1.0), np.float64(2.0), True)
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]:
            """The lengths of the axes."""

        @property
        def dtype(self) -> Any:
            """The type of the elements, a `DType`."""

        def __getitem__(self, index: Any, /) -> Any: ...

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """All values: read-only, so that nobody takes the copy for the model, unless `copy`."""
        import numpy as np

        if copy is False:
            raise ValueError("values that are still to be read cannot be had without a copy")
        values: np.ndarray[Any, Any] = self[...]
        if dtype is not None:
            values = values.astype(dtype, copy=False)
        return np.array(values) if copy else values

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """The bytes of an element as NumPy holds it."""
        return int(self.dtype.itemsize)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        row_nbytes = max(1, self.size // max(1, self.shape[0])) * self.itemsize
        step = max(1, ROWS_NBYTES // row_nbytes)
        return (
            row
            for start in range(0, self.shape[0], step)
            for row in self[start : min(start + step, self.shape[0])]
        )

    def __contains__(self, value: object) -> bool:
        return bool((self.__array__() == value).any())

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise FrozenError("values stay as they are: pi.set(tree, {address: value}) gives another")

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous."
                " Use a.any() or a.all()"
            )
        return bool(self.__array__())

    def __format__(self, spec: str) -> str:
        return format(self.__array__(), spec) if spec else str(self)

    def __str__(self) -> str:
        return _text(self, "str")

    def __repr__(self) -> str:
        return _text(self, "repr")

    __hash__ = object.__hash__

    __int__, __float__, __complex__ = map(_operator, (int, float, complex))
    __index__ = _operator(operator.index)
    __eq__, __ne__ = _operator(operator.eq), _operator(operator.ne)
    __lt__, __le__ = _operator(operator.lt), _operator(operator.le)
    __gt__, __ge__ = _operator(operator.gt), _operator(operator.ge)
    __neg__, __pos__ = _operator(operator.neg), _operator(operator.pos)
    __abs__, __invert__ = _operator(abs), _operator(operator.invert)
    __add__, __radd__ = _operator(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _operator(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _operator(operator.mul), _reflected(operator.mul)
    __matmul__, __rmatmul__ = _operator(operator.matmul), _reflected(operator.matmul)
    __truediv__, __rtruediv__ = _operator(operator.truediv), _reflected(operator.truediv)
    __floordiv__, __rfloordiv__ = _operator(operator.floordiv), _reflected(operator.floordiv)
    __mod__, __rmod__ = _operator(operator.mod), _reflected(operator.mod)
    __divmod__, __rdivmod__ = _operator(divmod), _reflected(divmod)
    __pow__, __rpow__ = _operator(pow), _reflected(pow)
    __and__, __rand__ = _operator(operator.and_), _reflected(operator.and_)
    __or__, __ror__ = _operator(operator.or_), _reflected(operator.or_)
    __xor__, __rxor__ = _operator(operator.xor), _reflected(operator.xor)
    __lshift__, __rlshift__ = _operator(operator.lshift), _reflected(operator.lshift)
    __rshift__, __rrshift__ = _operator(operator.rshift), _reflected(operator.rshift)

    all, any, argmax, argmin = map(_method, ("all", "any", "argmax", "argmin"))
    max, mean, min, prod = map(_method, ("max", "mean", "min", "prod"))
    std, sum, trace, var = map(_method, ("std", "sum", "trace", "var"))
    cumprod, cumsum, dot = map(_method, ("cumprod", "cumsum", "dot"))
    argpartition, argsort, nonzero = map(_method, ("argpartition", "argsort", "nonzero"))
    choose, compress, searchsorted = map(_method, ("choose", "compress", "searchsorted"))
    clip, conj, conjugate, round = map(_method, ("clip", "conj", "conjugate", "round"))
    diagonal, repeat, take = map(_method, ("diagonal", "repeat", "take"))
    flatten, ravel, reshape = map(_method, ("flatten", "ravel", "reshape"))
    squeeze, swapaxes, transpose = map(_method, ("squeeze", "swapaxes", "transpose"))
    astype, item, view = map(_method, ("astype", "item", "view"))
    tobytes, tofile, tolist = map(_method, ("tobytes", "tofile", "tolist"))
    T, flat, imag, real = map(_view, ("T", "flat", "imag", "real"))
    mT = _view("mT")  # noqa: N815 (NumPy's name)

    def copy(self, order: Any = "C") -> np.ndarray[Any, Any]:
        """All values, as a new array that may be written to."""
        return self.__array__().copy(order)


def frozen(values: np.ndarray[Any, Any], index: Any) -> Any:
    """What an index gives to a user: read-only; one element is a NumPy scalar, as with NumPy."""
    values.flags.writeable = False
    items = index if isinstance(index, tuple) else (index,)
    return values if values.ndim or any(item is ... for item in items) else values[()]


def _text(array: NumpyLike, kind: str) -> str:
    """What NumPy prints of the values; of a large array only those at its edges are read."""
    import numpy as np

    show = np.array_repr if kind == "repr" else np.array_str
    if array.size <= np.get_printoptions()["threshold"]:
        return show(array.__array__())
    edges = _edges(array)
    with np.printoptions(threshold=0, edgeitems=REPR_EDGE):
        text = show(edges)
    values, is_told, rest = text.rpartition(f"shape={edges.shape}")
    if not is_told:
        return text
    values, rest = values.rstrip(), f"shape={array.shape}{rest}"
    last_line = len(values) - values.rfind("\n") - 1  # and a new one begins where NumPy begins it
    fits = last_line + len(rest) <= np.get_printoptions()["linewidth"]
    return f"{values}{' ' if fits else NEW_LINE}{rest}"


def _edges(array: NumpyLike) -> np.ndarray[Any, Any]:
    """The corners of an array, with one element between them on each axis that is cut."""
    import numpy as np

    most = 2 * REPR_EDGE + 1
    edges = np.zeros([min(length, most) for length in array.shape], array.dtype.to_numpy())
    ends = (slice(None, REPR_EDGE), slice(-REPR_EDGE, None))
    for corner in np.ndindex(*(2 if length > most else 1 for length in array.shape)):
        index = tuple(
            ends[which] if length > most else slice(None)
            for which, length in zip(corner, array.shape, strict=True)
        )
        edges[index] = array[index]
    return edges
