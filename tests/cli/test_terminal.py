"""What strangers' words and odd names of files do to a terminal: nothing."""

import io
import sys

import pytest

from simulacra.cli import terminal
from simulacra.cli.terminal import console, errors, print_note, spell_what_is_lacking, write

ESCAPE = "\x1b[31mred\u202e\x07"
ESCAPED = r"\x1b[31mred\u202e\x07"


def test_control_characters_of_strangers_are_escaped(capsys):
    write(f"step  {ESCAPE}\n")
    print_note(ESCAPE)
    captured = capsys.readouterr()
    assert captured.out == f"step  {ESCAPED}\n"
    assert captured.err == f"note: {ESCAPED}\n"


@pytest.mark.parametrize("name", ["a[/b].h5", "[bold]a.h5", "run:100:.h5", "a:smile:.h5"])
@pytest.mark.parametrize("shown", [console, errors])
def test_names_of_files_are_no_markup(name, shown, capsys):
    shown.print(name)
    captured = capsys.readouterr()
    assert captured.out + captured.err == f"{name}\n"


def test_bytes_that_are_no_characters_are_spelled(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stream)
    spell_what_is_lacking()
    terminal.write("\udcff.h5")
    print("\udcff.h5", file=stream, flush=True)
    assert stream.buffer.getvalue() == rb"\udcff.h5\udcff.h5" + b"\n"
