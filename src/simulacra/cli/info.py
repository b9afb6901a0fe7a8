"""The command that says what something is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from simulacra.cli.terminal import write


def info(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|SIMULATOR|DETECTOR",
            help="An events file of any kind or sample:test, a simulator or a detector, by its "
            "name or where it lies.",
        ),
    ],
    detector: Annotated[
        str | None, typer.Option(help="The detector of an events file that does not say it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    """Say what a file, a simulator or a detector is: contents, particles, ranges, origin."""
    from simulacra.files.json_values import plain
    from simulacra.info import as_text, describe

    facts = describe(what, detector)
    write((json.dumps(plain(facts), indent=1) if as_json else as_text(facts)) + "\n")
