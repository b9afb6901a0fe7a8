"""Run cards: three lines are enough, and a mistake is one line that names the key."""

import numpy as np
import pytest
import yaml

from simulacra.errors import CardError, one_line
from simulacra.io import write_events
from simulacra.io.split import split_rows
from simulacra.models import MODELS
from simulacra.simulators.trained import TrainedSimulator, train
from simulacra.training.card import LOOPS, Card
from simulacra.training.samples import split_note, training_events
from tests.conftest import DETECTORS, SMALL_MODELS, detector_of, small_sample

THREE_LINES = "detector: atlas-barrel\ndata: sample:train\nmodel: {kind: flow-matching}\n"


def changed(**changes):
    return yaml.safe_dump(yaml.safe_load(THREE_LINES) | changes)


MISTAKES = [
    (changed(training={"stepz": 5}), "unknown key training.stepz; did you mean steps?"),
    (changed(detectr="x"), "unknown key detectr; did you mean detector?"),
    (changed(data={"trian": "a.h5"}), "unknown key data.trian; did you mean train?"),
    (changed(selection={"evry": 5}), "unknown key selection.evry; did you mean every?"),
    (changed(model={"kind": "flow-maching"}), "'flow-maching'; did you mean flow-matching?"),
    (
        changed(model={"kind": "flow-matching", "cell_widht": 9}),
        "unknown key model.cell_widht; did you mean cell_width?",
    ),
    (changed(model="flow-matching"), "give the model's 'kind', as in {kind: flow-matching}"),
    (changed(training={"steps": "many"}), "training.steps: must be a whole number, not 'many'"),
    (changed(training={"steps": -1}), "training.steps: must be greater than 0, not -1"),
    (changed(training={"minutes": 0}), "training.minutes: must be greater than 0, not 0"),
    (changed(training={"steps": 9, "minutes": 2}), "training: give steps or minutes but not both"),
    (changed(training=5), "training: must be a mapping of keys to values"),
    (
        changed(training={"precision": "bf16-mixd"}),
        "training.precision: must be '32-true' or 'bf16-mixed', not 'bf16-mixd'; "
        "did you mean bf16-mixed?",
    ),
    (
        changed(
            model={"kind": "dnncalogan"}, training={"steps": 1, "optimiser": {"kind": "adamm"}}
        ),
        "training.optimiser: unknown kind 'adamm'; did you mean adam?",
    ),
    ("data: sample:train\nmodel: {kind: flow-matching}", "missing key detector"),
    ("detector: [\n", "line 2: not valid YAML"),
    ("- detector", "a card is a mapping of keys to values"),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_a_mistake_is_one_line_without_words_of_the_library(text, words):
    with pytest.raises(CardError) as caught:
        Card.parse(text, "card.yaml")
    message = str(caught.value)
    assert message.startswith("card.yaml: ")
    assert words in message
    assert len(message) <= 300
    assert one_line(message) == message
    for noise in ("http", "input_value", "pydantic", "Input should", "validation error", "Extra"):
        assert noise not in message


def test_an_override_that_is_no_yaml_names_itself():
    with pytest.raises(CardError, match=r"--set training.steps=\[: line 1: not valid YAML"):
        Card.parse(THREE_LINES, "card.yaml", ["training.steps=["])


@pytest.mark.parametrize("kind", MODELS)
def test_a_card_of_three_lines_has_what_the_model_recommends(kind):
    model = MODELS[kind]
    content = {
        "detector": DETECTORS[model.serves],
        "data": "events.h5",
        "model": {"kind": kind},
    }
    card = Card.model_validate(content)
    for part in ("training", "selection"):
        options = getattr(card, part).model_dump(mode="json")
        for name, value in model.recommended[part].items():
            found = options[name]
            assert found == (found | value if isinstance(value, dict) else value)
    assert isinstance(card.training, LOOPS[model.loop])
    assert Card.parse(card.to_yaml(), "card.yaml") == card


def test_what_a_card_says_is_not_replaced():
    card = Card.parse(changed(training={"learning_rate": 1.0}), "card.yaml")
    assert card.training.learning_rate == 1.0
    assert card.training.batch_size == MODELS["flow-matching"].recommended["training"]["batch_size"]


def test_a_budget_takes_the_place_of_the_steps():
    card = Card.parse(changed(training={"minutes": 10}), "card.yaml")
    assert card.training.steps is None
    assert Card.parse(card.to_yaml(), "card.yaml") == card
    with pytest.raises(CardError, match="steps: null takes the steps away"):
        Card.parse(changed(training={"steps": 5}), "card.yaml", ["training.minutes=1"])
    freed = ["training.steps=null", "training.minutes=1"]
    assert Card.parse(changed(training={"steps": 5}), "card.yaml", freed).training.minutes == 1
    assert "\n  minutes" not in Card.parse(THREE_LINES, "card.yaml").to_yaml()


@pytest.mark.filterwarnings("ignore:.* is selected without")  # few tracks are not of all species
@pytest.mark.parametrize("kind", MODELS)
def test_every_model_trains_from_three_lines(kind, tmp_path):
    """The size of the network and the steps are cut: the options that are tested are the others."""
    events = small_sample(kind, 150, seed=1)
    write_events(events, tmp_path / "events.h5")
    card = tmp_path / "card.yaml"
    content = {
        "detector": detector_of(kind),
        "data": str(tmp_path / "events.h5"),
        "model": SMALL_MODELS[kind],
    }
    card.write_text(yaml.safe_dump(content))
    notes = []
    short = ["training.steps=2", "selection.every=2"]
    train(Card.load(card, short), tmp_path / "simulator", on_note=notes.append)
    assert "15 of 150 events of" in notes[0]
    loaded = TrainedSimulator.load(tmp_path / "simulator")
    recommended = MODELS[kind].recommended["training"]
    assert loaded.card.training.batch_size == recommended.get("batch_size", 64)
    assert loaded.about["train_events"] == 135
    simulated = loaded.simulate(events.conditions.take(slice(5)), seed=1)
    assert all(np.isfinite(array).all() for array in simulated.response.values())


def test_the_events_that_select_are_drawn_as_convert_draws_them(tmp_path):
    events = small_sample("dnncalogan", 100)
    write_events(events, tmp_path / "events.h5")
    content = {"detector": "atlas-barrel", "data": str(tmp_path / "events.h5")}
    card = Card.model_validate(content | {"model": {"kind": "dnncalogan"}, "seed": 7})
    learned, selecting = training_events(card, events.detector)
    rows = split_rows(100, (90.0, 10.0), 7)
    for part, expected in zip((learned, selecting), rows, strict=True):
        assert np.array_equal(part["showers"], events["showers"][expected])
    assert len(np.intersect1d(*rows)) == 0
    (note,) = split_note(card, learned, selecting)
    assert "10 of 100 events" in note
    assert "simulacra convert --split 90/10 --seed 7" in note
