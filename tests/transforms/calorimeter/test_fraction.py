import torch

from simulacra.transforms import FractionOfEnergy


def test_fraction_of_energy_inverts():
    columns = torch.tensor([[0.0, 2000.0], [1.0, 500.0]])
    response = {"showers": torch.rand(2, 6)}
    transform = FractionOfEnergy("showers", (6,), energy_column=1)
    fractions = transform.forward(response, columns)
    assert torch.allclose(fractions * columns[:, 1:], response["showers"])
    assert torch.allclose(transform.inverse(fractions, columns)["showers"], response["showers"])
