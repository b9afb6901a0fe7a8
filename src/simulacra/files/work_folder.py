"""Folders of unfinished work beside an output, in which one process at a time works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from simulacra.errors import SimulacraError
from simulacra.files.atomic import identity_of, remove

LOCK = "lock"
"""The file in the folder that the process at work holds locked."""


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
            remove(folder)
        lock.release()


def _entered(folder: Path, known: tuple[str, ...]) -> tuple[FileLock, tuple[int, int] | None]:
    """Return the lock of the folder, held, and what tells the folder from one of that name."""
    while True:
        if folder.exists() and not _is_ours(folder, known):
            msg = f"{folder} is there and holds something else: remove it or choose another output"
            raise SimulacraError(msg)
        folder.mkdir(parents=True, exist_ok=True)
        here = identity_of(folder)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except FileNotFoundError:  # who was at work has just finished
            continue
        except Timeout:
            msg = f"{folder} is in use: another process works on the same output"
            raise SimulacraError(msg) from None
        if identity_of(folder) == here:
            return lock, here
        lock.release()


def _is_ours(folder: Path, known: tuple[str, ...]) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    names = (*known, LOCK, ".*.part")  # what a killed process was writing is ours as well
    return all(any(item.match(name) for name in names) for item in folder.iterdir())
