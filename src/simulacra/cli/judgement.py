"""Commands that judge: by physics, and by the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from simulacra.cli.options import (
    Device,
    Output,
    checked,
    require_own_folder,
    require_report_folder,
    require_side_by_side_folder,
)
from simulacra.cli.progress import display
from simulacra.cli.terminal import console, errors, print_scores, write
from simulacra.errors import SimulacraError
from simulacra.particles import ParticleMixture

if TYPE_CHECKING:
    from simulacra.detectors import Detector
    from simulacra.events import Events, EventSource
    from simulacra.validation import Thresholds, Validation

Profile = Literal["none", "quick", "official"]
SUFFIXES = (".h5", ".hdf5", ".onnx", ".root")
"""Endings that legends need not have."""


def validate(
    reference: Annotated[str, typer.Argument(help="Full simulation: a file, or sample:test.")],
    generated: Annotated[
        list[str],
        typer.Argument(help="What is to be judged: events, or a simulator; several side by side."),
    ],
    output: Output = Path("report"),
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline", "--floor", help="More full simulation, for the Geant4-vs-Geant4 baseline."
        ),
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="The detector, where the files do not say it.")
    ] = None,
    profile: Annotated[
        Profile,
        typer.Option(help="Classifiers and sample metrics: none, in minutes, as CaloChallenge."),
    ] = "none",
    empty_below: Annotated[
        str | None,
        typer.Option(help="Empty cells below this in all samples first: 1MeV, 15.15keV."),
    ] = None,
    thresholds: Annotated[
        Path | None, typer.Option(help="YAML limits; exit code 1 where one fails.")
    ] = None,
    caloch_legacy: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET", help="Add CaloChallenge's scores: 1-photons, 1-pions, 2 or 3."
        ),
    ] = None,
    device: Device = "cpu",
) -> None:
    """Judge events by physics, energy by energy; write a report.

    Several are compared in one table and one picture per observable; each has its own report in a
    folder below. A simulator, by its name, folder or exported file, is judged on events that it
    generates under the conditions of the reference, with seed 1.
    """
    from simulacra.datasets.samples import open_events
    from simulacra.detectors import load_detector
    from simulacra.io import open_partners
    from simulacra.simulators.generate import generate
    from simulacra.simulators.load import is_simulator
    from simulacra.units import parse_quantity
    from simulacra.validation import (
        Thresholded,
        Thresholds,
        apply_thresholds,
        require_classifiers,
    )
    from simulacra.validation import validate as run

    several = len(generated) > 1
    if several and caloch_legacy:
        msg = "CaloChallenge's scores are of one sample: give a single one with --caloch-legacy"
        raise SimulacraError(msg)
    (require_side_by_side_folder if several else require_report_folder)(output)
    limits = Thresholds.load(thresholds) if thresholds else None
    if limits is not None:
        require_classifiers(limits, present=profile != "none")
    named = load_detector(detector) if detector else None
    least = checked(lambda: parse_quantity(empty_below, "energy")) if empty_below else None

    def source(name: str, known: Detector | None) -> EventSource:
        if name in generated and is_simulator(name):
            events: EventSource = generate(name, like=reference, device=device)
        else:
            events = open_events(name, known)
        return events if least is None else Thresholded(events, least)

    names = [reference, *generated, *([baseline] if baseline else [])]
    opened = open_partners({name: partial(source, name) for name in names}, named)
    independent = opened[baseline] if baseline else None
    if several:
        samples = {name: opened[name] for name in generated}
        _side_by_side(opened[reference], samples, independent, profile, limits, output, device)
        return
    with display() as shown:
        validation = run(
            opened[reference],
            opened[generated[0]],
            baseline=independent,
            profile=profile,
            legacy=caloch_legacy,
            device=device,
            on_progress=shown.on_progress,
        )
    try:
        if limits is not None:
            validation = apply_thresholds(validation, limits)
    finally:  # a rule that matches nothing costs no report, which has the names
        with display() as shown:
            validation.report(output, shown.on_progress)
        print_scores(validation)
        console.print(f"report     {output / 'index.html'}", highlight=False)
    _fail_below_thresholds({"": validation})


def _side_by_side(
    reference: EventSource,
    generated: dict[str, EventSource],
    baseline: EventSource | None,
    profile: Profile,
    limits: Thresholds | None,
    output: Path,
    device: str,
) -> None:
    """Validate several samples, write their report and print their table."""
    from simulacra.validation import SideBySide, apply_thresholds, validate_side_by_side

    names = short_names(generated)
    samples = {names[name]: sample for name, sample in generated.items()}
    with display() as shown:
        together = validate_side_by_side(
            reference,
            samples,
            baseline=baseline,
            profile=profile,
            device=device,
            on_progress=shown.on_progress,
        )
    try:
        if limits is not None:
            together = SideBySide({n: apply_thresholds(v, limits) for n, v in together.items()})
    finally:  # as for a single one
        with display() as shown:
            together.report(output, shown.on_progress)
        write(together.table() + "\n")
        console.print(f"report     {output / 'index.html'}", highlight=False)
    _fail_below_thresholds(together)


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return what legends call files and simulators: the ends of their paths that differ.

    Example:
        >>> short_names(["runs/a/fast.h5", "runs/b/fast.h5", "shipped"])
        {'runs/a/fast.h5': 'a/fast', 'runs/b/fast.h5': 'b/fast', 'shipped': 'shipped'}
    """
    paths = {
        name: Path(name).with_suffix("") if Path(name).suffix in SUFFIXES else Path(name)
        for name in names
    }
    for depth in range(1, max(len(path.parts) for path in paths.values()) + 1):
        short = {name: "/".join(path.parts[-depth:]) for name, path in paths.items()}
        if len(set(short.values())) == len(short):
            return short
    return {name: name for name in paths}


