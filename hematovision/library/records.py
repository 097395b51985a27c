"""A record of the library: one picture, where it lies and what is known about it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class Record:
    """One picture of a data set: where it lies, the expert key, and what else is known."""

    dataset: str
    path: Path
    label: str
    split: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    stage: str = ""
    """One of `cells.STAGES`; empty where none is known."""
    is_drawn: bool = False

    @cached_property
    def picture_id(self) -> str:
        """A neutral name: tells neither file name nor class. A file that was changed has another one when read anew.

        Computed once: what became of the file since is for those who open it.
        """
        if self.is_drawn:
            # Made of its content: a copy of the folder keeps what a learner has seen.
            return self.path.stem
        stat = self.path.stat()
        text = f"{self.dataset}/{self.path.parent.name}/{self.path.name}/{stat.st_size}/{stat.st_mtime_ns}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]
