"""Files of strangers: HDF5 reads nothing outside their folder, and little claims not much."""

import h5py
import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import EventsError
from simulacra.events import Events
from simulacra.io import confined, read_events, recognise, write_events

VOXELS = load_detector("calochallenge-1-photons")
N = 4
SHAPE = (N, VOXELS.n_cells)


@pytest.fixture
def secret(tmp_path):
    """A file of the user's, whose numbers would do as showers, outside the stranger's folder."""
    (tmp_path / "theirs").mkdir()
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["showers"] = np.ones(SHAPE)
    (tmp_path / "secret.bin").write_bytes(np.ones(SHAPE).tobytes())
    return tmp_path


def virtual(file, source):
    layout = h5py.VirtualLayout(SHAPE, "f8")
    layout[:] = h5py.VirtualSource(source, "showers", SHAPE)
    file.create_virtual_dataset("showers", layout)


def stored(file, source):
    place = [(source.replace(".h5", ".bin"), 0, 8 * N * VOXELS.n_cells)]
    file.create_dataset("showers", SHAPE, "f8", external=place)


def linked(file, source):
    file["showers"] = h5py.ExternalLink(source, "/showers")


def linked_softly(file, source):
    file["hidden/deep"] = h5py.ExternalLink(source, "/")
    file["showers"] = h5py.SoftLink("/hidden/deep/showers")


WAYS = pytest.mark.parametrize("way", [virtual, stored, linked, linked_softly])


def stranger(folder, way, source):
    path = folder / "theirs" / "a.h5"
    with h5py.File(path, "w") as file:
        file["incident_energies"] = np.full((N, 1), 10_000.0)
        way(file, source)
    return path


def refused(path, words="outside the file's own folder"):
    for read in (recognise, lambda path: read_events(path, VOXELS)):
        with pytest.raises(EventsError, match=words) as caught:
            read(path)
        assert "\n" not in str(caught.value)


@WAYS
def test_absolute_paths_and_parents_are_refused(way, secret, monkeypatch):
    refused(stranger(secret, way, str(secret / "secret.h5")))
    monkeypatch.chdir(secret / "theirs")
    refused(stranger(secret, way, "../secret.h5"))
    refused(stranger(secret, way, "../gone.h5"))


@WAYS
def test_links_of_the_file_system_that_lead_out_are_refused(way, secret, monkeypatch):
    monkeypatch.chdir(secret / "theirs")
    for ending in (".h5", ".bin"):
        (secret / "theirs" / f"inside{ending}").symlink_to(secret / f"secret{ending}")
    refused(stranger(secret, way, "inside.h5"))


@WAYS
def test_what_lies_where_the_process_works_is_refused(way, secret, monkeypatch):
    monkeypatch.chdir(secret)
    refused(stranger(secret, way, "secret.h5"))


@WAYS
def test_sources_in_the_folder_are_read(way, secret, monkeypatch):
    monkeypatch.chdir(secret / "theirs")
    for ending in (".h5", ".bin"):
        (secret / f"secret{ending}").rename(secret / "theirs" / f"own{ending}")
    for name in ("own.h5", str(secret / "theirs" / "own.h5")):
        path = stranger(secret, way, name)
        assert np.all(read_events(path, VOXELS)["showers"] == 1)


@WAYS
def test_a_source_in_the_folder_leads_nowhere_else(way, secret, monkeypatch):
    monkeypatch.chdir(secret / "theirs")
    with h5py.File(secret / "theirs" / "between.h5", "w") as file:
        way(file, str(secret / "secret.h5"))
    refused(stranger(secret, virtual, "between.h5"))
    refused(stranger(secret, linked, "between.h5"))


def test_patterns_of_names_are_refused(secret):
    refused(stranger(secret, virtual, "part-%%.h5"), "patterns of names")


def test_soft_links_within_the_file_are_fine(events, tmp_path):
    write_events(events, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.move("showers", "elsewhere")
        file["showers"] = h5py.SoftLink("/elsewhere")
    with pytest.warns(UserWarning, match="left out: elsewhere"):
        assert np.array_equal(read_events(tmp_path / "a.h5")["showers"], events["showers"])


def test_too_many_names(secret, monkeypatch):
    monkeypatch.setattr(confined, "MOST_LINKS", 5)

    def many(file, _):
        for number in range(10):
            file[f"a/{number}"] = h5py.SoftLink("/a")

    refused(stranger(secret, many, ""), "more than 5 names")


def test_too_deep_groups(secret):
    refused(stranger(secret, lambda file, _: file.create_group("/".join("g" * 2000)), ""), "groups")


def test_a_small_file_that_claims_much(secret):
    def claims(file, _):
        layout = h5py.VirtualLayout((10**13, VOXELS.n_cells), "i1")
        layout[:N] = h5py.VirtualSource("own.h5", "showers", SHAPE)
        file.create_virtual_dataset("showers", layout)
        file["energies"] = np.ones(N)

    path = stranger(secret, claims, "")
    (secret / "secret.h5").rename(secret / "theirs" / "own.h5")
    with pytest.raises(EventsError, match="too large"):
        read_events(path, VOXELS)
    with pytest.raises(EventsError, match="no source covers from event 4 on"):
        read_events(path, VOXELS, slice(0, N))


# --- what nobody knows ----------------------------------------------------------------------------


def test_a_newer_format_is_refused(events, tmp_path):
    write_events(events, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file.attrs["format_version"] = 2
    with pytest.raises(EventsError, match="format 2, this version reads 1"):
        read_events(tmp_path / "a.h5")


def test_a_condition_that_nobody_knows_is_noted(events, tmp_path):
    write_events(events, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        file["conditions/temperature"] = np.ones(len(events))
    with pytest.warns(UserWarning, match="declares no condition temperature"):
        read_events(tmp_path / "a.h5")


def test_responses_beyond_single_precision_are_refused(events, tmp_path):
    cells = np.asarray(events["showers"], np.float64).copy()
    cells[1, 2] = 1e39
    with pytest.raises(EventsError, match=r"showers holds 1e.39, which is beyond single"):
        Events(events.conditions, {"showers": cells}, events.detector).check()
