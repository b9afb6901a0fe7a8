"""Libraries of events to overlay: read, and described by their files' digests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulacra.datasets.samples import open_parts
from simulacra.detectors import Detector
from simulacra.errors import EventsError
from simulacra.events import Events, require_same_detector
from simulacra.files.digests import columns_digest
from simulacra.io.joined import whole


@dataclass(frozen=True, slots=True)
class Library:
    """Events to draw from, and where they come from.

    Attributes:
        events: the events.
        sources: JSON-like facts: name of the ``file``, its ``sha256``, first and last ``rows``; of
            events in memory, the digest is that of their columns.
    """

    events: Events
    sources: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, given: Events | str | Path | Sequence[str], detector: Detector) -> Library:
        """Return the library of a detector.

        Args:
            given: events; or files: a path, ``sample:train``, a pattern, or several of these.
            detector: whose events they must be.

        Raises:
            EventsError: it is empty, of another detector, or a file cannot be used.
        """
        sources: tuple[dict[str, Any], ...]
        if isinstance(given, Events):
            digest = columns_digest({**given.conditions.columns, **given.response})
            found = given
            sources = ({"sha256": digest, "rows": [0, len(given)]},)
        else:
            texts = [str(given)] if isinstance(given, str | Path) else given
            parts = [part for text in texts for part in open_parts(text)]
            found = whole(parts)
            sources = tuple(
                {"file": path.name, "sha256": _sha256(path), "rows": [rows.start, rows.stop]}
                for path, rows in ((Path(part.name), part.rows) for part in parts)
            )
        require_same_detector(detector, found.detector)
        if not len(found):
            msg = "the library holds no events"
            raise EventsError(msg)
        return cls(found, sources)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
