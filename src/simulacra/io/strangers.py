"""What an HDF5 file of no known kind holds, and which kind it nearly is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py

from simulacra.io.datasets import SIGNATURE, opened, starts_with
from simulacra.io.left_out import arrays_of

SHOWN = 8
"""Arrays that a message lists."""


def describe_stranger(path: Path, needed: Mapping[str, Sequence[str]]) -> str:
    """Return what to say of a file that no format recognises; empty for what is not HDF5.

    Args:
        path: the file.
        needed: the arrays at the top of each format's files.
    """
    if not starts_with(path, SIGNATURE):
        return ""
    with opened(path) as file:
        names = sorted(arrays_of(file))
        shapes = [f"{name} {file[name].shape}" for name in names[:SHOWN]]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        holds = f"it holds {', '.join(shapes)}{more}" if names else "it holds no arrays"
        return "; ".join([holds, *_nearly(file, needed)])


def _nearly(file: h5py.File, needed: Mapping[str, Sequence[str]]) -> list[str]:
    """Return, for the kinds that the file has the largest part of, the arrays that it lacks."""
    parts = {
        kind: sum(name in file for name in arrays) / len(arrays) for kind, arrays in needed.items()
    }
    nearest = max(parts.values(), default=0.0)
    lacking = []
    for kind in (kind for kind, part in parts.items() if part == nearest > 0):
        missing = [name for name in needed[kind] if name not in file]
        line = f"{kind} files need {', '.join(missing)} too"
        inside = sorted(name for name in arrays_of(file) if name.rpartition("/")[2] in missing)
        line += f" (at the top, not as {', '.join(inside)})" if inside else ""
        lacking.append(line)
    return lacking
