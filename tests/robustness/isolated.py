"""Calls in processes of their own with limits of time and memory, forked from a warm parent."""

import os
import resource
import signal
import sys
import time
import traceback
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MEMORY = 4 * 2**30
"""Bytes of resident memory that a case may take."""
ADDRESSES = 10 * 2**30
"""Bytes of addresses beyond those of the parent, so that a case cannot harm the machine."""
SECONDS = 20.0
"""Of processor time, after which a case is stopped by Ctrl-C."""
WALL = 100.0
"""Seconds after which it is stopped as well: it waits for something, or the machine is busy."""
GRACE = 5.0
"""Seconds that Ctrl-C may take."""
TRACEBACK = 99
"""The exit code of an exception that nobody caught."""


@dataclass(frozen=True)
class Ran:
    """How a call ended: exit code (negative: the signal), what it printed, what it took.

    Seconds are those of the processor, so that they do not depend on what else is running.
    """

    code: int
    out: str
    err: str
    seconds: float
    memory: int
    stopped: bool


def machine_of_8_gb():
    """Let the program see a machine of 8 GB, whatever this one has: limits are parts of it."""
    asked = os.sysconf
    size = asked("SC_PAGE_SIZE")
    os.sysconf = lambda name: 8 * 2**30 // size if name == "SC_PHYS_PAGES" else asked(name)


def started(call, folder):
    """Begin a call in a child whose working folder is this one; return its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads that nobody uses in the child
        child = os.fork()
    if child:
        return child
    code = TRACEBACK
    try:
        _enter(folder)
        code = call()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code or 0)


def _enter(folder):
    os.setsid()
    os.chdir(folder)
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(f"../{Path(folder).name}.{name}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8") for n in (1, 2))
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESSES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.default_int_handler)


def all_of(cases, jobs=1):
    """Yield (case, Ran) for each (case, call, folder), with ``jobs`` of them at a time."""
    waiting, running = iter(cases), {}
    while True:
        while len(running) < jobs and (item := next(waiting, None)) is not None:
            case, call, folder = item
            running[started(call, folder)] = [case, folder, time.monotonic(), None]
        if not running:
            return
        for child, entry in list(running.items()):
            found = ended(child, entry)
            if found is not None:
                del running[child]
                yield entry[0], found
        time.sleep(0.003)


def ended(child, entry):
    """Return how a child ended, or None while it runs; stop it where its time is over."""
    _, folder, begun, asked = entry
    number, status, used = os.wait4(child, os.WNOHANG)
    now = time.monotonic()
    if number:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # its own children
        said = [
            path.read_bytes().decode(errors="backslashreplace") if path.exists() else ""
            for path in (Path(f"{folder}.{name}") for name in ("stdout", "stderr"))
        ]  # a child that was killed at once has opened neither
        memory = used.ru_maxrss * 1024
        code = os.waitstatus_to_exitcode(status)
        seconds = used.ru_utime + used.ru_stime
        return Ran(code, *said, seconds, memory, asked is not None)
    if asked is None and (now - begun > WALL or _processor_time(child) > SECONDS):
        entry[3] = now
        os.kill(child, signal.SIGINT)
    elif asked is not None and now - asked > GRACE:
        os.killpg(child, signal.SIGKILL)
    return None


def _processor_time(child):
    """Return the seconds that a child has used so far; 0 where it has just ended."""
    try:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
