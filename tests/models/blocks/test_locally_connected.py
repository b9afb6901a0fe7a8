import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from simulacra.models.blocks.locally_connected import LocallyConnected
from simulacra.models.blocks.minibatch import MinibatchDiscrimination
from simulacra.models.blocks.networks import he_uniform, same_padding

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("stride", [(1, 1), (1, 2), (2, 1)])
def test_with_equal_kernels_it_is_a_convolution(stride):
    layer = LocallyConnected(3, 2, (6, 7), (3, 2), stride)
    kernel = torch.randn(2, 3, 3, 2)
    bias = torch.randn(2)
    with torch.no_grad():
        layer.weight.copy_(kernel.permute(2, 3, 1, 0).flatten(0, 2).expand_as(layer.weight))
        layer.bias.copy_(bias.expand_as(layer.bias))
    images = torch.randn(4, 3, 6, 7)
    expected = conv2d(images, kernel, bias, stride)
    assert layer.size == expected.shape[2:]
    torch.testing.assert_close(layer(images), expected, rtol=1e-5, atol=1e-5)


def test_every_place_has_its_own_kernel():
    layer = LocallyConnected(1, 1, (3, 4), (2, 2), bias=False)
    images = torch.ones(1, 1, 3, 4)
    before = layer(images)
    with torch.no_grad():
        layer.weight[4] += 1  # of the second row's second place
    moved = (layer(images) - before).squeeze()
    expected = torch.zeros(2, 3)
    expected[1, 1] = 4
    torch.testing.assert_close(moved, expected)


def test_number_of_weights():
    """Each place: what it sees times what it makes, and a bias for each."""
    layer = LocallyConnected(16, 6, (5, 98), (2, 2))
    assert layer.size == (4, 97)
    assert sum(p.numel() for p in layer.parameters()) == 4 * 97 * (16 * 2 * 2 * 6 + 6)
    bare = LocallyConnected(6, 1, (4, 97), (2, 2), bias=False)
    assert sum(p.numel() for p in bare.parameters()) == 3 * 96 * 6 * 4


def test_places_count_among_the_inputs_at_the_start():
    limit = (6 / (16 * 2 * 2 * 81)) ** 0.5
    weight = LocallyConnected(16, 6, (10, 10), (2, 2), start=he_uniform).weight
    assert 0.98 * limit < weight.abs().max().item() <= limit


@pytest.mark.parametrize("kernel", [(2, 2), (3, 4), (5, 2)])
def test_same_padding_keeps_the_size_and_puts_the_odd_zero_behind(kernel):
    images = torch.randn(1, 2, 6, 7)
    convolution = nn.Conv2d(2, 1, kernel)
    assert convolution(same_padding(kernel)(images)).shape == (1, 1, 6, 7)
    first = same_padding((2, 2))(torch.ones(1, 1, 2, 2)).squeeze()
    assert first[:2, :2].sum() == 4


def test_minibatch_discrimination_by_hand():
    """M is the number itself: distances 1, 3 and 2."""
    layer = MinibatchDiscrimination(1, 1, 1)
    with torch.no_grad():
        layer.places.weight.fill_(1)
    found = layer(torch.tensor([[0.0], [1.0], [3.0]])).squeeze()
    one, two, three = (torch.exp(torch.tensor(-d)) for d in (1.0, 2.0, 3.0))
    expected = torch.stack([1 + one + three, 1 + one + two, 1 + three + two])
    torch.testing.assert_close(found, expected)


def test_minibatch_discrimination_adds_up_the_dimensions():
    layer = MinibatchDiscrimination(4, 3, 2)
    numbers = torch.randn(5, 4)
    places = layer.places(numbers).view(5, 3, 2)
    expected = torch.zeros(5, 3)
    for i in range(5):
        for j in range(5):
            expected[i] += torch.exp(-(places[i] - places[j]).abs().sum(dim=1))
    torch.testing.assert_close(layer(numbers), expected)


def test_equal_events_are_alike():
    layer = MinibatchDiscrimination(4, 3, 2)
    assert torch.allclose(layer(torch.ones(6, 4)), torch.full((6, 3), 6.0))
