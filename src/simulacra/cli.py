"""The command line: each command parses, calls one public function and prints what came of it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

import typer

from simulacra.errors import SimulacraError
from simulacra.terminal import (
    bar,
    console,
    errors,
    print_handed_over,
    print_scores,
    table,
    training_bar,
)

if TYPE_CHECKING:
    from simulacra.conditions import Conditions
    from simulacra.detectors import Detector
    from simulacra.events import EventSource
    from simulacra.validation import Validation

app = typer.Typer(
    name="simulacra",
    help="Fast detector simulation: learn Geant4, answer in its place, be judged by physics.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
T = TypeVar("T")
# What typer raises for a wrong option or command; it exports only this leaf of them.
UsageError = cast("type[Exception]", typer.BadParameter.__base__)
DEBUG: ContextVar[bool] = ContextVar("debug", default=False)

Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result appears.")]
Seed = Annotated[int, typer.Option(min=0, help="Where all random numbers come from.")]
# One option with two spellings: what it means is the detector's scale.
_Spectrum = typer.Option(
    "--energy",
    "--momentum",
    help="Kinetic energy, or transverse momentum for a TPC: "
    "65GeV; 1GeV,2GeV is cycled; 1GeV..65GeV is log-uniform, 1GeV-65GeV uniform.",
)
Energy = Annotated[str, _Spectrum]
Number = Annotated[int, typer.Option("-n", min=1, help="Number of events.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    DEBUG.set(debug)


@app.command()
def quickstart(
    output: Output = Path("quickstart"),
    report: Annotated[Path, typer.Option(help="Where the report appears.")] = Path("report"),
    model: Annotated[
        str, typer.Option(help="flow-matching, the default generator, or dnncalogan.")
    ] = "flow-matching",
    overrides: Annotated[list[str] | None, typer.Option("--set", help="key=value")] = None,
) -> None:
    """Train on the embedded Geant4 sample, generate, validate; print scores and the report."""
    from simulacra.quickstart import quickstart as run

    _require_report_folder(report)
    with training_bar("training") as on_progress:
        validation = run(output, report, model, tuple(overrides or ()), on_progress)
    print_scores(validation)
    console.print(f"simulator  {output / 'simulator'}")
    console.print(f"report     {report / 'index.html'}", highlight=False)


@app.command()
def detectors(
    verb: Annotated[str | None, typer.Argument(help="'show' to print one as YAML.")] = None,
    name: Annotated[str | None, typer.Argument(help="A shipped detector or a YAML file.")] = None,
) -> None:
    """List the shipped detectors, or show one."""
    from simulacra.detectors import builtin_detectors, load_detector

    if _wants_one(verb, name):
        typer.echo(load_detector(str(name)).to_yaml(), nl=False)
        return
    listing = table("detector", "kind", "response", "description")
    for builtin in builtin_detectors():
        detector = load_detector(builtin)
        arrays = ", ".join(f"{k} {v.shape}" for k, v in detector.response_arrays.items())
        listing.add_row(builtin, detector.kind, arrays, detector.description)
    console.print(listing)


@app.command()
def models(
    verb: Annotated[str | None, typer.Argument(help="'show' to print one's options.")] = None,
    name: Annotated[str | None, typer.Argument(help="A model of the catalogue.")] = None,
) -> None:
    """List the models, or show the options of one with their defaults."""
    from simulacra.models import MODELS

    if _wants_one(verb, name):
        from simulacra.models.description import as_yaml

        typer.echo(as_yaml(str(name)), nl=False)
        return
    listing = table("model", "for a", "training", "what it is", "reference")
    for kind, entry in MODELS.items():
        listing.add_row(kind, entry.serves, entry.training, entry.summary, entry.reference)
    console.print(listing)


@app.command()
def simulators() -> None:
    """List the simulators that are shipped, trained and ready to generate."""
    from simulacra.shipped import shipped_simulators
    from simulacra.simulator import TrainedSimulator
    from simulacra.units import format_energy

    listing = table("simulator", "detector", "model", "trained range")
    for name in shipped_simulators():
        shipped = TrainedSimulator.load(name)
        low, high = (format_energy(energy) for energy in shipped.ranges[shipped.detector.scale])
        listing.add_row(name, shipped.detector.name, shipped.card.model_kind, f"{low} to {high}")
    console.print(listing)


@app.command()
def simulate(
    detector: Annotated[str, typer.Option(help="A shipped detector or a YAML file.")],
    energy: Energy,
    number: Number,
    output: Output,
    particle: Annotated[
        str | None,
        typer.Option(help="Name or PDG id: gamma, e-, pi+, 13 …; a TPC's default is all species."),
    ] = None,
    seed: Seed = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes; does not change events.")] = 1,
    physics: Annotated[
        str, typer.Option(help="opt0 to opt4: EM only; or a reference list such as FTFP_BERT.")
    ] = "opt0",
    cut: Annotated[
        str | None, typer.Option(help="Range cut for secondaries: 0.7mm; else the detector's own.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Simulate particles in full with Geant4."""
    from simulacra.conditions import EnergySpectrum
    from simulacra.detectors import load_detector
    from simulacra.fullsim import Geant4Settings
    from simulacra.fullsim import simulate as run
    from simulacra.units import parse_quantity

    _require_free(output, overwrite)
    settings = _checked(
        lambda: Geant4Settings(
            particle=particle,
            physics=physics,
            cut=None if cut is None else parse_quantity(cut, "length"),
        )
    )
    spectrum = EnergySpectrum.parse(energy)
    with bar("Geant4") as on_progress:
        events = run(
            load_detector(detector),
            settings,
            spectrum,
            output,
            seed=seed,
            n=number,
            workers=workers,
            on_progress=on_progress,
        )
    console.print(f"{len(events)} events in {output}", highlight=False)


