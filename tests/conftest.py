"""Samples and small cards that several tests share."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from simulacra.conditions import Conditions, EnergySpectrum, draw_conditions
from simulacra.detectors import Calorimeter, load_detector
from simulacra.errors import MissingDependencyError
from simulacra.events import Events
from simulacra.fullsim import Geant4Settings
from simulacra.fullsim.datasets import require_geant4
from simulacra.fullsim.jets.pythia import require_pythia
from simulacra.io import write_events
from simulacra.models import find_model
from simulacra.training.card import Card
from tests.global_state import changed, global_state
from tests.jets import random_jets
from tests.tracks import tracks

_NEIGHBOUR = Path(__file__).parents[2] / "shared" / "geant4-data"
if "GEANT4_DATA_DIR" not in os.environ and _NEIGHBOUR.is_dir():
    os.environ["GEANT4_DATA_DIR"] = str(_NEIGHBOUR)

collect_ignore = ["plugin"]  # another package, which test_plugin.py puts on the path of a process


def pytest_configure():
    """Take Ctrl-C as in a terminal: a shell's background jobs ignore it, and so would tests."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    needs = {
        "geant4": lambda: require_geant4(Geant4Settings(particle="gamma").data_sets),
        "pythia": require_pythia,
    }
    for mark, require in needs.items():
        try:
            require()
        except MissingDependencyError as error:
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(pytest.mark.skip(reason=str(error)))


@pytest.fixture(autouse=True)
def _leaves_the_process_as_it_was():
    """Fail a test that changes settings of the whole process: other tests would see them."""
    before = global_state()
    yield
    found = changed(before, global_state())
    if found:
        pytest.fail(f"the test changed {', '.join(found)} and did not put it back")


@pytest.fixture(scope="session")
def barrel() -> Calorimeter:
    detector = load_detector("atlas-barrel")
    assert isinstance(detector, Calorimeter)
    return detector


def random_tracks(detector, n, seed=0):
    """Events of a TPC with random clusters in most rows: mechanics, not physics."""
    rng = np.random.default_rng(seed)
    conditions = draw_conditions(detector, EnergySpectrum.parse("100MeV..10GeV"), n, rng)
    arrays = detector.response_arrays
    mask = (rng.random((n, *arrays["cluster_mask"].shape)) < 0.9).astype(np.uint8)
    clusters = rng.normal(0, 1000, (n, *arrays["clusters"].shape)) * mask[:, :, None]
    response = {"clusters": clusters.astype(np.float32), "cluster_mask": mask}
    return Events(conditions, response, detector)


def random_events(detector, n, seed=0):
    """Events with random cells, one tenth of them hit: mechanics, not physics."""
    rng = np.random.default_rng(seed)
    conditions = draw_conditions(detector, EnergySpectrum.parse("1GeV,4GeV"), n, rng)
    cells = detector.response_arrays["showers"].shape
    showers = rng.exponential(1.0, (n, *cells)) * (rng.random((n, *cells)) < 0.1)
    showers *= (conditions["energy"] / np.maximum(showers.sum(axis=1), 1e-6))[:, None]
    return Events(conditions, {"showers": showers.astype(np.float32)}, detector)


@pytest.fixture
def events(barrel) -> Events:
    return random_events(barrel, 64)


DETECTORS = {"calorimeter": "atlas-barrel", "tpc": "alice-tpc", "jet-image": "jet-image"}
"""What models are tested on, by the kind of detector that they serve."""


DETECTORS_OF_MODELS = {
    "gan-3d": str(Path(__file__).parent / "small-cube.yaml"),
    "gan-3d-angle": str(Path(__file__).parent / "small-tilted-cube.yaml"),
}
"""Where a model is for some detectors of that kind only."""


def detector_of(kind):
    """The name or file of the detector that a model is tested on."""
    return DETECTORS_OF_MODELS.get(kind, DETECTORS[find_model(kind).serves])


def small_sample(kind, n, seed=0):
    """Events of the detector that a model is tested on."""
    if find_model(kind).serves == "tpc":
        return tracks(n, seed, momentum=(300.0, 10_000.0))
    if find_model(kind).serves == "jet-image":
        return random_jets(n, seed)
    return random_events(load_detector(detector_of(kind)), n, seed)


SEED_OF_SELECTION = 3
"""With it, few tracks are of all species."""


def _write_small_files(folder, kind):
    train, selection = folder / "train.h5", folder / "selection.h5"
    write_events(small_sample(kind, 64, seed=1), train)
    write_events(small_sample(kind, 32, seed=SEED_OF_SELECTION), selection)
    return train, selection


@pytest.fixture
def small_files(tmp_path) -> tuple[Path, Path]:
    """Two events files of a calorimeter: for training and for selection."""
    return _write_small_files(tmp_path, "dnncalogan")


