"""Engines by their names: whoever has machines and starts commands on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from simulacra.engines.parts import Parts
from simulacra.errors import SimulacraError
from simulacra.files.entry_points import Table

LOCAL = "local"


class Engine(Protocol):
    """Has chunks made somewhere."""

    def run(self, parts: Parts, numbers: Sequence[int]) -> Iterator[int]:
        """Yield the numbers of chunks as their files appear in the folder, all in the end.

        Chunks whose machine dies are started again, a few times.

        Raises:
            SimulacraError: one cannot be made; the message has the last lines of its log.
        """


ENGINES: Table[Callable[[str], Engine]] = Table(
    "simulacra.engines",
    {
        "dask": "simulacra.engines.dask:DaskEngine",
        "slurm": "simulacra.engines.slurm:SlurmEngine",
        "htcondor": "simulacra.engines.htcondor:HTCondorEngine",
    },
)
"""Engines by name; a call is given what follows the name and a colon."""


def parse_engine(text: str) -> Engine | None:
    """Return the engine of ``dask:ADDRESS``, ``slurm:FILE.yaml`` or ``htcondor:FILE.yaml``.

    None is ``local``: processes of this machine.

    Raises:
        SimulacraError: there is none of that name, or it cannot be used.
    """
    name, _, where = text.partition(":")
    if text == LOCAL:
        return None
    if name not in ENGINES or not where:
        known = ", ".join(f"{each}:…" for each in ENGINES)
        msg = f"--executor {text}: there are {LOCAL}, {known}, as in slurm:cluster.yaml"
        raise SimulacraError(msg)
    return ENGINES[name](where)
