import numpy as np
import pytest

import simulacra as sim
from simulacra.detectors import load_detector, parse_detector
from simulacra.detectors.jet_image import Process
from simulacra.engines.worker import make_chunks
from simulacra.errors import DetectorError, SimulacraError
from simulacra.fullsim import production
from simulacra.fullsim.jets import job as jobs
from simulacra.fullsim.jets.chunk import jets_of, run_chunk
from simulacra.fullsim.jets.job import job_of
from simulacra.fullsim.jets.pythia import LARGEST_SEED, Generator
from simulacra.io import read_events

DETECTOR = load_detector("jet-constituents")


def test_processes_are_those_of_the_detector_in_turn():
    assert job_of(DETECTOR, None, 5, 1).labels.tolist() == [0, 1, 0, 1, 0]
    assert job_of(DETECTOR, "w", 3, 1).labels.tolist() == [1, 1, 1]
    assert job_of(DETECTOR, "w, qcd", 3, 1).labels.tolist() == [1, 0, 1]
    for text, why in (("top", "no process 'top'"), ("w,w", "named once")):
        with pytest.raises(SimulacraError, match=why):
            job_of(DETECTOR, text, 3, 1)
    with pytest.raises(SimulacraError, match="no events"):
        job_of(DETECTOR, "w", 0, 1)


def test_what_is_not_generated_is_told():
    (note,) = job_of(DETECTOR, "w", 1, 1).notes
    assert note.startswith("w: only hard momenta from 200 GeV to 400 GeV")
    assert [note.partition(":")[0] for note in job_of(DETECTOR, None, 2, 1).notes] == ["qcd", "w"]


def test_no_two_processes_of_a_job_share_a_seed():
    job = job_of(DETECTOR, None, 100_000, 7)
    seeds = np.array([chunk.seed for chunk in job.chunks])
    assert len(np.unique(np.concatenate([seeds, seeds + 1]))) == 2 * len(seeds) > 2000
    assert seeds.min() >= 1
    assert seeds.max() < LARGEST_SEED
    assert (
        job_of(DETECTOR, None, 10, 8).chunks[0].seed != job_of(DETECTOR, None, 10, 7).chunks[0].seed
    )


def test_what_the_file_states_is_not_asked_for_again():
    for option in ({"energy": "1GeV"}, {"physics": "opt4"}, {"cut": "1mm"}):
        arguments = {"energy": None} | option
        with pytest.raises(SimulacraError, match=f"leave out {next(iter(option))}"):
            sim.simulate("jet-image", "w", n=1, **arguments)
    with pytest.raises(SimulacraError, match="give --energy"):
        sim.simulate("atlas-barrel", "gamma", None, 1)


def test_a_detector_without_collisions_makes_none():
    content = DETECTOR.model_dump(mode="json", exclude_none=True)
    for part in ("collisions", "towers", "jets", "trimming", "window"):
        del content[part]
    plain = type(DETECTOR).model_validate(content)
    assert plain.processes == {0: "0", 1: "1"}
    with pytest.raises(SimulacraError, match="states no collisions"):
        job_of(plain, "w", 1, 1)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("label: 1", "label: 2", "label of one process"),
        ("mass:\n    role: log", "mass:\n    role: linear", "conditions of a jet-image"),
        ("- 60000.0", "- 160000.0", "lower to the higher"),
        ("fraction: 0.05", "fraction: 1.0", "fraction"),
        ("algorithm: anti-kt", "algorithm: cone", "algorithm"),
    ],
)
def test_a_wrong_file_is_refused(before, after, why):
    text = DETECTOR.to_yaml()
    assert before in text
    with pytest.raises(DetectorError, match=why):
        parse_detector(text.replace(before, after))


def test_tunes_are_of_one_detector_and_jets_are_not():
    text = DETECTOR.to_yaml()
    tune = parse_detector(text.replace("tune: 14", "tune: 21"))
    other = parse_detector(text.replace("radius: 1.0", "radius: 0.8"))
    assert tune.fingerprint == DETECTOR.fingerprint != other.fingerprint


