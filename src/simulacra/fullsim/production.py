"""Full simulation in parallel: chunk by chunk, resumable, the same events on any machine.

Finished chunks wait in ``<output>.parts/`` until all are there; then the output appears whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from simulacra.arrays import Array, BoolArray
from simulacra.conditions import Conditions, EnergySpectrum
from simulacra.detectors import Detector
from simulacra.engines import Engine, Parts
from simulacra.engines.completion import Tally, complete_parts
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.faces.text import Described
from simulacra.files.progress import OnProgress, silent
from simulacra.fullsim.job import Job
from simulacra.fullsim.settings import Geant4Settings
from simulacra.fullsim.work import Chunked, ChunkResult, Work, load_result, stored
from simulacra.fullsim.workers import WorkerPool
from simulacra.io import require_writable, write_events, write_pieces
from simulacra.particles import OwnRanges, ParticleMixture, Seen, particle_name

RETRIES = 2
"""How often a pool of our own is started again without having finished a chunk."""


def simulate(
    detector: Detector,
    settings: Geant4Settings,
    primaries: Conditions | EnergySpectrum,
    output: Path,
    *,
    seed: int,
    n: int | None = None,
    workers: int = 1,
    executor: Executor | Engine | None = None,
    on_progress: OnProgress = silent,
) -> Events:
    """Simulate particles with Geant4 and write the events to a file.

    A run that was interrupted is continued by the same call; the events do not depend on where it
    was interrupted, nor on the number of workers. Worker processes import the main module, so a
    script calls this below ``if __name__ == "__main__":``.

    Args:
        detector: the detector, of a kind that Geant4 simulates here.
        settings: particle, physics list and cut.
        primaries: the conditions, one row per particle, or the spectrum to draw them from.
        output: the events file; its ending says the format.
        seed: where all random numbers come from.
        n: number of particles, where a spectrum is given.
        workers: number of local processes.
        executor: where to run instead: an engine, or an executor whose workers are not shared with
            other detectors.
        on_progress: called with (``Geant4``, events done, events in all).

    Returns:
        The events as written.

    Raises:
        MissingDependencyError: Geant4 or its data are not installed.
        SimulacraError: the settings cannot be used, the output cannot hold such events, the parts
            folder holds another job's chunks, or a worker died; finished chunks are kept.
    """
    require_writable(detector, output)  # told before the work, not after
    job = Job.of(detector, settings, primaries, seed, n)
    return write(job, output, workers=workers, executor=executor, on_progress=on_progress)


def produce(
    detector: Detector,
    settings: Geant4Settings,
    primaries: Conditions | EnergySpectrum,
    output: Path,
    *,
    seed: int,
    n: int | None = None,
    workers: int = 1,
    executor: Executor | Engine | None = None,
    on_progress: OnProgress = silent,
) -> int:
    """Write the events of :func:`simulate` and return their number; few are in memory at once."""
    require_writable(detector, output)
    job = Job.of(detector, settings, primaries, seed, n)
    return stream(job, output, workers=workers, executor=executor, on_progress=on_progress)


def write(
    job: Work,
    output: Path,
    *,
    workers: int = 1,
    executor: Executor | Engine | None = None,
    on_progress: OnProgress = silent,
) -> Events:
    """Simulate a job's events, write them to a file and return them, as :func:`simulate` does.

    Raises:
        MissingDependencyError: the program or its data are not installed.
        SimulacraError: the output cannot hold such events, the parts folder holds another job's
            chunks, or a worker died; finished chunks are kept.
    """
    require_writable(job.detector, output)  # told before the work, not after
    with _finished(job, output, workers, executor, on_progress) as parts:
        events = _events(job, [load_result(parts, number) for number in range(len(job.bounds))])
        write_events(events, output)
        return events


def stream(
    job: Work,
    output: Path,
    *,
    workers: int = 1,
    executor: Executor | Engine | None = None,
    on_progress: OnProgress = silent,
) -> int:
    """Write the events of a job and return their number; few are in memory at once."""
    require_writable(job.detector, output)
    with _finished(job, output, workers, executor, on_progress) as parts:
        write_pieces(_pieces(job, parts), len(job), output)
        return len(job)


@contextmanager
def _finished(
    job: Work,
    output: Path,
    workers: int,
    executor: Executor | Engine | None,
    on_progress: OnProgress,
) -> Iterator[Parts]:
    """Yield the finished chunks of a job; they are removed when the block ends well."""
    with Parts.of(job.identity, output) as parts:
        if executor is not None and not isinstance(executor, Executor):
            parts.describe(job.task, job.arguments, job.inputs)
        complete(job, parts, workers, executor, on_progress)
        yield parts
        parts.remove()


def complete(
    job: Chunked,
    parts: Parts,
    workers: int = 1,
    executor: Executor | Engine | None = None,
    on_progress: OnProgress = silent,
) -> None:
    """Have all chunks of a job made that do not lie in its parts folder.

    Args:
        job: the work.
        parts: where finished chunks are kept.
        workers: number of local processes.
        executor: where to run instead; an engine finds the work in the parts folder.
        on_progress: called with (the program, events done, events in all).

    Raises:
        SimulacraError: a worker died; finished chunks are kept.
    """

    def made(pending: list[int]) -> Iterator[int]:
        if executor is not None and not isinstance(executor, Executor):
            yield from executor.run(parts, pending)
            return
        for number, result in _run(job, pending, workers, executor):
            parts.store(number, *stored(result))
            yield number

    complete_parts(parts, job.bounds, made, job.program, on_progress)


def _pieces(job: Work, parts: Parts) -> Iterator[Events]:
    """Yield the events of the finished chunks, in order."""
    for number, rows in enumerate(job.bounds):
        yield job.events(rows, load_result(parts, number))


class Geant4Simulator(Described):
    """Geant4 as a :class:`simulacra.Simulator`: conditions in, events out.

    It has no ranges: Geant4 simulates all conditions that the detector declares as possible.

    Args:
        detector: the detector, of a kind that Geant4 simulates here.
        settings: particle, physics list and cut.
        workers: number of local processes, started for each call.
        executor: processes to use instead; a :class:`WorkerPool` keeps Geant4 ready between calls.
    """

    def __init__(
        self,
        detector: Detector,
        settings: Geant4Settings,
        workers: int = 1,
        executor: Executor | None = None,
    ) -> None:
        self.detector = detector
        self.settings = settings
        self._workers = workers
        self._executor = executor

    @property
    def particles(self) -> tuple[str, ...]:
        """The names of the particles of its settings, else of the detector; empty: any."""
        mixture = self.settings.mixture
        ids = self.detector.particles if mixture is None else mixture.ids
        return tuple(map(particle_name, ids))

    @property
    def chooses_particle(self) -> bool:
        """Whether the settings leave the particle to the conditions."""
        return self.settings.pdg is None

    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """Nothing: Geant4 has none."""
        return {}

    @property
    def own_ranges(self) -> OwnRanges:
        """Nothing: Geant4 has none."""
        return {}

    @property
    def seen(self) -> Seen:
        """Nothing: Geant4 simulates all categories of a condition."""
        return {}

    def simulate(
        self,
        conditions: Conditions,
        seed: int,
        *,
        extrapolate: bool = False,  # noqa: ARG002 - there are no ranges
    ) -> Events:
        """Return the events of the conditions; equal seeds give equal events.

        Raises:
            MissingDependencyError: Geant4 or its data are not installed.
            SimulacraError: the conditions are not the detector's, or a worker died.
        """
        job = Job.of(self.detector, self.settings, conditions, seed)
        return simulated(job, self._workers, self._executor)

    def stream(
        self, conditions: Conditions, seed: int, *, extrapolate: bool = False
    ) -> Iterator[Events]:
        """Yield the events of :meth:`simulate`, in one piece: its chunks do not end in order."""
        yield self.simulate(conditions, seed, extrapolate=extrapolate)

    def generate(
        self,
        energy: str,
        n: int,
        seed: int,
        particle: str | None = None,
        *,
        extrapolate: bool = False,  # noqa: ARG002 - there are no ranges
    ) -> Events:
        """Return ``n`` events, those of :func:`simulacra.simulate` for equal arguments.

        Args:
            energy: the spectrum of the detector's scale: ``50GeV``; ``1GeV,2GeV`` is cycled;
                ``1GeV..65GeV`` is log-uniform, ``1GeV-65GeV`` uniform.
            n: number of events.
            seed: the source of conditions and response.
            particle: among those of the settings; None: all of these.
            extrapolate: of no effect.

        Raises:
            MissingDependencyError: Geant4 or its data are not installed.
            SimulacraError: the settings name other particles, or a worker died.
        """
        settings, mixture = self.settings, self.settings.mixture
        if particle is not None:
            settings = Geant4Settings(**settings.model_dump() | {"particle": particle})
            asked = ParticleMixture.parse(particle).ids
            if mixture is not None and not set(asked) <= set(mixture.ids):
                msg = f"the simulator is set up for {self.settings.particle}, not for {particle}"
                raise SimulacraError(msg)
        job = Job.of(self.detector, settings, EnergySpectrum.parse(energy), seed, n)
        return simulated(job, self._workers, self._executor)

    def outside(self, conditions: Conditions) -> BoolArray:
        """Return that no row lies outside of the ranges (n,)."""
        return np.zeros(len(conditions), bool)

    def describe(self) -> dict[str, Any]:
        """Return the facts on the simulator."""
        settings = self.settings
        return {
            "physics": settings.physics,
            "detector": f"{self.detector.name} ({self.detector.kind})",
            "particles": settings.particle or "those of the conditions",
            "range cut": "the detector's own" if settings.cut is None else f"{settings.cut:g} mm",
            "workers": self._workers if self._executor is None else "those of an executor",
        }


def simulated(
    job: Work,
    workers: int = 1,
    executor: Executor | None = None,
    on_progress: OnProgress = silent,
) -> Events:
    """Return the events of a job, in memory.

    Raises:
        SimulacraError: a worker died.
    """
    tally, results = Tally(job.program, job.bounds, on_progress), {}
    for number, result in _run(job, range(len(job.chunks)), workers, executor):
        results[number] = result
        tally.add([number])
    return _events(job, [results[number] for number in range(len(job.chunks))])


def _run(
    job: Chunked,
    numbers: Iterable[int],
    workers: int,
    executor: Executor | None,
) -> Iterator[tuple[int, ChunkResult]]:
    """Yield each chunk's result as it is done; workers that die are replaced a few times.

    Raises:
        SimulacraError: workers die again and again, or the program raised an error.
    """
    pending, deaths = dict.fromkeys(numbers), 0
    if not pending:
        return
    if workers < 1:
        msg = f"workers must be at least 1, not {workers}"
        raise SimulacraError(msg)
    if executor is None:
        job.require()  # one clear line before processes start
    while pending:
        pool = executor or WorkerPool(min(workers, len(pending)))
        with nullcontext(pool) if executor else pool:
            failure: BaseException | None = None
            before = len(pending)
            for number, result in _submitted(job, pending, pool, executor is not None):
                if isinstance(result, ChunkResult):
                    del pending[number]
                    yield number, result
                else:
                    failure = result
            if failure is not None:
                deaths = 0 if len(pending) < before else deaths + 1
                retried = isinstance(failure, BrokenExecutor) and executor is None
                if not retried or deaths > RETRIES:
                    raise _explained(failure, pool, job.program) from None


def _submitted(
    job: Chunked, numbers: Iterable[int], pool: Executor, shared: bool
) -> Iterator[tuple[int, ChunkResult | BaseException]]:
    """Yield what becomes of each chunk in a pool, to the first error that is no worker's death."""
    futures = {pool.submit(job.run, job.chunks[number]): number for number in numbers}
    try:
        for future in as_completed(list(futures)):
            number = futures.pop(future)
            error = future.exception()
            yield number, error or future.result()
            if error is not None and not isinstance(error, BrokenExecutor):
                return  # else all others are done too, and what is finished is worth its keep
    finally:
        # Work in somebody else's pool is called off; our own pool's workers leave at once.
        for future in futures if shared else ():
            future.cancel()


def _explained(failure: BaseException, pool: Executor, program: str) -> BaseException:
    """Return what went wrong in a worker as an error of one line, where it is none of ours."""
    if isinstance(failure, BrokenExecutor):
        said = pool.last_words() if isinstance(pool, WorkerPool) else ""
        return SimulacraError(
            f"a {program} worker died: {said or 'killed, out of memory or crashed'}"
        )
    if isinstance(failure, RuntimeError):  # what the bindings make of a C++ exception
        return SimulacraError(f"{program} failed: {' '.join(str(failure).split())}")
    return failure


def concatenated(results: Sequence[ChunkResult], name: str) -> Array:
    """Return an array of all chunks, one after another."""
    return np.concatenate([result.response[name] for result in results])


def _events(job: Work, results: list[ChunkResult]) -> Events:
    response = {name: concatenated(results, name) for name in results[0].response}
    return job.events(slice(0, len(job)), replace(results[0], response=response))
