import math

import numpy as np
import torch

from simulacra.detectors import ConditionSpec
from simulacra.transforms import ConditionEncoder


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
