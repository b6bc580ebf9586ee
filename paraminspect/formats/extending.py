"""What a format of another package is made of: reading dense values, and writing a whole file."""

from paraminspect.formats._format import Format, Holds
from paraminspect.formats._json import read_json
from paraminspect.formats.files._new_file import NewFile
from paraminspect.formats.files._reading import RegularFile, StoredArray, open_regular
from paraminspect.formats.files._replacing import replacing
from paraminspect.formats.files._transfer import Placed, transfer

__all__ = [
    "Format",
    "Holds",
    "NewFile",
    "Placed",
    "RegularFile",
    "StoredArray",
    "open_regular",
    "read_json",
    "replacing",
    "transfer",
]