@app.command()
def train(
    card: Annotated[Path, typer.Argument(help="A run card in YAML.")],
    output: Output,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Change a key: training.steps=5000")
    ] = None,
) -> None:
    """Train a simulator; the same command goes on after an interruption."""
    from simulacra.card import Card
    from simulacra.simulator import train as run

    loaded = Card.load(card, overrides or [])
    with training_bar("training") as on_progress:
        simulator = run(loaded, output, on_progress)
    step, score = simulator.about["selected_step"], simulator.about["selection_score"]
    console.print(
        f"step {step} selected, score {score:.3f}; simulator in {output}", highlight=False
    )


@app.command()
def generate(
    simulator: Annotated[
        str, typer.Argument(help="A shipped simulator, a simulator's folder or an exported file.")
    ],
    output: Output,
    like: Annotated[
        str | None, typer.Option(help="Take the conditions of this events file, or sample:test.")
    ] = None,
    energy: Annotated[str | None, _Spectrum] = None,
    number: Annotated[int | None, typer.Option("-n", min=1, help="Number of events.")] = None,
    seed: Seed = 1,
    overwrite: Overwrite = False,
) -> None:
    """Generate events with a trained simulator."""
    from simulacra.io import write_events
    from simulacra.simulators import load_simulator

    _require_free(output, overwrite)
    loaded = load_simulator(simulator)
    conditions = _conditions(loaded.detector, like, energy, number, seed)
    outside = int(loaded.outside(conditions).sum())
    if outside:
        errors.print(f"note: {outside} of {len(conditions)} events are outside the trained range")
    write_events(loaded.simulate(conditions, seed), output)
    console.print(f"{len(conditions)} events in {output}", highlight=False)


@app.command()
def export(
    simulator: Annotated[str, typer.Argument(help="A shipped simulator or a simulator's folder.")],
    to: Annotated[str, typer.Option(help="onnx: any model; lwtnn: dense ones; par04: cylinders.")],
    output: Output,
    overwrite: Overwrite = False,
) -> None:
    """Write a simulator for software without Python."""
    from simulacra.deploy import export as run
    from simulacra.simulator import TrainedSimulator

    _require_free(output, overwrite)
    written = run(TrainedSimulator.load(simulator), to, output)
    console.print(f"{output}: {written}", highlight=False)


