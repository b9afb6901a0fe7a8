"""Faults of the machine for every command that writes: kills, full disks, two at once.

    python -m tests.robustness.chaos --seed 1 --faults 160

After each fault the same command runs again without one. README.md in this folder says what counts
as a failure.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import yaml

from simulacra import cli
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.datasets import require_geant4
from simulacra.validation.report import catalogue as plots
from tests.conftest import SMALL_MODELS
from tests.robustness import inputs, isolated

SURVIVED, LOST, CORRUPT, ORPHAN, DIFFERENT, WORDS = OUTCOMES = (
    "survived", "lost", "corrupt", "orphan", "other result", "not one line",
)  # fmt: skip
KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
FAULTS = (*(each.name for each in KILLS), "full disk", "unwritable folder", "two at once")
MAY_WRITE_ANYWHERE = 1
"""Linux's CAP_DAC_OVERRIDE."""
SMALLEST = 256
"""Bytes of a file at which a full disk begins, at the least."""


@dataclass(frozen=True)
class Command:
    """A command that writes.

    Attributes:
        words: what is run.
        outputs: what it writes.
        other: words for another result, which is there before the fault; empty: none may be there.
        keeps: work to go on with, which may be left after a fault.
        again: words to run it with after a fault.
    """

    words: tuple[str, ...]
    outputs: tuple[str, ...]
    other: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    again: tuple[str, ...] = ()


_TINY_MODEL = SMALL_MODELS["flow-matching"]
TINY = (
    "--set", f"model={json.dumps(_TINY_MODEL)}", "--set", "training.steps=6",
    "--set", "selection.every=2", "--set", "selection.repeat=1",
)  # fmt: skip
_GENERATE = ("generate", "s", "--energy", "2GeV", "-n", "6000", "-o", "out.h5", "--overwrite")
_SIMULATE = (
    "simulate", "--detector", "d.yaml", "--particle", "gamma", "--energy", "1GeV", "-n", "60",
    "-o", "out.h5", "--overwrite",
)  # fmt: skip
_HYBRID = ("hybrid", "hybrid.yaml", "-o", "out.h5", "--overwrite")
COMMANDS = {
    "simulate": Command(
        _SIMULATE, ("out.h5",), (*_SIMULATE, "--seed", "7"), ("out.h5.parts",)
    ),
    "train": Command(("train", "card.yaml", "-o", "new"), ("new",), (), ("new.part",)),
    "generate": Command(_GENERATE, ("out.h5",), (*_GENERATE, "--seed", "7")),
    "convert": Command(
        ("convert", "many.h5", "out.h5", "--overwrite"), ("out.h5",),
        ("convert", "train.h5", "out.h5", "--overwrite"),
    ),
    "validate": Command(
        ("validate", "train.h5", "selection.h5", "-o", "report"), ("report",),
        ("validate", "selection.h5", "train.h5", "-o", "report"),
    ),
    "export": Command(
        ("export", "s", "--to", "onnx", "-o", "out.onnx", "--overwrite"), ("out.onnx",),
        ("export", "t", "--to", "onnx", "-o", "out.onnx", "--overwrite"),
    ),
    "hybrid": Command(_HYBRID, ("out.h5",), (*_HYBRID, "--set", "seed=7"), ("out.h5.parts",)),
    "quickstart": Command(
        ("quickstart", "-o", "q", "--report", "report", *TINY),
        ("q/simulator", "q/fast.h5", "report"),
        ("quickstart", "-o", "q", "--report", "report", *TINY, "--set", "seed=7"),
        ("q/simulator.part",),
    ),
}  # fmt: skip


@dataclass
class Known:
    """What a command makes without faults, and how long it takes."""

    good: Path
    other: Path | None
    seconds: float
    sizes: int = field(default=0)


# --- the place -----------------------------------------------------------------------------------


