"""Options of ``convert`` that say what the trees and columns of other people's files hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Trees = Annotated[
    list[str] | None,
    typer.Option("--tree", help="A tree to look into; two are joined by the event number."),
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="What a column holds: energy=Ebeam:GeV, cell_id=cellID, cell_energy=edep:MeV, "
        "event=eventID, pdg=PDG (docs/files.md).",
    ),
]
CellFile = Annotated[
    Path | None,
    typer.Option("--cells", help="CSV: their numbers of a cell, and ours or its position."),
]
Origin = Annotated[
    str | None,
    typer.Option(help="Where our detector's front is in their coordinates: 0,0,-150mm."),
]
