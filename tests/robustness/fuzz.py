"""Damaged and hostile inputs for every command that reads something: what becomes of each.

    python -m tests.robustness.fuzz --seed 1 --inputs 1000 --jobs 2

Case ``k`` of a seed is the same whatever the others are; ``--only 17`` runs it alone and keeps its
folder. README.md in this folder says what counts as a failure.
"""

import argparse
import importlib
import os
import pkgutil
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

import simulacra
from simulacra import cli, hybrid
from simulacra.io import read_events
from simulacra.validation.report import catalogue as plots
from tests.hybrid.conftest import PretendedGeant4
from tests.robustness import inputs, isolated
from tests.robustness.options import odd_command

REFUSED, SAME, OTHER, LONG = "refused", "same result", "other meaning", "long work"
SILENT, TRACEBACK, HANG, MEMORY, WORDS, BROKEN, LEFT = FAILURES = (
    "silently different", "traceback", "hang", "memory", "not one line", "broken output",
    "left over",
)  # fmt: skip
OUTCOMES = (REFUSED, SAME, OTHER, LONG, *FAILURES)
MOST_CHARACTERS = 320
"""Of a message with the word ``error:`` before it."""
OPTIONS = 0.15
"""Part of the cases that have odd options."""


@dataclass(frozen=True)
class Case:
    """One damaged input, ready to be read."""

    number: int
    target: inputs.Target
    kind: str
    folder: Path


def command_line(words):
    """Return a function that runs the command line, without Geant4 and without drawings."""

    def call():
        warnings.simplefilter("default")
        sys.argv = ["simulacra", *words]
        pretended = inputs.simulate_hybrid

        def run(*args, workers=1, **options):
            return pretended(*args, **options, executor=PretendedGeant4())

        undrawn = patch.multiple(plots, PLOTS=(), PLOTS_OF_KIND={})
        with patch.object(hybrid, "simulate_hybrid", run), undrawn:
            cli.main()

    return call


def call_of(command):
    """Return the function that a target's command is."""
    return command if callable(command) else command_line(command)


