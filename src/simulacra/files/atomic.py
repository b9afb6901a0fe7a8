"""Outputs appear whole or not at all: written under a name of their own, then renamed.

Several processes may write the same output at once: each works under a name that no other has, and
the last one to finish wins whole. Data reach the disk before they get their name.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
LONGEST = 60
"""Characters of an output's name that the name of its unfinished form begins with."""
EXCHANGE = 2
"""Linux's flag for a rename that exchanges two names, RENAME_EXCHANGE."""
AT_WORKING_FOLDER = -100
"""Linux's AT_FDCWD: paths are relative to the working folder."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of writing: no space, no more of it for this user, or not in one file."""


def part_of(path: Path) -> Path:
    """Return the folder in which resumable work for ``path`` lies."""
    return path.with_name(path.name + ".part")


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_whole(folder: Path) -> None:
    """Remove a folder that loses its name first: a kill leaves no half of it there."""
    nameless = own_name(folder)
    folder.rename(nameless)
    remove(nameless)


def require_file_name(path: Path) -> None:
    """Raise a :class:`FileExistsError` where a folder, a pipe or a device has the name.

    A rename would replace the last two without a word, ``/dev/null`` included.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "not a file, and only files are replaced", str(path))


def require_place(path: Path) -> None:
    """Raise an :class:`OSError` unless an output of that name can be made; nothing is left.

    Raises:
        OSError: its folder, or the one in which that would be made, cannot be written to.
    """
    there = next(folder for folder in path.absolute().parents if os.path.lexists(folder))
    part = own_name(there / path.name)
    _begin(part, path)
    part.unlink()


@contextmanager
def whole_file(path: Path, sweep: bool = True) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of ``path`` when the block ends well.

    Args:
        path: the file.
        sweep: remove what killed processes left of it, for which the folder is listed; False where
            a folder has thousands of files and is removed in the end.

    Raises:
        OSError: the folder cannot be written to, or what has the name is no file; before the block
            begins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    require_file_name(path)
    if sweep:
        sweep_killed(path)
    part = own_name(path)
    _begin(part, path)
    try:
        with naming(path):
            yield part
            _flush(part)
        part.replace(path)
        _flush(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_whole_text(path: Path, text: str) -> None:
    """Write text as UTF-8; the file appears, or is replaced, when all of it is written."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``path`` when the block ends well.

    Raises:
        OSError: the folder around it cannot be written to; before the block begins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_killed(path)
    part = own_name(path)
    part.mkdir()
    try:
        with naming(path):
            yield part
            publish_folder(part, path)
    finally:
        remove(part)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the output in errors of a block that the disk is full, which name no file themselves."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL or error.filename is not None:
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from None


def flush_folder(folder: Path) -> None:
    """Have a folder and all in it on the disk."""
    for item in [*folder.rglob("*"), folder]:
        _flush(item)


def publish_folder(part: Path, path: Path) -> None:
    """Give the finished folder ``part`` the name ``path`` and remove what had it before."""
    flush_folder(part)
    name_folder(part, path)


def name_folder(part: Path, path: Path) -> None:
    """Give a folder that is on the disk the name ``path`` and remove what had it before."""
    if not path.exists():
        part.rename(path)
    elif _exchange(part, path):
        remove(part)
    else:  # for a moment there is neither; whoever reads or writes next can repair that
        old = own_name(path, "old")
        path.rename(old)
        part.rename(path)
        remove(old)
    _flush(path.parent)


def settled(folder: Path, read: Callable[[Path], Result]) -> Result:
    """Return what ``read`` makes of a folder, all of it from before a replacement or from after.

    Where the folder is replaced while it is read, it is read again.
    """
    _repair(folder)
    while True:
        before = _state(folder)
        try:
            found = read(folder)
        except Exception:
            if _state(folder) == before:
                raise
            continue
        if _state(folder) == before:
            return found


def _begin(part: Path, path: Path) -> None:
    """Make an empty file for what becomes ``path``, which errors name.

    Raises:
        OSError: the folder cannot be written to.
    """
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None


def own_name(path: Path, ending: str = "part") -> Path:
    """Return a hidden name beside ``path`` that says which process it belongs to."""
    owner = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f".{_stem(path)}.{owner}.{ending}")


def _stem(path: Path) -> str:
    """Return a short form of an output's name that no other output has."""
    if len(path.name) <= LONGEST:
        return path.name
    return path.name[:LONGEST] + hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]


def sweep_killed(path: Path) -> None:
    """Remove what processes of this machine that were killed have left of this output."""
    _repair(path)
    for leftover in _orphans(path, "part"):
        remove(leftover)


def _repair(path: Path) -> None:
    """Give a folder its name back where its replacement was killed between two renames."""
    if path.exists():
        return
    for old in _orphans(path, "old"):
        with suppress(OSError):
            old.rename(path)
            return


def _orphans(path: Path, ending: str) -> Iterator[Path]:
    """Yield files and folders for ``path`` of processes that have ended."""
    start = f".{_stem(path)}.{_host()}-"
    form = re.compile(re.escape(start) + rf"(\d+)-[0-9a-f]{{8}}\.{ending}")
    try:
        names = [entry.name for entry in os.scandir(path.parent) if entry.name.startswith(start)]
    except OSError:
        return
    for name in names:
        match = form.fullmatch(name)
        if match and not _is_running(int(match[1])):
            yield path.with_name(name)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:16] or "host"


def _flush(path: Path) -> None:
    """Have a file's or folder's content on the disk; some file systems do not do it for folders."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names at once; return whether the system can do that."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    names = (os.fsencode(one), os.fsencode(other))
    done = rename(AT_WORKING_FOLDER, names[0], AT_WORKING_FOLDER, names[1], EXCHANGE)
    return bool(done == 0)


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return what tells a folder from another one that takes its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what a folder that takes the name has otherwise, a reused number included."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_ctime_ns, found.st_mtime_ns
