"""What is kept of an HDF5 file, or one of Keras, in order to write a tree into a copy of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paraminspect.arrays import Array, Opaque
from paraminspect.formats._json import shown
from paraminspect.formats.hdf5._contents import Contents
from paraminspect.tree import Parameter, ParameterTree

if TYPE_CHECKING:
    from paraminspect.formats.zip import Archive


@dataclass(frozen=True)
class Edits:
    """How a copy of the file becomes the tree, by the paths of datasets."""

    untied: list[str]
    """Get a dataset of their own, a copy of the one that they share."""
    links: list[tuple[str, str]]
    """Aliases and own names that become one dataset."""
    added: list[tuple[str, str]]
    """The same, where the alias is a new name."""
    values: dict[str, Array]
    """New values."""


@dataclass(frozen=True)
class Origin:
    """The file, or the shards, that a tree was opened from, and what that tree was."""

    parts: Sequence[Contents]
    entries: Mapping[str, Parameter]
    ties: Mapping[str, str]
    archive: Archive | None = None

    def path_of(self, name: str) -> str:
        """The path under which the file keeps a parameter."""
        return self.entries[name].stored_path or name

    def why_not(self, tree: ParameterTree) -> str:
        """Why the tree cannot be written into a copy of the file; empty if it can."""
        for name in self.entries:
            if name not in tree.entries and name not in tree.source.optimizer:
                return f"{shown(name)} is missing"
        for name, parameter in tree.entries.items():
            old = self.entries.get(name)
            if old is None and tree.source.format == "hdf5" and name in tree.ties:
                continue  # another link; in a file of Keras no model would look for it
            if old is None:
                return f"{shown(name)} is not in {self.parts[0].source.path.name}"
            if (parameter.shape, parameter.dtype) != (old.shape, old.dtype):
                new = f"{parameter.dtype} {list(parameter.shape)}"
                return f"{shown(name)} is {new} and was {old.dtype} {list(old.shape)}"
        return ""

    def edits(self, tree: ParameterTree) -> Edits:
        """What it takes to make the file the tree, which can be written into it.

        A dataset that two own names shared stays with the first; the other gets a copy.
        """
        holders: dict[str, str] = {}
        untied, links, added = [], [], []
        for parameter in tree.parameters():
            old_owner = self.ties.get(parameter.name, parameter.name)
            if holders.setdefault(old_owner, parameter.name) != parameter.name:
                untied.append(parameter.name)
        for alias, own in tree.ties.items():
            if alias not in self.entries:
                added.append((alias, self.path_of(own)))
                continue
            same = self.ties.get(alias, alias) == self.ties.get(own, own)
            if not same or own in untied:
                links.append((self.path_of(alias), self.path_of(own)))
        values = {
            self.path_of(p.name): p.data
            for p in tree.parameters()
            if p.data is not self.entries[p.name].data and not isinstance(p.data, Opaque)
        }
        return Edits([self.path_of(name) for name in untied], links, added, values)
