"""What ``simulacra info`` says of files, simulators and detectors."""

import json
import sys

import h5py
import numpy as np
import pytest

from simulacra import cli
from simulacra.detectors import builtin_detectors
from simulacra.errors import SimulacraError
from simulacra.events import Events
from simulacra.files.json_values import plain
from simulacra.info import as_text, describe
from simulacra.io import write_events
from tests.conftest import random_events

SCREEN = 50
"""Lines."""


def shown(what, detector=None):
    facts = describe(str(what), detector)
    text = as_text(facts)
    assert len(text.splitlines()) <= SCREEN
    assert max(map(len, text.splitlines())) <= 100
    json.dumps(plain(facts))
    return facts, text


@pytest.mark.parametrize("name", builtin_detectors())
def test_detectors(name):
    facts, text = shown(name)
    assert facts["detector"] == name
    assert next(iter(facts["conditions"])) in text


def test_a_detector_in_a_file(tmp_path, barrel):
    (tmp_path / "own.yaml").write_text(barrel.with_particles((11, 22)).to_yaml())
    facts, text = shown(tmp_path / "own.yaml")
    assert facts["particles"] == "e-, gamma"
    assert facts["cells"] == 266
    assert "56 x 3 cells of 5 x 160 mm, around the impact" in text
    assert "13 x (0.2 mm G4_Fe + 1.53 mm G4_Pb + 0.2 mm G4_Fe + 4.2 mm G4_lAr (read" in text


def test_events_say_what_they_are(barrel, tmp_path):
    plain_events = random_events(barrel, 30, seed=3)
    facts = {"step": "simulate", "particle": "gamma", "physics": "opt0", "seed": 3, "cut_mm": 0.7}
    events = Events(plain_events.conditions, plain_events.response, barrel, facts)
    other = Events(events.conditions, events.response, barrel, facts | {"particle": "e-"})
    write_events(Events.concatenate([events, other.take(slice(10))]), tmp_path / "e.h5")
    found, text = shown(tmp_path / "e.h5")
    assert found["events"] == 40
    assert found["particles"] == "e- (10), gamma (30)"
    assert found["conditions"]["energy"] == "1 GeV, 4 GeV"
    assert found["provenance"] == facts | {"particle": "e-, gamma"}
    assert "showers  (266,) MeV" in text


def test_the_embedded_samples_and_the_shipped_simulator():
    photons, _ = shown("sample:selection")
    assert (photons["particles"], photons["format"]) == ("gamma", "hdf5")
    tracks, _ = shown("sample:alice-tpc:selection")
    assert tracks["particles"].startswith("p~ (")
    simulator, text = shown("atlas-barrel-photons")
    assert simulator["particles"] == "gamma"
    assert simulator["ranges"]["energy"] == "1 GeV to 299.1 GeV"
    assert simulator["training"]["selected step"] == 4000
    assert "flow-matching: normal scores" in text


def test_files_of_others_are_recognised_or_listed(tmp_path):
    with h5py.File(tmp_path / "challenge.h5", "w") as file:
        file["incident_energies"] = np.full((5, 1), 1000.0)
        file["showers"] = np.full((5, 6480), 0.1)
    silent, text = shown(tmp_path / "challenge.h5")
    assert silent["format"] == "calochallenge"
    assert "does not say which detector" in silent["not read"]
    assert silent["arrays"]["showers"] == "(5, 6480) float64"
    assert "incident_energies" in text
    named, _ = shown(tmp_path / "challenge.h5", "calochallenge-2")
    assert named["events"] == 5
    assert named["particles"] == "not named"
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["run/hits"] = np.zeros((3, 7), np.float32)
        file["run/hits"].attrs["units"] = "GeV"
    other, _ = shown(tmp_path / "other.h5")
    assert "format" not in other
    assert other["arrays"] == {"run/hits": "(3, 7) float32 GeV"}


def test_trees_of_others_are_listed(tmp_path):
    uproot = pytest.importorskip("uproot")
    with uproot.recreate(tmp_path / "theirs.root") as file:
        tree = file.mktree("ntuple", {"Edep": "f8", "cell": "i4"})
        tree.extend({"Edep": np.ones(4), "cell": np.arange(4, dtype=np.int32)})
    facts, _ = shown(tmp_path / "theirs.root")
    assert facts["arrays"]["ntuple;1"] == "TTree of 4 entries"
    assert facts["arrays"]["ntuple;1: Edep"] == "double"


def test_what_is_not_there_is_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("none of ours")
    for name, word in (("no.h5", "not there"), ("empty", "a folder without a simulator")):
        with pytest.raises(SimulacraError, match=word):
            describe(str(tmp_path / name))
    with pytest.raises(SimulacraError, match=r"notes\.txt: not an events file"):
        describe(str(tmp_path / "notes.txt"))


def test_long_lists_are_cut_short():
    text = as_text({"arrays": {f"a{i}": i for i in range(40)}, "nothing": {}, "words": list("abc")})
    assert text.splitlines()[12].strip() == "… and 28 more"
    assert "nothing" not in text


def test_the_command(monkeypatch, capsys):
    for arguments, check in (
        (["info", "atlas-barrel"], lambda out: out.startswith("detector     atlas-barrel\n")),
        (["info", "atlas-barrel", "--json"], lambda out: json.loads(out)["cells"] == 266),
    ):
        monkeypatch.setattr(sys, "argv", ["simulacra", *arguments])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert not left.value.code
        assert check(capsys.readouterr().out)