SMALL_VOLUMES = {
    "latent": 4,
    "energy_unit": 1.0,
    "dense_channels": 2,
    "start": [2, 2, 2],
    "generator": [
        {"channels": 2, "enlarged": [2, 2, 2], "padding": [1, 0, 1], "kernel": [2, 1, 1]},
        {"channels": 1, "kernel": [2, 2, 2], "normalised": False},
    ],
    "critic": [
        {"channels": 2, "kernel": [3, 3, 2], "padding": "same", "normalised": False},
        {"channels": 2, "kernel": [3, 3, 3], "padding": [1, 1, 1]},
    ],
}
"""What makes the 3D GANs tiny: they make 3 x 3 x 5 cells."""
SMALL_MODELS = {
    "lagan": {
        "kind": "lagan",
        "variant": "dense",
        "latent": 4,
        "minibatch": [3, 2],
        "dropout": 0.0,
    },
    "helix-flow": {
        "kind": "helix-flow",
        "orders": 5,
        "charge_orders": 1,
        "row_width": 4,
        "width": 8,
        "rank": 1,
    },
    "dnncalogan": {
        "kind": "dnncalogan",
        "latent": 8,
        "generator_widths": [16],
        "critic_widths": [16],
    },
    "wgan": {"kind": "wgan", "latent": 4, "generator_widths": [8], "critic_widths": [8]},
    "atlas-vae": {"kind": "atlas-vae", "widths": [8], "flow_blocks": 2, "flow_widths": [8]},
    "voxel-gan": {
        "kind": "voxel-gan",
        "latent": 4,
        "generator_widths": [8],
        "critic_widths": [8],
    },
    "coupling-flow": {
        "kind": "coupling-flow",
        "energy_blocks": 2,
        "energy_widths": [8],
        "shape_blocks": 2,
        "shape_widths": [8],
        "bins": 3,
    },
    "flow-matching": {
        "kind": "flow-matching",
        "waves": 1,
        "marginal_width": 4,
        "marginal_rank": 2,
        "cell_maps": 2,
        "energy_width": 8,
        "energy_depth": 1,
        "energy_steps": 1,
        "cell_width": 8,
        "cell_depth": 1,
        "cell_steps": 1,
    },
    "calogan": {
        "kind": "calogan",
        "latent": 8,
        "energy_unit": 1.0,
        "dense_channels": 3,
        "generator_channels": [3, 2],
        "critic_channels": [4, 2, 2, 2],
        "minibatch": [3, 2],
    },
    "gan-3d": {"kind": "gan-3d", **SMALL_VOLUMES},
    "gan-3d-angle": {"kind": "gan-3d-angle", **SMALL_VOLUMES},
    "gan-mlp": {
        "kind": "gan-mlp",
        "latent": 4,
        "generator_widths": [8],
        "critic_widths": [8],
    },
    "gan-lstm": {
        "kind": "gan-lstm",
        "latent": 4,
        "generator_width": 4,
        "generator_layers": 1,
        "critic_width": 3,
    },
    "vae": {"kind": "vae", "latent": 4, "widths": [8]},
    "dcgan": {"kind": "dcgan", "latent": 4, "channels": [4, 2]},
    "cvae": {"kind": "cvae", "latent": 4, "channels": [4, 2]},
    "progan": {"kind": "progan", "latent": 4, "channels": [4, 4, 4]},
    "cond-lstm": {
        "kind": "cond-lstm",
        "latent": 4,
        "generator_width": 4,
        "generator_layers": 1,
        "critic_width": 3,
        "helix_weight": 1.0,
    },
    "cond-dcgan": {
        "kind": "cond-dcgan",
        "latent": 4,
        "channels": [4, 2],
        "critic_widths": [8],
        "helix_weight": 1.0,
    },
}
"""Options that make each model of the catalogue tiny; the contract test wants one for every row."""


@pytest.fixture
def small_card(tmp_path):
    """A function that makes a card of a few steps for a tiny model, and files of its detector."""

    def make(kind="dnncalogan", steps=6, **model):
        entry = find_model(kind)
        train, selection = _write_small_files(tmp_path, kind)
        critic_updates = {"critic_updates": 2} if entry.loop == "adversarial" else {}
        return Card.model_validate(
            {
                "detector": detector_of(kind),
                "data": {"train": str(train), "selection": str(selection)},
                "model": SMALL_MODELS.get(kind, {"kind": kind}) | model,
                "training": {"steps": steps, "batch_size": 8} | critic_updates,
                "selection": {"every": 2, "repeat": 1},
                "seed": 5,
            }
        )

    return make


def one_photon(detector, n=1, energy=1000.0, **columns):
    """Conditions of photons in the centre of a reference cell, first alignment state."""
    base = {name: np.zeros(n) for name in detector.conditions}
    base["energy"] = np.full(n, energy)
    return Conditions(base | columns)
