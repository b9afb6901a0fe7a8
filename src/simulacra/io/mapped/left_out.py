"""What of a file's tables becomes no part of an event."""

from __future__ import annotations

import numpy as np

from simulacra.errors import EventsError
from simulacra.io.mapped.plan import Plan
from simulacra.io.mapped.tables import Table, listed


def left_out(plan: Plan) -> list[str]:
    """Return notes on columns that nothing takes; event weights are named by what they hold."""
    used: dict[str, set[str]] = {}
    for place in (*plan.places.values(), *plan.keys.values()):
        names = used.setdefault(place.table.name, set())
        names.update(place.columns)
    notes = []
    for table in {plan.truth.name: plan.truth, plan.hits.name: plan.hits}.values():
        known = {column.rpartition(".")[0] for column in table.columns} | used[table.name]
        known.update(*(table.companions(column) for column in table.columns))
        left = [column for column in table.columns if column not in known]
        if left:
            notes.append(f"columns of {table.name} that are left out: {listed(left)}")
        notes += [note for c in left if "weight" in c.lower() and (note := _weights(table, c))]
    return notes


def _weights(table: Table, column: str) -> str | None:
    try:
        values, _ = table.read(column).lists()
    except EventsError:
        return None
    other, negative = int(np.sum(values != 1)), int(np.sum(values < 0))
    if not other:
        return None
    return (
        f"weights are left out, all events count alike: {other} of {len(values)} values of "
        f"{table.name}/{column} are not 1, {negative} are negative"
    )