def prepare(home):
    """Fill a folder with what the commands read."""
    simulator = inputs.trained(home)
    simulator.save(home / "s")
    replace(simulator, about={**simulator.about, "note": "another"}).save(home / "t")
    inputs.many_events(home / "many.h5")
    content = inputs.card(events=8).model_dump(mode="json")
    content["particles"][0]["energy"] = "1GeV"
    (home / "hybrid.yaml").write_text(yaml.safe_dump(content, sort_keys=False))


def call_of(words, limit=None, as_user=False):
    """Return a function that runs the command line, its disk full or its place not its own."""

    def call():
        warnings.simplefilter("default")
        plots.PLOTS, plots.PLOTS_OF_KIND = (), {}
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if as_user:
            give_up_rights()
        sys.argv = ["simulacra", *words]
        cli.main()

    return call


def give_up_rights():
    """Let the permissions of folders hold for root, too."""
    system = ctypes.CDLL(None, use_errno=True)
    header, rights = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    system.capget(header, rights)
    rights[0] &= ~(1 << MAY_WRITE_ANYWHERE)
    if system.capset(header, rights):
        raise OSError(ctypes.get_errno(), "capset")


def copy_of(home, folder):
    """Return a fresh copy of the place."""
    shutil.copytree(home, folder)
    return folder


def run(words, folder, **more):
    """Run a command to its end and return how it ended."""
    ((_, ran),) = isolated.all_of([(None, call_of(words, **more), folder)])
    return ran


def known(name, home, work):
    """Run a command without a fault, and for its other result."""
    command = COMMANDS[name]
    folder = copy_of(home, work / f"{name}-good")
    begun = time.monotonic()
    ran = run(command.words, folder)
    seconds = time.monotonic() - begun
    if ran.code:
        msg = f"{name} does not run: {ran.code} {ran.err[-500:]}"
        raise SystemExit(msg)
    other = None
    if command.other:
        other = copy_of(home, work / f"{name}-other")
        run(command.other, other)
    sizes = max(
        path.stat().st_size
        for output in command.outputs
        for path in (folder / output, *(folder / output).glob("*"))
        if path.is_file()
    )
    return Known(folder, other, seconds, sizes)


# --- a fault -------------------------------------------------------------------------------------


def with_fault(fault, command, folder, found, rng):
    """Run a command that meets a fault; return how its processes ended, one or two."""
    if fault == "full disk":
        limit = int(rng.integers(SMALLEST, max(found.sizes, SMALLEST + 1)))
        return [run(command.words, folder, limit=limit)]
    if fault == "unwritable folder":
        folder.chmod(0o555)
        try:
            return [run(command.words, folder, as_user=True)]
        finally:
            folder.chmod(0o755)
    if fault == "two at once":
        twin = folder.with_name(f"{folder.name}-twin")
        twin.symlink_to(folder, target_is_directory=True)
        calls = [(None, call_of(command.words), place) for place in (folder, twin)]
        return [ran for _, ran in isolated.all_of(calls, 2)]
    return [_killed(signal.Signals[fault], command, folder, found, rng)]


def _killed(sign, command, folder, found, rng):
    child = isolated.started(call_of(command.words), folder)
    time.sleep(float(rng.uniform(0, 1.05 * found.seconds)))
    os.kill(child, sign)
    entry = [None, folder, time.monotonic(), None]
    while (ran := isolated.ended(child, entry)) is None:
        time.sleep(0.003)
    return ran


def judged(fault, command, folder, found, had_other, processes):
    """Return what came of a fault and of the same command after it."""
    if problem := _of_the_words(fault, processes):
        return WORDS, problem
    for output in command.outputs:
        problem = _of_the_name(folder, output, found, had_other)
        if problem:
            return problem, output
    unfinished = not (folder / command.outputs[0]).exists() or command.other
    if unfinished:
        again = run(command.words, folder)
        if again.code:
            return LOST, f"again: {again.code} {again.err[-300:]}"
    for output in command.outputs:
        if not (folder / output).exists() or not inputs.equal(folder / output, found.good / output):
            return DIFFERENT, output
    left = _names(folder) - _names(found.good)
    return (ORPHAN, ", ".join(sorted(left))) if left else (SURVIVED, "")


