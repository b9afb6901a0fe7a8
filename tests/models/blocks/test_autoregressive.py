import pytest
import torch
from torch import nn

from simulacra.models.blocks.autoregressive import AutoregressiveBlock, AutoregressiveFlow

N, D, C = 32, 5, 3


def shaken(module, seed=1):
    """The module with weights that do something: as made, it is the identity."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in module.parameters():
            weights.copy_(0.3 * torch.randn(weights.shape, generator=rng))
    return module


@pytest.fixture
def numbers():
    rng = torch.Generator().manual_seed(2)
    return torch.randn((N, D), generator=rng), torch.randn((N, C), generator=rng)


def test_begins_as_the_identity(numbers):
    z, context = numbers
    normal, log_slope = AutoregressiveFlow(D, C, 3, (8,))(z, context)
    assert torch.equal(normal, z)
    assert not log_slope.any()


@pytest.mark.slow
@pytest.mark.parametrize("context_size", [0, C])
def test_way_back_is_the_inverse(numbers, context_size):
    z, context = numbers
    context = context[:, :context_size]
    flow = shaken(AutoregressiveFlow(D, context_size, 4, (16, 16))).double()
    z, context = z.double(), context.double()
    normal, _ = flow(z, context)
    assert (normal - z).abs().max() > 0.1
    torch.testing.assert_close(flow.invert(normal, context), z)
    torch.testing.assert_close(flow(flow.invert(z, context), context)[0], z)


@pytest.mark.parametrize("reverse", [False, True])
def test_number_depends_on_those_before_it_alone(numbers, reverse):
    """The Jacobian is triangular in the block's order, and its diagonal gives the determinant."""
    order = torch.arange(D).flip(0) if reverse else torch.arange(D)
    block = shaken(AutoregressiveBlock(order, C, (16, 16))).double()
    z, context = (part[:1].double() for part in numbers)
    jacobian = torch.autograd.functional.jacobian(lambda x: block(x, context)[0], z)[0, :, 0]
    jacobian = jacobian.flip(0, 1) if reverse else jacobian
    assert torch.equal(jacobian.triu(1), torch.zeros(D, D, dtype=torch.double))
    assert (jacobian.tril(-1) != 0).sum() == D * (D - 1) // 2
    log_slope = block(z, context)[1]
    torch.testing.assert_close(jacobian.diagonal().log().sum(), log_slope[0])


def test_order_is_reversed_from_block_to_block(numbers):
    flow = AutoregressiveFlow(D, C, 2, (16,))
    first, second = (block.network[0].mask[:, :D] for block in flow.blocks)
    assert not first[:, -1].any()  # the last number is shown to none in the first block
    assert not second[:, 0].any()  # and the first one in the second
    with_context = [bool(block.network[0].mask[:, D:].all()) for block in flow.blocks]
    assert with_context == [True, True]


def test_block_is_the_formula(numbers):
    """With constant μ and σ: z' = (z - μ) / σ."""
    z, context = numbers
    block = AutoregressiveBlock(torch.arange(D), C, (8,))
    with torch.no_grad():
        block.network[-1].bias[:D] = 2.0
        block.network[-1].bias[D:] = 0.5
    width = torch.tensor(0.5 / (1 + 0.5 / 6.907755)).exp()
    torch.testing.assert_close(block(z, context)[0], (z - 2.0) / width)


@pytest.mark.slow
def test_maximum_likelihood_finds_a_correlated_normal():
    """-log p of the true density is its entropy; the flow gets there and makes it N(0, 1)."""
    rng = torch.Generator().manual_seed(3)
    z = torch.randn((2000, 2), generator=rng)
    z = torch.stack([2 * z[:, 0] + 1, 0.5 * z[:, 1] + z[:, 0]], dim=1)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        flow = AutoregressiveFlow(2, 0, 2, (8,))
    optimiser = torch.optim.Adam(flow.parameters(), lr=0.02)
    nothing = torch.zeros(2000, 0)
    for _ in range(300):
        optimiser.zero_grad()
        loss = -flow.log_likelihood(z, nothing).mean()
        loss.backward()
        optimiser.step()
    assert loss.item() == pytest.approx(1.0, abs=0.05)  # ln(2 * 0.5) + 2 / 2
    with torch.no_grad():
        normal, _ = flow(z, nothing)
    torch.testing.assert_close(normal.T.cov(), torch.eye(2), atol=0.05, rtol=0)
    assert isinstance(flow.blocks, nn.ModuleList)
