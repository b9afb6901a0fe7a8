import pytest
import torch


@pytest.fixture
def seeded():
    """Weights and noise that a test draws are the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        yield
