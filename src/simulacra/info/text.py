"""Facts as plain text, at most a screen of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 100
"""Characters in a line."""
MOST_LINES = 12
"""Entries of one list or mapping that are shown."""


def as_text(facts: Mapping[str, Any]) -> str:
    """Return facts as lines: a word, and beside it what there is to say.

    Example:
        >>> print(as_text({"events": 3, "conditions": {"energy": "1 GeV", "theta": "0 rad"}}))
        events      3
        conditions  energy  1 GeV
                    theta   0 rad
    """
    shown = {name: value for name, value in facts.items() if value not in (None, "", [], {}, ())}
    indent = max(map(len, shown), default=0) + 2
    lines = []
    for name, value in shown.items():
        for number, line in enumerate(_lines(value, WIDTH - indent)):
            lines.append((name if number == 0 else "").ljust(indent) + line)
    return "\n".join(lines)


def _lines(value: object, width: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        entries = [(str(name), _word(entry)) for name, entry in value.items()]
        indent = max((len(name) for name, _ in entries), default=0) + 2
        for name, text in entries[:MOST_LINES]:
            wrapped = textwrap.wrap(text, max(width - indent, 20)) or [""]
            for number, line in enumerate(wrapped):
                yield (name if number == 0 else "").ljust(indent) + line
    elif isinstance(value, list | tuple):
        entries = [("", _word(entry)) for entry in value]
        for _, text in entries[:MOST_LINES]:
            yield from textwrap.wrap(text, width)
    else:
        entries = []
        yield from textwrap.wrap(_word(value), width)
    if len(entries) > MOST_LINES:
        yield f"… and {len(entries) - MOST_LINES} more"


def _word(value: object) -> str:
    """Return one fact in a line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_word(entry)}" for name, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_word, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
