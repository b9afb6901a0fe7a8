"""Full, classical and learned methods in one run: who answered for what, and what is overlaid."""

import numpy as np
import pytest

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.hybrid import HybridCard, read_hybrid, simulate_hybrid
from simulacra.io import write_events
from simulacra.mixing.draws import Law
from simulacra.simulators.classical.build import build
from tests.hybrid.conftest import PointSimulator, PretendedGeant4, card

pytestmark = pytest.mark.slow
ELECTRON = 0.51099895


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """GFlash and frozen showers of atlas-barrel, and GFlash of a small block."""
    place = tmp_path_factory.mktemp("simulators")
    formula = build("gflash", "atlas-barrel", particle="e-,gamma", output=place / "gflash")
    sample = formula.generate("200MeV..1GeV", 300, 1, "gamma")
    low = build("gflash", "atlas-barrel", particle="gamma").simulate(sample.conditions, 1)
    build("frozen-showers", sample=low, output=place / "frozen")
    return place


MIXED = [
    {"particle": "gamma", "energy": "3 GeV"},
    {"particle": "gamma", "energy": "400 MeV"},
    {"particle": "e-", "energy": "500 MeV"},
    {"particle": "e+", "energy": "5 MeV"},
    {"particle": "mu-", "energy": "300 MeV"},
    {"particle": "pi+", "energy": "200 MeV"},
    {"particle": "gamma", "energy": "500 MeV", "theta": "0.1 rad"},
    {"particle": "e-", "energy": "1 GeV", "theta": "180 deg"},
]
RULES = [
    {"particles": ["gamma"], "energy": ["2 GeV", "65 GeV"], "simulator": "network"},
    {"particles": ["gamma"], "energy": ["250 MeV", "900 MeV"], "simulator": "library"},
    {
        "particles": ["e-"],
        "energy": ["250 MeV", "2 GeV"],
        "regions": ["ahead"],
        "simulator": "formula",
    },
    {
        "particles": ["e-"],
        "energy": ["250 MeV", "2 GeV"],
        "regions": ["behind"],
        "simulator": "block",
    },
]


def everything(folders, block, events):
    build("gflash", block, particle="e-", output=folders / "block", replace_output=True)
    inside = {"x": 3, "y": 5, "z": 0}
    return HybridCard.model_validate(
        {
            "regions": {
                "ahead": {"detector": "atlas-barrel", "position": [0, 0, "5 cm"]},
                "behind": {"detector": str(block), "position": [0, 0, "-5 cm"], "turn": "180 deg"},
            },
            "simulators": {
                "network": "atlas-barrel-photons",
                "library": str(folders / "frozen"),
                "formula": str(folders / "gflash"),
                "block": str(folders / "block"),
            },
            "rules": [{**rule, "regions": rule.get("regions", ["ahead"])} for rule in RULES],
            "particles": [
                inside | p | ({"x": 0, "y": 0} if p.get("theta") == "180 deg" else {})
                for p in MIXED
            ],
            "events": events,
        }
    )


@pytest.mark.geant4
def test_three_methods_and_geant4_close_the_energy_ledger(folders, block, tmp_path):
    """Electrons, photons, muons and pions: by particle, energy, region and direction."""
    made = everything(folders, block, 3)
    events = simulate_hybrid(made, tmp_path / "e.h5")
    assert events.audit.largest_imbalance < 1e-6
    counts = {count.origin: count for count in events.answer_counts()}
    assert list(counts) == ["full", "network", "library", "formula", "block"]
    assert counts["full"].particles == 3 * len(MIXED)
    asked = {"network": 3000.0, "library": 400.0, "formula": 500.0, "block": 1000.0}
    for name, energy in asked.items():
        assert counts[name].particles >= 3  # and what returns from the other calorimeter
        assert counts[name].energy == pytest.approx(3 * energy, rel=0.1)
        assert counts[name].seconds > 0
        share = counts[name].response / counts[name].energy
        assert (0.01 if name == "block" else 0.5) < share < 1.2  # the block is 4 cm thick
    given = sum(count.energy for name, count in counts.items() if name != "full")
    assert given == pytest.approx(events.audit.handed_over.sum(), rel=1e-9)
    assert counts["full"].energy + given == pytest.approx(events.audit.brought.sum(), rel=1e-9)
    # what no rule wants, and the photon under an angle, is Geant4's alone
    pdg, origin = events.primaries.pdg[events.hits.primary], events.hits.origin
    assert set(origin[np.isin(np.abs(pdg), (13, 211))].tolist()) <= {0, 3, 4}  # and its electrons
    inclined = events.primaries.direction[events.hits.primary, 0] > 0.05
    assert set(origin[inclined].tolist()) == {0}
    stored = read_hybrid(tmp_path / "e.h5")
    assert np.isnan(stored.answer_counts()[1].seconds)
    assert stored.answer_counts()[1].energy == counts["network"].energy


