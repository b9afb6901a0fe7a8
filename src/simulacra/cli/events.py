"""Commands that write events: full, fast and hybrid simulation, and conversion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulacra.cli.mapping import CellFile, Maps, Origin, Trees
from simulacra.cli.options import (
    SPECTRUM,
    Device,
    Engines,
    Number,
    Output,
    Overrides,
    Overwrite,
    Particles,
    Seed,
    Workers,
    require_free,
)
from simulacra.cli.progress import counted, display
from simulacra.cli.terminal import console, errors, print_handed_over, print_note
from simulacra.errors import SimulacraError

if TYPE_CHECKING:
    from simulacra.detectors import Detector
    from simulacra.events import Events
    from simulacra.mixing.verb import Overlay

Mean = Annotated[
    float | None,
    typer.Option("--mean", min=0, help="Events added to each, on average (Poisson)."),
]


def simulate(
    detector: Annotated[str, typer.Option(help="A shipped detector or a YAML file.")],
    number: Number,
    output: Output,
    energy: Annotated[str | None, SPECTRUM] = None,
    particle: Particles = None,
    seed: Seed = 1,
    workers: Workers = 1,
    physics: Annotated[
        str | None,
        typer.Option(
            help="opt0 (the default) to opt4: EM only; or a reference list such as FTFP_BERT."
        ),
    ] = None,
    cut: Annotated[
        str | None, typer.Option(help="Range cut for secondaries: 0.7mm; else the detector's own.")
    ] = None,
    executor: Engines = "local",
    overwrite: Overwrite = False,
) -> None:
    """Simulate particles in full with Geant4, or jets with Pythia.

    Several particles become the condition ``pdg``, which says the particle of each event.
    """
    from simulacra.fullsim.verb import produce

    require_free(output, overwrite)
    with display() as shown:
        written = produce(
            detector,
            particle,
            energy,
            number,
            seed,
            output,
            physics=physics,
            cut=cut,
            workers=workers,
            executor=executor,
            on_progress=shown.on_progress,
            on_note=print_note,
        )
    console.print(f"{written} events in {output}", highlight=False)


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
    particle: Particles = None,
    seed: Seed = 1,
    extrapolate: Annotated[
        bool, typer.Option("--extrapolate", help="Generate events far outside the training, too.")
    ] = False,
    pile_up: Annotated[
        str | None, typer.Option("--overlay", help="Add events of this file; needs --mean.")
    ] = None,
    mean: Mean = None,
    executor: Engines = "local",
    device: Device = "cpu",
    overwrite: Overwrite = False,
) -> None:
    """Generate events with a trained simulator.

    A simulator of several particles needs --particle, or --like a file that says its particle.
    """
    from simulacra.engines import parse_engine
    from simulacra.io import require_writable, write_pieces
    from simulacra.simulators.generate import asked_conditions
    from simulacra.simulators.load import load_simulator

    require_free(output, overwrite)
    engine = parse_engine(executor)
    if engine is not None and device != "cpu":
        msg = f"--device {device}: engines generate on processors; leave it out with --executor"
        raise SimulacraError(msg)
    loaded = load_simulator(simulator, device)
    require_writable(loaded.detector, output)
    overlaid = _overlay_of(loaded.detector, pile_up, mean, seed)
    if overlaid is not None and engine is not None:
        msg = "--overlay: engines generate without; overlay their file with simulacra overlay"
        raise SimulacraError(msg)
    conditions = asked_conditions(loaded, energy, number, seed, particle, like)
    answers = loaded.stream(conditions, seed, extrapolate=extrapolate)  # refuses what is too far
    outside = int(loaded.outside(conditions).sum())
    if outside:
        errors.print(f"note: {outside} of {len(conditions)} events are outside the trained range")
    with display() as shown:
        if engine is None:
            pieces = counted("generating", answers, len(conditions), shown.on_progress)
            if overlaid is not None:
                pieces = overlaid.over(pieces, len(conditions))
            write_pieces(pieces, len(conditions), output)
        else:
            from simulacra.simulators.produce import produce

            produce(
                simulator,
                conditions,
                seed,
                output,
                engine,
                extrapolate=extrapolate,
                on_progress=shown.on_progress,
            )
    console.print(f"{len(conditions)} events in {output}", highlight=False)


def _overlay_of(
    detector: Detector, library: str | None, mean: float | None, seed: int
) -> Overlay | None:
    """Return what generated events get added; None where nothing is asked for."""
    if library is None and mean is None:
        return None
    if library is None or mean is None:
        msg = "--overlay FILE and --mean NUMBER belong together"
        raise SimulacraError(msg)
    if detector.kind != "calorimeter":
        msg = "--overlay: only cells are added while generating; see simulacra overlay"
        raise SimulacraError(msg)
    from simulacra.mixing.verb import Overlay

    return Overlay.of(detector, library, mean, seed=seed)


def overlay(
    sources: Annotated[
        list[str], typer.Argument(help="Events: files, 'run_*.h5' or sample:test; all are joined.")
    ],
    library: Annotated[
        list[str], typer.Option(help="Events that are drawn and added: as SOURCES; repeatable.")
    ],
    output: Output,
    mean: Mean = None,
    number: Annotated[
        int | None, typer.Option("--number", min=0, help="Instead: exactly so many per event.")
    ] = None,
    seed: Seed = 1,
    overwrite: Overwrite = False,
) -> None:
    """Add events of a library to each event: pile-up, or several particles.

    Calorimeters are added cell by cell; of a TPC whole events of many tracks are written.
    """
    from simulacra.datasets.samples import open_parts
    from simulacra.events import Events
    from simulacra.hybrid.file import require_hdf5
    from simulacra.io import write_events
    from simulacra.io.joined import whole
    from simulacra.mixing.chambers import write_chamber
    from simulacra.mixing.verb import OVERLAY
    from simulacra.mixing.verb import overlay as run

    require_free(output, overwrite)
    require_hdf5(output)
    events = whole([part for source in sources for part in open_parts(source)])
    made = run(events, library, mean=mean, number=number, seed=seed, on_note=print_note)
    if isinstance(made, Events):
        write_events(made, output)
    else:
        write_chamber(made, output)
    facts = made.provenance.get(OVERLAY, [])
    drawn = facts[-1]["drawn"] if facts else 0
    console.print(f"{drawn} events added to {len(made)} in {output}", highlight=False)


def hybrid(
    card: Annotated[Path, typer.Argument(help="A hybrid card in YAML.")],
    output: Output,
    overrides: Overrides = None,
    workers: Workers = 1,
    overwrite: Overwrite = False,
) -> None:
    """Simulate with Geant4 where rules choose: full, or a fast simulator in its place."""
    from simulacra.detectors import load_detector
    from simulacra.fullsim import cautions
    from simulacra.hybrid import HybridCard, simulate_hybrid

    require_free(output, overwrite)
    loaded = HybridCard.load(card, overrides or [])
    detectors = {
        region.detector: load_detector(region.detector) for region in loaded.regions.values()
    }
    for line in cautions(detectors.values(), loaded.geant4):
        errors.print(f"note: {line}", highlight=False)
    with display() as shown:
        events = simulate_hybrid(loaded, output, workers=workers, on_progress=shown.on_progress)
    print_handed_over(events)
    console.print(f"{len(events)} events in {output}", highlight=False)


def convert(
    sources: Annotated[
        list[str],
        typer.Argument(help="Events of any known kind, 'run_*.h5' or sample:test; all are joined."),
    ],
    output: Annotated[Path, typer.Argument(help="Where the converted events appear.")],
    detector: Annotated[
        str | None, typer.Option(help="The detector, where the file does not say it.")
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option("--format", help="hdf5, calochallenge, par04, calogan or root."),
    ] = None,
    rows: Annotated[str, typer.Option(help="Only these events: FIRST:LAST.")] = ":",
    unit: Annotated[
        str | None, typer.Option(help="Of energies, where the file does not state it: GeV.")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="80/10/10: shuffled into OUTPUT-train, -selection, -test; or 80/20."),
    ] = None,
    seed: Seed = 1,
    trees: Trees = None,
    maps: Maps = None,
    cells: CellFile = None,
    origin: Origin = None,
    particle: Annotated[
        str | None, typer.Option(help="The particle of the events, where the file names none.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert events from one kind of file to another; units and axes are checked.

    An output that holds the very events already is left as it is.
    """
    from simulacra.datasets.samples import open_parts
    from simulacra.detectors import load_detector
    from simulacra.io import Layout, format_of, parse_rows, write_pieces
    from simulacra.io.joined import require_distinct, selected, streamed, whole
    from simulacra.io.present import holds, may_hold
    from simulacra.io.split import parse_shares, part_paths

    shares = parse_shares(split) if split else ()
    outputs = part_paths(output, shares) if shares else {"": output}
    repeated = output.is_file() and not overwrite and not shares
    for path in () if repeated else outputs.values():
        require_free(path, overwrite)
    kind = format_of(output, format_name)
    limits = parse_rows(rows)
    named = load_detector(detector) if detector else None
    if particle is not None and named is not None:
        named = named.without_particles()  # the file's own, or what is named here
    layout = Layout.parse(maps or [], trees or [], cells, origin)
    parts = [part for source in sources for part in open_parts(source, named, unit, layout)]
    require_distinct(parts)
    parts = parts if limits == slice(None) else selected(parts, limits)
    if repeated:
        same = may_hold(output, kind, sum(map(len, parts)))
        if not (same and holds(output, whole(parts, particle))):
            require_free(output, overwrite)
        console.print(f"the same events are in {output} already", highlight=False)
        return
    if shares:
        shared = _split(whole(parts, particle), shares, seed)
        written = {name: (len(events), iter([events])) for name, events in shared.items()}
    else:
        written = {"": streamed(parts, particle)}
    for name, path in outputs.items():
        number, pieces = written[name]
        write_pieces(pieces, number, path, format_name)
        what = f"{number} events of {parts[0].detector.name}"
        console.print(f"{what} in {path}", highlight=False)


def _split(events: Events, shares: tuple[float, ...], seed: int) -> dict[str, Events]:
    from simulacra.datasets.shared_events import digests_of, repeated
    from simulacra.io.split import split_events

    if twice := repeated(digests_of(events)):
        print_note(f"{twice} of {len(events)} events occur twice: parts can share them")
    return split_events(events, shares, seed)
