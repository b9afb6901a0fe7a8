"""The summary of what was learned: commands, scores, learning curve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from simulacra.drawings import DPI, FORMATS
from simulacra.drawings.canvas import frame, panels
from simulacra.files.atomic import whole_file, write_whole_text
from simulacra.learning.plan import SHARES, Request
from simulacra.learning.run import CARD, EVENTS, FAST, FLOOR, REPORT, SIMULATOR, SUMMARY, Learned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURE = "learning-curve.png"
FULL = "0.4"


def write_summary(learned: Learned, folder: Path) -> None:
    """Write the summary and the picture of the learning curve to a folder."""
    write_whole_text(folder / SUMMARY, "\n".join(_lines(learned)) + "\n")
    with whole_file(folder / PICTURE) as part:
        metadata = {FORMATS[".png"]: None}
        draw_curve(learned).savefig(part, format="png", dpi=DPI, metadata=metadata)


def commands(learned: Learned) -> Iterator[str]:
    """Yield the commands that do the same, to be given in the folder."""
    plan, request = learned.plan, learned.plan.request
    for number, (name, n) in enumerate(((EVENTS, plan.events), (FLOOR, plan.floor))):
        yield _simulation(request, n, request.seed + number, name)
    shares = "/".join(f"{share:g}" for share in SHARES)
    yield f"simulacra convert {EVENTS} {EVENTS} --split {shares} --seed {request.seed}"
    yield f"simulacra train {CARD} -o {SIMULATOR}"
    test = EVENTS.replace(".h5", "-test.h5")
    yield f"simulacra generate {SIMULATOR} --like {test} --seed {request.seed} -o {FAST}"
    yield f"simulacra validate {test} {FAST} --floor {FLOOR} -o {REPORT}"


def _simulation(request: Request, n: int, seed: int, output: str) -> str:
    particle = f" --particle {quote(request.particle)}" if request.particle else ""
    return (
        f"simulacra simulate --detector {quote(request.detector)}{particle} "
        f"--energy {quote(request.energy)} -n {n} --seed {seed} --physics {request.physics} "
        f"-o {output}"
    )


def _lines(learned: Learned) -> Iterator[str]:
    yield f"# {learned.simulator.detector.name}"
    yield ""
    for name, value in learned.describe().items():
        yield f"- {name}: {value}"
    yield ""
    yield "The plan:"
    yield ""
    yield from (f"- {note}" for note in learned.plan.notes())
    yield ""
    yield f"The same step by step; paths in `{CARD}` are relative to where it was made:"
    yield ""
    yield "```"
    yield from commands(learned)
    yield "```"
    yield ""
    yield f"![score against showers and steps]({PICTURE})"
    yield ""
    yield "| events | steps | selection score |"
    yield "|---|---|---|"
    about = learned.simulator.about
    for point in learned.points:
        yield f"| {point.events} | {point.steps} | {point.score:.4f} |"
    steps = learned.simulator.card.training.steps
    yield f"| {about['train_events']} (the simulator) | {steps} | {about['selection_score']:.4f} |"


def draw_curve(learned: Learned) -> Figure:
    """Draw the selection score against the events and against the steps."""
    figure, (left, right) = panels(2)
    about = learned.simulator.about
    equal = [p for p in learned.points if p.time == 1]
    left.plot([p.events for p in equal], [p.score for p in equal], "o", color="0.2", ms=4)
    whole = [p for p in learned.points if p.part == 1]
    right.plot([p.steps for p in whole], [p.score for p in whole], "o", color="0.2", ms=4)
    steps = float(learned.simulator.card.training.steps or 1)
    right.plot([steps], [about["selection_score"]], "D", color="#c8102e", ms=5)
    for axes, law, what in (
        (left, learned.showers, "events that are learned from"),
        (right, learned.steps, "steps"),
    ):
        if law is not None:
            amounts = [law.largest / 4, law.largest, 4 * law.largest]
            scores = [law.there * law.factor(x / law.largest)[0] for x in amounts]
            axes.plot(amounts, scores, "-" if law.is_determined else ":", color="#1f77b4")
        axes.axhline(about["selection_floor"], ls="--", color=FULL)
        axes.set_xscale("log")
        axes.set_yscale("log")
        frame(axes, "", what, "selection score")
    return figure
