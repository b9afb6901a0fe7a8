"""Outputs appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def part_of(path: Path) -> Path:
    """Return where the unfinished output for ``path`` lies."""
    return path.with_name(path.name + ".part")


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of ``path`` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``path`` when the block ends well."""
    part = part_of(path)
    remove(part)
    part.mkdir(parents=True)
    try:
        yield part
        publish_folder(part, path)
    finally:
        remove(part)


def publish_folder(part: Path, path: Path) -> None:
    """Rename the finished folder ``part`` to ``path``, replacing what was there."""
    old = path.with_name(path.name + ".old.part")
    remove(old)
    if path.exists():
        path.rename(old)
    part.rename(path)
    remove(old)