@app.command()
def hybrid(
    card: Annotated[Path, typer.Argument(help="A hybrid card in YAML.")],
    output: Output,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Change a key: rules=[] is all in full.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; does not change events.")] = 1,
    overwrite: Overwrite = False,
) -> None:
    """Simulate with Geant4 where rules choose: full, or a fast simulator in its place."""
    from simulacra.hybrid import HybridCard, simulate_hybrid

    _require_free(output, overwrite)
    loaded = HybridCard.load(card, overrides or [])
    with bar("Geant4") as on_progress:
        events = simulate_hybrid(loaded, output, workers=workers, on_progress=on_progress)
    print_handed_over(events)
    console.print(f"{len(events)} events in {output}", highlight=False)


@app.command()
def convert(
    source: Annotated[str, typer.Argument(help="Events of any known kind, or sample:test.")],
    output: Annotated[Path, typer.Argument(help="Where the converted events appear.")],
    detector: Annotated[
        str | None, typer.Option(help="The detector, where the file does not say it.")
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option("--format", help="hdf5, calochallenge, par04, calogan or root."),
    ] = None,
    rows: Annotated[str, typer.Option(help="Only these events: FIRST:LAST.")] = ":",
    overwrite: Overwrite = False,
) -> None:
    """Convert events from one kind of file to another; units and axes are checked."""
    from simulacra.detectors import load_detector
    from simulacra.io import format_of, parse_rows, read_events, write_events
    from simulacra.sample import resolve_events

    _require_free(output, overwrite)
    format_of(output, format_name)
    named = load_detector(detector) if detector else None
    events = read_events(resolve_events(source), named, parse_rows(rows))
    write_events(events, output, format_name)
    console.print(f"{len(events)} events of {events.detector.name} in {output}", highlight=False)


