"""What a few characters can ask for: refused in one line before any memory is taken."""

import pytest
import yaml

from simulacra.conditions import conditions_at
from simulacra.detectors import load_detector, parse_detector
from simulacra.errors import CardError, DetectorError, EventsError, SimulacraError
from simulacra.files.memory import memory, require_room
from simulacra.files.yaml_text import parse_yaml
from simulacra.io import read_events, root_tables, write_events
from simulacra.models import find_model
from simulacra.models.surrogate import Surrogate
from simulacra.simulators.trained import train


def test_half_of_the_memory_is_the_limit():
    require_room(memory() // 2, "half")
    with pytest.raises(SimulacraError, match="more would need"):
        require_room(memory() // 2 + 1, "more")


def barrel_with(change):
    content = yaml.safe_load(load_detector("calochallenge-2").to_yaml())
    change(content["stack"][0])
    with pytest.raises(DetectorError) as caught:
        parse_detector(yaml.safe_dump(content))
    return str(caught.value)


def test_detectors_that_are_too_large():
    assert "repetitions of sections" in barrel_with(lambda s: s.update(repeat=10**9))
    assert "layers of cells" in barrel_with(
        lambda s: (s.update(repeat=20_000), s["readout"].update(each=True))
    )
    sectors = barrel_with(lambda s: s["readout"]["segmentation"].update(alpha=10**9))
    assert "cells are more than the 10000000" in sectors
    assert "finite" in barrel_with(lambda s: s["slabs"][0].update(thickness=float("inf")))


def test_numbers_of_events_that_no_memory_holds(barrel):
    with pytest.raises(SimulacraError, match="1000000000000 events would need"):
        conditions_at(barrel, "1GeV", 10**12, 1)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("model.latent", 10**12, "latent: 1e.12 is more than any network has"),
        ("training.batch_size", 10**12, "training.batch_size: .* would need"),
        ("selection.repeat", 10**12, "selection.repeat: .* would need"),
    ],
)
def test_cards_that_no_memory_holds(option, value, words, small_card, tmp_path):
    text = small_card(steps=1).to_yaml()
    with pytest.raises(SimulacraError, match=words):
        train(type(small_card()).parse(text, "card", [f"{option}={value}"]), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_networks_that_no_memory_holds(barrel):
    entry = find_model("dnncalogan")
    options = {"kind": "dnncalogan", "generator_widths": (100_000,) * 9}
    config = entry.Config.model_validate(options)
    with pytest.raises(SimulacraError, match="the network would need"):
        Surrogate(entry, config, barrel)


def test_aliases_of_aliases():
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12)]
    for kind in (parse_detector, lambda text: type_of_cards().parse(text, "card")):
        with pytest.raises((CardError, DetectorError), match="aliases make more than"):
            kind("\n".join(lines))
    with pytest.raises(ValueError, match="aliases"):
        parse_yaml("&a [*a]")
    assert parse_yaml("a: &a [1]\nb: *a") == {"a": [1], "b": [1]}


def test_branches_that_no_memory_holds(events, tmp_path, monkeypatch):
    pytest.importorskip("uproot")
    write_events(events, tmp_path / "a.root")
    monkeypatch.setattr(root_tables, "HEADERS", -(10**15))  # as if a branch claimed so much
    with pytest.raises(EventsError, match="too large"):
        read_events(tmp_path / "a.root")


def type_of_cards():
    from simulacra.training.card import Card

    return Card
