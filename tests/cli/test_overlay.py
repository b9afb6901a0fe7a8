"""The commands that overlay: what they write is what the function gives, and what they refuse."""

import sys

import pytest

from simulacra import cli
from simulacra.info import describe
from simulacra.io import read_events, write_events
from simulacra.mixing.chambers import read_chamber
from simulacra.simulators.classical.build import build
from tests.tracks import tracks


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Call the command line in a folder with a simulator and two files."""
    monkeypatch.chdir(tmp_path)
    made = build("gflash", "calogan", particle="gamma", output="formula")
    write_events(made.generate("1GeV", 12, 1), tmp_path / "library.h5")
    write_events(made.generate("2GeV", 5, 3), tmp_path / "signal.h5")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["simulacra", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capsys.readouterr()
        return caught.value.code or 0, captured.out, captured.err

    return call


def test_generated_and_then_overlaid_is_generated_with_overlay(run, tmp_path):
    law = ("--mean", "3", "--seed", "7")
    asked = ("--energy", "2GeV", "-n", "5", "--seed", "7")
    assert run("generate", "formula", *asked, "-o", "plain.h5")[0] == 0
    code, out, _ = run("overlay", "plain.h5", "--library", "library.h5", *law, "-o", "a.h5")
    assert code == 0
    drawn = read_events("a.h5").provenance["overlay"][0]["drawn"]
    assert f"{drawn} events added to 5 in a.h5" in out
    with_it = ("--overlay", "library.h5", "--mean", "3")
    assert run("generate", "formula", *asked, *with_it, "-o", "b.h5")[0] == 0
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("overlay", "signal.h5", "--library", "library.h5"), "give either the mean"),
        (("overlay", "signal.h5", "--library", "sample:test", "--mean", "1"), "of detector"),
        (("overlay", "signal.h5", "--library", "none.h5", "--mean", "1"), "no events file"),
        (("generate", "formula", "--energy", "1GeV", "-n", "2", "--mean", "1"), "belong together"),
    ],
)
def test_what_is_refused_is_one_line_and_leaves_no_file(run, tmp_path, arguments, why):
    code, _, err = run(*arguments, "-o", "x.h5")
    assert code == 2
    assert why in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "x.h5").exists()


def test_of_tracks_whole_events_are_written(run, tmp_path):
    write_events(tracks(8), tmp_path / "tracks.h5")
    again = ("--library", "tracks.h5", "--number", "2", "-o", "whole.h5")
    code, _, err = run("overlay", "tracks.h5", *again)
    assert code == 0
    assert "8 of the 8 events are in the library, too" in err
    assert len(read_chamber("whole.h5").overlaid) == 16
    assert describe("whole.h5")["tracks of an event"] == 3.0