@app.command()
def validate(
    reference: Annotated[str, typer.Argument(help="Full simulation: a file, or sample:test.")],
    generated: Annotated[str, typer.Argument(help="What is to be judged.")],
    output: Output = Path("report"),
    floor: Annotated[
        str | None, typer.Option(help="More full simulation, for the Geant4-against-Geant4 floor.")
    ] = None,
    detector: Annotated[
        str | None, typer.Option(help="The detector, where the files do not say it.")
    ] = None,
    profile: Annotated[
        Literal["none", "quick", "official"],
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
) -> None:
    """Judge events by physics, energy by energy; write a report."""
    from simulacra.detectors import load_detector
    from simulacra.io import EventFile
    from simulacra.sample import resolve_events
    from simulacra.units import parse_quantity
    from simulacra.validation import Emptied, Thresholds, apply_thresholds, measured, write_report
    from simulacra.validation import validate as run

    _require_report_folder(output)
    limits = Thresholds.load(thresholds) if thresholds else None
    named = load_detector(detector) if detector else None
    least = _checked(lambda: parse_quantity(empty_below, "energy")) if empty_below else None

    def source(name: str) -> EventSource:
        events = EventFile(resolve_events(name), named)
        return events if least is None else Emptied(events, least)

    full, fast = measured(source(reference)), measured(source(generated))
    independent = source(floor) if floor else None
    validation = run(full, fast, floor=independent, profile=profile, legacy=caloch_legacy)
    if limits is not None:
        validation = apply_thresholds(validation, limits)
    write_report(validation, full, fast, output)
    print_scores(validation)
    console.print(f"report     {output / 'index.html'}", highlight=False)
    _fail_below_thresholds(validation)


def _fail_below_thresholds(validation: Validation) -> None:
    """Print each threshold that fails; exit code 1 where there is one."""
    if validation.thresholds is None:
        return
    for failure in validation.thresholds.failures:
        errors.print(f"failed: {failure}", markup=False, highlight=False)
    if validation.thresholds.failures:
        raise typer.Exit(1)
    console.print(f"thresholds {validation.thresholds.checked} hold", highlight=False)


@app.command()
def benchmark(
    simulators: Annotated[list[Path], typer.Argument(help="Shipped names or folders.")],
    output: Output = Path("benchmark"),
    reference: Annotated[
        str, typer.Option(help="Full simulation to judge by: a file, or sample:test.")
    ] = "sample:test",
    physics: Annotated[
        list[str] | None, typer.Option(help="Time Geant4 too, with this list; may be repeated.")
    ] = None,
    particle: Annotated[
        str | None, typer.Option(help="Particle for Geant4: gamma, or a TPC's species.")
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
        Literal["none", "quick", "official"],
        typer.Option(
            help="Add the AUC of classifiers to the scores, as validate --profile has it."
        ),
    ] = "none",
) -> None:
    """Measure speed and quality of simulators, and of Geant4, on one core in one run."""
    from simulacra.benchmark import BenchmarkSettings, write_benchmark
    from simulacra.benchmark import benchmark as run
    from simulacra.conditions import EnergySpectrum
    from simulacra.fullsim import Geant4Settings
    from simulacra.io import read_events
    from simulacra.sample import resolve_events

    _require_own_folder(output, "benchmark.json", "a benchmark")
    points = EnergySpectrum.parse(energy).points if energy else ()
    settings = _checked(
        lambda: BenchmarkSettings(
            batches=tuple(int(number) for number in batch.split(",")),
            seconds=seconds,
            energies=points,
            profile=profile,
        )
    )
    events = read_events(resolve_events(reference))
    if particle is None and "pdg" not in events.detector.conditions:
        particle = "gamma"
    full = [
        _checked(partial(Geant4Settings, particle=particle, physics=name)) for name in physics or ()
    ]
    with console.status("benchmark") as status:
        result = run(simulators, events, full, settings, lambda what: status.update(what))
    typer.echo(write_benchmark(result, output).read_text(encoding="utf-8"))


def _conditions(
    detector: Detector, like: str | None, energy: str | None, number: int | None, seed: int
) -> Conditions:
    from simulacra.conditions import conditions_at
    from simulacra.events import require_same_detector
    from simulacra.io import read_events
    from simulacra.sample import resolve_events

    if (like is None) == (energy is None) or (energy is not None and number is None):
        msg = "give either --like FILE, or --energy (--momentum) and -n"
        raise SimulacraError(msg)
    if like is not None:
        events = read_events(resolve_events(like))
        require_same_detector(detector, events.detector)
        return events.conditions if number is None else events.conditions.take(slice(number))
    assert energy is not None
    assert number is not None
    return conditions_at(detector, energy, number, seed)


def _wants_one(verb: str | None, name: str | None) -> bool:
    if verb is None:
        return False
    if verb != "show" or name is None:
        msg = f"unknown request {verb!r}; write 'show NAME'"
        raise SimulacraError(msg)
    return True


def _checked(make: Callable[[], T]) -> T:
    """Return what ``make`` gives; a pydantic or value error becomes one line."""
    from simulacra.errors import summarise_validation_error

    try:
        return make()
    except ValueError as error:
        raise SimulacraError(summarise_validation_error(error)) from None


def _require_free(output: Path, overwrite: bool) -> None:
    if output.exists() and not overwrite:
        msg = f"{output} is there already; choose another output or give --overwrite"
        raise SimulacraError(msg)


def _require_report_folder(folder: Path) -> None:
    _require_own_folder(folder, "metrics.json", "a report")


def _require_own_folder(folder: Path, mark: str, what: str) -> None:
    """Refuse to replace a folder that holds something else."""
    if folder.exists() and not (folder / mark).is_file():
        msg = f"{folder} is there and is not {what}; choose another output"
        raise SimulacraError(msg)


def main() -> None:
    """Run the command line: exit code 2 and one line for what the user can mend."""

    def show_warning(message: Warning | str, *_: object, **__: object) -> None:
        errors.print(f"warning: {message}", markup=False)

    warnings.showwarning = show_warning
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], standalone_mode=False))
    except SimulacraError as error:
        if DEBUG.get():
            raise
        errors.print(f"error: {error}", markup=False, highlight=False)
    except UsageError as error:
        message = error.format_message()  # type: ignore[attr-defined]
        errors.print(f"error: {message}", markup=False, highlight=False)
    except (typer.Abort, KeyboardInterrupt):
        errors.print("stopped; the same command goes on where that is possible")
        sys.exit(130)
    sys.exit(2)
