import math

import numpy as np
import pytest
import torch

from simulacra.detectors import ConditionSpec, load_detector
from simulacra.models import MODELS, find_model
from simulacra.transforms import ConditionEncoder
from tests.conftest import SMALL_MODELS, detector_of


def test_encoder_standardises_and_expands():
    specs = {
        "energy": ConditionSpec(role="log"),
        "x": ConditionSpec(role="linear"),
        "phi": ConditionSpec(role="cyclic"),
        "pdg": ConditionSpec(role="categorical", categories=(11, -11, 22)),
    }
    rng = np.random.default_rng(0)
    columns = torch.tensor(
        np.stack(
            [
                np.exp(rng.normal(7, 2, 5000)),
                rng.normal(3, 5, 5000),
                rng.uniform(-math.pi, math.pi, 5000),
                rng.choice([11, -11, 22], 5000),
            ],
            axis=1,
        ),
        dtype=torch.float32,
    )
    encoder = ConditionEncoder(specs)
    encoder.fit(columns)
    features = encoder(columns)
    assert features.shape == (5000, encoder.features) == (5000, 7)
    assert torch.allclose(features[:, :2].mean(0), torch.zeros(2), atol=1e-4)
    assert torch.allclose(features[:, :2].std(0), torch.ones(2), atol=1e-4)
    assert torch.allclose(features[:, 2:4].square().sum(1), torch.ones(5000), atol=1e-5)
    assert torch.equal(features[:, 4:].sum(1), torch.ones(5000))


def test_single_energy_encodes_to_zero():
    encoder = ConditionEncoder({"energy": ConditionSpec(role="log")})
    encoder.fit(torch.full((10, 1), 1000.0))
    assert torch.allclose(encoder(torch.full((2, 1), 1000.0)), torch.zeros(2, 1), atol=1e-5)


@pytest.mark.parametrize("kind", MODELS)
def test_published_slices_are_all_of_the_features(kind):
    """Blocks that are no part of others lie side by side and leave nothing out."""
    system, detector = find_model(kind), load_detector(detector_of(kind))
    encoder = system.encoder_for(system.Config.model_validate(SMALL_MODELS[kind]), detector)
    covered = set()
    for place in encoder.slices.values():
        columns = set(range(place.start, place.stop))
        assert columns <= set(range(encoder.features))
        assert not columns & covered or columns >= covered or columns <= covered
        covered |= columns
    assert covered == set(range(encoder.features))


def test_a_slice_holds_its_condition():
    specs = {
        "energy": ConditionSpec(role="log"),
        "phi": ConditionSpec(role="cyclic"),
        "pdg": ConditionSpec(role="categorical", categories=(11, -11, 22)),
    }
    encoder = ConditionEncoder(specs)
    columns = torch.tensor([[1.0, 0.5, 11.0], [9.0, 2.5, 22.0]])
    for number, name in enumerate(specs):
        changed = columns.clone()
        changed[:, number] = columns[:, number].flip(0)
        differs = (encoder(changed) != encoder(columns)).any(dim=0).nonzero().flatten()
        place = encoder.slices[name]
        assert len(differs)
        assert set(differs.tolist()) <= set(range(place.start, place.stop))
