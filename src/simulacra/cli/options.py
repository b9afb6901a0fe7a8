"""Options that several commands share, and checks of what was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from simulacra.errors import SimulacraError
from simulacra.files.atomic import require_file_name, require_place
from simulacra.files.mistakes import summarise_validation_error
from simulacra.files.simulator_files import EVERY

T = TypeVar("T")

Output = Annotated[Path, typer.Option("--output", "-o", help="Where the result appears.")]
LARGEST_SEED = 2**63 - 1
"""What torch's generators take."""
Seed = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="Where all random numbers come from.")
]
# One option with two spellings: what it means is the detector's scale.
SPECTRUM = typer.Option(
    "--energy",
    "--momentum",
    help="Kinetic energy, or transverse momentum for a TPC: "
    "65GeV; 1GeV,2GeV is cycled; 1GeV..65GeV is log-uniform, 1GeV-65GeV uniform.",
)
Energy = Annotated[str, SPECTRUM]
Particles = Annotated[
    str | None,
    typer.Option(
        "--particle",
        help="Name or PDG id: gamma, e-, pi+, 13 …; several in turn, e-,gamma, or with weights, "
        "e-:2,gamma:1. A TPC's default is all its species; of jets, processes: w,qcd.",
    ),
]
Number = Annotated[int, typer.Option("-n", min=1, help="Number of events.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a key of the card: training.steps=5000, rules=[]."),
]
Device = Annotated[
    str, typer.Option(help="Where networks run: cpu, cuda, cuda:1, mps; auto: CUDA or else cpu.")
]
Workers = Annotated[int, typer.Option(min=1, help="Processes; does not change events.")]

Engines = Annotated[
    str,
    typer.Option(
        "--executor",
        help="Where: local, dask:ADDRESS, slurm:FILE.yaml or htcondor:FILE.yaml; the same command "
        "continues and merges.",
    ),
]


def checked(make: Callable[[], T]) -> T:
    """Return what ``make`` gives; a pydantic or value error becomes one line."""
    try:
        return make()
    except ValueError as error:
        raise SimulacraError(summarise_validation_error(error)) from None


def require_free(output: Path, overwrite: bool) -> None:
    """Refuse to replace what is there, unless that was asked for, and places that take no file."""
    if os.path.lexists(output) and not overwrite:  # a link to nothing is somebody's as well
        msg = f"{output} is there already; choose another output or give --overwrite"
        raise SimulacraError(msg)
    require_file_name(output)
    require_place(output)


def require_report_folder(folder: Path) -> None:
    """Refuse to replace a folder that holds no report, or more."""
    require_own_folder(folder, ("metrics.json", "index.html"), "a report")


def require_side_by_side_folder(folder: Path) -> None:
    """Refuse to replace a folder that holds no report on several simulators, or more."""
    from simulacra.validation.report.overlay_html import LIST, PAGE, listed_folders

    require_own_folder(folder, (LIST, PAGE, *listed_folders(folder)), "a report on simulators")


def require_simulator_folder(folder: Path) -> None:
    """Refuse to replace a folder that holds no simulator, or more."""
    require_own_folder(folder, EVERY, "a simulator")


def require_own_folder(folder: Path, files: Sequence[str], what: str) -> None:
    """Refuse to replace a folder of anything else, and places that take no folder.

    Args:
        folder: the output.
        files: all that a command writes there; an output of its own has the first one.
        what: it is, for the message.
    """
    if os.path.lexists(folder) and not (folder / files[0]).is_file():
        msg = f"{folder} is there and is not {what}; choose another output"
        raise SimulacraError(msg)
    if folder.is_dir() and (more := {item.name for item in folder.iterdir()} - {*files}):
        msg = f"{folder} holds {min(more)}, which is no part of {what}; choose another output"
        raise SimulacraError(msg)
    require_place(folder)
