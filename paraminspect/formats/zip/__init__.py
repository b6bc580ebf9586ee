"""Zip archives: the members by name, and the bytes of each at any offset.

Nothing is ever extracted, and no name of a member becomes a path.
"""

from paraminspect.formats.zip._directory import DEFLATED, STORED, Member
from paraminspect.formats.zip._member import MemberBytes, StoredMember
from paraminspect.formats.zip._opening import Archive
from paraminspect.formats.zip._writing import NewArchive, NewMember

__all__ = [
    "DEFLATED",
    "STORED",
    "Archive",
    "Member",
    "MemberBytes",
    "NewArchive",
    "NewMember",
    "StoredMember",
]
