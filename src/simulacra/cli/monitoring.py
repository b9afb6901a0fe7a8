"""Commands that make faulty "data" and watch data for faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulacra.cli.options import Output, Overwrite, Seed, require_free
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
    from simulacra.faults.distort import distorted_pieces, notes_on
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
