"""The cards of the decks' systems: one for each, alike in what is to be compared."""

from pathlib import Path

import pytest

from simulacra.models import MODELS, find_model
from simulacra.observables.selection_score import EpochSelection
from simulacra.training.card import Card
from tests.tracks import tracks

FOLDER = Path(__file__).parents[3] / "benchmarks" / "tpc"
OURS = "helix-flow"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.stem != OURS)
CARDS = {path.stem: Card.load(path) for path in FILES}
PLUS = {"cond-lstm-plus", "cond-dcgan-plus"}


@pytest.fixture(scope="module")
def events():
    return tracks(40)


def test_every_system_has_a_card():
    systems = {kind for kind, entry in MODELS.items() if entry.reference.startswith("ALICE")}
    assert set(CARDS) == systems | PLUS
    for name, card in CARDS.items():
        assert card.model_kind == name.removesuffix("-plus")


def test_plus_cards_differ_by_the_helix_alone():
    for name in PLUS:
        plain = CARDS[name.removesuffix("-plus")]
        model = plain.model.model_copy(update={"helix_weight": CARDS[name].model.helix_weight})
        assert CARDS[name] == plain.model_copy(update={"model": model})
        assert CARDS[name].model.helix_weight > plain.model.helix_weight == 0


@pytest.mark.parametrize("name", CARDS)
def test_the_epoch_is_chosen_by_what_the_system_can_know(name, events):
    """Who does not see the particle is not asked where it should have gone."""
    card = CARDS[name]
    groups = EpochSelection(events, card.selection.groups).groups
    asked = {observable.name for members in groups.values() for observable in members}
    assert ("rmse_true" in asked) == name.startswith("cond")
    assert card.training.steps % card.selection.every == 0
    if find_model(card.model_kind).loop == "adversarial":
        assert card.training.optimiser.kind == "adam"
