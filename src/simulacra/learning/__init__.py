"""Learning in one call: simulate, split, train, validate, and tell what more would bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulacra.faces.lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    __path__,
    {"forecast": ("PowerLaw",), "plan": ("Plan", "Request"), "run": ("Learned", "learn")},
)

if TYPE_CHECKING:
    from simulacra.learning.forecast import PowerLaw as PowerLaw
    from simulacra.learning.plan import Plan as Plan
    from simulacra.learning.plan import Request as Request
    from simulacra.learning.run import Learned as Learned
    from simulacra.learning.run import learn as learn
