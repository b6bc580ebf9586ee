"""Every deliberate error of paraminspect, and how foreign text is made safe for one line.

All are children of `ParamInspectError`: the command line turns each into one line on stderr and
status 2, a library user catches the family by its one name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np


class ParamInspectError(Exception):
    """Something a user can understand and mend: the message is the whole story, on one line.

    An error knows its place: `subjects` (a file, a parameter, a layer) stand before the message,
    outermost first, and `place` (a path in a definition, a line) behind it: `FILE: what @ place`.
    `way` is the argument that would allow what was refused, as Python spells it; a face that
    spells it otherwise asks for its own `worded` text.

        >>> import paraminspect as pi
        >>> try:
        ...     pi.open("missing.npz")
        ... except pi.ParamInspectError as error:
        ...     print(error)
        missing.npz: cannot open: no such file or directory

    The text is raw; whoever prints it on a terminal passes it through `escape`, once.
    """

    def __init__(self, message: str, place: object = "") -> None:
        super().__init__(message)
        self.subjects: tuple[str, ...] = ()
        self.place = str(place)
        self.way: Mapping[str, object] = {}

    def at(self, *subjects: object) -> Self:
        """Say what the error is about, outermost first; called by whoever knows, on the way up.

        What has no name is left out, and what it is about already is not said twice.
        """
        names = tuple(name for name in map(str, subjects) if name)
        inner = self.subjects[1:] if self.subjects[:1] == names[:1] else self.subjects
        self.subjects = (*names, *inner)
        return self

    def unless(self, **argument: object) -> Self:
        """Say which argument would allow it: `error.unless(overwrite=True)`.

        `...` stands for a value that the user has to choose: `error.unless(dtype=...)`.
        """
        self.way = argument
        return self

    @property
    def is_located(self) -> bool:
        """Whether it says already where it happened."""
        return bool(self.subjects or self.place)

    @property
    def message(self) -> str:
        """What is wrong, without what it is about and where."""
        return str(self.args[0])

    def worded(self, spell: Spell) -> str:
        """The whole text, with the way out as `spell` has it from a name and a value."""
        text = ": ".join((*self.subjects, self.message))
        if self.way:
            text += f"; use {' or '.join(spell(*argument) for argument in self.way.items())}"
        return f"{text} @ {self.place}" if self.place else text

    def __str__(self) -> str:
        return self.worded(spell_argument)


class AddressError(ParamInspectError, KeyError):
    """An address is malformed, points outside a shape, or matches no parameter.

    A `KeyError` too: a tree is a mapping, and `in` and `get` rely on that.
    """

    __str__ = ParamInspectError.__str__  # KeyError shows the repr of its message


class EmptyPlaceError(AddressError):
    """An index selects nothing."""


class OutOfBoundsError(AddressError, IndexError):
    """An index does not fit a shape: an `IndexError` too, as everywhere in Python."""


class ArgumentError(ParamInspectError, TypeError):
    """A function of the library was called with something that it cannot take."""


class FrozenError(ParamInspectError, AttributeError, TypeError):
    """Trees and values stay as they are: an edit gives another tree.

    It is what Python raises when something that cannot change is set: an attribute, or an item.
    """


class ExpressionError(ParamInspectError):
    """An expression is malformed, uses what the language does not have, or passes a limit."""


class DefinitionError(ParamInspectError):
    """A model definition is malformed or describes an impossible model."""

    caller = ""
    """Where the block was called in whose body the error is."""

    def worded(self, spell: Spell) -> str:
        """The whole text, and where the block was called."""
        return super().worded(spell) + (f", called from {self.caller}" if self.caller else "")


class CheckpointError(ParamInspectError):
    """A file is not a valid checkpoint, cannot be read, or cannot be written."""


class ShapeError(ParamInspectError):
    """Shapes do not fit."""


class DTypeError(ParamInspectError):
    """Values cannot be represented in a dtype, or a dtype has no NumPy counterpart."""


class CastError(DTypeError):
    """Values would lose more than rounding does: how many, and where the first is, counted flat."""

    def __init__(self, message: str, position: int = 0, count: int = 1) -> None:
        super().__init__(message)
        self.position = position
        self.count = count

    @classmethod
    def of_first(cls, lost: np.ndarray[Any, Any], message: str) -> CastError:
        """The error of an array that says where values are lost."""
        flat = lost.reshape(-1)
        return cls(message, int(flat.argmax()), int(flat.sum()))


class UnsetError(ParamInspectError):
    """A parameter has no values yet: it comes from a definition that nobody initialized."""


class TieError(ParamInspectError):
    """Two parameters cannot be tied."""


class SchemeError(ParamInspectError):
    """A scheme is unknown, has wrong arguments, or cannot be used for a shape."""


class DurabilityError(CheckpointError):
    """The new file is in place, but the system did not confirm that it survives a power cut."""


Spell = Callable[[str, object], str]
"""How a face writes an argument that the library names."""


def spell_argument(name: str, value: object) -> str:
    """`overwrite=True`, or `dtype=...` for a value that the user has to choose."""
    return f"{name}={'...' if value is ... else repr(value)}"


def nearest(name: str, known: Iterable[str]) -> str:
    """`": did you mean 'Linear'?"`-like ending for an unknown `name`, or an empty string."""
    import difflib  # only an error needs it: listing starts without

    spellings: dict[str, list[str]] = {}
    for one in known:
        spellings.setdefault(one.lower(), []).append(one)
    matches = difflib.get_close_matches(name.lower(), spellings, n=1, cutoff=0.6)
    if not matches:
        return ""
    (best,) = difflib.get_close_matches(name, spellings[matches[0]], n=1, cutoff=0)
    return f", did you mean {best!r}?"


def brief(value: object) -> str:
    """What was given, as a message shows it: on one line, cut where it gets long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def escape(text: str) -> str:
    r"""`text` with everything that could steer a terminal written as `\xNN` or `\uNNNN`.

    Names, metadata and file names are hostile until proven otherwise. A backslash is doubled, so
    that the escaped form is unambiguous; printable characters of any script stay as they are.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_escape_character, text))


def _escape_character(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as surrogateescape keeps it
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 name`, `2,048 names`, `3 axes` for `counted(3, "axis", "axes")`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