@pytest.mark.pythia
@pytest.mark.slow
def test_jets_lie_inside_the_window_whoever_makes_them(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "CHUNK", 3.0)
    job = job_of(DETECTOR, None, 6, 3)
    parts = [run_chunk(chunk) for chunk in job.chunks]
    again = run_chunk(job.chunks[1])  # nothing depends on the chunk before
    events = production.simulated(job, workers=1)
    for name, array in again.response.items():
        np.testing.assert_array_equal(array, parts[1].response[name])
        np.testing.assert_array_equal(events[name][3:], array)
    events.check()
    events.check_signs()
    momentum, mass = events["transverse_momentum"], events["mass"]
    assert 250e3 <= momentum.min() <= momentum.max() <= 300e3
    assert 60e3 <= mass.min() <= mass.max() <= 100e3
    eta, phi, pt, there = np.moveaxis(events["constituents"].astype(float), -1, 0)
    energy, pz = (pt * np.cosh(eta)).sum(1), (pt * np.sinh(eta)).sum(1)
    px, py = (pt * np.cos(phi)).sum(1), (pt * np.sin(phi)).sum(1)
    np.testing.assert_allclose(np.hypot(px, py) * 1e3, momentum, rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(energy**2 - px**2 - py**2 - pz**2) * 1e3, mass, rtol=1e-4)
    assert there.sum(1).min() > 5

    class Here:
        def run(self, folder, numbers):
            make_chunks(folder.folder, list(numbers))
            yield from numbers

    written = production.write(job, tmp_path / "jets.h5", executor=Here())
    read = read_events(tmp_path / "jets.h5")
    np.testing.assert_array_equal(written["images"], read["images"])
    np.testing.assert_array_equal(read["constituents"], events["constituents"])
    assert read.provenance["pythia8"].startswith("8.")
    assert read.provenance["processes"] == ["qcd", "w"]


@pytest.mark.parametrize("limits", [(350e3, 200e3), (200e3, 200e3), (-1.0, 200e3)])
def test_limits_of_the_hard_scattering_ascend(limits):
    """Pythia would take an upper limit below the lower one for none."""
    facts = DETECTOR.collisions.processes["qcd"].model_dump() | {"hard_momentum": limits}
    with pytest.raises(ValueError, match="from the lower to the higher"):
        Process(**facts)


@pytest.mark.pythia
def test_commands_that_pythia_does_not_take_are_named():
    collisions = DETECTOR.collisions
    process = collisions.processes["qcd"].model_copy(update={"commands": ("HardQCD:al = on",)})
    with pytest.raises(SimulacraError, match="HardQCD:al"):
        Generator(collisions, process, 1)


@pytest.mark.pythia
@pytest.mark.slow
def test_the_limits_of_a_resonance_hold():
    process = DETECTOR.collisions.processes["w"]
    narrow = process.model_copy(update={"hard_momentum": (300e3, 310e3)})
    generator = Generator(DETECTOR.collisions, narrow, 1)
    assert generator.collide(8).collisions == 8
    process = generator._pythia.process
    momenta = [p.pT() for p in (process[i] for i in range(process.size())) if abs(p.id()) == 24]
    assert momenta
    assert all(300 <= momentum <= 310 for momentum in momenta)


@pytest.mark.pythia
@pytest.mark.slow
def test_a_process_without_jets_in_the_window_is_given_up(monkeypatch):
    monkeypatch.setattr("simulacra.fullsim.jets.chunk.MOST", 64)
    process = DETECTOR.collisions.processes["qcd"].model_copy(
        update={"hard_momentum": (20e3, 30e3)}
    )
    collisions = DETECTOR.collisions.model_copy(
        update={"processes": DETECTOR.collisions.processes | {"qcd": process}}
    )
    detector = DETECTOR.model_copy(update={"collisions": collisions})
    with pytest.raises(SimulacraError, match="process qcd: no jet inside the window"):
        next(jets_of(detector, "qcd", 1))
