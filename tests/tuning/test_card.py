"""The card of a search: one clear line that names the key, before any training."""

import pytest

from simulacra.errors import CardError
from simulacra.tuning.card import FIXED, TuneCard

CARD = """
detector: atlas-barrel
data: {train: a.h5, selection: b.h5}
model: {kind: dnncalogan}
training: {steps: 10}
seed: 5
tune:
  trials: 3
  seeds: 2
  space:
    training.learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}
    model.latent: {low: 4, high: 16}
    model.generator_widths: [[16], [32, 32]]
"""


def parse(*overrides):
    return TuneCard.parse(CARD, "card.yaml", overrides)


def test_a_card_is_read_and_written():
    card = parse()
    assert card.seeds == (5, 6)
    assert card.fresh_seeds == (7, 8, 9)
    again = TuneCard.parse(card.to_yaml(), "again")
    assert again.study == card.study
    assert again.identity == card.identity
    assert parse("tune.trials=9", "tune.confirm=0").identity == card.identity
    assert parse("tune.seeds=1").identity != card.identity
    assert parse("training.steps=11").identity != card.identity


def test_values_become_a_run_card():
    made = parse().with_values({"model.generator_widths": [32, 32], "model.latent": 7}, seed=9)
    assert made.model.generator_widths == (32, 32)
    assert (made.model.latent, made.seed, made.training.steps) == (7, 9, 10)


def test_its_own_values_are_a_trial_where_the_space_has_them():
    inside = parse("model.latent=8", "model.generator_widths=[16]")
    assert inside.own_values() == {
        "training.learning_rate": 3e-4,
        "model.latent": 8,
        "model.generator_widths": [16],
    }
    assert parse("model.latent=99").own_values() is None


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("tune.trails=3", "unknown key tune.trails; did you mean trials?"),
        ("tune.space={}", "tune.space"),
        ("tune.space={training.learning_rat: [1, 2]}", "training.learning_rat; did you mean"),
        ("tune.space={model.latent: {low: 4, high: 9.5}}", "space.model.latent: with"),
        ("tune.space={model.latent: [8, many]}", "tune.space.model.latent: with 'many'"),
        ("tune.space={model.latent: [8]}", "tune.space.model.latent"),
        ("tune.space={model.latent: {low: 9, high: 4}}", "low 9 is not below high 4"),
        ("tune.space={model.latent: {low: 0, high: 4, log: true}}", "log needs low above 0"),
        ("tune.space={model.latent: {low: 4}}", "give a list of values, or low and high"),
        (
            "tune.space={model.latent: {low: 4, hihg: 9}}",
            "unknown key tune.space.model.latent.hihg",
        ),
        ("tune.space={model.kind.name: [1, 2]}", "kind has no keys below it"),
        ("tune.objectives=[time]", "give [score] or [score, time]"),
        ("data.selection=null", "data.selection: trials are compared by selection events"),
        *((f"tune.space={{{key}: [1, 2]}}", f"{key}: ") for key in FIXED),
    ],
)
def test_mistakes_are_named(override, words):
    with pytest.raises(CardError) as error:
        parse(override)
    assert words in str(error.value)
    assert str(error.value).startswith("card.yaml: ")
    assert "\n" not in str(error.value)


def test_a_card_without_a_search_is_refused():
    with pytest.raises(CardError, match="missing key tune"):
        TuneCard.parse(CARD.partition("tune:")[0], "card.yaml")
