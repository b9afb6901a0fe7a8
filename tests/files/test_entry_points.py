"""Tables that other packages and running programs can extend."""

import math
from importlib.metadata import EntryPoint

import pytest

from simulacra.files import entry_points
from simulacra.files.entry_points import Table


@pytest.fixture
def table(monkeypatch):
    """A table of one row beside another package's two, and how often packages were read."""
    read = []

    def found(group):
        read.append(group)
        return [EntryPoint("sine", "math:sin", group), EntryPoint("root", "cmath:sqrt", group)]

    monkeypatch.setattr(entry_points, "entry_points", found)
    return Table("simulacra.functions", {"root": "math:sqrt"}), read


def test_own_rows_come_first_and_need_no_other_package(table):
    rows, read = table
    assert "root" in rows
    assert rows["root"] is math.sqrt
    assert not read


def test_rows_of_other_packages_follow(table):
    rows, read = table
    assert list(rows) == ["root", "sine"]
    assert len(rows) == 2
    assert rows["sine"] is math.sin
    assert "cosine" not in rows
    assert read == ["simulacra.functions"]
    with pytest.raises(KeyError):
        rows["cosine"]


def test_a_row_is_added_for_this_process_and_takes_no_name(table):
    rows, _ = table
    rows.register("cosine", math.cos)
    assert rows["cosine"] is math.cos
    assert list(rows) == ["root", "sine", "cosine"]
    for taken in ("root", "sine", "cosine"):
        with pytest.raises(ValueError, match=f"has '{taken}' already"):
            rows.register(taken, math.tan)
