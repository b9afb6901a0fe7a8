"""Splitting a sample once and for all: to learn from, to choose by, to be judged on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simulacra.arrays import IntArray
from simulacra.errors import EventsError
from simulacra.events import Events

PARTS = {2: ("train", "test"), 3: ("train", "selection", "test")}
"""The names of the parts, by their number."""
STREAM = 2
"""Of a seed, the stream that the shuffling is drawn from."""


def parse_shares(text: str) -> tuple[float, ...]:
    """Return the shares of ``80/10/10``, in percent.

    Example:
        >>> parse_shares("80/10/10")
        (80.0, 10.0, 10.0)

    Raises:
        EventsError: there are not two or three positive numbers that sum to 100.
    """
    try:
        shares = tuple(float(share) for share in text.split("/"))
    except ValueError:
        shares = ()
    if len(shares) not in PARTS or min(shares) <= 0 or abs(sum(shares) - 100) > 1e-6:
        msg = f"--split {text}: give percentages that sum to 100: 80/10/10 or 80/20"
        raise EventsError(msg)
    return shares


def part_paths(output: Path, shares: Sequence[float]) -> dict[str, Path]:
    """Return the file of each part: ``events.h5`` becomes ``events-train.h5`` and so on."""
    return {
        name: output.with_name(f"{output.stem}-{name}{output.suffix}")
        for name in PARTS[len(shares)]
    }


def split_rows(n: int, shares: Sequence[float], seed: int) -> list[IntArray]:
    """Return the rows of each part: disjoint, chosen at random, in ascending order.

    Args:
        n: number of events; every one lies in exactly one part.
        shares: of the parts, in percent.
        seed: where the choice comes from.

    Raises:
        EventsError: a part would be empty.
    """
    ends = np.round(np.cumsum(shares) / sum(shares) * n).astype(np.int64)
    order = np.random.default_rng([seed, STREAM]).permutation(n)
    parts = [np.sort(rows) for rows in np.split(order, ends[:-1])]
    if min(len(rows) for rows in parts) == 0:
        msg = f"{n} events are too few for a split {'/'.join(f'{share:g}' for share in shares)}"
        raise EventsError(msg)
    return parts


def split_events(events: Events, shares: Sequence[float], seed: int) -> dict[str, Events]:
    """Return the parts of a sample by name, events in their order, with the split in provenance."""
    named = {}
    rows_of = split_rows(len(events), shares, seed)
    for name, rows in zip(PARTS[len(shares)], rows_of, strict=True):
        part = events.take(rows)
        record = {"part": name, "of": len(events), "shares": list(shares), "seed": seed}
        facts = {**part.provenance, "split": record}
        named[name] = Events(part.conditions, part.response, part.detector, facts)
    return named