def damaged(number, seed, targets, work, wanted=()):
    """Return the case of that number: a copy of good files with one thing changed."""
    rng = np.random.default_rng([seed, number])
    folder = work / f"{number:05d}"
    if rng.random() < OPTIONS and (not wanted or "options" in wanted):
        home = next(t.folder for t in targets if t.group == "simulator")
        shutil.copytree(home, folder)
        for other in ("events HDF5", "run card"):
            source = next(t.folder for t in targets if t.group == other)
            shutil.copytree(source, folder, dirs_exist_ok=True)
        target = inputs.Target("options", folder, (), None, tuple(odd_command(rng)))
        return Case(number, target, " ".join(target.command)[:60], folder)
    groups = [g for g in dict.fromkeys(t.group for t in targets) if not wanted or g in wanted]
    group = groups[int(rng.integers(len(groups)))]
    of_group = [target for target in targets if target.group == group]
    target = of_group[int(rng.integers(len(of_group)))]
    shutil.copytree(target.folder, folder)
    name = target.damaged[int(rng.integers(len(target.damaged)))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = target.way(folder / name, rng)
    return Case(number, target, f"{name} {kind}", folder)


def baselines(targets, work, jobs):
    """Run every command on good files; return the folders with what came of it, by the command."""
    distinct = {(t.folder, t.command): t for t in targets}
    calls = []
    for number, (key, target) in enumerate(distinct.items()):
        folder = work / f"good-{number:02d}"
        shutil.copytree(target.folder, folder)
        calls.append((key, call_of(target.command), folder))
    folders = {key: folder for key, _, folder in calls}
    for key, ran in isolated.all_of(calls, jobs):
        if ran.code and "failed:" not in ran.err:
            msg = f"{key[1]} does not run on good files: {ran.code} {ran.err[-600:]}"
            raise SystemExit(msg)
    return folders


def outcome(case, ran, good):
    """Return what became of a case, one of :data:`OUTCOMES`."""
    if ran.memory > isolated.MEMORY:
        return MEMORY
    if (
        "Traceback" in ran.err
        or "error: unexpected " in ran.err
        or ran.code in (isolated.TRACEBACK, 1)
    ):
        asked = case.target.group in ("thresholds", "options")  # exit code 1: a limit is passed
        if ran.code != 1 or not asked or "failed:" not in ran.err:
            return TRACEBACK
    if ran.stopped:
        return LONG if ran.code == cli.INTERRUPTED and _has_no_end(case) else HANG
    if ran.code < 0:
        return TRACEBACK
    if any(ord(sign) < 32 and sign not in "\n" for sign in ran.err):
        return WORDS
    output = case.target.output
    if ran.code == 2:
        return _of_a_refusal(case, ran)
    if _leftovers(case):
        return LEFT
    if output is None:
        same = ran.out == Path(f"{good}.stdout").read_text() if good else False
        return SAME if same else SILENT if case.target.protected else OTHER
    return _of_an_output(case, good, output)


def _has_no_end(case):
    """Return whether the work has no end of its own: what is asked for may be long."""
    words = case.target.command
    long = ("train", "generate", "quickstart", "benchmark", "hybrid")
    return not callable(words) and words[0] in long


def _of_a_refusal(case, ran):
    lines = [line for line in ran.err.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    # notes and the phases of the work may stand before it
    if len(errors) != 1 or lines[-1] != errors[0] or len(errors[0]) > MOST_CHARACTERS:
        return WORDS
    output = case.target.output
    if "not enough memory" in ran.err:
        return MEMORY
    judged = case.target.group == "thresholds"  # a rule that matches nothing costs no report
    kept = output and not judged and (case.folder / output).exists()
    return LEFT if kept or _leftovers(case) else REFUSED


def _leftovers(case):
    """Return hidden unfinished files that an ended process has left outside resumable work."""
    return [
        path
        for path in case.folder.rglob(".*")
        if path.name.endswith((".part", ".old"))
        and not any(path.is_relative_to(case.folder / name) for name in case.target.carried)
    ]


def _of_an_output(case, good, output):
    made = case.folder / output
    try:
        if inputs.equal(made, good / output):
            return SAME
        if made.suffix == ".h5":
            read_events(made)  # which refuses what is not finite
    except Exception as error:  # whatever it is, the output cannot be read
        sys.stderr.write(f"{case.number}: {error}\n")
        return BROKEN
    return SILENT if case.target.protected else OTHER


def import_all():
    """Import every module, so that no case does it again."""
    for module in pkgutil.walk_packages(simulacra.__path__, "simulacra."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def campaign(numbers, seed, home, jobs=1, wanted=()):
    """Yield (case, outcome, Ran) for the cases of these numbers; of all groups or of some."""
    isolated.machine_of_8_gb()
    import_all()
    os.environ["GEANT4_DATA_DIR"] = str(home / "no-data")
    good, work = home / "good", home / "cases"
    good.mkdir()
    work.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        targets = inputs.targets(good)
    known = baselines(targets, work, jobs)

    def prepared():
        for number in numbers:
            case = damaged(number, seed, targets, work, wanted)
            yield case, call_of(case.target.command), case.folder

    for case, ran in isolated.all_of(prepared(), jobs):
        key = (case.target.folder, case.target.command)
        yield case, outcome(case, ran, known.get(key)), ran


def table(counts):
    """Return the table of outcomes by group, in Markdown."""
    head = ("input", "cases", *OUTCOMES)
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    groups = sorted({group for group, _ in counts})
    for group in [*groups, "all"]:
        numbers = [
            sum(n for (g, o), n in counts.items() if o == found and group in (g, "all"))
            for found in OUTCOMES
        ]
        lines.append(" | ".join([group, str(sum(numbers)), *map(str, numbers)]))
    return "\n".join(f"| {line} |" for line in lines)


def main():
    """Run the cases, print failures as they come and the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*")
    parser.add_argument("--groups", nargs="*", default=(), help="rows of the table: others are not")
    parser.add_argument("--log", type=Path, help="every case in a line")
    asked = parser.parse_args()
    begun, counts, slowest, largest = time.monotonic(), Counter(), 0.0, 0
    numbers = asked.only or range(asked.inputs)
    home = Path(tempfile.mkdtemp(prefix="fuzz-"))
    log = asked.log.open("w") if asked.log else None
    for case, found, ran in campaign(numbers, asked.seed, home, asked.jobs, asked.groups):
        counts[case.target.group, found] += 1
        slowest, largest = max(slowest, ran.seconds), max(largest, ran.memory)
        said = " ".join(ran.err.split())
        line = (
            f"{case.number} {found}: {case.target.group}, {case.kind}; "
            f"{ran.code}, {ran.seconds:.1f} s, {ran.memory / 1e9:.1f} GB: "
            f"{said if asked.only else said[-300:]}\n"
        )
        line = line.encode("ascii", "backslashreplace").decode()
        if found in FAILURES or asked.only:
            sys.stdout.write(line)
            sys.stdout.flush()
        elif not asked.only:
            shutil.rmtree(case.folder, ignore_errors=True)
        if log:
            log.write(line)
            log.flush()
    failed = sum(n for (_, found), n in counts.items() if found in FAILURES)
    minutes = (time.monotonic() - begun) / 60
    sys.stdout.write(
        f"{table(counts)}\n\nseed {asked.seed}, {asked.jobs} at a time, {minutes:.1f} minutes; "
        f"slowest {slowest:.1f} s, most memory {largest / 1e9:.2f} GB; {failed} failures\n"
    )
    if not asked.only and not failed:
        shutil.rmtree(home)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
