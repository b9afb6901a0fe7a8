"""Commands that write events: full, fast and hybrid simulation, and conversion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulacra.cli.options import (
    SPECTRUM,
    Energy,
    Number,
    Output,
    Overrides,
    Overwrite,
    Seed,
    Workers,
    checked,
    require_free,
)
from simulacra.errors import SimulacraError
from simulacra.terminal import bar, console, errors, print_handed_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulacra.conditions import Conditions
    from simulacra.detectors import Detector
    from simulacra.events import Events


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
    workers: Workers = 1,
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

    require_free(output, overwrite)
    settings = checked(
        lambda: Geant4Settings(
            particle=particle,
            physics=physics,
            cut=None if cut is None else parse_quantity(cut, "length"),
        )
    )
    spectrum, matter = EnergySpectrum.parse(energy), load_detector(detector)
    if settings.misses_showers and matter.kind == "calorimeter":  # a TPC wants ionisation alone
        errors.print(
            f"note: {physics} has no hadronic physics: {particle} makes no hadronic shower; "
            "--physics FTFP_BERT has it",
            highlight=False,
        )
    with bar("Geant4") as on_progress:
        events = run(
            matter,
            settings,
            spectrum,
            output,
            seed=seed,
            n=number,
            workers=workers,
            on_progress=on_progress,
        )
    console.print(f"{len(events)} events in {output}", highlight=False)


def generate(
    simulator: Annotated[
        str, typer.Argument(help="A shipped simulator, a simulator's folder or an exported file.")
    ],
    output: Output,
    like: Annotated[
        str | None, typer.Option(help="Take the conditions of this events file, or sample:test.")
    ] = None,
    energy: Annotated[str | None, SPECTRUM] = None,
    number: Annotated[int | None, typer.Option("-n", min=1, help="Number of events.")] = None,
    seed: Seed = 1,
    overwrite: Overwrite = False,
) -> None:
    """Generate events with a trained simulator."""
    from simulacra.io import require_writable, write_pieces
    from simulacra.simulators import load_simulator

    require_free(output, overwrite)
    loaded = load_simulator(simulator)
    require_writable(loaded.detector, output)
    conditions = _conditions(loaded.detector, like, energy, number, seed)
    outside = int(loaded.outside(conditions).sum())
    if outside:
        errors.print(f"note: {outside} of {len(conditions)} events are outside the trained range")
    with bar("generating") as on_progress:
        pieces = _counted(loaded.stream(conditions, seed), len(conditions), on_progress)
        write_pieces(pieces, len(conditions), output)
    console.print(f"{len(conditions)} events in {output}", highlight=False)


def hybrid(
    card: Annotated[Path, typer.Argument(help="A hybrid card in YAML.")],
    output: Output,
    overrides: Overrides = None,
    workers: Workers = 1,
    overwrite: Overwrite = False,
) -> None:
    """Simulate with Geant4 where rules choose: full, or a fast simulator in its place."""
    from simulacra.hybrid import HybridCard, simulate_hybrid

    require_free(output, overwrite)
    loaded = HybridCard.load(card, overrides or [])
    with bar("Geant4") as on_progress:
        events = simulate_hybrid(loaded, output, workers=workers, on_progress=on_progress)
    print_handed_over(events)
    console.print(f"{len(events)} events in {output}", highlight=False)


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

    require_free(output, overwrite)
    format_of(output, format_name)
    named = load_detector(detector) if detector else None
    events = read_events(resolve_events(source), named, parse_rows(rows))
    if rows != ":" and not len(events):
        msg = f"{source} has no events {rows}"
        raise SimulacraError(msg)
    write_events(events, output, format_name)
    console.print(f"{len(events)} events of {events.detector.name} in {output}", highlight=False)


def _counted(
    pieces: Iterator[Events], n: int, on_progress: Callable[[int, int], None]
) -> Iterator[Events]:
    """Yield the pieces and tell how many events have been passed on."""
    done = 0
    for events in pieces:
        yield events
        done += len(events)
        on_progress(done, n)


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
        if number is not None and number > len(events):
            msg = f"-n {number}: {like} has only {len(events)} events"
            raise SimulacraError(msg)
        return events.conditions if number is None else events.conditions.take(slice(number))
    assert energy is not None
    assert number is not None
    return conditions_at(detector, energy, number, seed)
