"""The command line: each command parses, calls one public function and prints what came of it.

A command is one function and one row of :data:`COMMANDS`.
"""

from __future__ import annotations

import sys
import warnings
from contextvars import ContextVar
from typing import Annotated, cast

import typer

from simulacra import __version__
from simulacra.cli.catalogue import detectors, models, simulators
from simulacra.cli.events import convert, generate, hybrid, overlay, simulate
from simulacra.cli.info import info
from simulacra.cli.judgement import benchmark, validate
from simulacra.cli.monitoring import distort, faults, monitor
from simulacra.cli.terminal import errors, spell_what_is_lacking, write
from simulacra.cli.training import build, export, learn, quickstart, train, tune
from simulacra.errors import (
    INTERRUPTED,
    PeerEndedError,
    SimulacraError,
    TrainingStoppedError,
    one_line,
    printable,
)

COMMANDS = (
    quickstart,
    detectors,
    models,
    simulators,
    info,
    simulate,
    train,
    tune,
    learn,
    build,
    generate,
    export,
    hybrid,
    overlay,
    convert,
    validate,
    benchmark,
    faults,
    distort,
    monitor,
)
app = typer.Typer(
    name="simulacra",
    help="Fast detector simulation: learn Geant4, answer in its place, be judged by physics.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in COMMANDS:
    app.command()(command)
# What typer raises for a wrong option or command; it exports only this leaf of them.
UsageError = cast("type[Exception]", typer.BadParameter.__base__)
TRY_AGAIN = 75
"""The exit code after SIGTERM or SIGUSR1 in a training, from sysexits: the same command goes on."""
DEBUG: ContextVar[bool] = ContextVar("debug", default=False)


def _show_version(asked: bool) -> None:
    if asked:
        write(f"simulacra {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    DEBUG.set(debug)


def main() -> None:
    """Run the command line: exit code 2 and one line for what the user can mend."""

    def show_warning(message: Warning | str, *_: object, **__: object) -> None:
        errors.print(f"warning: {printable(str(message))}")

    warnings.showwarning = show_warning
    spell_what_is_lacking()
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        if code == INTERRUPTED:  # typer catches Ctrl-C itself
            _tell_stopped()
        sys.exit(code)
    except UsageError as error:
        _tell(error.format_message())  # type: ignore[attr-defined]
    except (typer.Abort, KeyboardInterrupt):
        _tell_stopped()
        sys.exit(INTERRUPTED)
    except TrainingStoppedError as error:
        if _number():
            sys.exit()
        errors.print(str(error), markup=False, highlight=False)
        sys.exit(TRY_AGAIN)
    except Exception as error:
        if DEBUG.get():
            raise
        if not _number():
            _tell(_in_words(error))
        elif not isinstance(error, PeerEndedError):
            _tell(f"process {_number()}: {_in_words(error)}")
    sys.exit(2)


def _number() -> int:
    """Return which of a training's processes this is."""
    if "simulacra.training.compute" not in sys.modules:
        return 0
    from simulacra.training.compute import number_of_process

    return number_of_process()


def _in_words(error: Exception) -> str:
    """Return what an error says to the user, who caused it or met a fault of the program."""
    if isinstance(error, (SimulacraError, OSError)):  # or no permission, a full disk, no folder
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}".removesuffix(": ")
    return f"unexpected {type(error).__name__}: {error} (simulacra --debug shows where)"


def _tell(message: str) -> None:
    errors.print(f"error: {one_line(message)}", highlight=False)


def _tell_stopped() -> None:
    errors.print("stopped; the same command goes on where that is possible")
