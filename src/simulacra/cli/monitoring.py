"""Commands that make faulty "data" and watch data for faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulacra.cli.options import Output, Overwrite, Seed, require_free, require_own_folder
from simulacra.cli.progress import counted, display
from simulacra.cli.terminal import console, print_note, table


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
    from simulacra.io import require_writable, write_pieces

    require_free(output, overwrite)
    source = open_events(events, load_detector(detector) if detector else None)
    loaded = Scenario.load(scenario)
    require_writable(source.detector, output)
    for note in notes_on(loaded, source.detector):
        print_note(note)
    with display() as shown:
        pieces = distorted_pieces(source, loaded, seed)
        pieces = counted("distorting", pieces, len(source), shown.on_progress)
        write_pieces(pieces, len(source), output)
    console.print(f"{len(source)} events in {output}", highlight=False)


def monitor(
    reference: Annotated[
        str,
        typer.Argument(
            help="Fault-free events: a file, sample:train, or a simulator, which generates events "
            "under the conditions of the first data."
        ),
    ],
    data: Annotated[list[str], typer.Argument(help="Events to be judged; each is a run.")],
    output: Output,
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
    from simulacra.monitoring.page import PAGE, SUMMARY, write_page
    from simulacra.simulators.generate import generate
    from simulacra.simulators.load import is_simulator

    require_own_folder(output, (SUMMARY, PAGE, *run_files(output)), "a monitor's page")
    sources = {name: open_events(name) for name in data}
    source = generate(reference, like=data[0], seed=seed) if is_simulator(reference) else None
    expected = open_events(reference) if source is None else source
    require_same_detector(expected.detector, *(opened.detector for opened in sources.values()))
    events = expected.take(slice(0, len(expected)))
    own = digests_of(events)
    for name, opened in sources.items():
        if same := shared(digests_of(opened), own):
            print_note(f"{name}: {same} of {len(opened)} events are in the reference, too")
    with display() as shown:
        shown.on_progress("fitting the reference", 0, 1)
        fitted = Monitor.fit(events, window, rate, seed, classifier)
        runs = []
        for number, (name, opened) in enumerate(sources.items()):
            shown.on_progress("judging runs", number, len(sources))
            runs.append(fitted.watch(opened, name))
        write_page(fitted, runs, output)
    print_note(fitted.support)
    listing = table("run", "windows", "alarms", "worst window")
    for run in runs:
        listing.add_row(run.name, str(len(run.windows)), str(run.alarms), run.worst.text)
    console.print(listing)
    console.print(f"page {output / PAGE}", highlight=False)
    if any(run.alarms for run in runs):
        raise typer.Exit(1)


def run_files(folder: Path) -> list[str]:
    """Return the names of the summaries of runs in a folder."""
    return [item.name for item in folder.glob("run-*.json")] if folder.is_dir() else []
