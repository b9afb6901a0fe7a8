"""Several files as one sample, parts of files, and splits."""

import io
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulacra import cli
from simulacra.cli.terminal import console
from simulacra.datasets.samples import load_sample, open_events, open_parts
from simulacra.errors import EventsError
from simulacra.events import Events, pieces
from simulacra.io import read_events, write_events
from simulacra.io.joined import streamed, whole
from simulacra.io.split import parse_shares, split_rows
from simulacra.training.samples import training_events
from tests.cli.test_cli import refused, run  # noqa: F401 - a fixture
from tests.conftest import random_events

SIZES = {"run_1.h5": 7, "run_2.h5": 5, "run_10.h5": 4}


@pytest.fixture
def files(barrel, tmp_path, monkeypatch):
    """Three files whose numbers sort otherwise than their names, and their events in order."""
    monkeypatch.chdir(tmp_path)
    parts = []
    for seed, (name, n) in enumerate(SIZES.items()):
        events = random_events(barrel, n, seed)
        facts = {"step": "simulate", "particle": "gamma", "pdg": 22, "seed": seed}
        parts.append(Events(events.conditions, events.response, barrel, facts))
        write_events(parts[-1], name)
    return Events.concatenate(parts)


def test_a_pattern_means_all_files_in_the_order_of_their_numbers(files, tmp_path):
    for pattern in ("run_*.h5", f"{tmp_path}/run_*.h5"):
        source = open_events(pattern)
        assert len(source) == 16
        events = source.take(slice(0, 16))
        assert np.array_equal(events["showers"], files["showers"])
    for rows in (slice(6, 13), slice(0, 7), slice(15, 16), slice(3, 3)):
        assert np.array_equal(source.take(rows)["showers"], files["showers"][rows])
    assert sum(len(events) for _, events in pieces(source)) == 16
    assert source.provenance["particle"] == "gamma"
    assert [part["provenance"]["seed"] for part in source.provenance["joined"]] == [0, 1, 2]
    assert [part["events"] for part in source.provenance["joined"]] == [7, 5, 4]


def test_parts_of_files(files):
    assert np.array_equal(
        open_events("run_*.h5[5:9]").take(slice(0, 4))["showers"], files["showers"][5:9]
    )
    source = open_events("run_2.h5[3:]")
    assert np.array_equal(source.take(slice(0, 2))["showers"], files["showers"][10:12])
    assert len(open_events("sample:test[:30]")) == 30
    for wrong, said in (
        ("run_2.h5[5:]", "run_2.h5 has no events 5:"),
        ("none_*.h5", "no file matches none_"),
        ("run_9.h5[0:3]", "no events file run_9.h5"),
    ):
        with pytest.raises(EventsError, match=said):
            open_parts(wrong)


def test_training_reads_patterns_and_parts(files, small_card):
    data = {"train": ["run_*.h5[:10]"], "selection": "run_*.h5[10:]"}
    card = small_card()
    card = card.model_validate(card.model_dump() | {"data": data})
    train, selection = training_events(card, files.detector)
    assert np.array_equal(train["showers"], files["showers"][:10])
    assert np.array_equal(selection["showers"], files["showers"][10:])


def test_convert_joins_and_refuses_what_would_be_read_twice(files, run):  # noqa: F811
    assert run("convert", "run_1.h5", "run_[21]*0.h5", "all.h5")[0] == 0
    assert len(read_events("all.h5")) == 11
    refused(run("convert", "run_*.h5", "run_2.h5", "twice.h5"), "run_2.h5", "twice")
    absolute = Path("run_2.h5").resolve()
    refused(run("convert", "run_2.h5", absolute, "twice.h5"), "run_2.h5", "twice")
    refused(run("convert", "run_*.h5", "out.h5", "--rows", "16:"), "has no events 16:")
    write_events(load_sample("selection", "alice-tpc").take(slice(3)), "tracks.h5")
    refused(run("convert", "run_1.h5", "tracks.h5", "out.h5"), "alice-tpc", "atlas-barrel")


@pytest.mark.slow
def test_convert_reads_its_own_files_as_it_writes(files, run, monkeypatch):  # noqa: F811
    """Piece by piece it gives the bytes of all at once, and no more is read than a piece."""
    for sources in (["run_1.h5"], ["run_*.h5"]):
        parts = [part for source in sources for part in open_parts(source)]
        write_events(whole(parts), "whole.h5")
        assert run("convert", *sources, "out.h5", "--overwrite")[0] == 0
        assert Path("out.h5").read_bytes() == Path("whole.h5").read_bytes()
    monkeypatch.setattr("simulacra.io.joined.whole", None)  # nobody calls it
    monkeypatch.setattr("simulacra.events.PIECE", 1)
    monkeypatch.setattr("simulacra.events.ROWS", 2)
    number, found = streamed(open_parts("run_*.h5"))
    sizes = [len(events) for events in found]
    assert number == sum(sizes) == 16
    assert max(sizes) <= 3
    with h5py.File("run_2.h5", "r+") as file:
        file["showers"][3, 0] = np.nan
    refused(run("convert", "run_*.h5", "bad.h5"), "run_2.h5", "not finite")
    assert not Path("bad.h5").exists()


