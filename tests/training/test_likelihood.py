from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from simulacra.detectors import load_detector
from simulacra.errors import CardError, SimulacraError, SimulatorError
from simulacra.hybrid import HybridCard
from simulacra.models.surrogate import Surrogate
from simulacra.simulators.trained import train
from simulacra.training.batches import InMemory
from simulacra.training.card import Card, LikelihoodCard
from simulacra.training.compute import launched
from simulacra.training.likelihood import LikelihoodRun
from simulacra.training.schedules import MovingAverage, learning_rate_factor
from simulacra.tuning.card import TuneCard
from tests.training.gaussian import Config, Gaussian, register

ROOT = Path(__file__).parents[2]
CARD = {"steps": 400, "batch_size": 256, "learning_rate": 0.2, "warm_up": 0.1}


def _run(events, model=None, **options):
    surrogate = Surrogate(Gaussian, model or Config(), events.detector)
    rng = torch.Generator().manual_seed(1)
    features = 2 + 3 * torch.randn((256, 266), generator=rng)
    card = LikelihoodCard(**(CARD | options))
    batches = InMemory(features, torch.zeros(256, 1), surrogate.transform)
    run = LikelihoodRun(surrogate, batches, card, 7, launched(card))
    return run, features


def test_a_gaussian_finds_its_optimum(events):
    """The average of the weights ends at the sample's mean and width, where the loss is least."""
    run, features = _run(events, averaging=0.9)
    while run.step < 400:
        run.advance()
    weights = run.averaged()
    assert torch.allclose(weights["mean"], features.mean(0), atol=0.2)
    assert torch.allclose(weights["log_width"].exp(), features.std(0, correction=0), rtol=0.1)


def test_averages_forget_the_beginning():
    """At step n the decay is at most (1 + n) / (10 + n); a constant is its own average."""
    module = torch.nn.Linear(1, 1, bias=False)
    average = MovingAverage(module, 0.999)
    for step in range(60):
        torch.nn.init.constant_(module.weight, 1.0 if step else 0.0)
        average.update_parameters(module)
    assert average.module.weight.item() > 0.9999


def test_learning_rate_rises_and_falls_to_its_end():
    factors = np.array([learning_rate_factor(n, 1000, 0.01, 0.1) for n in range(1001)])
    assert factors[0] == pytest.approx(0.01)
    assert np.all(np.diff(factors[:100]) > 0)
    assert factors[99] == factors[100] == 1
    assert np.all(np.diff(factors[100:]) < 0)
    assert factors[-1] == pytest.approx(0.01)


def test_gradients_are_clipped_and_divergence_is_told(events):
    slow, _ = _run(events, gradient_clip=1e-12, learning_rate=1e-3, averaging=0.0)
    slow.advance()
    assert slow.averaged()["mean"].abs().max() < 1e-6
    broken, _ = _run(events, model=Config(scale=1e39))
    with pytest.raises(SimulatorError, match="diverged at step 0 .*pull inf"):
        broken.advance()


def _content(small_files, kind, **training):
    train_file, selection = map(str, small_files)
    return {
        "detector": "atlas-barrel",
        "data": {"train": train_file, "selection": selection},
        "model": {"kind": kind},
        "training": {"steps": 4, "batch_size": 8} | training,
        "selection": {"every": 2, "repeat": 1},
    }


def test_the_model_says_which_loop(small_files, monkeypatch):
    register(monkeypatch)
    card = Card.model_validate(_content(small_files, "gaussian"))
    assert isinstance(card.training, LikelihoodCard)
    assert Card.parse(card.to_yaml(), "again") == card
    assert Card.model_validate(_content(small_files, "dnncalogan")).training.loop == "adversarial"


@pytest.mark.parametrize(
    ("kind", "training", "words"),
    [
        ("gaussian", {"loop": "adversarial"}, "'gaussian' needs .*'likelihood'.*'adversarial'"),
        ("dnncalogan", {"loop": "likelihood"}, "'dnncalogan' needs .*'adversarial'.*'likelihood'"),
        ("gaussian", {"critic_updates": 5}, "unknown key training.critic_updates"),
        ("gaussian", {"warm_up": 1.0}, "training.warm_up: .*less than 1"),
    ],
)
def test_the_other_loop_is_one_clear_line(small_files, monkeypatch, kind, training, words):
    register(monkeypatch)
    content = str(_content(small_files, kind, **training))  # a flow mapping is YAML too
    with pytest.raises(CardError, match=f"card.yaml: .*{words}") as error:
        Card.parse(content, "card.yaml")
    assert "\n" not in str(error.value)


def test_a_wrong_model_is_the_only_complaint(small_files):
    with pytest.raises(CardError, match=r"^c: model: no model 'gauss'; there are [a-z0-9, -]*$"):
        Card.parse(str(_content(small_files, "gauss")), "c")


CARDS = [path for path in ROOT.glob("benchmarks/*/*.yaml") if path.stem != "entries"]


@pytest.mark.parametrize("path", sorted(CARDS), ids=lambda p: p.stem)
def test_cards_of_the_benchmarks_are_valid(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "stack" in content:
        assert load_detector(path).has_matter
    elif "tune" in content:
        assert TuneCard.load(path).study.trials > 0
    elif "rules" in content:
        assert HybridCard.load(path).events > 0
    else:
        assert Card.load(path).training.steps > 0


def test_a_card_is_found_by_a_path_or_its_text():
    path = ROOT / "examples/flow-matching.yaml"
    assert Card.load(str(path)) == Card.load(path)
    with pytest.raises(CardError, match=r"^no card nope\.yaml$"):
        Card.load("nope.yaml")


def test_several_training_files_are_joined(small_files, monkeypatch, tmp_path):
    register(monkeypatch)
    content = _content(small_files, "gaussian")
    content["data"]["train"] = list(map(str, small_files))
    with (
        pytest.warns(UserWarning, match="no file names its particle"),
        pytest.warns(UserWarning, match="32 of 32 events of data.selection are in data.train"),
    ):
        simulator = train(Card.model_validate(content), tmp_path / "simulator")
    assert simulator.about["train_events"] == 64 + 32


def test_training_files_of_two_detectors_are_refused(small_files, monkeypatch, tmp_path):
    register(monkeypatch)
    content = _content(small_files, "gaussian") | {"detector": "calogan"}
    content["data"]["train"] = list(map(str, small_files))
    with pytest.raises(SimulacraError, match="train.h5: .*detector"):
        train(Card.model_validate(content), tmp_path / "simulator")
