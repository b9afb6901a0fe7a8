"""Commands that make faulty "data" and watch data for faults."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulacra.cli.options import Output, Overwrite, Seed, require_free, require_own_folder
from simulacra.cli.progress import counted, display
from simulacra.cli.terminal import console, print_note, table
from simulacra.errors import SimulacraError

if TYPE_CHECKING:
    from simulacra.monitoring import Monitor, Run
    from simulacra.monitoring.follow import Folder


def faults() -> None:
    """List the faults that a scenario of distort can have, by kind of detector."""
    from simulacra.faults import KINDS

    listing = table("detectors", "fault", "what it does", "strength")
    for kind, entry in KINDS.items():
        for name, fault in entry.faults.items():
            unit = f" [{fault.unit}]" if fault.unit else ""
            listing.add_row(kind, name, fault.summary, f"{fault.strength}{unit}")
    console.print(listing)


def distort(
    events: Annotated[str, typer.Argument(help="An events file, or sample:test.")],
    scenario: Annotated[Path, typer.Argument(help="The faults in YAML (simulacra faults).")],
    output: Output,
    detector: Annotated[
        str | None, typer.Option(help="The detector, where the file does not say it.")
    ] = None,
    seed: Seed = 1,
    overwrite: Overwrite = False,
) -> None:
    """Apply faults of a detector to events; the truth goes into the provenance."""
    from simulacra.datasets.samples import open_events
    from simulacra.detectors import load_detector
    from simulacra.faults import Scenario
    from simulacra.faults.distortion import distorted_pieces, notes_on
    from simulacra.faults.signs import NegativeValues
    from simulacra.io import require_writable, write_pieces

    require_free(output, overwrite)
    source = open_events(events, load_detector(detector) if detector else None)
    loaded = Scenario.load(scenario)
    require_writable(source.detector, output)
    for note in notes_on(loaded, source.detector):
        print_note(note)
    signs = NegativeValues(source.detector)
    with display() as shown:
        pieces = signs.counted(distorted_pieces(source, loaded, seed))
        pieces = counted("distorting", pieces, len(source), shown.on_progress)
        write_pieces(pieces, len(source), output)
    if signs.note:
        print_note(signs.note)
    console.print(f"{len(source)} events in {output}", highlight=False)


def monitor(
    reference: Annotated[
        str,
        typer.Argument(
            help="Fault-free events: a file, sample:train, or a simulator, which generates events "
            "under the conditions of the first data."
        ),
    ],
    output: Output,
    data: Annotated[
        list[str] | None, typer.Argument(help="Events to be judged; each is a run.")
    ] = None,
    follow: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Then judge each file that appears in a folder, until Ctrl-C."
        ),
    ] = None,
    window: Annotated[int, typer.Option(min=1, help="Events that are judged together.")] = 1000,
    rate: Annotated[
        float, typer.Option(min=1e-12, max=0.5, help="False alarms per window.")
    ] = 1e-3,
    classifier: Annotated[
        bool, typer.Option("--classifier", help="Train a classifier on each window, too.")
    ] = False,
    seed: Seed = 1,
) -> None:
    """Judge events, window by window, against a reference; write a page and JSON.

    Exit code 1 where there is an alarm.
    """
    from simulacra.datasets.samples import open_events
    from simulacra.datasets.shared_events import digests_of, shared
    from simulacra.events import require_same_detector
    from simulacra.monitoring import Monitor
    from simulacra.monitoring.follow import Folder
    from simulacra.monitoring.page import PAGE, SUMMARY, write_page
    from simulacra.simulators.generate import generate
    from simulacra.simulators.load import is_simulator

    data = data or []
    if not data and follow is None:
        msg = "give events to be judged, or a folder with --follow"
        raise SimulacraError(msg)
    folder = None if follow is None else Folder(follow)
    require_own_folder(output, (SUMMARY, PAGE, *run_files(output)), "a monitor's page")
    sources = {name: open_events(name) for name in data}
    made = is_simulator(reference)
    if made and not data:
        msg = "a simulator generates under the conditions of the first data: give a file, too"
        raise SimulacraError(msg)
    expected = generate(reference, like=data[0], seed=seed) if made else open_events(reference)
    require_same_detector(expected.detector, *(opened.detector for opened in sources.values()))
    events = expected.take(slice(0, len(expected)))
    own = digests_of(events)
    for name, opened in sources.items():
        if same := shared(digests_of(opened), own):
            print_note(f"{name}: {same} of {len(opened)} events are in the reference, too")
    runs: dict[str, Run] = {}
    with display() as shown:
        shown.on_progress("fitting the reference", 0, 1)
        fitted = Monitor.fit(events, window, rate, seed, classifier)
        for number, (name, opened) in enumerate(sources.items()):
            shown.on_progress("judging runs", number, len(sources))
            runs[name] = fitted.watch(opened, name)
        write_page(fitted, list(runs.values()), output, live=folder is not None)
    print_note(fitted.support)
    if runs:
        listing = table("run", "windows", "alarms", "worst window")
        for run in runs.values():
            listing.add_row(run.name, str(len(run.windows)), str(run.alarms), run.worst.text)
        console.print(listing)
    console.print(f"page {output / PAGE}", highlight=False)
    if folder is not None:
        _follow(folder, fitted, runs, output)
    if any(run.alarms for run in runs.values()):
        raise typer.Exit(1)


def _follow(folder: Folder, fitted: Monitor, runs: dict[str, Run], output: Path) -> None:
    """Judge files as they become whole, one line each, and keep the page up to date."""
    from simulacra.datasets.samples import open_events
    from simulacra.monitoring.page import write_page

    for path in folder.arriving():
        try:
            run = fitted.watch(open_events(str(path)), str(path))
        except (SimulacraError, OSError) as error:
            print_note(f"{path} is not judged: {error}")
            continue
        runs[run.name] = run
        write_page(fitted, list(runs.values()), output, live=True)
        counts = f"{len(run.windows)} windows, {run.alarms} alarms"
        console.print(f"{path}: {counts}: {run.worst.text}", highlight=False, markup=False)


def run_files(folder: Path) -> list[str]:
    """Return the names of the summaries of runs in a folder."""
    return [item.name for item in folder.glob("run-*.json")] if folder.is_dir() else []
