"""Facts as text and HTML: a screen of them for a file, twelve lines for an object.

Facts are a mapping of words to texts and numbers, and lists and mappings of these.
"""

from __future__ import annotations

import textwrap
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from simulacra.errors import printable

WIDTH = 100
"""Characters in a line."""
MOST_LINES = 12
"""Entries of one list or mapping that are shown, and lines of an object."""
LONGEST_NAME = 40
"""Characters of the word for a fact in a short table."""
EMPTY: tuple[object, ...] = (None, "", [], {}, ())
"""Facts that are left out."""


class Described:
    """An object whose ``repr`` is a short table of facts, as HTML in a notebook."""

    __slots__ = ()

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the facts on the object, the most important ones first."""

    def __repr__(self) -> str:
        """Return at most 12 lines of text."""
        rows = short_rows(self.describe())
        indent = max((len(name) for name, _ in rows), default=0) + 2
        lines = [f"{name.ljust(indent)}{text}" for name, text in rows]
        return "\n".join([f"<{type(self).__name__}>", *lines])

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        """Return a table of at most 11 rows, for notebooks."""
        head = f'<caption style="text-align: left">{escape(type(self).__name__)}</caption>'
        left = 'style="text-align: left"'
        rows = (
            f"<tr><th {left}>{escape(name)}</th><td {left}>{escape(text)}</td></tr>"
            for name, text in short_rows(self.describe())
        )
        return f"<table>{head}{''.join(rows)}</table>"


def short_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return facts as at most 11 rows of a word and a text of one line.

    A mapping that is too long for a line takes a row for each entry where there is room for that,
    and is a list of its names where there is not.

    Example:
        >>> short_rows({"events": 3, "seed": None, "conditions": {"energy": "1 GeV", "theta": 0}})
        [('events', '3'), ('conditions', 'energy: 1 GeV; theta: 0')]
    """
    shown = [(_line(name, LONGEST_NAME), v) for name, v in facts.items() if v not in EMPTY]
    room = WIDTH - max((len(name) for name, _ in shown), default=0) - 2
    most = MOST_LINES - 1
    spare, rows = most - len(shown), []
    for name, value in shown:
        lines = _short(value, room, max(spare, 0) + 1)
        spare -= len(lines) - 1
        rows += [(name if number == 0 else "", line) for number, line in enumerate(lines)]
    if len(rows) > most:
        left_out = ", ".join(name for name, _ in rows[most - 1 :])
        rows = [*rows[: most - 1], ("…", _line(f"{left_out}: describe()", room))]
    return rows


def _short(value: object, room: int, most: int) -> list[str]:
    """Return a fact in a line, or a mapping in at most so many lines."""
    if not isinstance(value, Mapping):
        return [_line(_word(value), room)]
    entries = [(_line(name, LONGEST_NAME), _word(entry)) for name, entry in value.items()]
    text = printable("; ".join(f"{name}: {entry}" for name, entry in entries))
    if len(text) <= room:
        return [text]
    if len(entries) > most:
        return [_line(", ".join(name for name, _ in entries), room)]
    indent = max(len(name) for name, _ in entries) + 2
    return [name.ljust(indent) + _line(entry, room - indent) for name, entry in entries]


def _line(text: object, room: int) -> str:
    """Return a text as one line, without its end where it is too long."""
    shown = printable(str(text))
    return shown if len(shown) <= room else f"{shown[: room - 2].rstrip(', ')} …"


def as_text(facts: Mapping[str, Any]) -> str:
    """Return facts as lines: a word, and beside it what there is to say.

    Example:
        >>> print(as_text({"events": 3, "conditions": {"energy": "1 GeV", "theta": "0 rad"}}))
        events      3
        conditions  energy  1 GeV
                    theta   0 rad
    """
    shown = {name: value for name, value in facts.items() if value not in EMPTY}
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


def provenance_facts(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return a provenance in short: no digests, and of what is nested only plain facts."""
    facts: dict[str, Any] = {}
    for name, value in provenance.items():
        if name.endswith("sha256") or value in EMPTY:
            continue
        if isinstance(value, Mapping):
            plain = {k: v for k, v in value.items() if not isinstance(v, Mapping | list | tuple)}
            facts[name] = plain or "…"
        elif isinstance(value, list | tuple) and any(isinstance(v, Mapping) for v in value):
            facts[name] = f"{len(value)} entries"
        else:
            facts[name] = value
    return facts
