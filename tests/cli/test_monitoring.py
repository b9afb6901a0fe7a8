"""The commands faults, distort and monitor."""

import json
from pathlib import Path

import pytest

from simulacra import cli
from simulacra.datasets.samples import load_sample
from simulacra.faults import KINDS, Scenario, Step
from simulacra.faults.distortion import TRUTH, distort
from simulacra.io import read_events, write_events

EXAMPLES = Path(__file__).parents[2] / "examples" / "monitoring"


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["simulacra", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0


def test_faults_are_listed(monkeypatch, capsys):
    assert run(monkeypatch, "faults") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for kind in KINDS.values() for name in kind.faults)


def test_every_fault_is_in_the_documentation():
    text = (EXAMPLES.parents[1] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        for name, fault in kind.faults.items():
            unit = f", {fault.unit}" if fault.unit else ""
            assert f"| `{name}` | {fault.summary} | {fault.strength}{unit} |" in text


@pytest.mark.parametrize(
    ("scenario", "source"),
    [
        ("two-faults", "sample:test[0:20]"),
        ("digitisation", "sample:test[0:20]"),
        ("tpc", "sample:alice-tpc:test[0:20]"),
    ],
)
def test_the_examples_distort(monkeypatch, tmp_path, scenario, source):
    output = tmp_path / "data.h5"
    assert run(monkeypatch, "distort", source, EXAMPLES / f"{scenario}.yaml", "-o", output) == 0
    events = read_events(output)
    assert len(events) == 20
    assert len(events.provenance[TRUTH][0]["scenario"]["steps"]) >= 2
    if scenario == "digitisation":
        events.check_signs()  # nothing negative is left


def test_a_wrong_scenario_leaves_nothing(monkeypatch, tmp_path, capsys):
    (tmp_path / "wrong.yaml").write_text("name: wrong\nsteps: [{fault: gains, strength: 1}]\n")
    output = tmp_path / "data.h5"
    assert run(monkeypatch, "distort", "sample:test", tmp_path / "wrong.yaml", "-o", output) == 2
    assert "did you mean gain" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.slow
def test_data_are_judged(monkeypatch, tmp_path, capsys):
    data, folder = tmp_path / "data.h5", tmp_path / "watch"
    few = "sample:test[0:400]"
    run(monkeypatch, "distort", few, EXAMPLES / "two-faults.yaml", "-o", data)
    options = ("--window", "200", "-o", folder)
    assert run(monkeypatch, "monitor", "sample:selection", data, *options) == 1
    assert "ALARM" in capsys.readouterr().out
    facts = json.loads((folder / "monitor.json").read_text())
    (file,) = facts["runs"]
    assert json.loads((folder / file).read_text())["alarms"] == 2
    assert run(monkeypatch, "monitor", "sample:selection", few, *options) == 0  # replaces its own
    (folder / "mine.txt").write_text("mine")
    assert run(monkeypatch, "monitor", "sample:selection", few, *options) == 2


@pytest.mark.slow
def test_events_of_the_reference_among_the_data_are_noted(monkeypatch, tmp_path, capsys):
    options = ("--window", "200", "-o", tmp_path / "watch")
    run(monkeypatch, "monitor", "sample:selection", "sample:selection[0:200]", *options)
    said = " ".join(capsys.readouterr().err.split())
    assert "200 of 200 events are in the reference, too" in said


@pytest.mark.parametrize(
    ("reference", "data", "said"),
    [
        ("sample:selection", "sample:test", "need 5000 reference events"),
        ("sample:alice-tpc:train", "sample:test", "alice-tpc"),
        ("nothing.h5", "sample:test", "no events file"),
    ],
)
def test_mistakes_of_monitor_are_one_line(monkeypatch, tmp_path, capsys, reference, data, said):
    options = ("-o", tmp_path / "watch")
    if "tpc" in reference:
        options += ("--window", "100")
    assert run(monkeypatch, "monitor", reference, data, *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "watch").exists()


def test_negative_energies_are_told(monkeypatch, tmp_path, capsys):
    card = tmp_path / "noise.yaml"
    card.write_text("name: n\nsteps: [{fault: noise, strength: 1}]\n")
    assert run(monkeypatch, "distort", "sample:test[0:5]", card, "-o", tmp_path / "a.h5") == 0
    assert "are negative" in (told := capsys.readouterr().err)
    assert "a last step zero-suppression" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sample:selection",), "give events to be judged"),
        (("sample:selection", "--follow", "nothing"), "is no folder"),
        (("atlas-barrel-photons", "--follow", "."), "give a file, too"),
    ],
)
def test_a_monitor_without_data_says_so(monkeypatch, tmp_path, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "monitor", *arguments, "-o", tmp_path / "watch") == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_folder_is_followed_until_it_is_interrupted(monkeypatch, tmp_path, capsys):
    folder, output = tmp_path / "runs", tmp_path / "watch"
    folder.mkdir()
    events = load_sample("test")
    good = events.take(slice(0, 200))
    looks = iter(range(9))

    def between_looks(_):
        match next(looks):
            case 0:
                write_events(good, folder / "good.h5")
                (folder / "broken.h5").write_bytes(b"no events")
            case 2:  # seen twice by now
                dead = Step(fault="dead-cells", strength=1, place={"layer": "middle"})
                write_events(distort(good, Scenario(name="d", steps=(dead,))), folder / "dead.h5")
            case 5:
                raise KeyboardInterrupt

    monkeypatch.setattr("simulacra.monitoring.follow.sleep", between_looks)
    options = ("--follow", folder, "--window", "200", "-o", output)
    assert run(monkeypatch, "monitor", "sample:selection", *options) == 130
    shown = capsys.readouterr()
    out, err = " ".join(shown.out.split()), " ".join(shown.err.split())
    assert out.count("1 windows, 0 alarms: no alarm") == 1
    assert out.count("1 windows, 1 alarms: ALARM") == 1
    assert "is not judged" in err
    facts = json.loads((output / "monitor.json").read_text())
    assert [Path(name).name for name in facts["runs"].values()] == ["good.h5", "dead.h5"]
    assert 'http-equiv="refresh"' in (output / "index.html").read_text()
