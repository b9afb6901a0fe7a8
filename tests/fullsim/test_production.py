import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulacra.conditions import EnergySpectrum
from simulacra.detectors import load_detector
from simulacra.engines import Parts
from simulacra.engines.worker import make_chunks
from simulacra.errors import EventsError, SimulacraError
from simulacra.files.work_folder import MARKER, SIGNATURE
from simulacra.fullsim import Geant4Settings, Geant4Simulator, WorkerPool, production, simulate
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup
from simulacra.fullsim.job import Job
from simulacra.io import read_events
from tests.fullsim.conftest import PretendedGeant4

pytestmark = pytest.mark.slow

SPECTRUM = EnergySpectrum.parse("1GeV,30GeV")


def produce(detector, output, executor=None, **changes):
    arguments = {"seed": 1, "n": 20, "primaries": SPECTRUM} | changes
    settings = Geant4Settings(particle="gamma")
    return simulate(detector, settings, output=output, executor=executor, **arguments)


def test_events_are_written_with_their_origin(atlas, tmp_path):
    output = tmp_path / "events.h5"
    produce(atlas, output, PretendedGeant4())
    events = read_events(output, atlas)
    assert len(events) == 20
    facts = events.provenance
    assert (facts["simulator"], facts["geant4"], facts["physics"]) == ("geant4", "1.2.3", "opt0")
    assert (facts["pdg"], facts["seed"], facts["n"], facts["cut_mm"]) == (22, 1, 20, 1.0)
    assert facts["cut_from"] == "detector"
    assert [path.name for path in tmp_path.iterdir()] == ["events.h5"]


def test_progress_counts_events_to_the_end(atlas, tmp_path):
    seen = []
    produce(
        atlas, tmp_path / "e.h5", PretendedGeant4(), on_progress=lambda *done: seen.append(done)
    )
    assert seen[0] == ("Geant4", 0, 20)
    assert seen[-1] == ("Geant4", 20, 20)
    assert len(seen) > 3
    assert seen == sorted(seen)


def test_a_broken_run_keeps_its_chunks_and_continues_to_the_same_file(atlas, tmp_path):
    undisturbed, broken = tmp_path / "undisturbed.h5", tmp_path / "broken.h5"
    first, second = PretendedGeant4(dies_after=3), PretendedGeant4()
    produce(atlas, undisturbed, PretendedGeant4())
    with pytest.raises(SimulacraError, match=r"worker died.*broken\.h5\.parts"):
        produce(atlas, broken, first)
    assert not broken.exists()
    produce(atlas, broken, second)
    kept = len(Job.of(atlas, Geant4Settings(particle="gamma"), SPECTRUM, 1, 20).chunks)
    assert second.done == kept - 3
    assert broken.read_bytes() == undisturbed.read_bytes()


def test_workers_of_our_own_that_die_are_replaced_a_few_times(atlas, tmp_path, monkeypatch):
    monkeypatch.setattr(production, "require_geant4", lambda _: None)
    undisturbed = tmp_path / "undisturbed.h5"
    produce(atlas, undisturbed, PretendedGeant4())
    for dies, ends_well in (((2, 0, 0, 3, 0, None), True), ((2, 0, 0, 0, None), False)):
        pools = iter([PretendedGeant4(dies_after=chunks) for chunks in dies])

        class Pool(WorkerPool):
            def __new__(cls, _, pools=pools):
                return next(pools)

        monkeypatch.setattr(production, "WorkerPool", Pool)
        if ends_well:
            produce(atlas, tmp_path / "e.h5")
            assert (tmp_path / "e.h5").read_bytes() == undisturbed.read_bytes()
        else:
            with pytest.raises(SimulacraError, match="worker died"):
                produce(atlas, tmp_path / "never.h5")


