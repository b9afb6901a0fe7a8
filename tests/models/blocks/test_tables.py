"""Shapes and numbers of parameters of the networks between tables and vectors."""

import pytest
import torch

from simulacra.errors import CardError
from simulacra.models.blocks.merged_flows import TableShape
from simulacra.models.blocks.tables import (
    ConvolutionalDecoder,
    ConvolutionalEncoder,
    DenseDecoder,
    DenseEncoder,
)
from simulacra.models.tpc.gan_lstm import RecurrentDiscriminator, RecurrentGenerator

SHAPE = TableShape(160, 4, 3)
LATENT = 10
DECODERS = {
    "dense": lambda s: DenseDecoder(LATENT, (16, 8), s),
    "convolutional": lambda s: ConvolutionalDecoder(LATENT, (6, 4, 2), s),
    "normalised": lambda s: ConvolutionalDecoder(LATENT, (6, 4), s, batch_norm=True, dropout=0.2),
    "recurrent": lambda s: RecurrentGenerator(LATENT, 5, 2, s),
}
ENCODERS = {
    "dense": lambda s: DenseEncoder(s, (16,), 7, dropout=0.5),
    "convolutional": lambda s: ConvolutionalEncoder(s, (6, 4, 2), 7, (9,)),
    "normalised": lambda s: ConvolutionalEncoder(s, (6, 4), 7, batch_norm=True, dropout=0.2),
}


def _inputs(shape, n=5):
    rng = torch.Generator().manual_seed(1)
    noise = torch.randn((n, LATENT), generator=rng)
    table = torch.rand((n, shape.rows, shape.columns), generator=rng)
    return noise, table, torch.randn((n, shape.conditions), generator=rng)


def _parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize("name", DECODERS)
def test_decoders_fill_tables_between_0_and_1(name, conditions):
    shape = SHAPE._replace(conditions=conditions)
    noise, table, features = _inputs(shape)
    made = DECODERS[name](shape).eval()(noise, features)
    assert made.shape == table.shape
    assert 0 < made.min() < made.max() < 1


@pytest.mark.parametrize("conditions", [0, 3])
@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_return_what_is_asked_for(name, conditions):
    shape = SHAPE._replace(conditions=conditions)
    _, table, features = _inputs(shape)
    assert ENCODERS[name](shape)(table, features).shape == (5, 7)


@pytest.mark.parametrize("name", [*DECODERS, *ENCODERS])
def test_conditions_matter_where_there_are_any(name):
    noise, table, features = _inputs(SHAPE)
    for networks, x in ((DECODERS, noise), (ENCODERS, table)):
        if name in networks:
            network = networks[name](SHAPE).eval()
            assert not torch.equal(network(x, features), network(x, features + 1))


def test_images_halve_and_double_along_the_rows():
    """The shapes between the layers, as a figure of the network would show them."""
    shape = TableShape(160, 3, 0)
    decoder = ConvolutionalDecoder(LATENT, (6, 4), shape)
    encoder = ConvolutionalEncoder(shape, (6, 4), 1)
    noise, table, _ = _inputs(shape)
    trace, x = [], noise
    for layer in decoder.layers:
        x = layer(x)
        trace.append(tuple(x.shape[1:]))
    assert [t for t in trace if len(t) == 3] == [
        *[(6, 40, 3)] * 2,
        *[(4, 80, 3)] * 2,
        (1, 160, 3),
    ]
    assert encoder.convolutions(table.unsqueeze(1)).shape[1:] == (6, 40, 3)


def test_numbers_of_parameters():
    shape = TableShape(160, 4, 0)
    assert _parameters(DenseDecoder(10, (16,), shape)) == 11 * 16 + 17 * 640
    assert _parameters(DenseEncoder(shape, (16,), 1)) == 641 * 16 + 17
    dense, convolutions = 11 * 6 * 40 * 4, (6 * 4 * 12 + 4) + (4 * 12 + 1)
    assert _parameters(ConvolutionalDecoder(10, (6, 4), shape)) == dense + convolutions
    # four gates, of inputs, state and two biases, in two layers
    lstm = 4 * 5 * (10 + 5 + 2) + 4 * 5 * (5 + 5 + 2)
    assert _parameters(RecurrentGenerator(10, 5, 2, shape)) == lstm + 6 * 4
    both = 2 * 4 * 5 * (4 + 5 + 2)
    assert _parameters(RecurrentDiscriminator(5, shape)) == both + 11


def test_a_recurrent_discriminator_sees_both_ends():
    network = RecurrentDiscriminator(5, TableShape(160, 4, 0))
    _, table, _ = _inputs(TableShape(160, 4, 0))
    table.requires_grad_(True)
    (gradient,) = torch.autograd.grad(network(table, torch.zeros(5, 0)).sum(), table)
    assert torch.all(gradient[:, [0, -1]].abs().sum(dim=2) > 0)


def test_too_many_halvings_are_refused():
    with pytest.raises(CardError, match="channels: 5 convolutions; 160 rows"):
        ConvolutionalDecoder(LATENT, (5, 4, 3, 2, 1), SHAPE)
