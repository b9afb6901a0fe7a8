"""The description of a simulator's folder says nothing that belongs to its answers."""

import pytest

from simulacra.errors import SimulatorError
from simulacra.simulators.about import OF_AN_ANSWER, read_about, write_about


@pytest.mark.parametrize("name", sorted({*OF_AN_ANSWER, "device"}))
def test_facts_of_an_answer_are_refused(tmp_path, name):
    about = {"format_version": 1, "ranges": {}, "about": {name: "x"}}
    write_about(tmp_path, about, ())
    with pytest.raises(SimulatorError, match=f"'{name}' is said by what it answers"):
        read_about(tmp_path, 1, ())
    write_about(tmp_path, about | {"about": {}}, ())
    assert read_about(tmp_path, 1, ())["ranges"] == {}
