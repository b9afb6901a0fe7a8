import os
import shutil
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


def fill(folder, data_sets, content=""):
    for data_set in data_sets:
        (folder / data_set.folder).mkdir(parents=True, exist_ok=True)
        for marker in data_set.markers[:1]:
            file = folder / data_set.folder / marker.replace("*", "1")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)


def test_missing_data_is_one_line_that_names_the_set(no_data):
    with pytest.raises(MissingDependencyError, match=r"G4EMLOW8\.8.*GEANT4_DATA_DIR") as error:
        datasets.require_geant4(EM)
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_no_data(no_data, monkeypatch):
    monkeypatch.setenv(datasets.DATA_DIR, str(no_data))
    fill(no_data, EM)
    (no_data / "G4PARTICLEXS4.2").mkdir()
    datasets.require_geant4(EM)
    with pytest.raises(MissingDependencyError, match=r"G4PARTICLEXS4\.2/neutron"):
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


@pytest.mark.parametrize(
    ("physics", "wanted"),
    [
        *(("opt0", {"G4EMLOW8.8", "G4ENSDFSTATE3.0", "PhotonEvaporation6.1.2"}),),
        *((name, {"G4PARTICLEXS4.2"}) for name in ("FTFP_BERT", "QGSP_BIC", "QBBC")),
        *((name, {"G4INCL1.3"}) for name in ("FTFP_INCLXX", "QGSP_INCLXX_HP")),
        *(
            (name, {"G4NDL4.7.1", "RadioactiveDecay6.1.2"})
            for name in ("QGSP_BERT_HP", "Shielding")
        ),
    ],
)
def test_each_list_asks_for_the_data_that_it_aborts_without(no_data, monkeypatch, physics, wanted):
    monkeypatch.setenv(datasets.DATA_DIR, str(no_data))
    needed = Geant4Settings(particle="e-", physics=physics).data_sets
    assert wanted <= {data_set.folder for data_set in needed}
    for data_set in needed:
        others = [other for other in needed if other.folder != data_set.folder]
        fill(no_data, others)
        with pytest.raises(MissingDependencyError, match=data_set.folder):
            datasets.require_geant4(needed)
        fill(no_data, needed)
        datasets.require_geant4(needed)
        shutil.rmtree(no_data)


def test_what_only_refines_is_told_and_not_asked_for(no_data, monkeypatch):
    monkeypatch.setenv(datasets.DATA_DIR, str(no_data))
    settings = Geant4Settings(particle="pi-", physics="FTFP_BERT")
    fill(no_data, settings.data_sets)
    datasets.require_geant4(settings.data_sets)
    missing = datasets.lacking(settings.refining_data)
    assert [line.split(" (")[0] for line in missing] == [
        *("levels of nuclei", "excited states of nuclei", "cross sections of isotopes")
    ]
    fill(no_data, settings.refining_data, "levels")  # an empty file is no data
    assert not datasets.lacking(settings.refining_data)
    assert not datasets.lacking(Geant4Settings(particle="e-").refining_data)
