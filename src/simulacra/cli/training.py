"""Commands that make simulators: train them, and export them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulacra.cli.options import (
    Output,
    Overrides,
    Overwrite,
    require_free,
    require_report_folder,
    require_simulator_folder,
)
from simulacra.cli.progress import display
from simulacra.cli.terminal import console, print_note, print_scores


def quickstart(
    output: Output = Path("quickstart"),
    report: Annotated[Path, typer.Option(help="Where the report appears.")] = Path("report"),
    model: Annotated[
        str, typer.Option(help="flow-matching, the default generator, or dnncalogan.")
    ] = "flow-matching",
    overrides: Overrides = None,
) -> None:
    """Train on the embedded Geant4 sample, generate, validate; print scores and the report."""
    from simulacra.first_steps import quickstart as run

    require_report_folder(report)
    simulator, fast = output / "simulator", output / "fast.h5"
    require_simulator_folder(simulator)
    require_free(fast, overwrite=simulator.exists())  # which is older: events without it are others
    with display() as shown:
        validation = run(
            output,
            report,
            model,
            tuple(overrides or ()),
            shown.on_progress,
            on_note=print_note,
            on_evaluation=shown.on_evaluation,
        )
    print_scores(validation)
    console.print(f"simulator  {simulator}")
    console.print(f"report     {report / 'index.html'}", highlight=False)


def train(
    card: Annotated[Path, typer.Argument(help="A run card in YAML.")],
    output: Output,
    overrides: Overrides = None,
) -> None:
    """Train a simulator; the same command goes on after an interruption."""
    from simulacra.simulators.trained import train as run
    from simulacra.training.card import Card

    loaded = Card.load(card, overrides or [])
    with display() as shown:
        simulator = run(
            loaded,
            output,
            shown.on_progress,
            on_note=print_note,
            on_evaluation=shown.on_evaluation,
        )
    about = simulator.about
    step, score, floor = (
        about[name] for name in ("selected_step", "selection_score", "selection_floor")
    )
    console.print(
        f"step {step} selected, score {score:.3f} (full simulation {floor:.3f}); "
        f"simulator in {output}",
        highlight=False,
    )


def export(
    simulator: Annotated[str, typer.Argument(help="A shipped simulator or a simulator's folder.")],
    to: Annotated[str, typer.Option(help="onnx: any model; lwtnn: dense ones; par04: cylinders.")],
    output: Output,
    overwrite: Overwrite = False,
) -> None:
    """Write a simulator for software without Python."""
    from simulacra.deploy import export as run
    from simulacra.simulators.trained import TrainedSimulator

    require_free(output, overwrite)
    with display() as shown:
        written = run(TrainedSimulator.load(simulator), to, output, shown.on_progress)
    console.print(f"{output}: {written}", highlight=False)
