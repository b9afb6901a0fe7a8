import os
import subprocess
import sys

import pytest

from simulacra.conditions import EnergySpectrum
from simulacra.errors import MissingDependencyError
from simulacra.fullsim import Geant4Settings, Geant4Simulator, datasets
from simulacra.fullsim.job import Job

EM = Geant4Settings(particle="gamma").data_sets
HADRONIC = Geant4Settings(particle="pi+", physics="FTFP_BERT").data_sets


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    for name in [*os.environ]:
        if name.startswith("G4") or name == datasets.DATA_DIR:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(datasets.importlib.util, "find_spec", lambda _: object())
    return tmp_path


def fill(folder, data_sets):
    for data_set in data_sets:
        (folder / data_set.folder).mkdir(parents=True, exist_ok=True)
        for marker in data_set.markers[:1]:
            file = folder / data_set.folder / marker.replace("*", "1")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()


def test_missing_data_is_one_line_that_names_the_set(no_data):
    with pytest.raises(MissingDependencyError, match=r"G4EMLOW8\.8.*GEANT4_DATA_DIR") as error:
        datasets.require_geant4(EM)
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_no_data(no_data, monkeypatch):
    monkeypatch.setenv(datasets.DATA_DIR, str(no_data))
    fill(no_data, EM)
    (no_data / "G4PARTICLEXS4.2").mkdir()
    datasets.require_geant4(EM)
    with pytest.raises(MissingDependencyError, match=r"fluor|G4PARTICLEXS4\.2"):
        datasets.require_geant4(HADRONIC)


@pytest.mark.parametrize("where", ["home", "data folder", "own variables"])
def test_data_are_found_wherever_geant4_looks(no_data, monkeypatch, where):
    folder = no_data / (".geant4_pybind" if where == "home" else "elsewhere")
    fill(folder, HADRONIC)
    if where == "data folder":
        monkeypatch.setenv(datasets.DATA_DIR, str(folder))
    if where == "own variables":
        for data_set in HADRONIC:
            monkeypatch.setenv(data_set.variable, str(folder / data_set.folder))
    datasets.require_geant4(HADRONIC)


def test_missing_bindings_say_what_to_install(monkeypatch):
    monkeypatch.setattr(datasets.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'simulacra\[geant4\]'"):
        datasets.require_geant4(EM)


def test_missing_data_are_told_before_a_worker_starts(no_data, atlas, photons):
    job = Job.of(atlas, photons, EnergySpectrum.parse("1GeV"), seed=1, n=2)
    with pytest.raises(MissingDependencyError):
        Geant4Simulator(atlas, photons).simulate(job.conditions, 1)


def test_importing_full_simulation_does_not_load_geant4():
    code = "import sys, simulacra.fullsim; assert not {'geant4_pybind', 'torch'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)
