"""Chunks on engines: what is made, what comes back, what an error shows."""

import subprocess
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.engines import parse_engine
from simulacra.engines.chunk_file import read_chunk, write_chunk
from simulacra.engines.htcondor import HTCondorEngine
from simulacra.engines.numbers import as_text, divided, from_text
from simulacra.engines.rounds import rounds
from simulacra.engines.settings import BatchSettings
from simulacra.engines.slurm import script
from simulacra.engines.worker import log_path, make_chunks
from simulacra.errors import CardError, SimulacraError


@given(st.sets(st.integers(0, 10**5), min_size=1).map(sorted))
@settings(max_examples=30, deadline=None)
def test_numbers_survive_as_text(numbers):
    assert from_text(as_text(numbers)) == numbers


@given(st.lists(st.integers(), min_size=1), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_shares_are_the_numbers_in_order(numbers, most, each):
    shares = divided(numbers, most, each)
    assert list(chain(*shares)) == numbers
    assert len(shares) <= most
    assert all(len(share) >= each for share in shares[:-1])


def test_any_changed_byte_of_a_number_is_found(tmp_path):
    path = tmp_path / "chunk.h5"
    write_chunk(path, {"a": np.arange(5.0), "none": np.zeros((0, 3))}, {"fact": [1]})
    arrays, facts = read_chunk(path)
    assert np.array_equal(arrays["a"], np.arange(5.0))
    assert arrays["none"].shape == (0, 3)
    assert facts == {"fact": [1]}
    import h5py

    with h5py.File(path, "r+") as file:
        file["a"][3] = 3.5
    with pytest.raises(SimulacraError, match="is damaged: remove it"):
        read_chunk(path)


def test_a_worker_leaves_what_is_finished_and_makes_what_it_can(described):
    parts = described(fails=2)
    parts.store(1, {"square": np.full(3, -1)}, {})
    assert make_chunks(parts.folder, [0, 1, 2, 3]) == [2]
    assert parts.missing(range(4)) == [2]
    assert parts.load(1)[0]["square"].tolist() == [-1] * 3
    arrays, facts = parts.load(3)
    assert (arrays["square"].tolist(), facts) == ([9] * 3, {"number": 3})
    assert "ValueError: no square of this number" in log_path(parts.folder, 2).read_text()
    assert not log_path(parts.folder, 0).exists()


def in_this_process(parts, dying=()):
    """A round of an engine whose machines die in a given order of rounds."""
    dying = list(dying)

    def once(pending):
        dead = dying.pop(0) if dying else ()
        make_chunks(parts.folder, [number for number in pending if number not in dead])
        yield

    return once


def test_what_dies_is_started_again_as_long_as_others_are_made(described):
    parts = described()
    dying = [{1, 2, 3}, {2, 3}, {3}, {3}]
    assert sorted(rounds(parts, range(5), in_this_process(parts, dying), retries=2)) == [*range(5)]


def test_a_chunk_that_always_fails_is_told_with_its_log(described):
    parts, seen = described(fails=2), []
    message = r"1 chunks were not made, started 3 times; chunk-00002\.log ends: .*no square of this"
    with pytest.raises(SimulacraError, match=message):
        seen.extend(rounds(parts, range(4), in_this_process(parts), retries=2))
    assert sorted(seen) == [0, 1, 3]


def test_what_leaves_no_log_was_killed(described):
    parts = described()
    with pytest.raises(SimulacraError, match="none left a log: killed, or out of memory or time"):
        list(rounds(parts, [0], in_this_process(parts, [{0}] * 9), retries=2))


def test_unknown_engines_and_settings_are_one_line(tmp_path):
    assert parse_engine("local") is None
    for text in ("slurm", "nothing:there", ""):
        with pytest.raises(SimulacraError, match=r"there are local, dask:…, slurm:…, htcondor:…"):
            parse_engine(text)
    path = tmp_path / "cluster.yaml"
    for content, message in (
        ("partitoin: main", "partition"),
        ("chunks_per_job: 0", "chunks_per_job"),
        ("time: 10:00\nmemory: [", "not valid YAML"),
        ("partition: long", "HTCondor has no partition"),
    ):
        path.write_text(content)
        with pytest.raises(CardError, match=message):
            parse_engine(f"htcondor:{path}")


def test_the_script_of_slurm_is_shell_that_finds_its_chunks(described, tmp_path):
    parts = described()
    stated = BatchSettings(
        partition="main", time="01:00:00", memory="2G", setup=("export A=1",),
        options=("--account=atlas",), python="echo",
    )  # fmt: skip
    text = script(stated, parts.folder, 2)
    for line in ("--partition=main", "--time=01:00:00", "--mem=2G", "--account=atlas"):
        assert f"#SBATCH {line}\n" in text
    assert "#SBATCH --array=1-2\n" in text
    (parts.folder / "jobs-list.txt").write_text("0-3\n4-7\n")
    run = subprocess.run(
        ["bash", "-c", text], env={"SLURM_ARRAY_TASK_ID": "2", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split()[-2:] == [str(parts.folder), "4-7"]


def test_htcondor_gets_its_file_and_the_same_call_merges(described, tmp_path):
    path = tmp_path / "cluster.yaml"
    path.write_text("{memory: 2G, chunks_per_job: 2, options: ['+JobFlavour = \"long\"']}")
    engine, parts = HTCondorEngine(str(path)), described()
    with pytest.raises(
        SimulacraError, match=r"4 chunks are to be made: condor_submit .*\.sub, and"
    ):
        list(engine.run(parts, range(4)))
    assert (parts.folder / "jobs-list.txt").read_text() == "0-1\n2-3\n"
    lines = (parts.folder / "queued-htcondor.sub").read_text().splitlines()
    assert "request_memory = 2G" in lines
    assert lines[-2:] == ['+JobFlavour = "long"', f"queue chunks from {parts.folder}/jobs-list.txt"]
    make_chunks(parts.folder, [0, 1, 2])  # as the jobs would
    with pytest.raises(SimulacraError, match="1 chunks are to be made"):
        list(engine.run(parts, range(4)))
    make_chunks(parts.folder, [3])
    assert list(engine.run(parts, range(4))) == [0, 1, 2, 3]
