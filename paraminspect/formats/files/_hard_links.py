"""Other names (hard links) of files that are replaced: they keep what the files were."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class OtherNames:
    """How many other names each of some files had, and which file it was."""

    counts: Mapping[Path, int]
    inodes: Mapping[Path, int]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> OtherNames:
        """Those of the files that are there now."""
        found = {path: status for path in paths if (status := _status(path)) is not None}
        return cls(
            {path: status.st_nlink - 1 for path, status in found.items()},
            {path: status.st_ino for path, status in found.items()},
        )

    def left_behind(self) -> list[str]:
        """What to say of the files that have been replaced since, a line each."""
        now = OtherNames.of(self.counts).inodes
        return [
            f"{path}: {count} other name{'s keep' if count > 1 else ' keeps'} the old values"
            " (hard links)"
            for path, count in self.counts.items()
            if count and now.get(path) != self.inodes[path]
        ]


def _status(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None
