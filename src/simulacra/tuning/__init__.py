"""Tuning: a search for the options of a run card, by the selection score, on Optuna.

Importing this package does not load Optuna.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulacra.faces.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    {"card": ("TuneCard",), "result": ("Tuning",), "run": ("tune",)},
)

if TYPE_CHECKING:
    from simulacra.tuning.card import TuneCard as TuneCard
    from simulacra.tuning.result import Tuning as Tuning
    from simulacra.tuning.run import tune as tune