def test_convert_splits(files, run, tmp_path):  # noqa: F811
    options = ["--split", "50/25/25", "--seed", 3]
    code, out, _ = run("convert", "run_*.h5", "all.h5", *options)
    assert code == 0
    assert "8 events of atlas-barrel in all-train.h5" in out
    parts = {p: read_events(f"all-{p}.h5") for p in ("train", "selection", "test")}
    rows = [
        [int(np.flatnonzero((files["showers"] == shower).all(axis=1)).item()) for shower in showers]
        for showers in (part["showers"] for part in parts.values())
    ]
    assert [len(part) for part in rows] == [8, 4, 4]
    assert sorted(sum(rows, [])) == list(range(16))  # noqa: RUF017 - three short lists
    assert all(part == sorted(part) for part in rows)
    facts = parts["selection"].provenance
    assert facts["split"] == {
        "part": "selection", "of": 16, "shares": [50, 25, 25], "seed": 3
    }  # fmt: skip
    assert len(facts["joined"]) == 3
    refused(run("convert", "run_*.h5", "all.h5", *options), "all-train.h5 is there already")
    before = (tmp_path / "all-test.h5").read_bytes()
    assert run("convert", "run_*.h5", "all.h5", *options, "--overwrite")[0] == 0
    assert (tmp_path / "all-test.h5").read_bytes() == before
    run("convert", "run_*.h5", "all.h5", *options[:2], "--seed", 4, "--overwrite")
    assert (tmp_path / "all-test.h5").read_bytes() != before


def test_events_that_parts_could_share_are_counted(files, run):  # noqa: F811
    write_events(files, "copy.h5")
    code, _, err = run("convert", "run_*.h5", "copy.h5", "all.h5", "--split", "80/20")
    assert code == 0
    assert "note: 16 of 32 events occur twice" in err


@pytest.mark.parametrize("text", ["80", "80/10", "50/25/15/10", "110/-10", "a/b", "100/0"])
def test_shares_that_make_no_sense(text):
    with pytest.raises(EventsError, match="percentages that sum to 100"):
        parse_shares(text)


def test_every_event_is_in_one_part():
    for n in (3, 10, 101, 1000):
        parts = split_rows(n, (80, 10, 10), 1) if n > 3 else split_rows(n, (40, 30, 30), 1)
        assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    assert [len(part) for part in split_rows(1000, (80, 10, 10), 1)] == [800, 100, 100]
    with pytest.raises(EventsError, match="3 events are too few for a split 80/10/10"):
        split_rows(3, (80, 10, 10), 1)


# --- terminals without UTF-8 -------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminals_without_our_characters(encoding, monkeypatch, tmp_path):
    """Tables, YAML, notes and errors are spelled in what the terminal has."""
    monkeypatch.chdir(tmp_path)
    spelled = {}
    for name, arguments in (
        ("models", ["models"]),
        ("yaml", ["detectors", "show", "atlas-barrel"]),
        ("error", ["convert", "σ ± √2 – ☃.h5", "o.h5"]),
    ):
        streams = {s: io.TextIOWrapper(io.BytesIO(), encoding) for s in ("stdout", "stderr")}
        for stream, wrapper in streams.items():
            monkeypatch.setattr(sys, stream, wrapper)
        monkeypatch.setattr(sys, "argv", ["simulacra", *arguments])
        with pytest.raises(SystemExit):
            cli.main()
        console.print("1.00 ± 0.05, χ² of λ → …", highlight=False)
        for wrapper in streams.values():
            wrapper.flush()
        spelled[name] = "".join(w.buffer.getvalue().decode(encoding) for w in streams.values())
    if encoding == "ascii":
        assert "1.00 +- 0.05, chi^2 of lambda -> ..." in spelled["models"]
        assert "sigma +- sqrt2 - ?.h5" in spelled["error"]
    if encoding == "latin-1":
        assert "1.00 ± 0.05, chi² of lambda -> ..." in spelled["models"]
    if encoding == "utf-8":
        assert "☃" in spelled["error"]
    assert "name: atlas-barrel" in spelled["yaml"]