def test_an_engine_finds_all_that_geant4_needs_in_the_folder(atlas, tmp_path, monkeypatch):
    class Here:
        def run(self, parts, numbers):
            make_chunks(parts.folder, list(numbers))
            yield from numbers

    pretended = PretendedGeant4()
    run_chunk = lambda chunk: pretended.submit(None, chunk).result()  # noqa: E731
    monkeypatch.setattr("simulacra.fullsim.task.run_chunk", run_chunk)
    produce(atlas, tmp_path / "here.h5", PretendedGeant4())
    produce(atlas, tmp_path / "there.h5", Here())
    assert (tmp_path / "here.h5").read_bytes() == (tmp_path / "there.h5").read_bytes()
    assert pretended.done > 3


def test_chunks_of_another_job_are_not_mistaken(atlas, tmp_path):
    output = tmp_path / "events.h5"
    with pytest.raises(SimulacraError, match="worker died"):
        produce(atlas, output, PretendedGeant4(dies_after=1))
    with pytest.raises(SimulacraError, match=r"another job.*remove the folder"):
        produce(atlas, output, PretendedGeant4(), seed=2)


def test_a_job_that_left_no_chunk_is_in_nobodys_way(atlas, tmp_path):
    output = tmp_path / "events.h5"
    folder = tmp_path / "events.h5.parts"
    with pytest.raises(SimulacraError, match="worker died"):
        produce(atlas, output, PretendedGeant4(dies_after=0))
    assert not folder.exists()
    folder.mkdir()
    (folder / MARKER).write_text(SIGNATURE)
    (folder / "job.json").write_text("another job, killed before its first chunk")
    produce(atlas, output, PretendedGeant4(), seed=2)
    assert not folder.exists()


def test_two_jobs_with_one_output_do_not_mix_their_chunks(tmp_path):
    output, arrays, facts = tmp_path / "events.h5", {"showers": np.ones((1, 2))}, {"cut_mm": 0.7}
    with Parts.of({"seed": 1}, output) as first:
        for seed in (1, 2):
            with pytest.raises(SimulacraError, match="in use"), Parts.of({"seed": seed}, output):
                pass
        first.store(0, arrays, facts)
    with pytest.raises(SimulacraError, match="another job"), Parts.of({"seed": 2}, output):
        pass
    with Parts.of({"seed": 1}, output) as again:
        assert again.load(0)[1] == facts
        assert len(list(again.folder.glob("chunk-*"))) == 1


def test_a_folder_of_the_users_own_is_left_alone(tmp_path):
    own = tmp_path / "events.h5.parts"
    own.mkdir()
    (own / "chunk-00000.h5").write_text("mine")
    with (
        pytest.raises(SimulacraError, match="holds something else"),
        Parts.of({"seed": 1}, tmp_path / "events.h5"),
    ):
        pass
    assert [item.name for item in own.iterdir()] == ["chunk-00000.h5"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:100],
        lambda content: content[:0],
        lambda content: content[:-50] + bytes(50),
        lambda content: content.replace(b"cut_mm", b"out_mm"),  # what it says, not what it holds
    ],
    ids=["cut off", "empty", "end", "facts"],
)
def test_a_damaged_chunk_is_named(atlas, tmp_path, damage):
    output = tmp_path / "events.h5"
    with pytest.raises(SimulacraError, match="worker died"):
        produce(atlas, output, PretendedGeant4(dies_after=2))
    chunk = next((tmp_path / "events.h5.parts").glob("chunk-*.h5"))
    chunk.write_bytes(damage(chunk.read_bytes()))
    with pytest.raises(SimulacraError, match=f"{chunk.name} is damaged"):
        produce(atlas, output, PretendedGeant4())


def test_mistakes_are_told_before_the_work(atlas, tmp_path):
    with pytest.raises(EventsError, match=rf"{tmp_path}/events\.txt: unknown kind"):
        produce(atlas, tmp_path / "events.txt", PretendedGeant4())
    with pytest.raises(EventsError, match="alice-tpc is a tpc"):
        produce(load_detector("alice-tpc"), tmp_path / "events.root", PretendedGeant4())
    with pytest.raises(SimulacraError, match="workers must be at least 1"):
        produce(atlas, tmp_path / "events.h5", workers=0)
    assert not [*tmp_path.iterdir()]


# --- with Geant4 -------------------------------------------------------------------------------