def test_the_summary_says_who_answered(photons, tmp_path, monkeypatch, capsys):
    from rich.console import Console

    from simulacra.cli import terminal

    monkeypatch.setattr(terminal, "console", Console(width=120, markup=False))
    events = simulate_hybrid(
        card(), tmp_path / "e.h5", simulators={"photons": photons}, executor=PretendedGeant4()
    )
    terminal.print_handed_over(events)
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if "photons" in line and "2.8%" in line)
    assert "20 GeV" in row
    assert "10 GeV" in row  # half of it is in the cells
    full = next(line for line in shown.splitlines() if "full" in line and "97.2%" in line)
    assert "700 GeV" in full


class Pieces(PointSimulator):
    """Gives showers one by one, and never all of them at once."""

    def stream(self, conditions, seed):
        for row in range(len(conditions)):
            yield PointSimulator.simulate(self, conditions.take(slice(row, row + 1)), seed)

    def simulate(self, conditions, seed):
        raise AssertionError


def test_answers_come_in_batches(photons, atlas, tmp_path):
    for name, simulator in (("whole", photons), ("pieces", Pieces(atlas))):
        simulate_hybrid(
            card(),
            tmp_path / f"{name}.h5",
            simulators={"photons": simulator},
            executor=PretendedGeant4(),
        )
    assert (tmp_path / "whole.h5").read_bytes() == (tmp_path / "pieces.h5").read_bytes()


# --- overlay ------------------------------------------------------------------------------------


def overlaid(tmp_path, photons, name, **law):
    region = {"detector": "atlas-barrel"} | ({"overlay": law} if law else {})
    return simulate_hybrid(
        card(regions={"barrel": region}),
        tmp_path / f"{name}.h5",
        simulators={"photons": photons},
        executor=PretendedGeant4(),
    )


def test_pile_up_is_added_to_what_a_region_reads_out(photons, tmp_path):
    """The library is the read-out of another run; hits and ledger stay those of the card."""
    plain = overlaid(tmp_path, photons, "plain")
    library = str(tmp_path / "plain.h5")
    mixed = overlaid(tmp_path, photons, "mixed", library=library, mean=3.0)
    again = overlaid(tmp_path, photons, "again", library=library, mean=3.0)
    record = mixed.regions["barrel"].provenance["overlay"][0]
    draws = Law.of(3.0, None, record["seed"]).drawn(slice(0, 20), 20)
    assert record["drawn"] == len(draws)
    stored = plain.regions["barrel"]["showers"].astype(np.float64)
    expected = stored.copy()
    np.add.at(expected, draws.event, stored[draws.row])
    np.testing.assert_allclose(mixed.regions["barrel"]["showers"], expected, rtol=1e-6)
    assert np.array_equal(mixed.hits.energy, plain.hits.energy)
    assert mixed.audit.largest_imbalance == 0
    assert (tmp_path / "mixed.h5").read_bytes() == (tmp_path / "again.h5").read_bytes()
    assert again.regions["barrel"].provenance == mixed.regions["barrel"].provenance


def test_what_cannot_be_overlaid_is_refused_before_geant4_runs(photons, block, tmp_path):
    other = build("gflash", load_detector(block), particle="e-").generate("1GeV", 2, 1)
    write_events(other, tmp_path / "other.h5")
    with pytest.raises(CardError, match=r"barrel.overlay: the events are of detector block, not"):
        overlaid(tmp_path, photons, "e", library=str(tmp_path / "other.h5"), mean=1.0)
    with pytest.raises(ValueError, match="give either a mean or a number"):
        overlaid(tmp_path, photons, "e", library="some.h5")
