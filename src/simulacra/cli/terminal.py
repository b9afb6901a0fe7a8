"""What the command line shows: tables on stdout, progress and errors on stderr."""

from __future__ import annotations

import codecs
import os
import sys
import unicodedata
from typing import TYPE_CHECKING

from rich.console import Console

from simulacra.errors import printable, printable_line

if TYPE_CHECKING:
    from rich.table import Table

    from simulacra.hybrid import HybridEvents
    from simulacra.validation import Validation

# a table needs some width, and a log file has no terminal to ask; what is shown are names of files
# and words of others: brackets and colons in them are no markup
console = Console(width=None if sys.stdout.isatty() else 110, markup=False, emoji=False)
errors = Console(stderr=True, soft_wrap=True, markup=False, emoji=False)

_IN_ASCII = {
    **{letter: unicodedata.name(letter).split()[-1].lower() for letter in "αβγδηθκμνπρστφχψω"},
    **{
        "λ": "lambda",
        "Δ": "Delta",
        "Γ": "Gamma",
        "Φ": "Phi",
        "Σ": "Sigma",
        "Ω": "Omega",
        "ε": "epsilon",
    },
    **{"±": "+-", "×": "x", "·": "*", "−": "-", "–": "-", "—": "-", "‑": "-", "…": "..."},
    **{"→": "->", "←": "<-", "≤": "<=", "≥": ">=", "≈": "~", "≠": "!=", "√": "sqrt", "∞": "inf"},
    **{"°": "deg", "²": "^2", "³": "^3", "⁻": "^-", "¹": "1", "½": "1/2", "’": "'", "‘": "'"},
    **{"“": '"', "”": '"', "µ": "mu"},
}
"""How characters are written where the terminal's encoding has none of them."""
SPELLED = "simulacra.spelled"
DUMB = ("dumb", "unknown")
"""Values of TERM of terminals that draw nothing."""


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """Return the characters that an encoding lacks in ASCII: σ becomes sigma, anything else ?."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    spelled = "".join(_IN_ASCII.get(sign) or _without_accents(sign) for sign in lacking)
    return spelled, error.end


def _without_accents(sign: str) -> str:
    return unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode() or "?"


codecs.register_error(SPELLED, _spelled)


def spell_what_is_lacking() -> None:
    """Let stdout and stderr write in ASCII what their encoding lacks, in place of a traceback.

    A terminal that is called dumb is taken as one that has nothing but ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        encoding = (getattr(stream, "encoding", None) or "").lower()
        if not hasattr(stream, "reconfigure"):
            continue
        if stream.isatty() and os.environ.get("TERM") in DUMB:
            stream.reconfigure(encoding="ascii", errors=SPELLED)
        else:  # in UTF, only bytes in names of files that are no characters are lacking
            spelled = not encoding.startswith("utf")
            stream.reconfigure(errors=SPELLED if spelled else "backslashreplace")


def write(text: str) -> None:
    """Write a text to stdout, in the encoding of the terminal; control characters are escaped."""
    lines = (printable_line(line) for line in text.split("\n"))
    sys.stdout.write("\n".join(lines))
    sys.stdout.flush()


def table(*columns: str) -> Table:
    """Return an empty table that folds long cells."""
    from rich.table import Table

    made = Table()
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_scores(validation: Validation) -> None:
    """Print what a user looks at first: one line per energy, and the classifier tests."""
    from simulacra.validation import sample_rows, summary_rows
    from simulacra.validation.result import label_text, title_of
    from simulacra.validation.summary import SUMMARIES

    one = label_text(validation.scale)
    first, second = SUMMARIES[validation.summary].words
    ratios = f"{first} ratio", f"{second} ratio"
    scores = table(one, "events", *ratios, "worst observable", "S / baseline")
    primary = title_of(validation.observables, validation.primary_observable)
    scores.caption = (
        f"{first} and {second}, fast over full: {primary}; "
        "S: separation power of the worst observable"
    )
    for row in summary_rows(validation):
        scores.add_row(*row.cells())
    console.print(scores)
    judged = sample_rows(validation.samples)
    if judged:
        samples = table("classifier test and sample metrics", "score", "baseline", f"worst {one}")
        samples.caption = "* the worse of two classifiers; baseline: full simulation against itself"
        for line in judged:
            samples.add_row(*line.cells())
        console.print(samples)
    _print_cautions(validation)


def print_note(note: str) -> None:
    """Print what a user must know but is no error."""
    errors.print(f"note: {printable(note)}", highlight=False)


def _print_cautions(validation: Validation) -> None:
    """Print what a reader of the scores must know: notes, and numbers that are impossible."""
    for note in validation.notes:
        print_note(note)
    for name, found in validation.invariants.items():
        for count, what in ((found.non_finite, "not finite"), (found.negative, "negative")):
            if count:
                print_note(f"{name} sample: {count} numbers of the response are {what}")


def print_handed_over(events: HybridEvents) -> None:
    """Print what came of the rules of a hybrid run, and whether the energy closes."""
    from simulacra.units import format_energy

    counts = table(
        "rule", "simulator", "handed over", "energy", "outside training", "outside read-out"
    )
    counts.caption = "particles; what is outside stayed in full simulation"
    for count in events.rule_counts():
        energy = format_energy(count.energy)
        numbers = (count.handed_over, energy, count.outside_training, count.outside_readout)
        counts.add_row(str(count.rule), count.simulator, *map(str, numbers))
    if counts.row_count:
        console.print(counts)
    answers = table("simulated by", "particles", "energy", "share", "response", "seconds")
    answers.caption = (
        "full: primaries, and all energy that was not handed over; others: particles and their "
        "kinetic energy; seconds by the clock, of this call"
    )
    brought = float(events.audit.brought.sum())
    for answer in events.answer_counts():
        energies = format_energy(answer.energy), f"{answer.energy / brought:.1%}"
        shown = (*energies, format_energy(answer.response), f"{answer.seconds:.2f}")
        answers.add_row(answer.origin, str(answer.particles), *shown)
    console.print(answers)
    console.print(
        f"handed over {events.handed_over_share:.1%} of the energy; "
        f"largest imbalance of an event {events.audit.largest_imbalance:.1e}",
        highlight=False,
    )
