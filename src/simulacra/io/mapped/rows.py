"""Which rows of the tables belong to which event."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulacra.arrays import IntArray
from simulacra.errors import EventsError
from simulacra.io.datasets import range_of
from simulacra.io.mapped.join import Keys, events_of_hits
from simulacra.io.mapped.mapping import Layout, columns_in
from simulacra.io.mapped.plan import Plan
from simulacra.io.mapped.tables import Table, describe


@dataclass
class Rows:
    """Which rows of the tables belong to the events that are read.

    Attributes:
        count: number of events.
        truth: the rows of conditions to read.
        hits: the rows of the response to read.
        keys: of rows of hits that carry the conditions too, else None.
        shot: of the truth the rows of the particles that were shot, where it has others too.
        event: for each row of hits that is read its event (rows,), below 0 or beyond for others;
            None where rows are events.
    """

    count: int
    truth: slice
    hits: slice
    keys: Keys | None = None
    event: IntArray | None = None
    shot: IntArray | None = None
    events: slice = field(default_factory=lambda: slice(None))


def count_events(plan: Plan, layout: Layout) -> int:
    """Return how many events the tables hold."""
    if _rows_share_events(plan, layout):
        first, _ = read_keys(plan, plan.hits).order
        return len(first)
    shot = _shot(plan) if plan.joined else None
    return len(plan.truth) if shot is None else len(shot)


def one_row_a_hit(plan: Plan) -> bool:
    """Return whether rows of the table of hits are single hits."""
    if "cell_energy" not in plan.places:
        return False
    place = plan.places["cell_energy"]
    return not plan.joined and place.table.read(place.columns[0], slice(0, 1)).flat


def _rows_share_events(plan: Plan, layout: Layout) -> bool:
    """Return whether several rows of the one table make an event: hits, or lists of them."""
    if one_row_a_hit(plan):
        return True
    if "event" not in layout.sources or "cell_energy" not in plan.places or plan.joined:
        return False
    keys = read_keys(plan, plan.truth)
    return len(keys.order[0]) < len(keys.numbers)


def _repeats(plan: Plan) -> int:
    """Return how many rows repeat the number of another one, if there are event numbers."""
    if plan.truth.name not in plan.keys:
        return 0
    try:
        keys = read_keys(plan, plan.truth)
    except EventsError:  # another thing of that name, which nobody asked for
        return 0
    return len(keys.numbers) - len(keys.order[0])


def read_keys(plan: Plan, table: Table) -> Keys:
    """Return the event numbers of a table's rows.

    Raises:
        EventsError: the table has none.
    """
    if table.name not in plan.keys:
        msg = (
            f"rows of {table.name} are single hits: the number of their event is needed "
            f"(--map event=COLUMN); {describe({table.name: table})}"
        )
        raise EventsError(msg)
    return Keys.read(plan.keys[table.name])


def select_rows(plan: Plan, layout: Layout, rows: slice) -> tuple[Rows, list[str]]:
    """Return which rows to read, and notes."""
    if plan.joined:
        return _joined_rows(plan, rows), _noted_keys(plan, layout)
    if _rows_share_events(plan, layout):
        keys = read_keys(plan, plan.hits)
        keys.require_together()
        notes = _noted_keys(plan, layout)
        if gaps := keys.missing_between():
            notes.append(
                f"{gaps} event numbers between the first and the last have no row: events without "
                "hits are lost where rows are hits; a tree of particles would name them"
            )
        first, event = keys.order
        rows = range_of(rows, len(first))
        found = Rows(rows.stop - rows.start, slice(None), slice(None), keys, event - rows.start)
        found.events = rows
        return found, notes
    notes = []
    if "event" in layout.sources:
        read_keys(plan, plan.truth).require_unique()
    elif repeats := _repeats(plan):
        number = plan.keys[plan.truth.name].columns[0]
        notes.append(
            f"each row of {plan.truth.name} is taken for an event, though {repeats} rows repeat "
            f"the number of another one; --map event={number} joins them"
        )
    rows = range_of(rows, len(plan.truth))
    return Rows(rows.stop - rows.start, rows, rows), notes


def _joined_rows(plan: Plan, rows: slice) -> Rows:
    truth, hits = read_keys(plan, plan.truth), read_keys(plan, plan.hits)
    shot = _shot(plan)
    if shot is not None:
        truth = Keys(truth.place, truth.numbers[shot])
    rows = range_of(rows, len(truth.numbers))
    event = events_of_hits(hits, truth) - rows.start
    found = Rows(rows.stop - rows.start, rows, slice(None), event=event)
    if shot is not None:
        found.truth, found.shot = slice(None), shot[rows]
    return found


def _shot(plan: Plan) -> IntArray | None:
    """Return the rows of particles that were shot, where each particle is a row of the truth."""
    if "primary" not in plan.places:
        return None
    place = plan.places["primary"]
    column = place.table.read(place.columns[0])
    return np.flatnonzero(column.values == 1) if column.flat else None


def _noted_keys(plan: Plan, layout: Layout) -> list[str]:
    """Return a note on columns that are taken for event numbers by their names alone."""
    given = [
        columns_in(key.table, source)
        for key in plan.keys.values()
        for source in layout.sources.get("event", ())
    ]
    guessed = [str(key) for key in plan.keys.values() if key.columns not in [("event",), *given]]
    return [f"event numbers are taken from {', '.join(guessed)}"] if guessed else []
