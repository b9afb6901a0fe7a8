"""A folder that is followed: which of its files are new and whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import sleep

from simulacra.errors import SimulacraError

POLL = 2.0
"""Seconds between two looks at a folder: a file that does not change between them is whole."""

State = tuple[int, int]


class Folder:
    """Finds files that are new or were replaced, once they no longer change.

    Hidden files and folders inside are left alone: writers keep unfinished files there.

    Args:
        path: the folder.

    Raises:
        SimulacraError: it is no folder.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            msg = f"{path} is no folder; --follow watches one for new files"
            raise SimulacraError(msg)
        self._path = path
        self._last: dict[Path, State] = {}
        self._given: dict[Path, State] = {}

    def ready(self) -> list[Path]:
        """Return the files that did not change since the last call, each once, oldest first.

        A file that changed after it was returned is returned again.
        """
        now = dict(_files(self._path))
        found = [
            path
            for path, state in now.items()
            if self._last.get(path) == state and self._given.get(path) != state
        ]
        self._given.update({path: now[path] for path in found})
        self._last = now
        return sorted(found, key=lambda path: (now[path][1], path.name))

    def arriving(self) -> Iterator[Path]:
        """Yield files as they become ready, without an end."""
        while True:
            yield from self.ready()
            sleep(POLL)


def _files(folder: Path) -> Iterator[tuple[Path, State]]:
    """Yield the files of a folder with size and time of the last change."""
    for path in folder.iterdir():
        try:
            facts = path.stat()
        except FileNotFoundError:  # removed or renamed in between
            continue
        if path.is_file() and not path.name.startswith(".") and facts.st_size:
            yield path, (facts.st_size, facts.st_mtime_ns)
