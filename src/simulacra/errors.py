"""The errors that a user can cause and mend: printed as one line, exit code 2."""

from __future__ import annotations

import re

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


class SimulacraError(Exception):
    """Something that the user gave cannot be used; the message says what and how to mend it."""


class TrainingStoppedError(SimulacraError):
    """A batch system took the machine away; the same command goes on from the checkpoint."""


class PeerEndedError(SimulacraError):
    """Another process of a training has ended; its own message has the reason."""


class CardError(SimulacraError):
    """A run card has an unknown key or a value out of range."""


class DetectorError(SimulacraError):
    """A detector file is inconsistent, or a file belongs to another detector."""


class EventsError(SimulacraError):
    """An events file cannot be read, or its content breaks the contract."""


class SimulatorError(SimulacraError):
    """A simulator folder is damaged, incomplete or asked for something it was not trained for."""


class ExportError(SimulacraError):
    """A simulator cannot be written in the form asked for; the message says which part and why."""


class MissingDependencyError(SimulacraError):
    """An optional package or a Geant4 data set is not installed."""


LONGEST = 300
"""Characters of a message."""
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


def one_line(message: str) -> str:
    """Return a message as one line of at most 300 characters that any terminal can show.

    White space becomes single spaces, control characters are escaped, addresses in memory are left
    out, and the middle of what is too long.
    """
    shown = _ADDRESS.sub("0x…", printable(message))
    if len(shown) <= LONGEST:
        return shown
    half = (LONGEST - 3) // 2
    return f"{shown[:half]} … {shown[-half:]}"


def printable(text: str) -> str:
    r"""Return a text as one line: white space as single spaces, control characters escaped.

    Example:
        >>> printable("two\n lines\x1b")
        'two lines\\x1b'
    """
    return printable_line(" ".join(text.split()))


def printable_line(line: str) -> str:
    """Return a line with its spaces as they are, control characters escaped, tabs apart."""
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in line)
