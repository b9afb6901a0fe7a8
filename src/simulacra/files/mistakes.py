"""Mistakes in what users write, in their own words: which key, what is wrong, what was meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

UNKNOWN_KEY = "unknown_key"
"""The type of the validation error for a key that a mapping does not have."""
MOST_KNOWN = 300
"""Characters up to which the known words are listed where none is near."""
MOST_ERRORS = 3
"""Mistakes that one message tells."""
LONGEST_VALUE = 40
"""Characters of a value that a message quotes."""
_OF_THE_LIBRARY = re.compile(r"^[\w-]+[\[(].*[\])]$")
"""Steps of a validation in the place of an error, such as ``function-wrap[checked()]``."""
_QUOTED = re.compile(r"'([^']*)'")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the end of a message on an unknown word: the nearest known one, or all of few.

    Example:
        >>> did_you_mean("stepz", ["steps", "seed"])
        '; did you mean steps?'
        >>> did_you_mean("colour", ["steps", "seed"])
        '; there are steps, seed'
    """
    words = [str(one) for one in known]
    if near := get_close_matches(word.lower(), words, 1):
        return f"; did you mean {near[0]}?"
    listed = ", ".join(words)
    return f"; there are {listed}" if 0 < len(listed) <= MOST_KNOWN else ""


def summarise_validation_error(error: Exception) -> str:
    """Return a validation error as one line: ``key: what; key: what``, without words of pydantic.

    Args:
        error: of pydantic; any other is returned as it is.
    """
    details = getattr(error, "errors", None)
    if details is None:
        return str(error)
    found = list(dict.fromkeys(_sentence(item) for item in details(include_url=False)))
    more = f"; and {len(found) - MOST_ERRORS} more" if len(found) > MOST_ERRORS else ""
    return "; ".join(found[:MOST_ERRORS]) + more


def _sentence(item: Mapping[str, Any]) -> str:
    """Return one mistake with the key that it is about."""
    kind, facts = item["type"], item.get("ctx", {})
    path = [str(part) for part in item["loc"] if not _OF_THE_LIBRARY.match(str(part))]
    if kind == UNKNOWN_KEY:
        key = ".".join([*path, facts["key"]])
        return f"unknown key {key}{did_you_mean(facts['key'], facts['known'].split())}"
    where = ".".join(path) or "value"
    if kind == "missing":
        return f"missing key {where}"
    if kind in _OWN_WORDS:
        return f"{where}: {_OWN_WORDS[kind](facts, item['input'])}"
    return f"{where}: {_plain(item['msg'])}"


def _plain(message: str) -> str:
    """Return pydantic's message in plain words."""
    message = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message.replace("Input should be", "must be").replace(" after validation", "")
    return message[:1].lower() + message[1:] if message[:2].istitle() else message


def _quoted(value: object) -> str:
    """Return a value as a message shows it; nothing of one that is long."""
    text = repr(value)
    return f", not {text}" if len(text) <= LONGEST_VALUE else ""


def _one_of(facts: Mapping[str, Any], value: object) -> str:
    listed = str(facts["expected"])
    return f"must be {listed}{_quoted(value)}{_near(value, listed)}"


def _unknown_tag(facts: Mapping[str, Any], _value: object) -> str:
    key, tag = str(facts["discriminator"]).strip("'"), str(facts["tag"])
    known = _QUOTED.findall(str(facts["expected_tags"]))
    return f"unknown {key} {tag!r}{did_you_mean(tag, known)}"


def _no_tag(facts: Mapping[str, Any], _value: object) -> str:
    return f"give its {str(facts['discriminator']).strip(chr(39))}"


def _near(value: object, listed: str) -> str:
    known = _QUOTED.findall(listed)
    near = get_close_matches(str(value).lower(), known, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _must_be(what: str) -> Callable[[Mapping[str, Any], object], str]:
    return lambda _facts, value: f"must be {what}{_quoted(value)}"


def _at_least(facts: Mapping[str, Any], value: object) -> str:
    return f"must be at least {facts['ge']:g}{_quoted(value)}"


def _at_most(facts: Mapping[str, Any], value: object) -> str:
    return f"must be at most {facts['le']:g}{_quoted(value)}"


def _above(facts: Mapping[str, Any], value: object) -> str:
    return f"must be greater than {facts['gt']:g}{_quoted(value)}"


def _below(facts: Mapping[str, Any], value: object) -> str:
    return f"must be less than {facts['lt']:g}{_quoted(value)}"


_A_WHOLE_NUMBER, _A_NUMBER = _must_be("a whole number"), _must_be("a number")
_A_MAPPING, _A_LIST = _must_be("a mapping of keys to values"), _must_be("a list")
_OWN_WORDS: Mapping[str, Callable[[Mapping[str, Any], object], str]] = {
    "greater_than": _above,
    "greater_than_equal": _at_least,
    "less_than": _below,
    "less_than_equal": _at_most,
    "literal_error": _one_of,
    "union_tag_invalid": _unknown_tag,
    "union_tag_not_found": _no_tag,
    "int_parsing": _A_WHOLE_NUMBER,
    "int_type": _A_WHOLE_NUMBER,
    "int_from_float": _A_WHOLE_NUMBER,
    "int_parsing_size": _A_WHOLE_NUMBER,
    "float_parsing": _A_NUMBER,
    "float_type": _A_NUMBER,
    "finite_number": _must_be("a finite number"),
    "bool_parsing": _must_be("true or false"),
    "bool_type": _must_be("true or false"),
    "string_type": _must_be("a text"),
    "tuple_type": _A_LIST,
    "list_type": _A_LIST,
    "dict_type": _A_MAPPING,
    "model_type": _A_MAPPING,
    "model_attributes_type": _A_MAPPING,
}
"""What is said of pydantic's types of errors, by the facts of the error and the value."""