def _of_the_words(fault, processes):
    """Return what is wrong with how processes ended; empty where nothing is."""
    codes = [ran.code for ran in processes]
    for ran in processes:
        if "Traceback" in ran.err or "error: unexpected " in ran.err:
            return f"{ran.code} {ran.err[-400:]}"
        lines = [line for line in ran.err.splitlines() if line.startswith("error: ")]
        if ran.code == 2 and len(lines) != 1:
            return f"{len(lines)} lines"
    allowed = {
        "SIGKILL": {0, -signal.SIGKILL}, "SIGTERM": {0, -signal.SIGTERM},
        "SIGINT": {0, cli.INTERRUPTED}, "full disk": {0, 2}, "unwritable folder": {2},
        "two at once": {0, 2},
    }[fault]  # fmt: skip
    if not set(codes) <= allowed or (fault == "two at once" and 0 not in codes):
        return f"exit codes {codes}: {processes[0].err[-300:]}"
    return ""


def _of_the_name(folder, output, found, had_other):
    """Return what is wrong with what has the output's name; None where nothing is."""
    path = folder / output
    whole = [found.good / output, *([found.other / output] if had_other else [])]
    if not path.exists():
        return LOST if had_other else None
    try:
        return None if any(inputs.equal(path, each) for each in whole) else CORRUPT
    except Exception:  # whatever it is, it cannot be read
        return CORRUPT


def _names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def campaign(numbers, seed, home, names):
    """Yield (number, command, fault, outcome, words) for faults of these numbers."""
    place, work = home / "place", home / "work"
    place.mkdir()
    work.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepare(place)
    results = {name: known(name, place, work) for name in names}
    for number in numbers:
        rng = np.random.default_rng([seed, number])
        name, fault = names[number % len(names)], FAULTS[number // len(names) % len(FAULTS)]
        command, found = COMMANDS[name], results[name]
        had_other = bool(command.other) and rng.random() < 0.5
        folder = copy_of(found.other if had_other else place, work / f"{number:05d}")
        processes = with_fault(fault, command, folder, found, rng)
        yield number, name, fault, *judged(fault, command, folder, found, had_other, processes)
        shutil.rmtree(folder, ignore_errors=True)


def table(counts):
    """Return the table of outcomes by command, in Markdown."""
    head = ("command", "faults", *OUTCOMES)
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    for name in [*dict.fromkeys(name for name, _ in counts), "all"]:
        numbers = [
            sum(n for (g, o), n in counts.items() if o == found and name in (g, "all"))
            for found in OUTCOMES
        ]
        lines.append(" | ".join([name, str(sum(numbers)), *map(str, numbers)]))
    return "\n".join(f"| {line} |" for line in lines)


def main():
    """Run the faults, print failures as they come and the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=160)
    parser.add_argument("--commands", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    parser.add_argument("--only", type=int, nargs="*")
    asked = parser.parse_args()
    require_geant4(Geant4Settings(particle="gamma").data_sets)
    begun, counts, kinds = time.monotonic(), Counter(), Counter()
    home = Path(tempfile.mkdtemp(prefix="chaos-"))
    numbers = asked.only or range(asked.faults)
    for number, name, fault, found, words in campaign(numbers, asked.seed, home, asked.commands):
        counts[name, found] += 1
        kinds[fault] += 1
        if found != SURVIVED or asked.only:
            sys.stdout.write(f"{number} {found}: {name}, {fault}; {' '.join(words.split())}\n")
            sys.stdout.flush()
    failed = sum(n for (_, found), n in counts.items() if found != SURVIVED)
    minutes = (time.monotonic() - begun) / 60
    faults = ", ".join(f"{kind} {n}" for kind, n in kinds.items())
    sys.stdout.write(
        f"{table(counts)}\n\nseed {asked.seed}; {faults}; {minutes:.1f} minutes; "
        f"{failed} failures\n"
    )
    shutil.rmtree(home, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
