"""Chunks on the workers of a Dask cluster, which its scheduler's address gives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from simulacra.engines.numbers import as_text, divided
from simulacra.engines.parts import Parts
from simulacra.engines.rounds import rounds
from simulacra.engines.worker import WITH_PARENT
from simulacra.errors import MissingDependencyError, SimulacraError

RETRIES = 2
SHARES = 4
"""Commands for each thread of the cluster, so that none waits long for the last one."""
PATIENCE = "10s"
"""How long a scheduler may take to respond."""


class DaskEngine:
    """A Dask cluster whose workers see the folder of the output.

    Each thread of a worker starts one command at a time, in a process of its own.

    Args:
        address: of the scheduler, ``tcp://host:8786``, or ``FILE.json`` that it wrote.

    Raises:
        MissingDependencyError: ``distributed`` is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            msg = "--executor dask needs distributed: pip install simulacra[batch]"
            raise MissingDependencyError(msg) from None
        self._dask: Any = distributed  # it is untyped
        self._address = address

    def run(self, parts: Parts, numbers: Sequence[int]) -> Iterator[int]:
        """Yield the numbers of chunks as they are made; see :class:`~.engine.Engine`."""
        with self._client() as client:
            yield from rounds(parts, numbers, partial(self._once, client, parts), RETRIES)

    def _client(self) -> Any:  # noqa: ANN401 - distributed is optional
        file = self._address.endswith(".json")
        where = {"scheduler_file" if file else "address": self._address}
        try:
            return self._dask.Client(**where, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            msg = f"no Dask scheduler responds at {self._address}: {error}"
            raise SimulacraError(msg) from None

    def _once(self, client: Any, parts: Parts, pending: list[int]) -> Iterator[None]:  # noqa: ANN401
        """Have chunks made; yield when a command has ended or its worker has died too often."""
        client.wait_for_workers(1)
        threads = sum(client.nthreads().values())
        futures = [
            client.submit(run_command, str(parts.folder), as_text(share), pure=False)
            for share in divided(pending, max(threads * SHARES, 1))
        ]
        try:
            for _ in self._dask.as_completed(futures, loop=client.loop):
                yield
        finally:
            client.cancel(futures)


def run_command(folder: str, numbers: str) -> int:
    """Make chunks in a process of its own, which ends with this one; return its exit code."""
    command = [sys.executable, "-m", "simulacra.engines.worker", folder, numbers, WITH_PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        return process.wait()
