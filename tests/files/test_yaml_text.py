"""YAML as the standard has it."""

import pytest
import yaml

from simulacra.errors import CardError
from simulacra.files.yaml_text import one_line_errors, parse_yaml


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", "c: {a: 1, a: 1}", "- {'a': 1, a: 2}"])
def test_a_key_that_is_given_twice_is_an_error(text):
    with pytest.raises(CardError, match=r"line \d: not valid YAML: the key a is given twice"):  # noqa: SIM117
        with one_line_errors("card", CardError):
            parse_yaml(text)


@pytest.mark.parametrize(
    "text",
    ["a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}", "[{a: 1}, {a: 2}]", "a: {a: 1}", "1: 2\n'1': 3"],
)
def test_keys_of_several_mappings_may_agree(text):
    assert parse_yaml(text) == yaml.safe_load(text)
