"""Commands that make simulators: train or build them, and export them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simulacra.cli.options import (
    Energy,
    Engines,
    Output,
    Overrides,
    Overwrite,
    Particles,
    Seed,
    Workers,
    require_free,
    require_own_folder,
    require_report_folder,
    require_simulator_folder,
)
from simulacra.cli.progress import display
from simulacra.cli.terminal import console, errors, print_note, print_scores, write
from simulacra.faces.text import as_text


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
    """Train a simulator; the same command goes on after an interruption.

    After SIGTERM or SIGUSR1 it writes a checkpoint and exits with code 75.
    """
    from simulacra.simulators.trained import train as run
    from simulacra.training.card import Card
    from simulacra.training.compute import number_of_process

    loaded = Card.load(card, overrides or [])
    with display() as shown:
        simulator = run(
            loaded,
            output,
            shown.on_progress,
            on_note=print_note,
            on_evaluation=shown.on_evaluation,
        )
    if number_of_process():
        return
    about = simulator.about
    step, score, floor = (
        about[name] for name in ("selected_step", "selection_score", "selection_floor")
    )
    console.print(
        f"step {step} selected, score {score:.3f} (full simulation {floor:.3f}); "
        f"simulator in {output}",
        highlight=False,
    )


def tune(
    card: Annotated[Path, typer.Argument(help="A run card in YAML with a section 'tune'.")],
    output: Output,
    overrides: Overrides = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train at a time.")] = 1,
    executor: Engines = "local",
) -> None:
    """Search for the options of a card; the same command goes on after an interruption."""
    from simulacra.engines import parse_engine
    from simulacra.tuning.card import TuneCard
    from simulacra.tuning.result import BEST
    from simulacra.tuning.run import tune as run

    loaded = TuneCard.load(card, overrides or [])
    with display() as shown:
        tuning = run(
            loaded,
            output,
            workers,
            shown.on_progress,
            engine=parse_engine(executor),
            on_note=print_note,
            on_trial=lambda trial: errors.print(trial.text, markup=False, highlight=False),
        )
    write(as_text(tuning.describe()) + "\n")
    console.print(f"best card  {output / BEST}", highlight=False)


def learn(
    detector: Annotated[str, typer.Argument(help="A shipped detector or a YAML file.")],
    output: Annotated[Path, typer.Argument(help="The folder for everything that is made.")],
    energy: Energy,
    hours: Annotated[float, typer.Option(help="Time for everything; a plan, not a limit.")],
    particle: Particles = None,
    model: Annotated[
        str | None, typer.Option(help="Kind of model; else the one of the detector's kind.")
    ] = None,
    physics: Annotated[str, typer.Option(help="Geant4's physics list.")] = "opt0",
    seed: Seed = 1,
    workers: Workers = 1,
    overrides: Overrides = None,
) -> None:
    """Simulate, train and validate within some hours; the same command goes on."""
    from simulacra.learning.run import REPORT, SIMULATOR, SUMMARY
    from simulacra.learning.run import learn as run

    with display() as shown:
        learned = run(
            detector,
            particle,
            energy,
            hours,
            output,
            model=model,
            physics=physics,
            seed=seed,
            workers=workers,
            overrides=tuple(overrides or ()),
            on_progress=shown.on_progress,
            on_note=print_note,
            on_evaluation=shown.on_evaluation,
        )
    print_scores(learned.validation)
    write(as_text(learned.describe()) + "\n")
    for name, place in (
        ("simulator", SIMULATOR),
        ("report", f"{REPORT}/index.html"),
        ("summary", SUMMARY),
    ):
        console.print(f"{name:11}{output / place}", highlight=False)


def build(
    kind: Annotated[str, typer.Argument(help="gflash or another classical simulation.")],
    output: Output,
    detector: Annotated[
        str | None, typer.Option(help="A shipped detector or a YAML file; else the sample's.")
    ] = None,
    sample: Annotated[
        list[str] | None,
        typer.Option(
            help="Full simulation to fit or to store: a file or sample:train; repeatable."
        ),
    ] = None,
    particle: Annotated[
        str | None, typer.Option(help="gamma, or e-,gamma; else those of the sample.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change an option of the simulation: core=1.1."),
    ] = None,
    seed: Seed = 1,
    overwrite: Overwrite = False,
) -> None:
    """Make a classical fast simulation: a formula, a library or a table in place of a network."""
    from simulacra.files.yaml_text import set_key
    from simulacra.simulators.classical.build import build as run
    from simulacra.simulators.classical.store import FILES

    if overwrite:
        require_own_folder(output, FILES, "a classical simulation")
    else:
        require_free(output, overwrite)
    options: dict[str, Any] = {}
    for override in overrides or ():
        set_key(options, override)
    with display() as shown:
        simulator = run(
            kind,
            detector,
            sample=sample,
            particle=particle,
            options=options,
            output=output,
            replace_output=overwrite,
            seed=seed,
            on_progress=shown.on_progress,
            on_note=print_note,
        )
    console.print(f"{simulator.kind} of {simulator.detector.name} in {output}", highlight=False)


def export(
    simulator: Annotated[str, typer.Argument(help="A shipped simulator or a simulator's folder.")],
    to: Annotated[
        str,
        typer.Option(help="onnx: any; lwtnn: dense ones; par04: cylinders; fastcalosim: voxels."),
    ],
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
