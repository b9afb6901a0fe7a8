"""Simulate events of a detector in full, in one call."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from pydantic import ValidationError

from simulacra.conditions import EnergySpectrum
from simulacra.detectors import Detector, load_detector
from simulacra.engines import parse_engine
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.files.mistakes import summarise_validation_error
from simulacra.files.progress import OnProgress, silent
from simulacra.fullsim import production
from simulacra.fullsim.cautions import cautions
from simulacra.fullsim.job import Job
from simulacra.fullsim.kinds import GENERATED
from simulacra.fullsim.settings import PHYSICS, Geant4Settings
from simulacra.fullsim.work import Work
from simulacra.units import parse_quantity


def simulate(
    detector: Detector | str | Path,
    particle: str | None,
    energy: str | None,
    n: int,
    seed: int = 1,
    *,
    physics: str | None = None,
    cut: str | float | None = None,
    workers: int = 1,
    executor: Executor | str | None = None,
    output: str | Path | None = None,
    on_progress: OnProgress = silent,
    on_note: Callable[[str], None] | None = None,
) -> Events:
    """Simulate particles with Geant4, or jets with Pythia; equal arguments give equal events.

    Worker processes import the main module, so a script calls this below
    ``if __name__ == "__main__":``.

    Args:
        detector: a detector, a shipped detector's name or a detector's file.
        particle: ``gamma``; ``e-,gamma`` in turn; ``e-:2,gamma:1`` with weights; None where the
            detector draws it, as a TPC does. Of jets the process: ``w``; None for all in turn.
        energy: the spectrum of the detector's scale: ``50GeV``; ``1GeV,2GeV`` is cycled;
            ``1GeV..65GeV`` is log-uniform, ``1GeV-65GeV`` uniform. None where the detector's file
            states it, as for jets.
        n: number of events.
        seed: where all random numbers come from.
        physics: ``opt0`` to ``opt4`` (electromagnetic), or a reference list such as ``FTFP_BERT``;
            None for ``opt0``.
        cut: range cut for secondaries, ``0.7mm``; None for the detector's own.
        workers: number of local processes; it does not change the events.
        executor: where to run instead: ``dask:ADDRESS``, ``slurm:FILE.yaml`` or
            ``htcondor:FILE.yaml``, which need an output; or an executor of concurrent.futures.
        output: an events file to write as well; a run that was interrupted is then continued by
            the same call.
        on_progress: called with (phase, events done, events in all).
        on_note: called with what is doubtful in the settings, line by line, before the work.

    Raises:
        MissingDependencyError: Geant4, its data or Pythia are not installed.
        SimulacraError: an argument cannot be used, or a worker died.
    """
    job = _job(detector, particle, energy, n, seed, physics, cut, on_note)
    engine = parse_engine(executor) if isinstance(executor, str) else executor
    if output is None:
        if engine is not None and not isinstance(engine, Executor):
            msg = f"executor {executor}: other machines need an output beside which they work"
            raise SimulacraError(msg)
        return production.simulated(job, workers, engine, on_progress)
    return production.write(
        job, Path(output), workers=workers, executor=engine, on_progress=on_progress
    )


def produce(
    detector: Detector | str | Path,
    particle: str | None,
    energy: str | None,
    n: int,
    seed: int,
    output: str | Path,
    *,
    physics: str | None = None,
    cut: str | float | None = None,
    workers: int = 1,
    executor: Executor | str | None = None,
    on_progress: OnProgress = silent,
    on_note: Callable[[str], None] | None = None,
) -> int:
    """Write the events of :func:`simulate` and return their number; few are in memory at once."""
    return production.stream(
        _job(detector, particle, energy, n, seed, physics, cut, on_note),
        Path(output),
        workers=workers,
        executor=parse_engine(executor) if isinstance(executor, str) else executor,
        on_progress=on_progress,
    )


def _job(
    detector: Detector | str | Path,
    particle: str | None,
    energy: str | None,
    n: int,
    seed: int,
    physics: str | None,
    cut: str | float | None,
    on_note: Callable[[str], None] | None,
) -> Work:
    """Return what is to be simulated; tell what is doubtful in it."""
    matter = load_detector(detector) if isinstance(detector, str | Path) else detector
    if matter.kind in GENERATED:
        asked = {"energy": energy, "physics": physics, "cut": cut}
        if given := [name for name, value in asked.items() if value is not None]:
            msg = f"{matter.name}: its file states how events are generated: leave out {given[0]}"
            raise SimulacraError(msg)
        job = GENERATED[matter.kind](matter, particle, n, seed)
        if on_note is not None:
            for note in job.notes:
                on_note(note)
        return job
    if energy is None:
        msg = f"{matter.name}: which {matter.scale.replace('_', ' ')}? give --energy"
        raise SimulacraError(msg)
    settings = settings_of(particle, physics or PHYSICS, cut)
    if on_note is not None:
        for note in cautions([matter], settings):
            on_note(note)
    return Job.of(matter, settings, EnergySpectrum.parse(energy), seed, n)


def settings_of(
    particle: str | None, physics: str, cut: str | float | None = None
) -> Geant4Settings:
    """Return the settings of Geant4.

    Raises:
        SimulacraError: they cannot be used.
    """
    try:
        size = None if cut is None else parse_quantity(cut, "length")
        return Geant4Settings(particle=particle, physics=physics, cut=size)
    except (ValidationError, ValueError) as error:
        raise SimulacraError(summarise_validation_error(error)) from None
