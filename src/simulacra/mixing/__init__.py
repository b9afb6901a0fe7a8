"""Events on top of each other: pile-up and events of several particles, from a library of events.

What is drawn for an event is decided in :mod:`.draws`; :mod:`.cells` adds calorimeters cell by
cell, :mod:`.chambers` makes whole events of a TPC's tracks. A kind of detector is a row of
:data:`simulacra.mixing.verb.MIXERS`.
"""
