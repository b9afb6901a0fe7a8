"""The command before any of it is loaded: Ctrl-C, streams that are closed."""

import subprocess
import sys
import types

import pytest

from simulacra.__main__ import main
from simulacra.errors import INTERRUPTED


class Interrupted(types.ModuleType):
    """A module whose import meets Ctrl-C."""

    def __getattr__(self, name):
        raise KeyboardInterrupt


def test_an_interrupt_while_modules_are_imported_is_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "simulacra.cli", Interrupted("simulacra.cli"))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == INTERRUPTED
    assert capsys.readouterr().err == "stopped\n"


OPENS_A_FILE = """
import os, sys, types
opened = types.SimpleNamespace(main=lambda: sys.exit(os.open(os.devnull, os.O_WRONLY)))
sys.modules["simulacra.cli"] = opened
from simulacra.__main__ import main
main()
"""
"""Ends with the number of its first file."""


@pytest.mark.parametrize("closed", ["1", "0 1 2"])
def test_no_file_gets_the_number_of_a_closed_stream(closed):
    closing = " ".join(f"{number}>&-" for number in closed.split())
    words = ["sh", "-c", f'exec "$0" -c "$1" {closing}', sys.executable, OPENS_A_FILE]
    assert subprocess.run(words, check=False).returncode > 2
