"""What a user sees: results on stdout, one line and exit code 2 for what can be mended."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from simulacra import __version__, cli
from simulacra.datasets.samples import load_sample
from simulacra.detectors import load_detector
from simulacra.events import Events
from simulacra.io import read_events, write_events
from simulacra.simulators.trained import TrainedSimulator
from tests.conftest import SMALL_MODELS, random_events

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Call the command line in an empty folder; return (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["simulacra", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capsys.readouterr()
        return caught.value.code or 0, captured.out, captured.err

    return call


@pytest.fixture
def card(small_card, tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(small_card(steps=2).to_yaml())
    return path


@pytest.fixture
def simulator(run, card):
    assert run("train", card, "-o", "simulator")[0] == 0
    return "simulator"


def refused(result, *words):
    code, _, err = result
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert code == 2
    assert len(lines) == 1
    assert "Traceback" not in err
    for word in words:
        assert word in lines[0]


def test_version(run):
    assert run("--version") == (0, f"simulacra {__version__}\n", "")


def test_lists(run):
    assert "atlas-barrel" in run("detectors")[1]
    assert "dnncalogan" in run("models")[1]
    assert yaml.safe_load(run("detectors", "show", "atlas-barrel")[1])["name"] == "atlas-barrel"
    assert yaml.safe_load(run("models", "show", "dnncalogan")[1])["latent"] == 300


def test_particles_are_listed_chosen_and_refused(run):
    assert "gamma" in run("simulators")[1]
    assert "chosen" in run("models")[1]
    photons = ["generate", "atlas-barrel-photons", "-o", "x.h5"]
    asked = [*photons, "--energy", "2GeV", "-n", 3, "--particle"]
    refused(run(*asked, "e-"), "trained on gamma, not on e-")
    refused(run(*asked, "gama"), "unknown particle 'gama'")
    assert run(*asked, "gamma")[0] == 0
    assert read_events("x.h5").particles == (22,)
    named = ["convert", "sample:selection", "y.h5", "--rows", "0:5", "--particle"]
    refused(run(*named, "e-"), "of gamma, not of e-")
    assert run(*named, "gamma")[0] == 0
    electrons = read_events("y.h5")
    facts = {"particle": "e-"}
    write_events(
        Events(electrons.conditions, electrons.response, electrons.detector, facts), "e.h5"
    )
    refused(run(*photons, "--overwrite", "--like", "e.h5"), "trained on gamma, not on e-")
    refused(run("validate", "y.h5", "e.h5"), "the reference holds gamma, the generated sample e-")


def test_train_generate_validate(run, simulator, tmp_path):
    like = ["--like", "sample:test", "-n", 50, "--extrapolate"]
    assert run("generate", simulator, *like, "-o", "fast.h5")[0] == 0
    write_events(load_sample("test").take(slice(50)), "reference.h5")
    code, out, _ = run("validate", "reference.h5", "fast.h5", "-o", "report")
    assert code == 0
    assert "report/index.html" in out
    assert json.loads((tmp_path / "report/metrics.json").read_text())["schema_version"] == 5


def test_validate_with_sample_metrics(run, tmp_path):
    for name, rows in (("reference.h5", slice(300)), ("fast.h5", slice(300, 600))):
        write_events(load_sample("train").take(rows), name)
    code, out, _ = run("validate", "reference.h5", "fast.h5", "--profile", "quick", "-o", "report")
    assert code == 0
    assert "AUC, cells, trees" in out
    assert json.loads((tmp_path / "report/metrics.json").read_text())["samples"]["scores"]
    refused(run("validate", "reference.h5", "fast.h5", "--profile", "fast"), "quick")


def test_generate_asks_for_as_many_conditions_as_there_are(run, simulator, tmp_path):
    write_events(load_sample("test").take(slice(5)), "few.h5")
    options = ["generate", simulator, "--like", "few.h5", "-o", "fast.h5", "--extrapolate"]
    refused(run(*options, "-n", 6), "-n 6: few.h5 has only 5 events")
    assert not (tmp_path / "fast.h5").exists()
    assert run(*options, "-n", 5)[0] == 0


def test_generate_gives_the_same_bytes(run, simulator, tmp_path):
    for name in ("a.h5", "b.h5"):
        code, *_ = run(
            "generate", simulator, "--energy", "1GeV..4GeV", "-n", 20, "--seed", 7, "-o", name
        )
        assert code == 0
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_generate_says_what_is_outside_the_training(run, simulator, tmp_path):
    _, _, err = run("generate", simulator, "--energy", "7GeV", "-n", 5, "-o", "fast.h5")
    assert "5 of 5 events are outside the trained range" in err
    assert run("export", simulator, "--to", "onnx", "-o", "fast.onnx")[0] == 0
    for name in (simulator, "fast.onnx"):
        far = ["generate", name, "--energy", "1GeV,100GeV", "-n", 4, "-o", "far.h5"]
        words = ("energy: 2 events", "100000", "1000 MeV to 4000 MeV", "--extrapolate")
        refused(run(*far), *words)
        assert not (tmp_path / "far.h5").exists()
        code, _, err = run(*far, "--extrapolate")
        assert code == 0
        assert "2 of 4 events are outside the trained range" in err
        (tmp_path / "far.h5").unlink()
        beyond = ["generate", name, "--energy", "1e37GeV", "-n", 4, "-o", "far.h5"]
        refused(run(*beyond, "--extrapolate"), "beyond single precision")


def test_convert_again_leaves_what_is_there(run, tmp_path):
    path = tmp_path / "a.h5"
    assert run("convert", "sample:test", "a.h5", "--rows", "0:9")[0] == 0
    before = path.stat()
    code, out, _ = run("convert", "sample:test", "a.h5", "--rows", "0:9")
    assert (code, out) == (0, "the same events are in a.h5 already\n")
    for rows in ("1:10", "0:8"):
        refused(run("convert", "sample:test", "a.h5", "--rows", rows), "a.h5 is there already")
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_convert_there_and_back(run, tmp_path):
    detector = ["--detector", "calochallenge-2"]
    events = random_events(load_detector("calochallenge-2"), 6)
    write_events(events, "ours.h5")
    assert run("convert", "ours.h5", "plain.h5", "--format", "calochallenge")[0] == 0
    refused(run("convert", "plain.h5", "back.h5"), "plain.h5", "calochallenge-2", "--detector")
    code, out, _ = run("convert", "plain.h5", "back.h5", *detector, "--rows", "2:5")
    assert code == 0
    assert "3 events of calochallenge-2 in back.h5" in out
    assert np.array_equal(read_events("back.h5")["showers"], events["showers"][2:5])
    refused(run("convert", "ours.h5", "plain.h5"), "--overwrite")
    refused(run("convert", "ours.h5", "events.txt"), "endings known")
    refused(run("convert", "ours.h5", "theirs.h5", "--format", "3dgan"), "not written")
    refused(run("convert", "ours.h5", "part.h5", "--rows", "first"), "FIRST:LAST")
    refused(run("convert", "ours.h5", "part.h5", "--rows", "6:9"), "ours.h5 has no events 6:9")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["back.h5", "ours.h5", "plain.h5"]


def test_existing_outputs_are_kept(run, simulator, card, tmp_path):
    (tmp_path / "fast.h5").write_text("precious")
    refused(run("generate", simulator, "--energy", "1GeV", "-n", 5, "-o", "fast.h5"), "--overwrite")
    refused(run("train", card, "-o", simulator), "is there already")
    (tmp_path / "notes").mkdir()
    refused(run("validate", "sample:test", "sample:test", "-o", "notes"), "is not a report")
    assert (tmp_path / "fast.h5").read_text() == "precious"


def test_unknown_key_in_a_card(run, card):
    card.write_text(card.read_text().replace("batch_size", "bach_size"))
    words = "unknown key training.bach_size; did you mean batch_size?"
    refused(run("train", card, "-o", "s"), words)


def test_a_spectrum_has_two_spellings(run):
    for option in ("--energy", "--momentum"):
        common = (option, "1GeV", "-n", 2, "-o", "events.h5")
        refused(run("simulate", "--detector", "jet-image", *common), "leave out energy")
        refused(run("simulate", "--detector", "atlas-barrel", *common), "give --particle")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model.latnt=3", ["unknown key model.latnt; did you mean latent?"]),
        ("model.kind=gann", ["no model 'gann'"]),
        ("training.steps=-1", ["training.steps", "greater than 0"]),
        ("training.steps", ["key=value"]),
        ("detector=nowhere", ["no detector 'nowhere'"]),
        ("data.train=none.h5", ["no events file none.h5"]),
        ("data.train=sample:tset", ["no split 'tset'"]),
        ("selection.groups=[respons]", ["no observables 'respons'"]),
    ],
)
def test_mistakes_in_a_card(run, card, tmp_path, override, words):
    refused(run("train", card, "-o", "s", "--set", override), *words)
    assert not (tmp_path / "s").exists()
    assert not (tmp_path / "s.part").exists()


def test_negative_energy(run, simulator, tmp_path):
    refused(run("generate", simulator, "--energy", "-5GeV", "-n", 5, "-o", "f.h5"), "positive")
    options = ["--particle", "gamma", "--energy", "-5GeV", "-n", 5, "-o", "f.h5"]
    refused(run("simulate", "--detector", "atlas-barrel", *options), "positive")
    assert not (tmp_path / "f.h5").exists()


def test_unknown_particle(run, tmp_path):
    options = ["--particle", "photn", "--energy", "5GeV", "-n", 5, "-o", "f.h5"]
    refused(run("simulate", "--detector", "atlas-barrel", *options), "photn")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("particle", "physics", "noted"),
    [("pi+", "opt0", True), ("pi+", "FTFP_BERT", False), ("e-", "opt0", False)],
)
def test_hadrons_without_hadronic_physics_are_noted(run, monkeypatch, particle, physics, noted):
    monkeypatch.setattr("simulacra.fullsim.simulate", lambda *_, **__: load_sample("test"))
    options = ["--energy", "1GeV", "-n", 1, "--particle", particle, "--physics", physics]
    code, _, err = run("simulate", "--detector", "atlas-barrel", *options, "-o", "e.h5")
    assert code == 0
    assert (f"{particle} makes no hadronic shower; --physics FTFP_BERT" in err) == noted


def test_truncated_file(run, tmp_path):
    write_events(load_sample("test").take(slice(10)), "a.h5")
    (tmp_path / "a.h5").write_bytes((tmp_path / "a.h5").read_bytes()[:3000])
    refused(run("validate", "sample:test", "a.h5"), "a.h5", "truncated or damaged")
    assert not (tmp_path / "report").exists()


def test_file_for_another_detector(run, simulator):
    write_events(random_events(load_detector("calogan"), 5), "calogan.h5")
    refused(run("generate", simulator, "--like", "calogan.h5", "-o", "f.h5"), "calogan")
    refused(run("validate", "sample:test", "calogan.h5"), "calogan")


def test_nan_in_training_data(run, card, small_files, tmp_path):
    with h5py.File(small_files[0], "r+") as file:
        file["showers"][0, 0] = np.nan
    refused(run("train", card, "-o", "s"), "train.h5", "not finite")
    assert not (tmp_path / "s").exists()
    assert not (tmp_path / "s.part").exists()


def test_tampered_simulator(run, simulator, tmp_path):
    path = tmp_path / simulator / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\1")
    refused(run("generate", simulator, "--energy", "1GeV", "-n", 5, "-o", "f.h5"), "was changed")
    refused(run("generate", "nowhere", "--energy", "1GeV", "-n", 5, "-o", "f.h5"), "no simulator")
    assert not (tmp_path / "f.h5").exists()


def test_exported_files_are_used_like_simulators(run, simulator, tmp_path):
    code, out, _ = run("export", simulator, "--to", "onnx", "-o", "gan.onnx")
    assert code == 0
    assert "largest difference from torch" in out
    code, out, _ = run("export", simulator, "--to", "lwtnn", "-o", "gan.json")
    assert code == 0
    assert "E_true" in out
    assert run("generate", "gan.onnx", "--energy", "1GeV", "-n", 5, "-o", "f.h5")[0] == 0
    assert len(read_events(tmp_path / "f.h5")) == 5
    refused(run("export", simulator, "--to", "onnx", "-o", "gan.onnx"), "is there already")
    refused(run("export", simulator, "--to", "keras", "-o", "k"), "there are onnx, lwtnn, par04")
    refused(run("export", simulator, "--to", "par04", "-o", "k"), "does not give alignment_eta")
    refused(run("generate", "none.onnx", "--energy", "1GeV", "-n", 5, "-o", "g.h5"), "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    refused(run("generate", "bad.onnx", "--energy", "1GeV", "-n", 5, "-o", "g.h5"), "bad.onnx")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("g.", "k"))]


def test_what_cannot_be_read_or_written_is_one_line(run, simulator, tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    refused(run("train", "binary.yaml", "-o", "x"), "binary.yaml: not a text file")
    refused(run("detectors", "show", "binary.yaml"), "binary.yaml: not a text file")
    generate = ("generate", simulator, "--energy", "1GeV", "-n", 2)
    refused(run(*generate, "-o", "card.yaml/x.h5"), "card.yaml")
    refused(run(*generate, "--seed", 2**64, "-o", "x.h5"), "--seed")


def test_an_output_that_cannot_hold_the_events_is_told_before_they_are_made(
    run, simulator, monkeypatch
):
    def simulate(*_):
        raise AssertionError

    monkeypatch.setattr(TrainedSimulator, "simulate", simulate)
    generate = ("generate", simulator, "--energy", "1GeV", "-n", 2)
    refused(run(*generate, "-o", "x.csv"), "x.csv")


def test_quickstart_replaces_no_folder_but_a_simulator(run, tmp_path):
    thesis = tmp_path / "quickstart/simulator/thesis.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("all of it")
    refused(run("quickstart"), "quickstart/simulator is there and is not a simulator")
    assert thesis.is_file()


def test_quickstart_that_cannot_start_loses_nothing(run, simulator, tmp_path):
    (tmp_path / simulator).rename(tmp_path / "old")
    (tmp_path / "quickstart").mkdir()
    (tmp_path / "old").rename(tmp_path / "quickstart/simulator")
    refused(run("quickstart", "--set", "data.train=none.h5"), "none.h5")
    assert (tmp_path / "quickstart/simulator/simulator.json").is_file()


def test_an_interrupt_says_what_comes_next(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("simulacra.datasets.samples.resolve_events", interrupt)
    code, _, err = run("convert", "sample:test", "ours.h5")
    assert code == 130
    assert err == "stopped; the same command goes on where that is possible\n"


def test_usage_errors_are_one_line(run):
    refused(run("quickstart", "--model", "tardis"), "flow-matching")
    refused(run("generate", "simulator"), "output")
    refused(run("no-such-command"), "no-such-command")


@pytest.mark.parametrize("model", ["flow-matching", "dnncalogan"])
def test_quickstart_on_a_tiny_model(run, tmp_path, model):
    """The whole chain; what it learns in two steps is another matter."""
    sizes = SMALL_MODELS[model]
    overrides = [f"model.{k}={json.dumps(v)}" for k, v in sizes.items()] + ["training.steps=2"]
    options = [part for override in overrides for part in ("--set", override)]
    code, out, _ = run("quickstart", "--model", model, *options)
    assert code == 0
    assert "262 GeV" in out
    assert "25 GeV" in out
    assert (tmp_path / "report/index.html").is_file()
    assert len(read_events(tmp_path / "quickstart/fast.h5")) == len(load_sample("test"))


def test_thresholds_decide_the_exit_code(run, tmp_path, monkeypatch):
    from simulacra.validation.report import catalogue as plots

    monkeypatch.setattr(plots, "PLOTS", ())
    monkeypatch.setattr(plots, "PLOTS_OF_KIND", {})
    write_events(load_sample("test").take(slice(60)), "a.h5")
    (tmp_path / "loose.yaml").write_text("negative: 0")
    (tmp_path / "tight.yaml").write_text("rules: [{observables: [depth], over_baseline: 0}]")
    (tmp_path / "wrong.yaml").write_text("negatve: 0")
    code, out, _ = run("validate", "a.h5", "a.h5", "--thresholds", "loose.yaml")
    assert code == 0
    assert "1 hold" in out
    write_events(load_sample("test").take(slice(60, 120)), "b.h5")
    code, _, err = run("validate", "a.h5", "b.h5", "--thresholds", "tight.yaml", "-o", "tight")
    lines = [line for line in err.splitlines() if line.startswith("failed:")]
    assert code == 1
    assert len(lines) >= 1
    assert all("depth: separation over baseline" in line for line in lines)
    assert "checks fail" in (tmp_path / "tight/index.html").read_text()
    refused(run("validate", "a.h5", "a.h5", "--thresholds", "wrong.yaml"), "wrong.yaml", "negatve")
    (tmp_path / "none.yaml").write_text("rules: [{energies: [65GeV], over_floor: 0}]")
    refused(run("validate", "a.h5", "b.h5", "--thresholds", "none.yaml", "-o", "none"), "at 65GeV")
    assert (tmp_path / "none/index.html").is_file()  # the work is done, and it has the names


@pytest.fixture
def unmeasured(monkeypatch):
    """Nothing may be measured, which takes long."""
    from simulacra.validation import sample

    def measured(_):
        pytest.fail("measured before mistakes are told")

    monkeypatch.setattr(sample, "measured", measured)


@pytest.mark.usefixtures("unmeasured")
def test_validate_tells_mistakes_before_its_work(run, tmp_path):
    write_events(load_sample("test").take(slice(20)), "a.h5")
    write_events(load_sample("test").take(slice(0)), "empty.h5")
    refused(run("validate", "a.h5", "a.h5", "--caloch-legacy", "2"), "polar")
    refused(run("validate", "a.h5", "a.h5", "--caloch-legacy", "5"), "1-photons")
    refused(run("validate", "a.h5", "empty.h5"), "the generated sample has no events")
    refused(run("validate", "empty.h5", "a.h5"), "the reference sample has no events")
    refused(run("validate", "a.h5", "a.h5", "--baseline", "empty.h5"), "the baseline sample has no")
    (tmp_path / "auc.yaml").write_text("auc: 0.6")
    refused(run("validate", "a.h5", "a.h5", "--thresholds", "auc.yaml"), "needs classifiers")
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--batch", "1,0"], "--batch 1,0: give numbers"),
        (["--batch", "many"], "--batch many: give numbers"),
        (["--reference", "sample:alice-tpc:test"], "detector alice-tpc, not of atlas-barrel"),
        (["--energy", "1GeV..65GeV"], "timed at single energies"),
        (["--momentum", "1GeV-65GeV"], "timed at single energies"),
    ],
)
def test_mistakes_of_a_benchmark_are_one_line(run, tmp_path, options, words):
    refused(run("benchmark", "atlas-barrel-photons", *options), words)
    assert not list(tmp_path.iterdir())


def test_scores_come_with_notes_and_impossible_numbers(capsys):
    from simulacra.cli.terminal import print_scores
    from simulacra.validation import validate
    from simulacra.validation.result import Invariants

    events = load_sample("test").take(slice(60))
    validation = validate(events, events)
    print_scores(validation)
    assert "60 of the 60 events of the generated sample are events of" in capsys.readouterr().err
    broken = {"generated": Invariants(non_finite=3, negative=5, beyond_limits=0)}
    print_scores(replace(validation, notes=("[odd]",), invariants=broken))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert lines[0] == "note: [odd]"
    assert "generated sample: 3 numbers" in lines[1]
    assert "5 numbers of the response are negative" in lines[2]


def test_cells_can_be_emptied_first(run, tmp_path):
    events = load_sample("test").take(slice(60))
    write_events(events, "a.h5")
    emptied = np.where(events["showers"] < 0.5, 0, events["showers"])
    write_events(replace(events, response={"showers": emptied}), "b.h5")
    code, *_ = run("validate", "a.h5", "b.h5", "--empty-below", "500keV", "-o", "same")
    assert code == 0
    found = json.loads((tmp_path / "same/metrics.json").read_text())
    assert found["provenance"]["reference"]["emptied_below_mev"] == 0.5
    comparisons = [c for e in found["energies"] for c in e["comparisons"].values()]
    assert all(c["metrics"]["separation"]["value"] == 0 for c in comparisons)
    refused(run("validate", "a.h5", "b.h5", "--empty-below", "1mm"), "energy")


# --- hybrid ------------------------------------------------------------------------------------

HYBRID = """
regions: {barrel: {detector: atlas-barrel}}
simulators: {photons: atlas-barrel-photons}
rules: [{particles: [gamma], energy: [1 GeV, 262 GeV], simulator: photons}]
particles: [{particle: gamma, energy: "0.5GeV,2GeV", x: [-40, 40], y: [-80, 80], z: -1}]
events: 6
"""


def test_hybrid_mistakes_are_one_line(run, tmp_path):
    (tmp_path / "card.yaml").write_text(HYBRID)
    refused(run("hybrid", "none.yaml", "-o", "h.h5"), "no card none.yaml")
    refused(run("hybrid", "card.yaml", "-o", "h.h5", "--set", "event=3"), "unknown key event;")
    electrons = "rules=[{particles: [e-], simulator: photons}]"
    refused(run("hybrid", "card.yaml", "-o", "h.h5", "--set", electrons), "trained on gamma, not")
    other = "regions.barrel.detector=clic-ecal"
    refused(run("hybrid", "card.yaml", "-o", "h.h5", "--set", other), "region barrel is clic-ecal")
    refused(run("hybrid", "card.yaml", "-o", "h.root"), "HDF5")
    assert [path.name for path in tmp_path.iterdir()] == ["card.yaml"]


@pytest.mark.geant4
def test_hybrid_says_what_was_handed_over(run, tmp_path):
    (tmp_path / "card.yaml").write_text(HYBRID)
    code, out, _ = run("hybrid", "card.yaml", "-o", "h.h5")
    assert code == 0
    assert "photons" in out
    assert "handed over 80.0% of the energy" in out
    showers = read_events(tmp_path / "h.h5")["showers"]
    response = showers.sum(axis=1) / np.tile([500.0, 2000.0], 3)
    assert np.all((response > 0.5) & (response < 1.6))
    refused(run("hybrid", "card.yaml", "-o", "h.h5"), "h.h5 is there already")


def test_an_error_nobody_foresaw_is_one_line(monkeypatch, capsys):
    def fail(*_, **__):
        msg = "at <object at 0x7f00aa12bc>\n\x1b[31m" + "very " * 200
        raise TypeError(msg)

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(sys, "argv", ["simulacra", "detectors"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1
    assert len(said) < 330
    assert "0x7f00" not in said
    assert "\x1b" not in said
    assert said.startswith("error: unexpected TypeError: at <object at 0x…>")


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 5000 + "]" * 5000, "detector: 2020-13-45", "seed: " + "9" * 5000],
    ids=["deep", "date", "digits"],
)
def test_odd_yaml_is_one_line(text, tmp_path, monkeypatch, capsys):
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    for arguments in (
        ["train", str(path), "-o", str(tmp_path / "s")],
        ["detectors", "show", str(path)],
    ):
        monkeypatch.setattr(sys, "argv", ["simulacra", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr().err
        assert ended.value.code == 2
        assert said.count("\n") == 1
        assert "unexpected" not in said


def test_a_classical_simulation_is_built_replaced_and_asked(run):
    build = ["build", "gflash", "--detector", "atlas-barrel", "--particle", "gamma", "-o", "gflash"]
    assert run(*build)[0] == 0
    code, _, told = run(*build)
    assert code == 2
    assert "gflash is there already" in told
    assert run(*build, "--overwrite")[0] == 0
    (Path("gflash") / "mine.txt").write_text("kept")
    code, _, told = run(*build, "--overwrite")
    assert code == 2
    assert "holds mine.txt" in told
    assert (Path("gflash") / "mine.txt").is_file()
    assert run("generate", "gflash", "--energy", "10GeV", "-n", 5, "-o", "fast.h5")[0] == 0
    assert len(read_events("fast.h5")) == 5


@pytest.mark.slow
def test_several_simulators_are_judged_side_by_side(run, tmp_path):
    like = ["--like", "sample:test", "-n", 60]
    for seed in (1, 2):
        ask = ["generate", "atlas-barrel-photons", *like, "--seed", seed, "-o", f"{seed}.h5"]
        assert run(*ask)[0] == 0
    write_events(load_sample("test").take(slice(60)), "reference.h5")
    code, out, _ = run("validate", "reference.h5", "1.h5", "2.h5", "-o", "report")
    assert code == 0
    assert "2 simulators of atlas-barrel" in out
    for place in ("index.html", "1/index.html", "2/metrics.json"):
        assert (tmp_path / "report" / place).is_file()
    (tmp_path / "report/mine.txt").write_text("kept")
    code, _, told = run("validate", "reference.h5", "1.h5", "2.h5", "-o", "report")
    assert code == 2
    assert "mine.txt" in told
