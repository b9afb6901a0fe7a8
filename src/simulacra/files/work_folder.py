"""Folders of unfinished work beside an output, in which one process at a time works.

Such a folder has a marker file from the moment on at which it has its name. A folder without one is
somebody else's, whatever its files are called: it is neither used nor removed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from simulacra.errors import SimulacraError
from simulacra.files.atomic import (
    flush_folder,
    identity_of,
    name_folder,
    own_name,
    remove,
    remove_whole,
    sweep_killed,
    write_whole_text,
)

LOCK = "lock"
"""The file in the folder that the process at work holds locked."""
MARKER = ".simulacra-work"
"""The file that makes a folder one of ours."""
SIGNATURE = "Unfinished work of simulacra; the command that began it goes on with it.\n"
"""The content of the marker."""
TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
"""Errors of a rename to a name that somebody else has taken meanwhile."""


@contextmanager
def workplace(folder: Path, keep: str | tuple[str, ...], *other: str) -> Iterator[Path]:
    """Yield a folder for resumable work, made or found; no other process works in it meanwhile.

    It stays where the block leaves files to go on from, and is removed where not.

    Args:
        folder: the folder.
        keep: the pattern, or several, of the files to go on from.
        other: patterns of all other files that the work leaves there.

    Raises:
        SimulacraError: another process works there, or the folder holds something else.
    """
    kept = (keep,) if isinstance(keep, str) else keep
    lock, here = _entered(folder, (*kept, *other))
    try:
        yield folder
    finally:
        if identity_of(folder) == here and not any(
            True for pattern in kept for _ in folder.glob(pattern)
        ):
            remove_whole(folder)
        lock.release()


def is_work(folder: Path) -> bool:
    """Return whether a folder is one of unfinished work, by its marker."""
    marker = folder / MARKER
    if folder.is_symlink() or marker.is_symlink() or not marker.is_file():
        return False
    with marker.open("rb") as file:
        return file.read(len(SIGNATURE) + 1) == SIGNATURE.encode()


def publish_work(folder: Path, path: Path) -> None:
    """Give the finished folder the name ``path``, without its marker.

    A kill between the moves leaves a hidden folder, which is removed where the work begins anew:
    nothing of the name ``path`` ever holds a marker.
    """
    flush_folder(folder)  # before the moves, so that nothing takes long between them
    part = own_name(path)
    folder.rename(part)
    (part / MARKER).unlink(missing_ok=True)
    name_folder(part, path)


def _entered(folder: Path, known: tuple[str, ...]) -> tuple[FileLock, tuple[int, int] | None]:
    """Return the lock of the folder, held, and what tells the folder from one of that name."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep_killed(folder)
    while True:
        if not os.path.lexists(folder):
            _make(folder)
        if not _is_ours(folder, known):
            if not os.path.lexists(folder):  # who was at work has just finished
                continue
            msg = f"{folder} is there and holds something else: remove it or choose another output"
            raise SimulacraError(msg)
        here = identity_of(folder)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except FileNotFoundError:  # likewise
            continue
        except Timeout:
            msg = f"{folder} is in use: another process works on the same output"
            raise SimulacraError(msg) from None
        if identity_of(folder) == here:
            return lock, here
        lock.release()


def _make(folder: Path) -> None:
    """Make the folder with its marker, at once, unless another process has just made it."""
    part = own_name(folder)
    part.mkdir()
    try:
        write_whole_text(part / MARKER, SIGNATURE)
        part.rename(folder)
    except OSError as error:
        if error.errno not in TAKEN:
            raise
    finally:
        remove(part)


def _is_ours(folder: Path, known: tuple[str, ...]) -> bool:
    """Return whether the folder is ours and holds nothing else; False where it has just gone."""
    if not is_work(folder):
        return False
    names = (*known, LOCK, MARKER, ".*.part")  # what a killed process was writing is ours as well
    try:
        return all(any(item.match(name) for name in names) for item in folder.iterdir())
    except FileNotFoundError:
        return False
