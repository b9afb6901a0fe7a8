"""What is looked at: the sum."""

from simulacra.observables.kinds import ObservablesOfKind
from simulacra.observables.observable import Observable

TOTAL = Observable("total", "$E/E_0$", "", lambda e: e["charge"].sum(1) / e["energy"], "total")
OBSERVABLES = ObservablesOfKind(lambda detector, lengths: (TOTAL,), ("total",))  # noqa: ARG005