def _fail_below_thresholds(validations: Mapping[str, Validation]) -> None:
    """Print each threshold that fails, by simulator; exit code 1 where there is one."""
    found = {name: v.thresholds for name, v in validations.items() if v.thresholds is not None}
    failures = [
        f"{name}: {failure}" if name else failure
        for name, limits in found.items()
        for failure in limits.failures
    ]
    for failure in failures:
        errors.print(f"failed: {failure}", highlight=False)
    if failures:
        raise typer.Exit(1)
    if found:
        checked_limits = sum(limits.checked for limits in found.values())
        console.print(f"thresholds {checked_limits} hold", highlight=False)


def _batches(text: str) -> tuple[int, ...]:
    """Return the numbers of ``--batch``."""
    numbers = [number.strip() for number in text.split(",")]
    if not all(number.isdecimal() and int(number) for number in numbers):
        msg = f"--batch {text}: give numbers of events from 1 on, such as 1,100,10000"
        raise SimulacraError(msg)
    return tuple(map(int, numbers))


def _particles_of(events: Events) -> str:
    """Return the particles of a sample, equally frequent, as ``--particle`` has them."""
    if not events.particles:
        msg = "which particle for Geant4? the reference does not name it: give --particle"
        raise SimulacraError(msg)
    if len(events.particles) == 1:
        return str(ParticleMixture(events.particles))
    return str(ParticleMixture(events.particles).at_random())


def benchmark(
    simulators: Annotated[list[Path], typer.Argument(help="Names, folders or exported files.")],
    output: Output = Path("benchmark"),
    reference: Annotated[
        str, typer.Option(help="Full simulation to judge by: a file, or sample:test.")
    ] = "sample:test",
    physics: Annotated[
        list[str] | None, typer.Option(help="Time Geant4 too, with this list; may be repeated.")
    ] = None,
    particle: Annotated[
        str | None, typer.Option(help="Particle for Geant4: gamma; else those of the reference.")
    ] = None,
    energy: Annotated[
        str | None,
        typer.Option(
            "--energy",
            "--momentum",
            help="Where Geant4 is timed: 1GeV,65GeV; else all of them.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.01, help="How long each is timed.")] = 5.0,
    batch: Annotated[
        str, typer.Option(help="Events asked for at once: 1,100,10000.")
    ] = "1,100,10000",
    profile: Annotated[
        Profile,
        typer.Option(
            help="Add the AUC of classifiers to the scores, as validate --profile has it."
        ),
    ] = "none",
    extrapolate: Annotated[
        bool,
        typer.Option("--extrapolate", help="Judge far outside a simulator's training, too."),
    ] = False,
    device: Device = "cpu",
) -> None:
    """Measure speed and quality of simulators, and of Geant4, on one core in one run."""
    from simulacra.benchmark import BenchmarkSettings, write_benchmark
    from simulacra.benchmark import benchmark as run
    from simulacra.conditions import EnergySpectrum
    from simulacra.datasets.samples import resolve_events
    from simulacra.fullsim import Geant4Settings
    from simulacra.io import read_events
    from simulacra.simulators.load import load_simulator

    require_own_folder(output, ("benchmark.json", "benchmark.md", "benchmark.png"), "a benchmark")
    spectrum = EnergySpectrum.parse(energy) if energy else None
    if spectrum is not None and spectrum.law != "points":
        msg = f"energy {energy}: Geant4 is timed at single energies, such as 1GeV,65GeV"
        raise SimulacraError(msg)
    settings = checked(
        lambda: BenchmarkSettings(
            batches=_batches(batch),
            seconds=seconds,
            energies=() if spectrum is None else spectrum.points,
            profile=profile,
            extrapolate=extrapolate,
            device=device,
        )
    )
    known = load_simulator(simulators[0]).detector.without_particles()
    events = read_events(resolve_events(reference), known)
    if particle is None and physics:
        particle = _particles_of(events)
    full = [
        checked(partial(Geant4Settings, particle=particle, physics=name)) for name in physics or ()
    ]
    with display() as shown:
        result = run(simulators, events, full, settings, shown.on_progress)
    write(write_benchmark(result, output).read_text(encoding="utf-8") + "\n")
