import math

import torch

from simulacra.models.blocks.equalised import (
    BatchDeviation,
    EqualisedConvolution,
    EqualisedLinear,
    PixelNorm,
)


def test_weights_begin_standard_normal_and_are_scaled_when_used():
    """He's scale: with inputs of unit variance, outputs have the gain squared."""
    rng = torch.Generator().manual_seed(1)
    with torch.random.fork_rng():
        torch.manual_seed(2)
        linear, convolution = EqualisedLinear(400, 300), EqualisedConvolution(30, 40, gain=1.0)
    assert abs(linear.weight.std().item() - 1) < 0.02
    assert abs(linear(torch.randn((500, 400), generator=rng)).var().item() - 2) < 0.05
    images = convolution(torch.randn((50, 30, 12, 12), generator=rng))[..., 1:-1, 1:-1]
    assert abs(images.var().item() - 1) < 0.05
    assert linear.scale == math.sqrt(2 / 400)
    assert convolution.scale == 1 / math.sqrt(30 * 9)


def test_pixel_norm_leaves_a_mean_square_of_1():
    x = torch.randn((4, 6, 5, 3), generator=torch.Generator().manual_seed(1)) * 7
    normed = PixelNorm()(x)
    torch.testing.assert_close(normed.square().mean(dim=1), torch.ones(4, 5, 3))
    torch.testing.assert_close(normed * x.square().mean(dim=1, keepdim=True).sqrt(), x)


def test_batch_deviation_in_closed_form():
    """Two images that differ by 2d in every pixel deviate by d."""
    first = torch.rand((1, 3, 4, 2), generator=torch.Generator().manual_seed(1))
    x = torch.cat([first, first + 5.0])
    more = BatchDeviation()(x)
    assert torch.equal(more[:, :3], x)
    torch.testing.assert_close(more[:, 3], torch.full((2, 4, 2), 2.5))
    alike = BatchDeviation()(first.expand(6, -1, -1, -1))
    assert alike[:, 3].max() < 1e-3
