"""Digests of files that carry them: what is read is what was written.

A writer leaves :data:`PLACEHOLDER` somewhere in the content; :func:`seal` puts the SHA-256 of the
content there. :func:`require_intact` computes it again. Content without a seal, of an earlier
version, passes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from simulacra.arrays import Array
from simulacra.errors import SimulatorError

MARK = b"sha256-of-this-file:"
PLACEHOLDER = (MARK + b"0" * 64).decode()
"""What stands in the place of the digest while it is computed."""
_SEAL = re.compile(MARK + rb"([0-9a-f]{64})")


def seal(content: bytes) -> bytes:
    """Return the content with its digest in the place of the one placeholder."""
    place = content.index(PLACEHOLDER.encode())
    digest = MARK + hashlib.sha256(content).hexdigest().encode()
    return content[:place] + digest + content[place + len(digest) :]


def require_intact(content: bytes) -> None:
    """Raise a :class:`SimulatorError` where sealed content is not as it was written."""
    found = _SEAL.search(content)
    if found is None:
        if any(half in content for half in (MARK[:10], MARK[10:])):  # the mark itself is damaged
            raise SimulatorError(_CHANGED)
        return
    empty = content[: found.start()] + PLACEHOLDER.encode() + content[found.end() :]
    if hashlib.sha256(empty).hexdigest().encode() != found[1]:
        raise SimulatorError(_CHANGED)


_CHANGED = "it was changed or damaged: its digest is not the one that it carries"


def columns_digest(columns: Mapping[str, Array]) -> str:
    """Return the SHA-256 of named columns, whatever their order."""
    digest = hashlib.sha256()
    for name in sorted(columns):
        digest.update(f"{name} {columns[name].dtype.str} ".encode() + columns[name].tobytes())
    return digest.hexdigest()
