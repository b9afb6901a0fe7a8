"""CaloChallenge's binnings: the published voxels, any XML of that kind, and nothing else."""

import numpy as np
import pytest
import yaml

from simulacra.conditions import EnergySpectrum
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import DetectorError, SimulacraError
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.job import Job

XML = """<Bins>
  <Bin pid="22" etaMin="0" etaMax="130" name="photon">
    <Layer id="0" r_edges="0,5,10,30" n_bin_alpha="1"/>
    <Layer id="1" r_edges="0" n_bin_alpha="1"/>
    <Layer id="12" r_edges="0,2,4" n_bin_alpha="10"/>
  </Bin>
  <Bin pid="211" name="pion">
    <Layer id="0" r_edges="0,1,2" n_bin_alpha="4"/>
    <Layer id="1" r_edges="0,1,2" n_bin_alpha="4"/>
  </Bin>
</Bins>"""


@pytest.fixture
def binning(tmp_path):
    path = tmp_path / "binning.xml"
    path.write_text(XML)
    return path


@pytest.mark.parametrize(
    ("name", "voxels"),
    [
        ("calochallenge-1-photons", [8, 160, 190, 5, 5]),
        ("calochallenge-1-pions", [8, 100, 100, 5, 150, 160, 10]),
        ("calochallenge-2", [144] * 45),
        ("calochallenge-3", [900] * 45),
    ],
)
def test_published_voxels(name, voxels):
    detector = load_detector(name)
    assert [len(layer.x) for layer in detector.layers] == voxels
    assert detector.n_cells == {368: 368, 533: 533, 6480: 6480, 40500: 40500}[sum(voxels)]


def test_layers_keep_their_numbers_and_those_without_voxels_are_skipped(binning):
    detector = load_detector(f"{binning}#photon")
    assert {layer.name: layer.shape for layer in detector.layers} == {
        "layer_0": (1, 3),
        "layer_12": (10, 2),
    }
    assert detector.name == "binning-photon"
    assert parse_detector(detector.to_yaml()) == detector


def test_particles_are_chosen_by_name_or_pid(binning):
    assert load_detector(f"{binning}#211") == load_detector(f"{binning}#pion")
    assert [layer.name for layer in load_detector(f"{binning}#211").layers] == [
        "layer_0",
        "layer_1",
    ]
    with pytest.raises(DetectorError, match=r"photon \(pid 22\), pion \(pid 211\); choose one"):
        load_detector(binning)
    with pytest.raises(DetectorError, match="no binning of 'muon'"):
        load_detector(f"{binning}#muon")


REGION = '<Bin {}><Layer id="0" r_edges="0,{},50" n_bin_alpha="2"/></Bin>'
REGIONS = "".join(
    REGION.format(f'etaMin="{n}" etaMax="{n + 5}" regionId="1"', n + 1) for n in (0, 5)
)
FASTCALOGAN = (
    f'<Bins><Particle pid="22">{REGIONS}</Particle><Particle pid="11">{REGIONS}</Particle></Bins>'
)
"""ATLAS's form: regions of eta within particles."""


@pytest.mark.parametrize("flat", [False, True])
def test_regions_of_eta_are_chosen(flat, tmp_path):
    path = tmp_path / "binning.xml"
    text = FASTCALOGAN
    if flat:  # or all in one list, each with its particle
        text = "".join(REGIONS.replace("<Bin ", f'<Bin pid="{pid}" ') for pid in (22, 11))
        text = f"<Bins>{text}</Bins>"
    path.write_text(text)
    detector = load_detector(f"{path}#22@5-10")
    assert detector.name == "binning-22-eta-5-10"
    assert detector.layers[0].segmentation.r_edges == (0, 6, 50)
    for same in ("22@5", "22@7.5"):
        assert load_detector(f"{path}#{same}") == detector
    assert load_detector(f"{path}#11@0").layers[0].segmentation.r_edges == (0, 1, 50)
    with pytest.raises(DetectorError, match=r"regions of eta 0-5, 5-10; .* FILE.xml#22@0-5"):
        load_detector(f"{path}#22")
    with pytest.raises(DetectorError, match="no region '10' of 22; there are 0-5, 5-10"):
        load_detector(f"{path}#22@10")
    with pytest.raises(DetectorError, match="no binning of '13'"):
        load_detector(f"{path}#13@0-5")
    with pytest.raises(DetectorError, match="choose one as in FILE.xml#22"):
        load_detector(path)


@pytest.mark.parametrize("name", ["calochallenge-1-photons", "calochallenge-2"])
def test_an_xml_of_the_published_edges_gives_the_shipped_voxels(name, tmp_path):
    shipped = load_detector(name)
    rows = []
    for layer in shipped.layers:
        edges = ",".join(f"{edge:g}" for edge in layer.segmentation.r_edges)
        number = layer.name.removeprefix("layer_")
        rows.append(f'<Layer id="{number}" r_edges="{edges}" n_bin_alpha="{layer.shape[0]}"/>')
    path = tmp_path / "one.xml"
    path.write_text(f'<Bins><Bin pid="11" name="e">{"".join(rows)}</Bin></Bins>')
    read = load_detector(path)
    assert [layer.name for layer in read.layers] == [layer.name for layer in shipped.layers]
    for ours, theirs in zip(read.layers, shipped.layers, strict=True):
        assert ours.cells == theirs.cells
        assert np.allclose(ours.x, theirs.x)
        assert np.allclose(ours.y, theirs.y)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Bins>&b;</Bins>', "document type"),
        (XML[:60], "not valid XML"),
        ("<Bins/>", "there is no <Bin>"),
        ('<Bins><Bin pid="22"/></Bins>', "no layer has voxels"),
        (XML.replace("0,5,10,30", "0,five"), "layer 0"),
        (XML.replace("0,5,10,30", "5,1"), "r_edges must ascend"),
        (XML.replace('n_bin_alpha="10"', ""), "layer 12"),
    ],
)
def test_mistakes_are_named_in_one_line(text, message, tmp_path):
    path = tmp_path / "bad.xml"
    path.write_text(text)
    choice = "#photon" if "photon" in text else ""
    with pytest.raises(DetectorError, match="bad.xml: ") as caught:
        load_detector(f"{path}{choice}")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_read_out_in_vacuum_is_not_simulated():
    detector = load_detector("calochallenge-2")
    assert load_detector("par04-siw").has_matter
    with pytest.raises(SimulacraError, match="no matter to simulate"):
        Job.of(detector, Geant4Settings(particle="e-"), EnergySpectrum((1e3,)), seed=1, n=1)


def test_shipped_files_are_short():
    content = yaml.safe_load(load_detector("calochallenge-3").to_yaml())
    assert len(content["stack"]) == 1
