"""The two flows: each with its own noise and critic, merged; who sees the conditions."""

import numpy as np
import pytest
import torch

from simulacra.detectors import load_detector
from simulacra.errors import CardError
from simulacra.models import MODELS, find_model
from simulacra.models.surrogate import Surrogate
from tests.conftest import SMALL_MODELS
from tests.tracks import conditions

DETECTOR = load_detector("alice-tpc")
TRACKS = [kind for kind, entry in MODELS.items() if entry.reference.startswith("ALICE")]
GANS = [kind for kind in TRACKS if MODELS[kind].loop == "adversarial"]
CONDITIONAL = {"cond-lstm", "cond-dcgan"}


def _surrogate(kind, **options):
    entry = find_model(kind)
    config = entry.Config.model_validate(SMALL_MODELS[kind] | options)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Surrogate(entry, config, DETECTOR).eval()


def _columns(n=6):
    columns = conditions(n)
    return torch.tensor(np.stack([columns[name] for name in DETECTOR.conditions], 1)).float()


def _noise(surrogate, n=6):
    return torch.randn(surrogate.model.noise_shape(n), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("kind", TRACKS)
def test_only_conditional_models_look_at_the_conditions(kind):
    surrogate, columns = _surrogate(kind), _columns()
    noise = _noise(surrogate)
    tables = surrogate.model.sample(surrogate.encoder(columns), noise)
    others = surrogate.model.sample(surrogate.encoder(columns.flip(0)), noise)
    assert tables.shape == (6, 160, 6)
    assert torch.equal(tables, others) == (kind not in CONDITIONAL)


@pytest.mark.parametrize("kind", TRACKS)
def test_each_flow_has_its_own_noise(kind):
    surrogate, columns = _surrogate(kind), _columns()
    encoded, noise = surrogate.encoder(columns), _noise(surrogate)
    moved = noise.clone()
    moved[:, noise.shape[1] // 2 :] += 1
    tables, others = (surrogate.model.sample(encoded, z) for z in (noise, moved))
    assert torch.equal(tables[..., :4], others[..., :4])
    assert not torch.equal(tables[..., 4:], others[..., 4:])


@pytest.mark.parametrize("kind", GANS)
def test_each_critic_sees_its_own_flow(kind):
    surrogate = _surrogate(kind)
    encoded = surrogate.encoder(_columns())
    rng = torch.Generator().manual_seed(3)
    real, fake = torch.rand((2, 6, 160, 6), generator=rng)
    mix = torch.rand((6, 1), generator=rng)
    before = surrogate.network.critics(real, fake, encoded, mix)
    other = fake.clone()
    other[..., 4:] = 0.2
    after = surrogate.network.critics(real, other, encoded, mix)
    assert {name.split("_")[0] for name in before} == {"positions", "charges"}
    for name, loss in before.items():
        # full simulation is scored without a look at what was generated
        same = name.startswith("positions") or name.endswith(("_real", "_drift"))
        assert torch.equal(loss, after[name]) == same, name


@pytest.mark.parametrize("kind", sorted(CONDITIONAL))
def test_critics_judge_with_the_conditions(kind):
    surrogate, columns = _surrogate(kind), _columns()
    fake = torch.rand((6, 160, 6), generator=torch.Generator().manual_seed(3))
    critics = surrogate.network.critics
    first = critics.judge(fake, surrogate.encoder(columns))
    second = critics.judge(fake, surrogate.encoder(columns.flip(0)))
    assert all(not torch.equal(loss, second[name]) for name, loss in first.items())


@pytest.mark.parametrize("kind", sorted(CONDITIONAL))
def test_plus_adds_the_distance_from_the_helix(kind):
    columns = _columns()
    fake = torch.rand((6, 160, 6), generator=torch.Generator().manual_seed(3))
    terms = []
    for weight in (0.0, 1.0, 5.0):
        surrogate = _surrogate(kind, helix_weight=weight)
        terms.append(surrogate.network.critics.judge(fake, surrogate.encoder(columns)))
    assert "helix" not in terms[0]
    assert 0.1 < terms[1]["helix"].item() < 30  # metres apart: nothing was learned
    torch.testing.assert_close(terms[2]["helix"], 5 * terms[1]["helix"])


def test_scale_of_the_conditions_is_not_the_networks():
    """The physical columns are for the helix alone: networks see what was standardised."""
    surrogate = _surrogate("cond-dcgan")
    encoded = surrogate.encoder(_columns())
    noise = _noise(surrogate)
    changed = encoded.clone()
    changed[:, -len(DETECTOR.conditions) :] *= 2
    tables, others = (surrogate.model.sample(c, noise) for c in (encoded, changed))
    assert torch.equal(tables, others)


@pytest.mark.parametrize("kind", TRACKS)
def test_needs_a_tpc(kind):
    entry = find_model(kind)
    words = f"model {kind} needs a time-projection chamber, atlas-barrel is a calorimeter"
    with pytest.raises(CardError, match=words):
        Surrogate(entry, entry.Config(), load_detector("atlas-barrel"))
