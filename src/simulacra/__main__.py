"""The command ``simulacra``, and ``python -m simulacra``: Ctrl-C is handled from here on."""

from __future__ import annotations

import os
import sys

from simulacra.errors import INTERRUPTED

STANDARD_STREAMS = 3


def main() -> None:
    """Run the command line."""
    _open_standard_streams()
    try:
        from simulacra.cli import main as run

        run()
    except KeyboardInterrupt:  # while modules are imported
        sys.stderr.write("stopped\n")
        sys.exit(INTERRUPTED)


def _open_standard_streams() -> None:
    """Let streams that are closed (``>&-``) lead to nothing.

    The next file that opens would get their number, and what libraries print would be written into
    that file.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < STANDARD_STREAMS:
        os.set_inheritable(number, True)
    os.close(number)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)


if __name__ == "__main__":
    main()
