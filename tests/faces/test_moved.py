"""Former names of modules import the new ones, with a warning."""

import sys
from importlib import import_module

import pytest

from simulacra.faces.moved import MOVED


@pytest.mark.parametrize(("former", "new"), MOVED.items())
def test_a_former_name_has_the_objects_of_the_new_one(former, new, monkeypatch):
    monkeypatch.delitem(sys.modules, former, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{former} is {new} now"):
        module = import_module(former)
    monkeypatch.delitem(sys.modules, former)
    found = import_module(new)
    names = [name for name in vars(found) if not name.startswith("__")]
    assert names
    assert all(getattr(module, name) is getattr(found, name) for name in names)


def test_other_names_are_still_missing():
    with pytest.raises(ModuleNotFoundError):
        import_module("simulacra.nothing")
