"""How commands show long work: plain lines where they are redirected, ASCII where it takes that."""

import io
import os
import pty
import subprocess
import sys

import pytest
import yaml
from rich.console import Console

from simulacra import cli, deploy
from simulacra.benchmark import run as benchmark
from simulacra.benchmark.result import Speed
from simulacra.benchmark.timing import FastTiming
from simulacra.cli import progress
from simulacra.cli.progress import Lines, display, duration
from simulacra.datasets.samples import load_sample
from simulacra.io import write_events
from simulacra.validation import validate
from simulacra.validation.classifiers import whole_samples
from tests.conftest import SMALL_MODELS

pytestmark = pytest.mark.slow

ROW = {
    "step": 500.0,
    "score": 0.25,
    "floor": 0.1,
    "events_per_second": 7000.0,
    "loss": 1.5,
    "score 1 GeV": 3.0,
}
BEST = ROW | {"step": 400.0, "score": 0.2}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Phases are printed from the first second on."""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)


@pytest.fixture
def lines(monkeypatch):
    """A display of plain lines on a clock that a test sets, and what it has printed."""
    now, printed = [0.0], []
    monkeypatch.setattr(progress, "_print", printed.append)
    return Lines(lambda: now[0]), now, printed


def test_a_phase_is_one_line_and_then_one_now_and_then(lines):
    shown, now, printed = lines
    for second in range(100):
        now[0] = float(second)
        shown.on_progress("measuring", second, 200)
    assert printed == [
        "measuring",
        "measuring: 30 of 200, 3 min left",
        "measuring: 60 of 200, 2 min left",
        "measuring: 90 of 200, 2 min left",
    ]
    shown.on_progress("drawing", 0, 3)
    shown.on_progress("drawing", 3, 3)
    assert printed[4:] == ["drawing"]


def test_short_work_prints_no_phase(lines, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 5.0)
    shown, now, printed = lines
    for second, phase in enumerate(("reading", "measuring", "drawing", "writing")):
        now[0] = 2.0 * second
        shown.on_progress(phase, 0, 1)
    assert printed == ["writing"]


def test_an_evaluation_is_one_line(lines):
    shown, now, printed = lines
    shown.on_progress("training", 0, 1000)
    now[0] = 50.0
    shown.on_evaluation(ROW, BEST)
    assert printed[1] == (
        "step 500 of 1000: loss: loss 1.5; score 0.25 (full simulation 0.1), "
        "best 0.2 at step 400; 7000 events/s, 50 s left"
    )
    shown.on_evaluation(ROW, {})
    assert "none chosen yet" in printed[2]


def test_time_left_counts_from_where_training_went_on(lines):
    shown, now, printed = lines
    shown.on_progress("training", 800, 1000)
    now[0] = 40.0
    shown.on_progress("training", 900, 1000)
    assert printed[1] == "training: 900 of 1000, 40 s left"


def test_phases_of_one_count_share_their_clock(lines):
    shown, now, printed = lines
    for i, phase in enumerate("abcd"):
        now[0] = 40.0 * i
        shown.on_progress(phase, i, 4)
    assert printed == list("abcd")
    now[0] = 200.0
    shown.on_progress("d", 3, 4)
    assert printed[-1] == "d: 3 of 4, 1 min left"


def test_durations():
    assert [duration(t) for t in (0.4, 59.4, 61, 3599, 3700)] == [
        "0 s",
        "59 s",
        "1 min",
        "60 min",
        "1.0 h",
    ]


@pytest.mark.parametrize(("encoding", "ascii_only"), [("utf-8", False), ("ascii", True)])
def test_a_terminal_gets_a_bar_in_its_own_characters(monkeypatch, encoding, ascii_only):
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, write_through=True)
    console = Console(file=stream, force_terminal=True, width=90)
    monkeypatch.setattr(progress, "errors", console)
    with display() as shown:
        shown.on_progress("measuring", 0, 10)
        shown.on_progress("measuring", 5, 10)
        shown.on_evaluation(ROW, BEST)
    text = written.getvalue().decode()
    assert "5/10" in text
    assert "best 0.2 at step 400" in text
    assert text.isascii() == ascii_only


@pytest.fixture
def no_plots(monkeypatch):
    """Reports draw nothing, which takes long."""
    from simulacra.validation.report import catalogue

    monkeypatch.setattr(catalogue, "PLOTS", (lambda *_: iter(()),))
    monkeypatch.setattr(catalogue, "PLOTS_OF_KIND", {})


@pytest.mark.usefixtures("no_plots")
def test_validation_and_report_name_their_phases(tmp_path, monkeypatch):
    monkeypatch.setattr(whole_samples, "classify", lambda *_: None)  # which takes long
    events = load_sample("train")
    first, second = events.take(slice(0, 60)), events.take(slice(60, 120))
    seen = []
    result = validate(
        first, second, profile="quick", on_progress=lambda *report: seen.append(report)
    )
    result.report(tmp_path / "r", lambda *report: seen.append(report))
    phases = list(dict.fromkeys(phase for phase, _, _ in seen))
    assert phases[:3] == [
        "measuring the reference",
        "measuring the generated events",
        "classifiers",
    ]
    assert {"comparing energies", "comparing divisions", "drawing the report"} <= set(phases)
    assert all(0 <= done <= total for _, done, total in seen)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Call a command in a folder with small files; return what it wrote to stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["simulacra", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capsys.readouterr()
        assert not caught.value.code, captured.err
        return captured

    return call


@pytest.fixture
def files(tmp_path):
    """Two files of events and a card, for every command."""
    events = load_sample("test")
    write_events(events.take(slice(0, 60)), tmp_path / "a.h5")
    write_events(events.take(slice(60, 120)), tmp_path / "b.h5")
    content = {
        "detector": "atlas-barrel",
        "data": {"train": "a.h5", "selection": "b.h5"},
        "model": SMALL_MODELS["dnncalogan"],
        "training": {"steps": 4, "batch_size": 8, "critic_updates": 1},
        "selection": {"every": 2, "repeat": 1},
    }
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(content))


SHIPPED = "atlas-barrel-photons"
COMMANDS = {
    "train": ("card.yaml -o s", ["training", "step 2 of 4: loss: ", "step 4 of 4: loss: "]),
    "generate": (f"{SHIPPED} --energy 2GeV -n 5 -o g.h5", ["generating"]),
    "validate": ("a.h5 b.h5 -o r", ["measuring the reference", "drawing the report"]),
    "export": (f"{SHIPPED} --to lwtnn -o s.json", ["writing the graph"]),
    "benchmark": (
        f"{SHIPPED} --reference a.h5 --batch 1 --seconds 0.01 -o speed",
        [f"{SHIPPED}: timing", f"{SHIPPED}: judging"],
    ),
    "convert": ("a.h5 c.h5", []),
    "info": ("a.h5", []),
    "detectors": ("", []),
    "models": ("", []),
    "simulators": ("", []),
}
"""Commands, and how lines begin that say where they are."""


@pytest.mark.usefixtures("files", "no_plots")
@pytest.mark.parametrize("name", COMMANDS)
def test_redirected_output_is_plain_lines(run, monkeypatch, name):
    for slow in ("time_fast", "cold_start"):  # in processes of their own
        timing = {"time_fast": FastTiming((Speed(1, 1.0, 1.0, 1.0),), 1.0), "cold_start": 1.0}
        monkeypatch.setattr(benchmark, slow, lambda *_, result=timing[slow]: result)
    monkeypatch.setattr(deploy, "TARGETS", {"lwtnn": Pretended()})
    arguments, phases = COMMANDS[name]
    captured = run(name, *arguments.split())
    for text in captured:
        assert "\x1b" not in text
        assert "\r" not in text
    printed = captured.err.splitlines()
    for phase in phases:
        assert any(line.startswith(phase) for line in printed), printed


class Pretended:
    """A form of export that writes nothing."""

    def writer(self):
        def write(simulator, path, on_progress):
            on_progress("writing the graph", 0, 1)
            return "written"

        return write


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
@pytest.mark.parametrize(("terminal", "plain"), [("dumb", True), ("xterm", False)])
def test_a_dumb_terminal_gets_ascii_and_no_control_characters(terminal, plain):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "simulacra", "detectors"],
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": terminal, "PYTHONIOENCODING": "utf-8"},
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        text += chunk
    os.close(ours)
    assert process.wait() == 0
    assert (text.isascii() and b"\x1b" not in text) == plain
