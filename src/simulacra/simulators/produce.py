"""Generate events on an engine: series by series, resumable, the events of one process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from simulacra.conditions import Conditions
from simulacra.engines import Engine, Parts
from simulacra.engines.completion import complete_parts
from simulacra.errors import SimulatorError
from simulacra.events import Events
from simulacra.files.digests import columns_digest
from simulacra.files.progress import OnProgress, silent
from simulacra.io import require_writable, write_pieces
from simulacra.simulators.fast import FastSimulator
from simulacra.simulators.load import load_simulator
from simulacra.simulators.task import TASK, arguments_of
from simulacra.statistics.series import series

PHASE = "generating"


def produce(
    simulator: str | Path,
    conditions: Conditions,
    seed: int,
    output: Path,
    engine: Engine,
    *,
    extrapolate: bool = False,
    on_progress: OnProgress = silent,
) -> None:
    """Write one event for each row of conditions; few of them are in memory at once.

    The events are those of the simulator's own ``simulate``. A run that was interrupted is
    continued by the same call.

    Args:
        simulator: what :func:`simulacra.load_simulator` takes; other machines load it, too.
        conditions: one row an event.
        seed: the source of all random numbers.
        output: the events file; its ending says the format.
        engine: where the events are made.
        extrapolate: generate conditions far outside the ranges, too.
        on_progress: called with (``generating``, events done, events in all).

    Raises:
        SimulacraError: as for ``simulate``; or the chunks cannot be made, or are another job's.
    """
    loaded = load_simulator(simulator)
    if not isinstance(loaded, FastSimulator):
        msg = f"{simulator}: only fast simulators generate on other machines"
        raise SimulatorError(msg)
    require_writable(loaded.detector, output)
    conditions.check(loaded.detector)
    if not extrapolate:
        loaded.require_near(conditions)
    if not len(conditions):
        msg = "no events to generate"
        raise SimulatorError(msg)
    used = {name: conditions[name] for name in loaded.detector.conditions}
    arguments, n = arguments_of(simulator, len(conditions), seed), len(conditions)
    identity = arguments | {"conditions": columns_digest(used)}
    bounds = [rows for rows, _ in series(n, seed)]
    with Parts.of(identity, output) as parts:
        parts.describe(TASK, arguments, used)
        complete_parts(parts, bounds, partial(engine.run, parts), PHASE, on_progress)
        facts = dict(loaded.facts(seed))
        pieces = _pieces(parts, bounds, Conditions(used), loaded, facts)
        write_pieces(pieces, n, output)
        parts.remove()


def _pieces(
    parts: Parts,
    bounds: list[slice],
    conditions: Conditions,
    simulator: FastSimulator,
    facts: dict[str, Any],
) -> Iterator[Events]:
    for number, rows in enumerate(bounds):
        response, _ = parts.load(number)
        yield Events(conditions.take(rows), response, simulator.detector, facts)
