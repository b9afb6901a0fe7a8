"""What a card leaves open is decided by the detector and the sample, and kept."""

import numpy as np
import pytest
import torch

from simulacra.errors import CardError
from simulacra.events import Events
from simulacra.models import MODELS
from simulacra.models.calorimeter.flow_matching import FlowMatchingConfig
from simulacra.models.calorimeter.wgan import WGANConfig
from simulacra.models.decisions import decide
from simulacra.models.surrogate import Surrogate
from tests.conftest import SMALL_MODELS, random_events
from tests.detectors.calorimeter.test_places import own
from tests.geometry import point_showers

WIDE = {"x": ["-60 mm", "60 mm"], "y": ["-60 mm", "60 mm"]}
SMALL = FlowMatchingConfig(**SMALL_MODELS["flow-matching"])


def test_sides_are_used_where_cells_stand_still_and_the_impact_varies(barrel):
    config, notes = decide(FlowMatchingConfig(), point_showers(own(beam=WIDE)))
    assert config.sides is True
    assert notes[-1] == "sides of the stack: used"
    config, notes = decide(FlowMatchingConfig(), random_events(barrel, 20))
    assert config.sides is False
    assert len(notes) == 1


def test_who_wants_no_sides_gets_none():
    config, _ = decide(FlowMatchingConfig(sides=False), point_showers(own(beam=WIDE)))
    assert config.sides is False


def test_sides_that_the_detector_does_not_have_are_refused(barrel):
    with pytest.raises(CardError, match="sides: "):
        decide(FlowMatchingConfig(sides=True), random_events(barrel, 20))


def test_options_without_sides_stay_as_they_are(barrel):
    config = WGANConfig()
    assert decide(config, random_events(barrel, 8)) == (config, ())


def test_simulators_that_do_not_say_it_have_no_sides():
    """Cards that were written before there were sides load with the networks they had."""
    events = point_showers(own(beam=WIDE))
    sizes = [
        Surrogate(
            MODELS["flow-matching"],
            SMALL.model_copy(update={"sides": sides, "layer_energies": "ratios"}),
            events.detector,
        ).encoder.features
        for sides in (None, False, True)
    ]
    assert sizes[0] == sizes[1] < sizes[2]


def test_simulators_whose_networks_saw_the_sides_in_another_form_are_refused():
    events = point_showers(own(beam=WIDE))
    config = SMALL.model_copy(update={"sides": True})
    with pytest.raises(CardError, match="another form; train again"):
        Surrogate(MODELS["flow-matching"], config, events.detector)


def test_all_networks_are_given_the_sides():
    events = point_showers(own(beam=WIDE), 64)
    config = SMALL.model_copy(update={"sides": True, "symmetries": (), "layer_energies": "ratios"})
    surrogate = Surrogate(MODELS["flow-matching"], config, events.detector)
    features, conditions = surrogate.fit(events)
    network, encoder = surrogate.network, surrogate.encoder
    for parameter in network.parameters():  # some begin at zero, and pass no gradient on
        torch.nn.init.normal_(parameter, std=0.1)
    losses = surrogate.model.losses(features, conditions, torch.Generator().manual_seed(1))
    sum(losses.values()).backward()
    contained = slice(
        encoder.standard.features + 5, encoder.standard.features + 1 + encoder.sides.features
    )
    firsts = (
        network.energy_marginals[0],
        network.energies.steer[0],
        network.cell_marginals.event[0],
        network.shapes.steer[0],
    )
    for first in firsts:
        assert torch.all(first.weight.grad[:, contained].abs().sum(dim=0) > 0)


def test_layer_energies_do_not_depend_on_the_place_within_a_cell():
    """Waves tell the place within a cell: where sides are used, cells alone are given them."""
    events = point_showers(own(beam=WIDE), 64)
    config = SMALL.model_copy(
        update={"sides": True, "layer_energies": "ratios", "symmetries": (), "waves": 3}
    )
    surrogate = Surrogate(MODELS["flow-matching"], config, events.detector)
    _, conditions = surrogate.fit(events)
    network, encoder = surrogate.network, surrogate.encoder
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    moved = conditions.clone()
    assert encoder.waves == 12
    moved[:, -encoder.positions - encoder.waves : -encoder.positions] += 0.5
    noise = torch.randn(network.noise_shape(64), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        here, there = (network.sample(given, noise) for given in (conditions, moved))
    assert torch.equal(here[:, : network.layers], there[:, : network.layers])
    assert not torch.equal(here[:, network.layers :], there[:, network.layers :])


def _with_empty(events, layer, part):
    """Events, of which a part has nothing in a layer."""
    showers = np.full_like(events["showers"], 1.0)
    showers[:, events.detector.layers[layer].cells] *= 10
    showers[: round(part * len(events)), events.detector.layers[layer].cells] = 0
    return Events(events.conditions, {"showers": showers}, events.detector)


@pytest.mark.parametrize(("part", "form"), [(0.0, "ratios"), (0.005, "ratios"), (0.05, "parts")])
def test_layers_are_parts_where_the_one_with_the_most_is_often_empty(barrel, part, form):
    events = _with_empty(random_events(barrel, 200), 1, part)
    config, notes = decide(FlowMatchingConfig(), events)
    assert config.layer_energies == form
    told = [note for note in notes if note.startswith("layer energies: parts")]
    assert len(told) == (form == "parts")
    assert all("strips" in note and "5.0%" in note for note in told)


@pytest.mark.parametrize("form", ["ratios", "parts"])
def test_the_form_of_layers_that_a_card_names_is_kept(barrel, form):
    config, _ = decide(FlowMatchingConfig(layer_energies=form), random_events(barrel, 20))
    assert config.layer_energies == form


def test_simulators_that_do_not_say_it_have_ratios(barrel):
    sizes = [
        Surrogate(
            MODELS["flow-matching"], SMALL.model_copy(update={"layer_energies": form}), barrel
        ).model.noise_shape(1)[1]
        for form in (None, "ratios", "parts")
    ]
    assert sizes[0] == sizes[1] == sizes[2] - 1


def test_a_shower_with_energy_has_a_layer_and_one_without_has_none(barrel):
    config = SMALL.model_copy(update={"layer_energies": "parts", "symmetries": ()})
    events = _with_empty(random_events(barrel, 64), 1, 0.5)
    events["showers"][::4] = 0
    surrogate = Surrogate(MODELS["flow-matching"], config, barrel)
    surrogate.fit(events)
    network = surrogate.network
    network.occupancy[1:] = -3.0  # most layers are empty, and all of many events
    energies = network.sample(
        surrogate.encoder(surrogate.columns(events.conditions)),
        torch.randn(network.noise_shape(64), generator=torch.Generator().manual_seed(1)),
    )[:, :5]
    there = torch.isfinite(energies)
    assert torch.equal(there[:, 0], there[:, 1:].any(dim=1))
    assert 0 < there[:, 0].sum() < 64
    assert (there[:, 1:].sum(dim=1) == 1).any()