@pytest.mark.geant4
def test_events_depend_neither_on_the_workers_nor_on_their_past(atlas, monkeypatch):
    monkeypatch.setattr(CalorimeterSetup, "chunk_cost", 500.0)
    settings = Geant4Settings(particle="gamma")
    spectrum = EnergySpectrum((300.0, 900.0, 200.0, 500.0))
    conditions = Job.of(atlas, settings, spectrum, seed=5, n=16).conditions
    with WorkerPool(1) as pool:
        simulator = Geant4Simulator(atlas, settings, executor=pool)
        fresh = simulator.simulate(conditions, 7)["showers"]
        other = simulator.simulate(conditions, 8)["showers"]
        again = simulator.simulate(conditions, 7)["showers"]
    parallel = Geant4Simulator(atlas, settings, workers=2).simulate(conditions, 7)["showers"]
    assert not np.array_equal(fresh, other)
    np.testing.assert_array_equal(again, fresh)
    np.testing.assert_array_equal(parallel, fresh)


SCRIPT = """
from pathlib import Path
from simulacra.conditions import EnergySpectrum
from simulacra.detectors import load_detector
from simulacra.fullsim import Geant4Settings, simulate
from simulacra.fullsim.calorimeter.setup import CalorimeterSetup

if __name__ == "__main__":
    CalorimeterSetup.chunk_cost = 4000.0
    simulate(
        load_detector("atlas-barrel"), Geant4Settings(particle="gamma"),
        EnergySpectrum.parse("1GeV..4GeV"), Path({output!r}), seed=3, n=60, workers=2,
    )
"""


def wait_for(condition, seconds=300.0):  # where many others work, too
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.01)


def running(pid):
    """Return whether a process is there and not a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def differences(one, other):
    """Say in what two files of events differ: attributes, rows of arrays, or what is between."""
    found = []
    with h5py.File(one) as first, h5py.File(other) as second:
        found += [name for name in first.attrs if first.attrs[name] != second.attrs.get(name)]

        def compare(name, item):
            if not isinstance(item, h5py.Dataset):
                return
            pair = [np.asarray(file[name]).reshape(len(item), -1) for file in (first, second)]
            rows = np.flatnonzero(np.any(pair[0] != pair[1], axis=1))
            if len(rows):
                largest = np.abs(pair[0] - pair[1]).max()
                found.append(f"{name}: rows {rows.tolist()}, by {largest:.3g} at most")

        first.visititems(compare)
    return found or ["nothing but the bytes between arrays and attributes"]


def test_differences_of_files_are_named(tmp_path):
    for name, origin, third in (("a", "x", 2.0), ("b", "x", 2.0), ("c", "y", 2.5)):
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["origin"] = origin
            file["g/showers"] = [[0.0], [1.0], [third]]
    assert differences(tmp_path / "a", tmp_path / "b")[0].startswith("nothing")
    assert differences(tmp_path / "a", tmp_path / "c") == [
        "origin", "g/showers: rows [2], by 0.5 at most"
    ]  # fmt: skip


@pytest.mark.geant4
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks processes up in /proc")
def test_kill_9_and_a_rerun_give_the_same_events(tmp_path, monkeypatch):
    output, parts = tmp_path / "killed.h5", tmp_path / "killed.h5.parts"
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(output=str(output)))
    process = subprocess.Popen([sys.executable, str(script)])
    wait_for(lambda: len([*parts.glob("chunk-*.h5")]) >= 2 or process.poll() is not None)
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = " ".join(path.read_text() for path in tasks).split()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = len([*parts.glob("chunk-*.h5")])
    assert kept >= 2
    assert not output.exists()
    wait_for(lambda: not any(map(running, children)))  # workers do not outlive the job

    subprocess.run([sys.executable, str(script)], check=True)
    undisturbed = tmp_path / "undisturbed.h5"
    script.write_text(SCRIPT.format(output=str(undisturbed)))
    subprocess.run([sys.executable, str(script)], check=True)
    same = output.read_bytes() == undisturbed.read_bytes()
    assert same, differences(output, undisturbed)
    assert not parts.exists()
